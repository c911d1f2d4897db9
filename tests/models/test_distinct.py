"""Distinct values that are read by jumping through an index are the same as those found with DISTINCT."""

import pytest

from runs.models import App, Decision, Member, Output, Run
from runs.models.distinct import distinct_values, labels_of_results
from tests.support.factories import make_app, make_run

pytestmark = pytest.mark.django_db


def test_apps_with_runs_are_those_with_runs(alice: Member, bob: Member) -> None:
    first, second, _unused = (make_app(f"App {n}") for n in range(3))
    for member, app in ((alice, first), (alice, first), (bob, second)):
        make_run(member, app)
    assert set(App.objects.filter(pk__in=distinct_values(Run, "app"))) == {first, second}
    assert set(App.objects.filter(pk__in=distinct_values(Run, "app", member=alice.pk))) == {first}
    assert not Member.objects.filter(pk__in=distinct_values(Decision, "member")).exists()


def test_each_label_is_read_once_and_many_are_not_read(alice: Member) -> None:
    for n in range(2):
        Output.objects.filter(run=make_run(alice, make_app(f"App {n}"))).update(search_text="front" if n else "b" * 90)
    assert labels_of_results(2) == ["b" * 80, "front"]
    assert labels_of_results(1) is None
