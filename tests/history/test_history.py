"""History: a member's own runs, newest first, with filters in the address and paging that never slows down."""

import re
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.translation import override
from pytest_django import DjangoAssertNumQueries

from runs.connection import status
from runs.engine.create_run import LaunchRequest, launch_run, new_form_token
from runs.history import filter_bar
from runs.history.filters import Filter
from runs.history.hints import Hint
from runs.models import Member, Upload
from runs.schema_forms.answers import load_answers
from tests.support.factories import make_app, make_run, make_stored
from tests.support.html import flat
from tests.support.page import Page

pytestmark = pytest.mark.django_db


def order_of(body: str, *ids: str) -> list[str]:
    return sorted((i for i in ids if f"card-{i}" in body), key=lambda i: body.index(f"card-{i}"))


def test_only_own_runs_newest_first(as_alice: Client, alice: Member, bob: Member) -> None:
    app, now = make_app(), timezone.now()
    old = make_run(alice, app, status="completed", created_at=now - timedelta(days=2))
    new = make_run(alice, app, status="failed", created_at=now)
    strange = make_run(bob, app, status="completed")

    body = as_alice.get("/history/").content.decode()

    assert order_of(body, old.public_id, new.public_id, strange.public_id) == [new.public_id, old.public_id]


def test_it_has_one_search(as_alice: Client, alice: Member) -> None:
    make_run(alice, make_app(), status="completed")

    assert as_alice.get("/history/").content.decode().count('type="search"') == 1


def test_a_search_takes_along_what_stands_around_the_list(as_alice: Client, alice: Member) -> None:
    app, now = make_app(), timezone.now()
    for hours in range(30):
        make_run(alice, app, status="completed", created_at=now - timedelta(hours=hours))
    as_alice.post("/history/views/", {"name": "Ghibli", "query": "q=ghibli"})
    older = as_alice.get("/history/").context["next_url"]
    assert 'class="history-newer"' in as_alice.get(older).text

    headers = {"HX-Request": "true", "HX-Target": "history-results"}
    body = flat(as_alice.get("/history/", {"q": "ghibli"}, headers=headers).content)

    swapped = dict(re.findall(r'id="(history-views|history-newer)"[^>]* hx-swap-oob="true">(.*?)</(?:nav|div)>', body))
    assert 'aria-current="page"' in swapped["history-views"]
    assert swapped["history-newer"] == ""


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=ready", {"ready"}),
        ("state=partly", {"partly"}),
        ("state=failed", {"failed"}),
        ("state=progress", {"running"}),
        ("q=GHIBLI", {"ready", "partly", "failed", "running", "other"}),
        ("q=nothing+like+it", set()),
        ("state=made-up", {"ready", "partly", "failed", "running", "other"}),
        ("app=OTHER", {"other"}),
        ("app=OTHER&state=failed", set()),
    ],
)
def test_filters_live_in_the_address(as_alice: Client, alice: Member, query: str, found: set[str]) -> None:
    app, other = make_app(), make_app("Other app")
    runs = {
        "ready": make_run(alice, app, status="completed"),
        "partly": make_run(alice, app, status="completed", outputs_failed=1, outputs_ready=1),
        "failed": make_run(alice, app, status="failed"),
        "running": make_run(alice, app, status="running"),
        "other": make_run(alice, other, status="completed"),
    }
    if query == "state=ready":
        found = found | {"other"}

    body = as_alice.get("/history/?" + query.replace("OTHER", other.public_id)).content.decode()

    assert {name for name, run in runs.items() if f"card-{run.public_id}" in body} == found


def test_pages_follow_each_other_without_gap_or_repeat(as_alice: Client, alice: Member) -> None:
    app, now = make_app(), timezone.now()
    made = [make_run(alice, app, status="completed", created_at=now) for _ in range(60)]  # all made at the same moment
    seen: list[str] = []
    url = "/history/"
    while url:
        answer = as_alice.get(url)
        seen += [card.run.public_id for _, cards in answer.context["groups"] for card in cards]
        url = answer.context["next_url"]

    assert sorted(seen) == sorted(run.public_id for run in made)


