"""When a search on Lamina fails, the page says so and our own results stay. At most ten requests are sent per
minute."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from runs.catalog import lamina_search
from runs.catalog.pages_search import PageState, part_of
from runs.models import App, AppSearch, Member
from tests.catalog.lamina_search import UUID, answer, lamina_part, look, problem_of
from tests.support import factories
from tests.support.sandbox_door import SandboxDoor
from tests.support.work import work

pytestmark = pytest.mark.django_db(transaction=True)


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
    assert "about -5" not in page
    assert App.objects.count() <= 14


FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("limited", {"fault": "status", "status": 429, "seconds": 30}),
    ("broken", {"fault": "status", "status": 500}),
    ("broken", {"fault": "garbage"}),
    ("slow", {"fault": "drop_after"}),
    ("refused", {"fault": "status", "status": 400}),
    ("key", {"fault": "status", "status": 401}),
]


@pytest.mark.parametrize(("problem", "fault"), FAULTS, ids=[f"{problem} {fault['fault']}" for problem, fault in FAULTS])
def test_every_failure_has_a_sentence_and_our_own_results_stay(
    as_alice: Client, beyond: str, sandbox: SandboxDoor, problem: str, fault: dict[str, Any]
) -> None:
    factories.make_app("Dentist's own")
    for endpoint in ("discover", "search"):
        sandbox.control("faults", endpoint=endpoint, times=None, **fault)

    page = lamina_part(as_alice, "dentist")

    assert problem_of(page) == problem
    assert ("ask=again" in page) is (problem in ("broken", "slow"))
    whole = as_alice.get("/apps/", {"q": "dentist"})
    assert [app.name for app in whole.context["apps"]] == ["Dentist's own"]
    assert problem_of(whole.content.decode()) == problem


def test_an_unreachable_lamina_is_reported(as_alice: Client, beyond: str, settings: Settings) -> None:
    settings.LAMINA_BASE_URL = "http://127.0.0.1:9"
    assert problem_of(lamina_part(as_alice, "dentist")) == "away"


def test_a_slow_search_does_not_make_lamina_look_away(as_alice: Client, beyond: str, sandbox: SandboxDoor) -> None:
    for endpoint in ("discover", "search"):
        sandbox.control("faults", endpoint=endpoint, fault="drop_after", times=None)
    lamina_part(as_alice, "dentist")
    assert "able to reach Lamina since" not in as_alice.get("/apps/").content.decode()


def test_a_failed_search_can_be_retried_at_once_by_hand(as_alice: Client, beyond: str, sandbox: SandboxDoor) -> None:
    for endpoint in ("discover", "search"):
        sandbox.control("faults", endpoint=endpoint, fault="status", status=500, times=None)
    lamina_part(as_alice, "dentist")
    sandbox.clear_faults()

    assert problem_of(look(as_alice, "dentist")) == "broken"  # everyone gets the stored response for a short while
    assert work() == []
    assert "Dental advert" in lamina_part(as_alice, "dentist", ask="again")


def test_an_answer_that_was_lost_can_be_asked_for_again(as_alice: Client, alice: Member, beyond: str) -> None:
    look(as_alice, "dentist")
    AppSearch.objects.update(asked_at=timezone.now() - timedelta(seconds=61))
    known = part_of("dentist", PageState(alice))
    assert known is not None
    assert known.problem == "lost"
    assert known.may_ask_again
    assert "Dental advert" in lamina_part(as_alice, "dentist")


# --- Ten a minute -----------------------------------------------------------------------------------------------------
def test_the_portal_asks_ten_times_a_minute_for_all_members_together(
    as_alice: Client, as_bob: Client, beyond: str, sandbox: SandboxDoor
) -> None:
    for number in range(30):
        look((as_alice, as_bob)[number % 2], f"dentist number {number}")
    work()

    assert len(sandbox.requests_to("discover")) == 10
    page = look(as_alice, "one more dentist")
    assert problem_of(page) == "turn"
    assert 'hx-trigger="load delay:' in page
    assert "Dental advert" in look(as_bob, "dentist number 3")  # a search whose response is stored doesn't count


def test_simultaneous_searches_get_ten_turns_and_share_equal_words(beyond: str) -> None:
    started = threading.Barrier(16)

    def ask(q: str) -> None:
        started.wait()
        lamina_search.ask(q)
        connection.close()

    together([partial(ask, f"dentist {n % 14}") for n in range(16)])

    assert AppSearch.objects.count() == 10
    assert work().count("search_lamina") == 10


def together(acts: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


def test_a_page_never_waits_for_lamina(as_alice: Client, beyond: str, sandbox: SandboxDoor) -> None:
    look(as_alice, "dentist")
    as_alice.get("/apps/", {"q": UUID, "ask": "1"})
    assert [sandbox.requests_to(endpoint) for endpoint in ("discover", "search", "app")] == [[], [], []]


@pytest.mark.parametrize("q", ["", "d", " ", "é"])
def test_too_short_words_are_not_searched(as_alice: Client, beyond: str, q: str) -> None:
    assert "Lamina" not in look(as_alice, q).partition("lamina-hint")[0]
    assert not AppSearch.objects.exists()


@pytest.mark.parametrize("q", ["猫", "빵", "3D"])
def test_words_of_one_character_and_abbreviations_are_searched(
    as_alice: Client, beyond: str, sandbox: SandboxDoor, q: str
) -> None:
    lamina_part(as_alice, q)
    assert [request["query"]["search"] for request in sandbox.requests_to("search")] == [q]


def test_a_prefetched_page_does_not_ask_lamina(as_alice: Client, beyond: str) -> None:
    as_alice.get("/apps/", {"q": "dentist", "ask": "1"}, headers={"Sec-Purpose": "prefetch"})
    assert not AppSearch.objects.exists()


def test_searched_words_are_deleted(as_alice: Client, beyond: str) -> None:
    lamina_part(as_alice, "a secret dentist")
    lamina_search.tidy(timezone.now() + timedelta(minutes=19))
    assert AppSearch.objects.exists()
    lamina_search.tidy(timezone.now() + timedelta(minutes=21))
    assert not AppSearch.objects.exists()
