"""Home: runs in progress, latest results, recently used apps, and starred runs."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import escape
from pytest_django import DjangoAssertNumQueries

from runs import events
from runs.connection import status as health
from runs.display.home_runs import ACTIVE_SHOWN
from runs.engine.poller_wakeups import POLLER
from runs.home.views import APPS_SHOWN
from runs.models import Lease, Member, Notice, Output, OutputFile, Run
from runs.review import requests, review_queries
from runs.review.deciders import Reviewer
from runs.review.verdicts import decide
from runs.words.run_failures import FAILURES
from tests.support.clients import client_of
from tests.support.factories import STYLE, make_app, make_run
from tests.support.page import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(make_member: Callable[..., Member]) -> Member:
    return make_member("vera", role=Member.Role.VIEWER)


def part(body: str, heading: str) -> str:
    """Return the section under `heading`."""
    return body.partition(f'id="{heading}"')[2].partition("</section>")[0]


def test_every_shelf_holds_its_runs(as_alice: Client, alice: Member, bob: Member) -> None:
    app, now = make_app(), timezone.now()
    runs = {
        "in-progress": make_run(alice, app),
        "team-progress": make_run(bob, app, shared_at=now),
        "latest": make_run(alice, app, status="completed"),
        "starred": make_run(bob, app, status="completed", shared_at=now, has_star=True, starred_at=now),
    }
    hidden = [
        make_run(bob, app),
        make_run(bob, app, status="completed", has_star=True),
        make_run(alice, app, status="completed", deleted_at=now, has_star=True),
    ]

    body = as_alice.get("/").content.decode()

    for heading in runs:
        shown = {name for name, run in runs.items() if f"card-{run.public_id}" in part(body, heading)}
        assert shown == {heading}
    assert not [run for run in hidden if run.public_id in body]
    assert "Team runs in progress" in body


def test_what_waits_for_you_comes_first_and_then_what_others_decided(
    alice: Member, make_member: Callable[..., Member]
) -> None:
    sam, ruth = make_member("samuel", role="approver"), make_member("ruth", role="approver")
    app, now = make_app(), timezone.now()
    make_run(sam, app)
    mine, theirs = [make_run(who, app, status="completed", shared_at=now) for who in (sam, alice)]
    Output.objects.update(text="A lake", content_hash="a" * 64)
    Run.objects.filter(pk=theirs.pk).update(has_star=True, starred_at=now)
    requests.ask(alice, list(theirs.outputs.all()))
    decide(mine.outputs.all()[0], "changes", "Warmer", Reviewer(ruth), None)
    page = Page(client_of(sam).get("/").text)
    places = [
        e.attributes["id"] for e in page.first("main").walk() if e.tag in ("h2", "input") and e.attributes.get("id")
    ]
    assert places[:2] == ["waiting-for-you", "home-q"]
    assert places.index("decided-on-mine") < places.index("latest") < places.index("starred")


def test_only_runs_with_results_are_among_the_latest_results(as_alice: Client, alice: Member) -> None:
    make_run(alice, status="cancelled")
    first = as_alice.get("/")
    assert 'id="latest"' not in first.text
    assert not first.context["is_first_visit"]

    some = make_run(alice, status="cancelled", outputs_ready=1)
    make_run(alice, status="failed")

    assert re.findall(r'data-run="(\w+)"', part(as_alice.get("/").text, "latest")) == [some.public_id]


def failed_run(member: Member, *, days: int = 0, **fields: Any) -> Run:
    """Make a failed run whose owner was notified of the failure `days` days ago."""
    run = make_run(member, **({"status": "failed", "failure": "inputs"} | fields))
    events.run_ended.send(run)
    Notice.objects.filter(run=run).update(created_at=timezone.now() - timedelta(days=days))
    return run


def failed_on_home(client: Client) -> list[str]:
    return re.findall(r'href="/runs/(\w+)/"', part(client.get("/").text, "failed-runs"))


def test_a_failed_run_is_on_home_until_its_maker_has_opened_it_or_run_it_again(
    as_alice: Client, alice: Member, bob: Member
) -> None:
    failed_run(alice, days=review_queries.NEWS_FOR.days + 1)
    failed_run(alice, deleted_at=timezone.now())
    failed_run(alice, status="cancelled", failure="")
    failed_run(bob, shared_at=timezone.now())
    assert failed_on_home(as_alice) == []

    ids = [failed_run(alice, days=days).public_id for days in range(4)]

    assert failed_on_home(as_alice) == ids[:3]
    section = part(as_alice.get("/").text, "failed-runs")
    assert section.count("state-failed") == section.count(escape(str(FAILURES["inputs"][0]))) == 3
    as_alice.get(f"/runs/{ids[0]}/", headers={"Sec-Purpose": "prefetch"})
    assert failed_on_home(as_alice) == ids[:3]
    as_alice.get(f"/runs/{ids[0]}/")
    assert failed_on_home(as_alice) == ids[1:]
    make_run(bob, parent=Run.objects.get(public_id=ids[1]))
    assert failed_on_home(as_alice) == ids[1:]  # only her own reruns count, not other people's
    make_run(alice, parent=Run.objects.get(public_id=ids[1]))
    assert failed_on_home(as_alice) == ids[2:]


def test_failed_runs_on_home_take_one_query(as_alice: Client, alice: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CACHE_SECONDS", 600)  # so that Lamina's status is read only once
    app = make_app()
    make_run(alice, app, status="completed")
    as_alice.get("/")
    with CaptureQueriesContext(connection) as without_news:
        as_alice.get("/")
    assert not [query for query in without_news if "runs_notice" in query["sql"]]
    for _ in range(4):
        failed_run(alice, app=app)

    with CaptureQueriesContext(connection) as found:
        assert len(failed_on_home(as_alice)) == 3

    assert len(found) <= len(without_news) + 1 + 4  # the bell makes four queries


def test_many_runs_of_the_team_leave_ones_own_on_home(as_alice: Client, alice: Member, bob: Member) -> None:
    app, now = make_app(), timezone.now()
    own = make_run(alice, app, created_at=now - timedelta(minutes=5))
    for _ in range(ACTIVE_SHOWN):
        make_run(bob, app, shared_at=now)

    body = as_alice.get("/").content.decode()

    assert f"card-{own.public_id}" in part(body, "in-progress")
    assert part(body, "team-progress").count("data-run=") == ACTIVE_SHOWN


def test_many_runs_in_progress_hide_neither_results_nor_what_waits_for_a_decision(
    as_alice: Client, alice: Member
) -> None:
    app, now = make_app(), timezone.now()
    asks = make_run(alice, app, status="checking", due_at=None, created_at=now - timedelta(hours=2))
    ready = make_run(alice, app, status="completed", created_at=now - timedelta(hours=1))
    for _ in range(ACTIVE_SHOWN + 1):
        make_run(alice, app)

    body = as_alice.get("/").content.decode()

    in_progress = part(body, "in-progress")
    assert in_progress.count("data-run=") == ACTIVE_SHOWN
    assert re.findall(r'data-run="(\w+)"', in_progress)[0] == asks.public_id
    assert "All your runs" in in_progress
    assert re.findall(r'data-run="(\w+)"', part(body, "latest")) == [ready.public_id]


def test_home_asks_for_news_while_results_are_being_saved(as_alice: Client, alice: Member) -> None:
    run = make_run(alice, status="completed")
    assert "data-active" not in card_on_home(as_alice)

    OutputFile.objects.create(output=run.outputs.all()[0], source_url="https://files.example.com/a.png")

    assert "data-active" in card_on_home(as_alice)


def card_on_home(client: Client) -> dict[str, str]:
    """Return the attributes of the first run card on Home."""
    return Page(client.get("/").content.decode()).first("article", css="run-card").attributes


@pytest.fixture
def _many_apps() -> None:
    """More apps than Home lists; otherwise, it wouldn't repeat those that were used lately."""
    for number in range(APPS_SHOWN):
        make_app(f"App {number}")


