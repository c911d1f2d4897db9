"""Retention rules by kind of run: they move runs to the bin, but keep runs that somebody still wants."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from runs import tasks
from runs.models import App, Member, RetentionRules, Run
from runs.sharing import links
from runs.words.sizes import size_words
from tests.support.clients import client_of
from tests.support.factories import make_app, make_kept, make_run, make_stored
from tests.support.page import Page

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
    given = {"ready_days": "30", "failed_days": "14", "record_days": "365"}
    asked = as_admin.post(ADDRESS, given).content.decode()
    assert "Runs with results that will be moved to the bin within a day: 1 run." in asked
    assert not RetentionRules.objects.exists(), "nothing is switched on before the page has said what goes"

    as_admin.post(ADDRESS, given | {"agreed": Page(asked).first("button", css="danger").attributes["value"]})
    as_admin.post(ADDRESS, {"ready_days": "", "failed_days": "14", "record_days": ""})

    kept = RetentionRules.objects.get()
    assert (kept.ready_days, kept.failed_days, kept.record_days) == (None, 14, None)
    assert binned() == set()


def test_the_second_of_two_admins_is_told_and_replaces_nothing_unseen(as_admin: Client) -> None:
    ana = Member.objects.create_user("ana@x.test", "a long enough password", name="Ana", role="admin")
    opened = seen_on(as_admin.get(ADDRESS).text)
    client_of(ana).post(ADDRESS, {"ready_days": "30", "record_days": "730", "seen": opened})

    refused = as_admin.post(ADDRESS, {"failed_days": "14", "record_days": "730", "seen": opened})

    told = Page(refused.text).words
    assert "Ana has saved different values since you opened this page" in told
    assert "Currently saved: Runs with results: 30; Failed or cancelled runs: empty" in told
    assert 'value="14"' in refused.text
    assert (RetentionRules.objects.get().ready_days, RetentionRules.objects.get().failed_days) == (30, None)
    as_admin.post(ADDRESS, {"failed_days": "14", "record_days": "730", "seen": seen_on(refused.text)})
    assert (RetentionRules.objects.get().ready_days, RetentionRules.objects.get().failed_days) == (None, 14)


def seen_on(page: str) -> str:
    return next(e.attributes["value"] for e in Page(page).find("input") if e.attributes.get("name") == "seen")


def test_agreeing_to_other_rules_than_shown_is_not_enough(as_admin: Client, alice: Member, app: App) -> None:
    ended(alice, app, 40)
    asked = as_admin.post(ADDRESS, {"ready_days": "39"}).content.decode()
    agreed = Page(asked).first("button", css="danger").attributes["value"]

    as_admin.post(ADDRESS, {"ready_days": "7", "agreed": agreed})

    assert not RetentionRules.objects.exists()


def test_what_each_rule_would_remove_is_shown_with_its_size(as_admin: Client, alice: Member, app: App) -> None:
    """A longer retention time doesn't remove anything more, so it is saved without asking."""
    files = [make_stored(), make_stored()]
    for file in files:
        make_kept(ended(alice, app, 40), file)
    size = files[0].size_bytes + files[1].size_bytes
    ended(alice, app, 40, "failed")

    look = Page(as_admin.post(ADDRESS, {"do": "look", "ready_days": "30", "failed_days": "50"}).text)

    assert look.first(id="goes-ready_days").text == f"Today: 2 runs, {size_words(size)}"
    assert look.first(id="goes-failed_days").text == "Nothing is that old yet."
    assert look.first(id="goes-uploads_days").text == ""
    assert not RetentionRules.objects.exists()
    RetentionRules.objects.create(ready_days=30)
    as_admin.post(ADDRESS, {"ready_days": "35"})
    assert RetentionRules.objects.get().ready_days == 35


@pytest.mark.parametrize("days", ["0", "6", "3651", "-30", "ten", "\u0661\u0661", "9" * 5000, "0003659999999"])
def test_a_number_of_days_that_is_none_is_said_so_and_nothing_typed_is_lost(as_admin: Client, days: str) -> None:
    answer = as_admin.post(ADDRESS, {"ready_days": days, "failed_days": "20"})

    assert answer.status_code == 422
    assert "Enter a number of days from 7 to 3650, or leave the field empty." in answer.content.decode()
    assert 'value="20"' in answer.content.decode()
    assert not RetentionRules.objects.exists()


def test_a_guest_link_whose_results_are_gone_keeps_no_other_run(alice: Member, app: App) -> None:
    RetentionRules.objects.create(ready_days=30)
    old, gone = ended(alice, app, 40), ended(alice, app, 40)
    links.make_link(alice, list(gone.outputs.all())).chosen.all().delete()
    gone.delete()

    tasks.clear()

    assert binned() == {old.public_id}
