"""Apps beyond the list: found by words, by a need, by a pasted address; what goes wrong has its sentence."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from runs.models import App, AppSearch, Member
from runs.services import catalog
from runs.services.app_search import asking, words
from runs.services.app_search.part import PROBLEMS, part_of
from runs.services.app_search.pasted import ids_in
from tests import factories
from tests.conftest import SandboxDoor
from tests.work import work

pytestmark = pytest.mark.django_db(transaction=True)

UUID = "7d2c1a1e-51f2-4a3c-9b0e-0c4d2f6a8b13"
BEYOND = {
    "appId": UUID,
    "name": "Dental advert",
    "description": "A poster for a dentist.",
    "outputs": [],
    "parameters": [],
}


@pytest.fixture
def beyond(sandbox: SandboxDoor, settings: Settings) -> str:
    """Lamina's id of an app that no list shows."""
    settings.LAMINA_REQUESTS_PER_MINUTE = 100_000
    sandbox.control("limit", per_minute=None)
    sandbox.control("apps", app=BEYOND, listed=False)
    return UUID


def lamina_part(client: Client, q: str, **query: str) -> str:
    """Lamina's part of a search for Q, once the worker has done its work."""
    look(client, q, **query)
    work()
    return look(client, q)


def look(client: Client, q: str, **query: str) -> str:
    answer = client.get("/apps/lamina/", {"q": q, **query}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return answer.content.decode()


# --- Found, and kept --------------------------------------------------------------------------------------------------
def test_an_app_beyond_the_list_is_found_with_its_why_and_cost(as_alice: Client, beyond: str) -> None:
    page = lamina_part(as_alice, "poster for my dentist")

    assert "Dental advert" in page
    assert "Matches dentist, poster." in page
    assert "about 6 credits" in page
    assert "not on the list yet" in page
    app = App.objects.get(remote_id=beyond)
    assert app.get_absolute_url() in page


def test_a_workspace_that_cannot_discover_still_searches_by_words(
    as_alice: Client, beyond: str, sandbox: SandboxDoor
) -> None:
    sandbox.control("faults", endpoint="discover", fault="status", status=404, times=None)

    page = lamina_part(as_alice, "dental adv")

    assert "Dental advert" in page
    assert PROBLEMS["no-discover"] in plain(page)
    assert [request["query"]["search"] for request in sandbox.requests_to("search")] == ["dental adv"]


def test_a_find_stands_on_the_list_once_it_is_starred_or_run(
    as_alice: Client, as_bob: Client, alice: Member, beyond: str
) -> None:
    lamina_part(as_alice, "dentist")
    app = App.objects.get(remote_id=beyond)

    def is_listed() -> bool:
        return app.name in as_bob.get("/apps/").content.decode()

    assert not is_listed()
    as_alice.post(app.star_url, {"on": "1"})
    assert is_listed()
    as_alice.post(app.star_url, {"on": "0"})
    assert not is_listed()

    catalog.refresh_app(app.pk)
    page = as_alice.get(app.get_absolute_url()).context
    run = as_alice.post(app.get_absolute_url(), {"token": page["token"], "schema": page["schema_version"]})
    assert run.status_code == 302
    assert "/runs/" in run.url
    assert is_listed()


def test_an_answer_is_shared_and_kept_for_ten_minutes(
    as_alice: Client, as_bob: Client, beyond: str, sandbox: SandboxDoor
) -> None:
    lamina_part(as_alice, "dentist poster")
    assert "Dental advert" in look(as_bob, "  DENTIST   pöster ")
    assert work() == []
    assert len(sandbox.requests_to("discover")) == 1

    AppSearch.objects.update(answered_at=timezone.now() - timedelta(minutes=10, seconds=1))
    look(as_bob, "dentist poster")
    assert work() == ["search_lamina"]


def test_what_everybody_has_above_is_not_said_twice(as_alice: Client, beyond: str, sandbox: SandboxDoor) -> None:
    catalog.refresh_catalog()
    sandbox.control("faults", endpoint="discover", fault="status", status=404, times=None)

    assert "Cartoonify" not in lamina_part(as_alice, "cartoonify")
    sandbox.clear_faults()
    page = lamina_part(as_alice, "a cartoon")
    assert App.objects.get(name="Cartoonify!").get_absolute_url() not in page
    assert "Matches cartoon." in page  # but Lamina's reason is told


def test_a_known_app_keeps_its_picture_whatever_a_match_leaves_out(
    as_alice: Client, beyond: str, sandbox: SandboxDoor
) -> None:
    catalog.refresh_catalog()
    before = App.objects.exclude(thumbnail_url="").get(name="Cartoonify!")
    match = {"appId": before.remote_id, "name": "Cartoonify!", "whyMatch": "It draws."}
    answer(sandbox, {"data": {"matches": [match], "intent": {}}})

    assert "It draws." in lamina_part(as_alice, "zzz a drawing of me")

    after = App.objects.get(pk=before.pk)
    assert (after.thumbnail_url, after.description) == (before.thumbnail_url, before.description)


# --- Pasted -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("pasted", "ids"),
    [
        (UUID, [UUID]),
        (UUID.upper(), [UUID]),
        ("app_3xQ-9", ["app_3xQ-9"]),
        (f"https://app.uselamina.ai/apps/{UUID}", [UUID]),
        (f" https://app.uselamina.ai/apps/{UUID}/?tab=run#top ", [UUID]),
        (
            f"app.uselamina.ai/w/11111111-2222-3333-4444-555555555555/a/{UUID}",
            [UUID, "11111111-2222-3333-4444-555555555555"],
        ),
        (f"look at https://elsewhere.test/{UUID} please", [UUID]),
        (f"https://app.uselamina.ai/?id={UUID}", []),
        ("https://app_x.test/", []),
        (f"{UUID}0", []),
        ("app_", []),
        ("a photo/video app", []),
        ("https://[::1", []),
    ],
)
def test_ids_in_what_is_pasted(pasted: str, ids: list[str]) -> None:
    assert ids_in(pasted) == ids


