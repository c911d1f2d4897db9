"""Requests that pages send on their own don't keep a session."""

import json
import re
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from runs.models import App, Member, OutputFile, Run
from runs.sharing.links import make_link
from runs.team import sessions
from tests.support.factories import make_app, make_kept, make_run
from tests.support.guest_links import path_of
from tests.support.page import Page
from tests.support.processes import ROOT
from tests.support.sessions import days_left, move_end

pytestmark = pytest.mark.django_db
POLLS = re.compile(r"(^|, *)(every|load|{{)")  # in a trigger; one that a view chooses counts, too
IN_TEMPLATE = re.compile(r"{% *comment *%}.*?{% *endcomment *%}|{%.*?%}|{#.*?#}|(?<={{).*?(?=}})", re.DOTALL)
TAG = re.compile(r"""<[\w{}]+(\s+[\w:-]+(=("[^"]*"|'[^']*'))?)*\s*>""")
TRIGGER = re.compile(r'hx-trigger="([^"]*)"')
MARKED = re.compile(r"""[?;]auto=(?:1|{{}})"|"auto": "1"}""")


@pytest.fixture(autouse=True)
def _seen_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make each request count as the first in several minutes."""
    monkeypatch.setattr(sessions, "SEEN_EVERY_SECONDS", 0.0)


@pytest.fixture
def run(alice: Member) -> Run:
    """A shared run whose first result is still being saved."""
    run = make_run(alice, status="completed", shared_at=timezone.now())
    OutputFile.objects.create(output=run.outputs.all()[0], source_url="https://x.test/a.png", status="saving")
    return run


@pytest.fixture
def pages(run: Run) -> list[str]:
    """Pages that poll with scripts on. Without scripts, all but the first refresh themselves."""
    costless, formless = make_app(estimated_at=None), make_app()
    App.objects.filter(pk=formless.pk).update(schema=None, schema_fetched_at=None)
    result = run.outputs.all()[0]
    return [costless.get_absolute_url(), "/manage/", result.get_absolute_url(), formless.get_absolute_url()]


def polls_of(page: Page) -> list[str]:
    """Return the URL of every poll on `page`, with its values."""
    polling = [one.attributes for one in page.root.walk() if POLLS.search(one.attributes.get("hx-trigger", ""))]
    values = [urlencode(json.loads(one.get("hx-vals", "{}"))) for one in polling]
    return [
        f"{one['hx-get']}{'&' if '?' in one['hx-get'] else '?'}{more}"
        for one, more in zip(polling, values, strict=True)
    ]


def test_a_page_that_nobody_looks_at_does_not_keep_its_session(as_admin: Client, pages: list[str]) -> None:
    polls = [poll for url in pages for poll in polls_of(Page(as_admin.get(url).text))]
    assert len(polls) == 5
    for url in ("/live/?n=&w=1", "/live/frame/", "/live/team/", *polls):
        move_end(as_admin, 2)
        assert as_admin.get(url, headers={"HX-Request": "true"}).status_code < 300
        assert days_left(as_admin) == pytest.approx(2, abs=0.01), url
    as_admin.get(pages[0])
    assert days_left(as_admin) == pytest.approx(14, abs=0.01)


def test_a_page_that_refreshes_itself_does_not_keep_its_session(as_admin: Client, pages: list[str], run: Run) -> None:
    for url in (*pages[1:], run.get_absolute_url()):
        here = f"http://testserver{url}"
        (refresh,) = [one for one in Page(as_admin.get(url).text).find("meta") if "http-equiv" in one.attributes]
        following = refresh.attributes["content"].partition(";url=")[2] or here
        move_end(as_admin, 2)
        assert as_admin.get(following, headers={"Referer": here}).status_code == 200
        assert days_left(as_admin) == pytest.approx(2, abs=0.01), url
        as_admin.get(here, headers={"Referer": "http://testserver/history/"})
        assert days_left(as_admin) == pytest.approx(14, abs=0.01), url


def test_pictures_and_guest_pages_do_not_keep_a_session(as_admin: Client, run: Run) -> None:
    """An open page loads new pictures after a poll, and guest pages refresh themselves."""
    file = make_kept(run, position=1).file
    assert file is not None
    link = make_link(run.member, [run.outputs.all()[1]])
    move_end(as_admin, 2)
    for url in (f"/files/{file.public_id}/original", path_of(link)):
        assert as_admin.get(url).status_code == 200
    assert days_left(as_admin) == pytest.approx(2, abs=0.01)


def test_a_page_fetched_ahead_keeps_the_session(as_admin: Client) -> None:
    """If someone then opens the page, the browser sends no other request."""
    move_end(as_admin, 2)
    as_admin.get("/history/", headers={"Sec-Purpose": "prefetch"})
    assert days_left(as_admin) == pytest.approx(14, abs=0.01)


def test_every_poll_and_refresh_in_a_template_is_marked() -> None:
    """A page that refreshes itself without a URL needs no mark: its referrer gives it away."""
    found = []
    for path in sorted((ROOT / "templates").rglob("*.html")):
        source = IN_TEMPLATE.sub("", path.read_text())
        tags = [tag[0] for tag in TAG.finditer(source)]
        for name in ("hx-trigger", "http-equiv"):
            assert sum(tag.count(name) for tag in tags) == source.count(name), f"can't read every tag in {path}"
        found += [tag for tag in tags if (trigger := TRIGGER.search(tag)) and POLLS.search(trigger[1])]
        found += [tag for tag in tags if "http-equiv" in tag and "url=" in tag]
    assert len(found) >= 11
    assert [tag for tag in found if not MARKED.search(tag)] == []
