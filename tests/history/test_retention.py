"""Retention rules by kind of run: they move runs to the bin, but keep runs that somebody still wants."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from runs import tasks
from runs.models import App, Member, RetentionRules, Run
from runs.sharing import links
from tests.support.factories import make_app, make_run

pytestmark = pytest.mark.django_db
ADDRESS = "/manage/keeping/"


@pytest.fixture
def app() -> App:
    return make_app()


def ended(member: Member, app: App, days: int, status: str = "completed", **fields: object) -> Run:
    at = timezone.now() - timedelta(days=days)
    return make_run(member, app, status=status, created_at=at, started_at=at, finished_at=at, **fields)


def binned() -> set[str]:
    return set(Run.objects.filter(deleted_at__isnull=False).values_list("public_id", flat=True))


def test_without_a_rule_everything_stays(alice: Member, app: App) -> None:
    ended(alice, app, 3000)

    tasks.clear()

    assert binned() == set()


def test_each_kind_has_its_own_time(alice: Member, app: App) -> None:
    RetentionRules.objects.create(ready_days=90, failed_days=7)
    old, failed = ended(alice, app, 91), ended(alice, app, 8, "failed")
    for run in (ended(alice, app, 89), ended(alice, app, 6, "cancelled"), make_run(alice, app)):
        assert run.deleted_at is None

    tasks.clear()

    assert binned() == {old.public_id, failed.public_id}
    assert Run.objects.count() == 5, "old runs go to the bin first"


def test_what_has_a_star_or_is_open_to_guests_stays(alice: Member, app: App) -> None:
    RetentionRules.objects.create(ready_days=30)
    starred, shown, taken_back = (ended(alice, app, 40) for _ in range(3))
    Run.objects.filter(pk=starred.pk).update(has_star=True)
    links.make_link(alice, list(shown.outputs.all()))
    links.revoke(links.make_link(alice, list(taken_back.outputs.all())), alice)

    tasks.clear()

    assert binned() == {taken_back.public_id}


def test_it_can_be_restored_and_the_bin_says_why(as_alice: Client, alice: Member, app: App) -> None:
    RetentionRules.objects.create(ready_days=30)
    run = ended(alice, app, 40)
    tasks.clear()

    assert "by the retention rules" in as_alice.get("/bin/").content.decode()
    as_alice.post(f"/runs/{run.public_id}/restore/")
    tasks.clear()
    assert binned() == set(), "it counts as new; otherwise it would go back to the bin the next night"


def test_admins_set_the_rules_in_the_one_row(as_admin: Client, alice: Member, app: App) -> None:
    ended(alice, app, 40)
    page = as_admin.post(ADDRESS, {"ready_days": "30", "failed_days": ""}, follow=True).content.decode()
    assert "1 run will be moved to the bin within a day" in page
    as_admin.post(ADDRESS, {"ready_days": "", "failed_days": "14"})

    kept = RetentionRules.objects.get()
    assert (kept.ready_days, kept.failed_days) == (None, 14)
    assert binned() == set()


@pytest.mark.parametrize("days", ["0", "6", "3651", "-30", "ten", "\u0661\u0661", "9" * 5000, "0003659999999"])
def test_a_number_of_days_that_is_none_is_said_so_and_nothing_typed_is_lost(as_admin: Client, days: str) -> None:
    answer = as_admin.post(ADDRESS, {"ready_days": days, "failed_days": "20"})

    assert answer.status_code == 422
    assert "Enter 7 to 3650 days, or leave it empty." in answer.content.decode()
    assert 'value="20"' in answer.content.decode()
    assert not RetentionRules.objects.exists()