def test_a_search_that_finds_nothing_says_which_filter_to_drop(as_alice: Client, alice: Member) -> None:
    make_run(alice, make_app(), status="completed")

    answer = as_alice.get("/history/?q=ghibli&state=failed")

    assert Hint("Any state", "/history/?q=ghibli", "1") in answer.context["hints"]


def test_a_full_page_costs_few_queries(
    as_alice: Client, alice: Member, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    app = make_app()
    for _ in range(30):
        make_run(alice, app, status="completed")

    with django_assert_max_num_queries(14):
        as_alice.get("/history/")


@pytest.mark.parametrize(("role", "tab"), [("maker", "mine"), ("viewer", "team")])
# the second word is misspelt: nothing matches it exactly, so the portal searches more widely
@pytest.mark.parametrize("words", ["orchard", "orchad"])
def test_a_search_costs_few_queries(
    as_alice: Client,
    alice: Member,
    bob: Member,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    role: str,
    tab: str,
    words: str,
) -> None:
    app = make_app()
    for _ in range(30):
        make_run(alice if tab == "mine" else bob, app, status="completed", title="Orchard", shared_at=timezone.now())
    Member.objects.filter(pk=alice.pk).update(role=role)
    as_alice.get("/history/?tab=team")  # caches who may decide, for a minute
    status.forget_status()

    with django_assert_max_num_queries(16):
        page = as_alice.get("/history/", {"q": words, "tab": tab})

    assert sum(len(cards) for _, cards in page.context["groups"]) == 24


@pytest.mark.parametrize("words", ["CREME brulee", "brûlée", "靴", "か", "crème.png", "cartoonify", "front row"])
def test_a_launched_run_is_found_in_any_language(as_alice: Client, alice: Member, words: str) -> None:
    app, file = make_app(), make_stored()
    upload = Upload.objects.create(member=alice, file=file, status="ready", name="Creme.png")
    given: list[dict[str, Any]] = [
        {"name": "Prompt", "key": "", "id": "", "type": "text", "value": "Crème brûlée, 赤い靴がほしい, front row"},
        {"name": "Photo", "key": "", "id": "", "type": "url", "value": {"uploads": [upload.public_id]}},
    ]
    answers: Any = [answer | {"is_default": False} for answer in given]
    assert app.schema is not None
    run = launch_run(alice, LaunchRequest(app, app.schema, load_answers(answers), [], new_form_token(alice)))

    assert f"card-{run.public_id}" in as_alice.get("/history/", {"q": words}).content.decode()
    assert as_alice.get("/history/", {"q": f"{words} zebra"}).context["wider"].left_out == "zebra"
    assert run.kinds == " image "


@pytest.mark.parametrize(
    ("language", "week"), [("en", "from=2026-11-15&to=2026-11-21"), ("de", "from=2026-11-16&to=2026-11-22")]
)
def test_usual_spans_of_days_are_one_press_away(language: str, week: str) -> None:
    with override(language):
        offered = filter_bar.day_shortcuts(Filter(q="shoe"), date(2026, 11, 27))  # a Friday

    spans = ("from=2026-11-27", "from=2026-11-21", week, "from=2026-10-01&to=2026-10-31")
    assert [span.url for span in offered] == [f"/history/?q=shoe&{query}" for query in spans]


def test_todays_span_is_the_readers_today(as_alice: Client, alice: Member) -> None:
    Member.objects.filter(pk=alice.pk).update(time_zone="Pacific/Kiritimati")  # 14 hours ahead of UTC
    make_run(alice)
    there = timezone.localdate(timezone=ZoneInfo("Pacific/Kiritimati"))
    shown = Page(as_alice.get("/history/").text).first(id="history-shortcuts")
    assert shown.words == "Today Last 7 days Last week Last month"
    # it may be tomorrow there by now
    now_there = timezone.localdate(timezone=ZoneInfo("Pacific/Kiritimati"))
    assert shown.first("a").attributes["href"] in {f"/history/?from={day}" for day in (there, now_there)}
    same = Page(as_alice.get(shown.first("a").attributes["href"]).text).first(id="history-shortcuts")
    assert same.first("a").attributes.get("aria-current") == "true" or there != now_there
