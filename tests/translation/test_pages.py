"""No page has unmarked text: every kind of user requests every address in the made-up language."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponseBase
from django.utils import timezone

from runs.models import Member, Run
from runs.models.messages import Message
from tests.support.access_rows import ROWS
from tests.support.access_walk import ask, body_of
from tests.support.access_world import World
from tests.support.clients import client_of
from tests.support.factories import STYLE, make_app, make_run
from tests.support.page import Page
from tests.support.pseudo import CODE
from tests.translation.unmarked import stored_texts, unmarked

pytestmark = pytest.mark.django_db

PRETTY = {"HTTP_ACCEPT_LANGUAGE": CODE}


@pytest.fixture
def world(make_member: Callable[..., Member]) -> World:
    return World(make_member)


def is_page(answer: HttpResponseBase) -> bool:
    return answer.headers.get("Content-Type", "").startswith("text/html")


def posted_texts(world: World) -> set[str]:
    """Return the strings that these requests submit. Pages show them as names of views and presets."""
    data = [row.data(world) or {} for row in ROWS]
    return {value for one in data if isinstance(one, dict) for value in one.values() if isinstance(value, str)}


@pytest.mark.parametrize("who", ["nobody", "guest", "guest, revoked", "viewer", "owner", "admin"])
def test_no_page_holds_an_unmarked_text(world: World, who: str) -> None:
    world.subject = world.private if who in ("owner", "guest") else world.shared
    client = world.client(who)
    client.defaults.update(PRETTY)
    known, found, count = stored_texts() | posted_texts(world), {}, 0
    # on all other addresses, guests get what nobody gets
    for row in [row for row in ROWS if row.is_for_guests or not who.startswith("guest")]:
        answer = ask(world, row, client)
        if is_page(answer):
            count += 1
            if texts := unmarked(body_of(answer), known):
                found[f"{row.method} {row.name} {row.query}".strip()] = texts
    assert count > 5
    assert found == {}, "\n".join(f"{page}: {text}" for page, texts in found.items() for text in texts)


NUMBERS = ("x", "y", "cx", "cy", "r", "width", "height", "min", "max", "step", "value", "content", "d", "viewbox")
COMMA = re.compile(r"^-?\d{1,3},\d|\d,\d+[ ;]")


def comma_numbers(html: str) -> list[str]:
    """Return the machine-readable attributes that contain numbers in German format."""
    return [
        f"<{element.tag} {name}={value!r}>"
        for element in Page(html).root.walk()
        for name, value in element.attributes.items()
        if (name in NUMBERS or name.startswith(("data-", "hx-"))) and element.tag != "path" and COMMA.search(value)
    ]


def test_numbers_for_machines_are_the_same_in_every_language(world: World) -> None:
    pages = {}
    for row in ROWS:
        who = "guest" if row.is_for_guests else "owner" if "owner" in row.rule.private else "admin"
        client = world.client(who)
        client.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"
        if is_page(answer := ask(world, row, client)):
            pages[row.name, row.query] = body_of(answer)
    assert len(pages) > 50
    assert {name: found for name, page in pages.items() if (found := comma_numbers(page))} == {}
    assert comma_numbers('<rect x="2,5">')


STATES: dict[str, dict[str, Any]] = {
    "starting": {"status": "starting"},
    **{f"waits for {wait}": {"status": "starting", "wait": wait} for wait in Run.Wait.values if wait},
    "checking": {"status": "checking"},
    "asks a person": {"status": "checking", "due_at": None, "candidates": []},
    "queued": {"status": "queued", "remote_id": "r1"},
    "running": {"status": "running", "remote_id": "r1"},
    "cancelling": {"status": "running", "remote_id": "r1", "cancel_asked_at": timezone.now()},
    "partly": {"status": "completed", "outputs_failed": 1},
    "cancelled": {"status": "cancelled"},
    **{
        f"failed: {cause}": {"status": "failed", "failure": cause}
        for cause in ("inputs", "files", "credits", "key", "gone", "forbidden", "refused", "remote", "nothing", "lost")
    },
    "failed: silent": {"status": "failed", "failure": "silent"},
    "failed: left": {"status": "failed", "failure": "left"},
    "failed with our own words": {"status": "failed", "failure": "files", "failure_text": Message("disk_full")},
}


@pytest.mark.parametrize("state", STATES)
def test_no_state_of_a_run_holds_an_unmarked_text(alice: Member, state: str) -> None:
    run = make_run(alice, make_app(), **STATES[state])
    client = client_of(alice)
    client.defaults.update(PRETTY)
    pages = [client.get(path) for path in (run.get_absolute_url(), "/", "/history/", "/history/?view=list")]
    known = stored_texts()
    assert [text for page in pages for text in unmarked(page.content.decode(), known)] == []


def test_shapes_of_choices_are_drawn_in_every_language(alice: Member) -> None:
    ratios = [{**STYLE, "name": "Ratio", "options": ["16:9", "9:16", "4:3"]}]
    client = client_of(alice)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"
    page = client.get(make_app(parameters=ratios).get_absolute_url()).content.decode()
    assert page.count('class="choice-ratio"') == 3
    assert comma_numbers(page) == []