def test_a_pasted_address_opens_the_app_and_is_never_fetched(
    as_alice: Client, beyond: str, sandbox: SandboxDoor
) -> None:
    address = f"{sandbox.url}/never/fetched/{beyond}"
    as_alice.get("/apps/", {"q": address, "ask": "1"})
    work()

    page = as_alice.get("/apps/", {"q": address, "ask": "1"}, follow=True)

    app = App.objects.get(remote_id=beyond)
    assert page.redirect_chain == [(app.get_absolute_url(), 302)]
    assert "Lamina knows it: added" in page.content.decode()
    assert "/never/fetched" not in str(sandbox.state["requests"])
    assert app.schema is not None  # its form came along
    assert not App.objects.listed().filter(pk=app.pk).exists()


def test_what_was_typed_and_not_sent_off_does_not_carry_anybody_away(as_alice: Client, beyond: str) -> None:
    assert "Lamina knows it: added" in lamina_part(as_alice, beyond)
    sent_off = as_alice.get("/apps/lamina/", {"q": beyond, "go": "1"}, headers={"HX-Request": "true"})
    assert sent_off.headers["HX-Redirect"] == App.objects.get(remote_id=beyond).get_absolute_url()


@pytest.mark.parametrize(("status", "problem"), [(404, "unknown-id"), (403, "closed")])
def test_an_id_that_leads_nowhere_says_so(
    as_alice: Client, beyond: str, sandbox: SandboxDoor, status: int, problem: str
) -> None:
    sandbox.control("faults", endpoint="app", fault="status", status=status, times=None)

    assert PROBLEMS[problem] in plain(lamina_part(as_alice, f"https://lamina.test/{beyond}"))
    assert not App.objects.filter(remote_id=beyond).exists()