@pytest.mark.usefixtures("_many_apps")
def test_apps_used_lately_come_latest_first_and_gone_ones_not(as_alice: Client, alice: Member, bob: Member) -> None:
    now, names = timezone.now(), ["Old", "New", "Gone", "Unused", "Bobs", "Sixth"]
    apps = {name: make_app(name) for name in names}
    for days, name in enumerate(["New", "Old", "Gone"]):
        make_run(alice, apps[name], status="completed", created_at=now - timedelta(days=days))
    make_run(bob, apps["Bobs"], status="completed", shared_at=now)
    apps["Gone"].gone_at = now
    apps["Gone"].save()

    assert names_in(as_alice.get("/").text, "used-lately") == ["New", "Old"]


def names_in(body: str, heading: str) -> list[str]:
    """Return the names of the apps in the section under `heading`."""
    return re.findall(r'class="card-link clamp-2"[^>]*>([^<]*)</a>', part(body, heading))


@pytest.mark.usefixtures("_many_apps")
def test_apps_used_by_the_team_are_those_of_shared_runs(
    as_alice: Client, as_admin: Client, alice: Member, admin_member: Member, bob: Member
) -> None:
    now, apps = timezone.now(), {name: make_app(name) for name in ("Mine", "Shared", "Older", "Private", "Binned")}
    make_run(alice, apps["Mine"], status="completed")
    make_run(admin_member, apps["Mine"], status="completed")
    for name in ("Mine", "Shared"):
        make_run(bob, apps[name], status="completed", shared_at=now)
    make_run(bob, apps["Older"], status="completed", shared_at=now, created_at=now - timedelta(days=3))
    make_run(bob, apps["Private"], status="completed")
    make_run(bob, apps["Binned"], status="completed", shared_at=now, deleted_at=now)

    for client in (as_alice, as_admin):  # even an admin isn't told which apps others use in private
        body = client.get("/").text
        assert names_in(body, "used-lately") == ["Mine"]
        assert names_in(body, "used-by-team") == ["Shared", "Older"]
    assert "Used lately by the team" in body


