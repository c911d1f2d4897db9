"""The condition on many keys."""

import pytest
from django.db.models import F, Q

from runs.models import Member, Run
from runs.models.joined import AmongKeys
from tests.support.factories import make_run

pytestmark = pytest.mark.django_db


def test_only_rows_with_these_keys_match(alice: Member) -> None:
    first, second, third = (make_run(alice) for _ in range(3))
    among = Q(AmongKeys(F("pk"), (third.pk, first.pk)))
    assert list(Run.objects.filter(among).order_by("pk")) == [first, third]
    assert list(Run.objects.exclude(among)) == [second]
    assert list(Run.objects.filter(parent__isnull=True).filter(AmongKeys(F("pk"), ()))) == []


def test_a_thousand_keys_are_one_parameter(alice: Member) -> None:
    run = make_run(alice)
    found = Run.objects.filter(AmongKeys(F("pk"), range(run.pk, run.pk + 1_000)))
    assert list(found) == [run]
    _sql, params = found.query.sql_with_params()
    assert len(params) == 1
