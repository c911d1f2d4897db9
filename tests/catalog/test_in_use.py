"""Which apps are read again, and when."""

from datetime import timedelta

import pytest
from django.utils import timezone

from runs.catalog import in_use
from runs.models import App
from tests.support.factories import make_app

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("is_read", "is_one_there", "minutes", "is_due"),
    [
        (False, True, 0.5, False),
        (False, True, 1.5, True),  # people are waiting for the form
        (False, False, 1.5, False),
        (False, False, 13 * 60, True),
        (True, True, 1.5, False),  # the form is a day old, but people can use it
        (True, True, 10.5, True),
    ],
)
def test_an_app_that_gave_no_answer_is_asked_again(
    is_read: bool, is_one_there: bool, minutes: float, is_due: bool
) -> None:
    now = timezone.now()
    yesterday = now - timedelta(hours=25)
    app = make_app()
    App.objects.filter(pk=app.pk).update(
        position=1,
        schema_fetched_at=yesterday if is_read else None,
        estimated_at=yesterday if is_read else None,
        schema_asked_at=now - timedelta(minutes=minutes),
    )

    assert bool(in_use.incomplete(now, is_one_there=is_one_there)) is is_due
