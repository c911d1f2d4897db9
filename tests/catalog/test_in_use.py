"""Which apps' forms are read again, and when."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from runs.catalog import in_use
from runs.models import App, Member
from tests.support.factories import make_app, make_run

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


def test_starred_apps_come_first_then_used_ones_then_the_top_of_the_list(alice: Member) -> None:
    now = timezone.now()
    top, used, run_starred, starred = (make_app(name, position=n) for n, name in enumerate("tuvw"))
    App.objects.filter(pk=starred.pk).update(starred_at=now)
    make_run(alice, run_starred, status="completed", has_star=True)
    make_run(alice, used, status="completed")

    assert in_use.apps_in_use() == [starred.pk, run_starred.pk, used.pk, top.pk]


def make_many(count: int, **fields: Any) -> list[int]:
    """Create apps whose forms haven't been read yet; return the apps' ids."""
    first = App.objects.count()
    made = [App(remote_id=f"many-{first + n}", name="Many", position=first + n, **fields) for n in range(count)]
    return [app.pk for app in App.objects.bulk_create(made)]


def test_every_starred_app_is_in_use(alice: Member) -> None:
    listed = make_many(80)
    starred = make_many(70, starred_at=timezone.now())
    used = make_app("Used", position=999)
    make_run(alice, used, status="completed")

    ids = in_use.apps_in_use()

    assert sorted(ids[:70]) == sorted(starred)
    assert ids[70:] == [used.pk, *listed[: in_use.SHOWN_FIRST]]


def test_an_idle_portal_reads_each_starred_app_in_turn() -> None:
    """The portal reads at most 60 apps a day, even if more are starred."""
    starred, now, read = make_many(100, starred_at=timezone.now()), timezone.now(), []

    for day in range(3):
        at = now + timedelta(hours=25 * day)
        due = [app.pk for app in in_use.incomplete(at, is_one_there=False)]
        assert len(due) == in_use.IN_ALL
        App.objects.filter(pk__in=due).update(schema_fetched_at=at, schema_asked_at=at, estimated_at=at)
        assert in_use.incomplete(at, is_one_there=False) == []
        read.append(due)

    assert set(read[0]) | set(read[1]) == set(starred)
    assert set(read[1]) | set(read[2]) == set(starred)
