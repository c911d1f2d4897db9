"""Helpers for tests of the Review pages: reading a page, and making results that wait for decisions."""

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from runs.models import App, GuestLink, Member, Output, Run
from runs.sharing import links
from tests.support.factories import make_app, make_kept, make_run
from tests.support.page import Page


def form_of(page: Page, **given: str) -> dict[str, str]:
    """Return what a browser would post from the form for deciding, with the values in `given` filled in."""
    form = page.first("form", id="decide")
    hidden = {e.attributes["name"]: e.attributes["value"] for e in form.find("input")}
    return {**hidden, "note": form.first("textarea").text, **given}


def queries_of(client: Client, url: str) -> list[str]:
    """Return a page's queries, leaving out those that a process only makes every few seconds."""
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return [query["sql"] for query in captured.captured_queries if "runs_laminastatus" not in query["sql"]]


def heading(page: Page) -> str:
    """Return the page's heading: the label of the result it shows."""
    return page.first("h1").words


def make_results(maker: Member, count: int, app: App | None = None) -> list[Output]:
    """Make `count` ready text results, in shared runs with four results each."""
    app = app or make_app(outputs=[{"index": n, "label": f"Text {n + 1}", "type": "text"} for n in range(4)])
    runs = [make_run(maker, app, status="completed", shared_at=timezone.now()) for _ in range(count // 4)]
    Output.objects.filter(run__in=runs).update(text="A lake", content_hash="a" * 64)
    return list(Output.objects.filter(run__in=runs).order_by("run", "position"))


def page_of(client: Client, url: str = "/review/") -> Page:
    answer = client.get(url)
    assert answer.status_code == 200
    return Page(answer.content.decode())


def make_waiting(maker: Member) -> Run:
    """Make a private run with two ready results: the first is a picture, the second is text."""
    run = make_run(maker, status="completed", title="Autumn")
    make_kept(run)
    Output.objects.filter(run=run, position=0).update(content_hash="a" * 64)
    Output.objects.filter(run=run, position=1).update(kind="text", text="A lake", content_hash="b" * 64)
    return run


def outputs(run: Run) -> list[Output]:
    return list(run.outputs.all())


def deciding_link(member: Member, result: Output) -> GuestLink:
    """Make a guest link that lets guests decide on `result`."""
    link = links.make_link(member, [result])
    link.lets_decide = True
    link.save()
    return link