def test_home_leads_to_the_apps_with_a_star_and_says_whose_it_is(
    as_alice: Client, as_bob: Client, alice: Member, bob: Member, viewer: Member
) -> None:
    app, make = make_app("Shoe studio"), make_app("Reel")
    for member in (alice, bob):
        make_run(member, make, status="completed")
    assert 'id="starred-apps"' not in as_alice.get("/").text

    as_bob.post(app.star_url, {"on": "1"})

    body = as_alice.get("/").text
    section = part(body, "starred-apps")
    assert names_in(body, "starred-apps") == ["Shoe studio"]
    assert "Starred by" in section
    assert "Bob" in section
    assert 'href="/apps/?starred=1"' in section
    assert 'id="starred-apps"' not in client_of(viewer).get("/").text  # viewers can't use an app's form


def test_a_first_visit_is_offered_what_needs_nothing_from_the_whole_list(as_alice: Client) -> None:
    for number in range(APPS_SHOWN + 2):
        make_app(f"App {number}", parameters=[STYLE], makes={"image": 1})
    make_app("Zoo", parameters=[STYLE | {"default": "Ghibli"}], makes={"image": 1})

    suggestions = as_alice.get("/").context["suggestions"]

    assert suggestions[0].name == "Zoo"


def test_what_teammates_share_makes_no_first_visit_busy(as_alice: Client, bob: Member) -> None:
    make_run(bob, status="completed", shared_at=timezone.now())

    assert "Make your first picture" in as_alice.get("/").content.decode()


def test_a_viewer_finds_what_the_team_shares_and_no_call_to_make_something(
    as_alice: Client, alice: Member, bob: Member
) -> None:
    Member.objects.filter(pk=alice.pk).update(role="viewer")
    assert "Nothing shared yet" in as_alice.get("/").content.decode()
    app, now = make_app(), timezone.now()
    private = make_run(bob, app, status="completed")
    going = make_run(bob, app, shared_at=now)
    shared = make_run(bob, app, status="completed", shared_at=now, outputs_ready=1)

    body = as_alice.get("/").content.decode()

    assert "Make your first picture" not in body
    assert "Nothing shared yet" not in body
    assert f"card-{going.public_id}" in part(body, "team-progress")
    assert f"card-{shared.public_id}" in part(body, "latest")
    assert private.public_id not in body
    assert app.get_absolute_url() not in body  # viewers get no link, since they can't send the form
    assert 'data-hotkey="/"' in body


def test_home_shows_some_apps_and_leads_to_all(as_alice: Client, alice: Member) -> None:
    make_run(alice, status="completed")
    for number in range(APPS_SHOWN):
        make_app(f"App {number}")

    body = part(as_alice.get("/").content.decode(), "catalogue")

    assert body.count('class="card app-card') == APPS_SHOWN
    assert f"All {APPS_SHOWN + 1} apps" in body


def test_history_begins_for_a_viewer_without_runs_with_the_teams(as_alice: Client, alice: Member) -> None:
    Member.objects.filter(pk=alice.pk).update(role="viewer")

    answer = as_alice.get("/history/?q=shoe")

    assert answer["Location"] == "/history/?tab=team&q=shoe"
    assert ">Mine<" not in as_alice.get(answer["Location"]).content.decode()
    make_run(alice, status="completed")
    assert ">Mine<" in as_alice.get("/history/").content.decode()