# --- Bounds and hostile answers ---------------------------------------------------------------------------------------
def answer(sandbox: SandboxDoor, body: Any) -> None:
    sandbox.control("faults", endpoint="discover", fault="status", status=200, body=body, times=None)


def plain(page: str) -> str:
    return page.replace("&#x27;", "'")


def test_whatever_a_match_says_is_escaped_and_bounded(as_alice: Client, beyond: str, sandbox: SandboxDoor) -> None:
    hostile = {
        "appId": "bad/../id",
        "name": "<script>alert(1)</script>",
        "description": None,
        "whyMatch": "<img src=x onerror=alert(2)> " + "because " * 500,
        "estimatedCredits": -5,
        "thumbnail": {"url": "javascript:alert(3)", "type": "image"},
    }
    odd = [None, 7, {"name": "no id"}, {"appId": "odd", "whyMatch": ["a"], "estimatedCredits": {"expected": "x"}}]
    answer(sandbox, {"data": {"matches": [hostile, *odd, *[{**hostile, "appId": f"many-{n}"} for n in range(60)]]}})

    page = lamina_part(as_alice, "anything at all")

    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page
    why = AppSearch.objects.get().finds[0]["why"]
    assert len(why) == 300
    assert why.endswith("…")
    assert page.count("app-row-words") <= 12
    assert len(page) < 60_000
    assert "-5" not in page
    assert App.objects.count() <= 14


FAULTS = [
    ("limited", {"fault": "status", "status": 429, "seconds": 30}),
    ("broken", {"fault": "status", "status": 500}),
    ("broken", {"fault": "garbage"}),
    ("slow", {"fault": "drop_after"}),
    ("refused", {"fault": "status", "status": 400}),
    ("key", {"fault": "status", "status": 401}),
]


@pytest.mark.parametrize(("problem", "fault"), FAULTS, ids=[f"{problem} {fault['fault']}" for problem, fault in FAULTS])
def test_every_failure_has_its_sentence_and_our_own_answer_stays(
    as_alice: Client, beyond: str, sandbox: SandboxDoor, problem: str, fault: dict[str, Any]
) -> None:
    factories.make_app("Dentist's own")
    for endpoint in ("discover", "search"):
        sandbox.control("faults", endpoint=endpoint, times=None, **fault)

    page = plain(lamina_part(as_alice, "dentist"))

    assert PROBLEMS[problem].partition(" {wait}")[0].partition("30")[0] in page
    assert ("Ask again" in page) is (problem in ("broken", "slow"))
    whole = as_alice.get("/apps/", {"q": "dentist"})
    assert [card.name for card in whole.context["apps"]] == ["Dentist's own"]
    assert PROBLEMS[problem].partition(" {wait}")[0] in plain(whole.content.decode())


def test_a_lamina_that_cannot_be_reached_is_told(as_alice: Client, beyond: str, settings: Settings) -> None:
    settings.LAMINA_BASE_URL = "http://127.0.0.1:9"
    assert PROBLEMS["away"] in plain(lamina_part(as_alice, "dentist"))


def test_a_slow_search_does_not_make_lamina_look_away(as_alice: Client, beyond: str, sandbox: SandboxDoor) -> None:
    for endpoint in ("discover", "search"):
        sandbox.control("faults", endpoint=endpoint, fault="drop_after", times=None)
    lamina_part(as_alice, "dentist")
    assert "reach Lamina since" not in as_alice.get("/apps/").content.decode()


def test_a_failure_is_asked_again_by_hand_at_once_and_by_itself_later(
    as_alice: Client, beyond: str, sandbox: SandboxDoor
) -> None:
    for endpoint in ("discover", "search"):
        sandbox.control("faults", endpoint=endpoint, fault="status", status=500, times=None)
    lamina_part(as_alice, "dentist")
    sandbox.clear_faults()

    assert PROBLEMS["broken"] in plain(look(as_alice, "dentist"))  # kept for a moment, whoever looks
    assert work() == []
    assert "Dental advert" in lamina_part(as_alice, "dentist", ask="again")


