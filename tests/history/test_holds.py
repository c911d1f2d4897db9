"""A protected run stays intact even if people try to delete it, on its own or in bulk, or if a retention rule covers
it."""

import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from runs import tasks
from runs.history import bin, holds, views_bin
from runs.models import App, Member, RetentionRules, Run
from tests.support.clients import client_of
from tests.support.factories import make_app, make_run
from tests.support.html import flat
from tests.support.page import Page

pytestmark = pytest.mark.django_db
ONLY_THEY = "Only the person who protected this run or an admin can change that."


@pytest.fixture
def app() -> App:
    return make_app()


@pytest.fixture
def run(alice: Member, app: App) -> Run:
    return make_run(alice, app, status="completed", created_at=timezone.now() - timedelta(days=400))


def protect(client: Client, run: Run, on: str = "1") -> str:
    return flat(client.post(f"/runs/{run.public_id}/hold/", {"on": on}, follow=True).content)


def is_there(run: Run) -> bool:
    return Run.objects.filter(pk=run.pk, deleted_at=None).exists()


def test_nothing_removes_a_protected_run(as_alice: Client, alice: Member, run: Run) -> None:
    RetentionRules.objects.create(ready_days=30)
    page = protect(as_alice, run)
    assert "protected this run, so nothing in it can be deleted" in page
    assert "Move to bin" not in page

    assert "This run is protected" in as_alice.get(f"/runs/{run.public_id}/delete/").text
    assert as_alice.post(f"/runs/{run.public_id}/delete/").status_code == 409
    bulk = as_alice.post("/history/act/", {"do": "bin", "r": run.public_id}, follow=True)
    assert "1 run is protected, so it wasn't moved." in Page(bulk.text).words
    tasks.clear()
    assert is_there(run)

    assert "The run is no longer protected." in protect(as_alice, run, "0")
    tasks.clear()
    assert not is_there(run)


def test_the_database_refuses_a_protected_run_in_the_bin(as_alice: Client, run: Run) -> None:
    protect(as_alice, run)
    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.filter(pk=run.pk).update(deleted_at=timezone.now())


def test_only_who_protected_it_or_an_admin_can_stop_that(
    as_alice: Client, as_admin: Client, admin_member: Member, run: Run
) -> None:
    protect(as_admin, run)
    page = protect(as_alice, run, "0")
    assert ONLY_THEY in page
    assert "Stop protecting" not in page
    assert ONLY_THEY in as_alice.get(f"/runs/{run.public_id}/delete/").text
    asked = as_alice.post("/history/act/", {"do": "release", "r": run.public_id}, follow=True)
    assert "1 run stays protected" in asked.text
    run.refresh_from_db()
    assert run.held_by == admin_member

    protect(as_admin, run, "0")
    run.refresh_from_db()
    assert not run.is_held


def test_many_are_protected_from_history_which_can_be_undone(
    as_alice: Client, alice: Member, bob: Member, app: App
) -> None:
    own = [make_run(alice, app, status="completed") for _ in range(3)]
    other = make_run(bob, app, status="completed", shared_at=timezone.now())
    protect(as_alice, own[0])

    given = {"do": "hold", "r": [run.public_id for run in [*own, other]], "query": "tab=team"}
    page = as_alice.post("/history/act/", given, follow=True).text
    assert "2 runs are now protected from deletion. 1 run isn't yours, so it wasn't changed." in Page(page).words
    assert Run.objects.filter(held_by=alice).count() == 3
    assert "Stop protecting" in page, "offered while some of the selection is protected"

    at = re.search(r'name="at" value="([^"]*)"', page)
    assert at
    as_alice.post("/history/act/", {"do": "unhold", "at": at[1]})
    assert list(Run.objects.filter(held_at__isnull=False)) == [own[0]], "only what that press protected"


def test_admins_see_all_protected_runs_and_stop_that_there(
    as_alice: Client, as_admin: Client, run: Run, app: App, alice: Member
) -> None:
    protect(as_alice, run)
    make_run(alice, app, status="completed")
    assert "1 run is protected from deletion" in Page(as_admin.get("/manage/keeping/").text).words

    page = Page(as_admin.get("/manage/keeping/protected/").text)
    assert len(page.find("li", css="bin-row")) == 1
    assert "Alice" in page.first("li", css="bin-row").words
    after = as_admin.post(
        f"/runs/{run.public_id}/hold/", {"on": "0", "back": "/manage/keeping/protected/"}, follow=True
    )
    assert "No runs are protected" in after.text


def test_viewers_protect_nothing(make_member: object, run: Run) -> None:
    viewer = make_member("Vera", role="viewer")  # type: ignore[operator]
    Run.objects.filter(pk=run.pk).update(member=viewer)
    assert client_of(viewer).post(f"/runs/{run.public_id}/hold/", {"on": "1"}).status_code == 403


def test_pages_say_so_if_a_run_went_to_the_bin_or_was_protected_meanwhile(
    as_alice: Client, alice: Member, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, now = Run.objects.filter(pk=run.pk), timezone.now()
    monkeypatch.setattr(holds, "hold", lambda *_: bin.move_to_bin(runs, alice, now))
    page = protect(as_alice, run)
    assert "is now protected" not in page
    assert "couldn't be protected: it was moved to the bin" in Page(page).words
    monkeypatch.undo()

    move = bin.move_to_bin
    bin.bring_back(runs)
    monkeypatch.setattr(views_bin, "move_to_bin", lambda *given: holds.hold(runs, alice, now) and move(*given))
    page = flat(as_alice.post(f"/runs/{run.public_id}/delete/", follow=True).content)
    assert "Nothing was moved to the bin." in page
    assert "Undo" not in page
    assert is_there(run)