@pytest.mark.parametrize("path", ["/history/?tab=team", "/shares/"])
def test_an_empty_page_sends_no_viewer_where_only_makers_get_on(viewer: Member, as_alice: Client, path: str) -> None:
    for_makers = ("Go to your own runs", "Choose a run")

    body = client_of(viewer).get(path).content.decode()

    assert 'class="empty"' in body
    assert not [label for label in for_makers if label in body]
    assert [label for label in for_makers if label in as_alice.get(path).content.decode()]


@pytest.mark.usefixtures("_many_apps")
def test_home_costs_the_same_with_many_runs(
    as_alice: Client,
    alice: Member,
    bob: Member,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health, "CACHE_SECONDS", 600)  # so that Lamina's status is read only once
    app, now = make_app(), timezone.now()
    Lease.objects.create(name=POLLER, holder="somebody", until=now + timedelta(hours=1))
    for _ in range(12):
        for status in ("running", "completed"):
            make_run(alice, app, status=status)
            make_run(bob, app, status=status, shared_at=now, has_star=True, starred_at=now)
    as_alice.get("/")  # this first visit makes the portal request a fresh catalogue; later ones don't

    with django_assert_max_num_queries(18):
        as_alice.get("/")


def test_the_poller_tells_of_a_teammates_shared_run(as_alice: Client, bob: Member) -> None:
    run = make_run(bob, shared_at=timezone.now())
    Run.objects.filter(pk=run.pk).update(version=9)

    body = as_alice.get("/live/", {"r": f"{run.public_id}:1.0--0-2", "page": "home"}, headers={"HX-Request": "true"})

    assert f'id="card-{run.public_id}"' in body.content.decode()
    assert "run-card-menu" in body.content.decode()
    assert "run-card-tick" not in body.content.decode()


def test_the_list_of_shortcuts_is_a_page_and_a_dialog(as_alice: Client, alice: Member) -> None:
    page = as_alice.get("/help/keys/").content.decode()
    dialog = as_alice.get("/help/keys/", headers={"HX-Request": "true"}).content.decode()

    assert "keys.js" in page
    assert "<html" in page
    assert "<html" not in dialog
    assert "<kbd>x</kbd>" in dialog
    Member.objects.filter(pk=alice.pk).update(has_shortcuts=False)
    assert "keys.js" not in as_alice.get("/help/keys/").content.decode()


def test_the_list_names_every_key_that_does_something(as_alice: Client) -> None:
    told = set(re.findall(r"<kbd>(.*?)</kbd>", as_alice.get("/help/keys/").content.decode()))
    signs = {"ArrowLeft": "←", "ArrowRight": "→", "ArrowUp": "↑", "ArrowDown": "↓", "Escape": "Esc", "-": "\u2212"}
    tables = {"keys.js": r"const acts = \{(.*?)\n\};", "viewer.js": r"const keys = \{(.*?)\n\};",
              "compare.js": r"const KEYS = \{(.*?)\n\};"}  # fmt: skip
    for name, table in tables.items():
        found = re.search(table, (settings.BASE_DIR / "static" / name).read_text(), re.DOTALL)
        assert found is not None
        keys = re.findall(r"(?:^|[{,\s])\"?([^\s\",{}():]+)\"?: (?:\(|[a-z])", found[1])
        assert len(keys) >= 6
        silent = {"X", "="}  # these are the same key, with and without Shift
        assert {signs.get(key, key) for key in keys if key not in silent} <= told, name


@pytest.mark.parametrize("page", ["/", "/apps/", "/history/", "/help/keys/"])
def test_shortcuts_that_are_turned_off_do_not_reach_the_search(as_alice: Client, alice: Member, page: str) -> None:
    make_run(alice)
    assert 'data-hotkey="/"' in as_alice.get(page).content.decode()

    Member.objects.filter(pk=alice.pk).update(has_shortcuts=False)

    assert "data-hotkey" not in as_alice.get(page).content.decode()


def test_a_first_visit_offers_the_apps_that_take_the_fewest_steps(as_alice: Client) -> None:
    picture, sound, prompt = {"image": 1}, {"audio": 1}, {"name": "Prompt", "type": "text", "default": "a boat"}
    make_app("Two fields", [STYLE, {**prompt, "default": None}], makes=picture)
    make_app("One field", makes=picture)
    make_app("Only sound", [prompt], makes=sound)
    make_app("Only Run", [prompt], makes=picture)
    make_app("No field", [], makes=picture)

    body = as_alice.get("/").content.decode()

    welcome = body.partition('class="welcome"')[2]
    shown = [name for name in ("Only Run", "No field", "One field", "Two fields", "Only sound") if name in welcome]
    assert shown == ["Only Run", "No field", "One field"]