def test_an_answer_that_was_lost_can_be_asked_for_again(as_alice: Client, beyond: str) -> None:
    look(as_alice, "dentist")
    AppSearch.objects.update(asked_at=timezone.now() - timedelta(seconds=61))
    known = part_of("dentist")
    assert known is not None
    assert known.sentence == PROBLEMS["lost"]
    assert known.may_ask_again
    assert "Dental advert" in lamina_part(as_alice, "dentist")


# --- Ten a minute -----------------------------------------------------------------------------------------------------
def test_the_portal_asks_ten_times_a_minute_whoever_searches(
    as_alice: Client, as_bob: Client, beyond: str, sandbox: SandboxDoor
) -> None:
    for number in range(30):
        look((as_alice, as_bob)[number % 2], f"dentist number {number}")
    work()

    assert len(sandbox.requests_to("discover")) == 10
    page = plain(look(as_alice, "one more dentist"))
    assert PROBLEMS["turn"].partition(" {wait}")[0] in page
    assert 'hx-trigger="load delay:' in page
    assert "Dental advert" in look(as_bob, "dentist number 3")  # what is known costs no turn


def test_threads_that_ask_at_once_get_ten_turns_and_one_row_for_equal_words(beyond: str) -> None:
    started = threading.Barrier(16)

    def ask(q: str) -> None:
        started.wait()
        asking.ask(q)
        connection.close()

    together([lambda n=n: ask(f"dentist {n % 14}") for n in range(16)])

    assert AppSearch.objects.count() == 10
    assert work().count("search_lamina") == 10


def together(acts: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


def test_a_page_never_waits_for_lamina(as_alice: Client, beyond: str, sandbox: SandboxDoor) -> None:
    for endpoint in ("discover", "search", "app"):
        sandbox.control("faults", endpoint=endpoint, fault="delay", seconds=20, times=None)
    began = time.monotonic()
    look(as_alice, "dentist")
    as_alice.get("/apps/", {"q": UUID, "ask": "1"})
    assert time.monotonic() - began < 10
    assert sandbox.requests_to("discover") == []


@pytest.mark.parametrize("q", ["", "d", " "])
def test_too_little_is_not_asked(as_alice: Client, beyond: str, q: str) -> None:
    assert "Lamina" not in look(as_alice, q).partition("lamina-hint")[0]
    assert not AppSearch.objects.exists()


def test_a_page_that_is_only_fetched_ahead_asks_nobody(as_alice: Client, beyond: str) -> None:
    as_alice.get("/apps/", {"q": "dentist", "ask": "1"}, headers={"Sec-Purpose": "prefetch"})
    assert not AppSearch.objects.exists()


def test_words_are_forgotten(as_alice: Client, beyond: str) -> None:
    lamina_part(as_alice, "a secret dentist")
    asking.tidy(timezone.now() + timedelta(minutes=19))
    assert AppSearch.objects.exists()
    asking.tidy(timezone.now() + timedelta(minutes=21))
    assert not AppSearch.objects.exists()


# --- Our own answer ---------------------------------------------------------------------------------------------------
def test_apps_with_all_words_come_first_then_those_with_some(as_alice: Client) -> None:
    for name in ("Shoe shop banner", "Red shoe photo", "Photo frame", "A hat", "Photo of a red thing"):
        factories.make_app(name)

    found = as_alice.get("/apps/", {"q": "photo of the red shoe"}).context

    assert found["apps"] == []
    assert found["partly"][0].name == "Red shoe photo"
    assert "A hat" not in [card.name for card in found["partly"]]
    both = as_alice.get("/apps/", {"q": "red photo"}).context
    assert {card.name for card in both["apps"]} == {"Red shoe photo", "Photo of a red thing"}
    assert [card.name for card in both["partly"]] == ["Photo frame"]


def test_only_idle_words_find_nothing_in_part(as_alice: Client) -> None:
    factories.make_app("Something to make for you")
    assert words.find(App.objects.all(), "the for zebra") == words.Found([], [])
