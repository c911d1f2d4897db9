"""The number of runs that teammates have shared, or that members have started elsewhere, since History or Home was
opened."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.http import urlencode
from pytest_django import DjangoAssertNumQueries

from runs.display import new_runs
from runs.models import Member, Run
from tests.support.clients import HTMX
from tests.support.factories import make_app, make_run
from tests.support.page import Page

pytestmark = pytest.mark.django_db
PAGES = [("history", "/history/?tab=team"), ("home", "/")]


def opened(client: Client, path: str) -> dict[str, str]:
    """Return what the page sends when it polls for updates."""
    found = dict(re.findall(r'data-(since|token|ids)="([^"]*)"', client.get(path).text.replace("&#x27;", "'")))
    return {"since": found["since"], "k": found["token"]}


def ask(client: Client, sent: dict[str, str], name: str, path: str) -> tuple[int, list[str], str]:
    """Poll for updates as the page does; return the response's status, ids and token."""
    url = f"/live/team/?{urlencode(sent | {'page': name})}"
    answer = client.get(url, headers=HTMX | {"HX-Current-URL": f"http://testserver{path}"})
    found = dict(re.findall(r'data-(token|ids)="([^"]*)"', answer.text))
    return answer.status_code, found.get("ids", "").split(), found.get("token", "")


def share(run: Run, seconds: float = 0) -> Run:
    Run.objects.filter(pk=run.pk).update(shared_at=timezone.now() + timedelta(seconds=seconds))
    return run


@pytest.mark.parametrize(("name", "path"), PAGES)
def test_newly_shared_runs_are_told(
    as_alice: Client,
    alice: Member,
    bob: Member,
    name: str,
    path: str,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    app = make_app()
    share(make_run(bob, app, status="completed"), -60)  # shared before the page was opened, so not news
    sent = opened(as_alice, path)
    with django_assert_num_queries(3):  # queries: session, member, what was shared
        assert ask(as_alice, sent, name, path)[0] == 204

    new = [share(make_run(bob, app, status="completed", created_at=timezone.now() - timedelta(days=n))) for n in (1, 0)]
    make_run(bob, app, status="completed")  # this run is private
    share(make_run(alice, app, status="completed"))  # Alice's own run
    status, ids, token = ask(as_alice, sent, name, path)
    assert (status, ids) == (200, [new[1].public_id, new[0].public_id])
    assert ask(as_alice, sent | {"k": token}, name, path)[0] == 204

    Run.objects.filter(pk=new[0].pk).update(shared_at=None)  # this run is private again
    assert ask(as_alice, sent | {"k": token}, name, path)[1] == [new[1].public_id]
    Run.objects.filter(pk=new[1].pk).update(shared_at=None)
    assert ask(as_alice, sent | {"k": token}, name, path) == (200, [], "")


@pytest.mark.parametrize(("count", "more"), [(3, ""), (4, "+")])
def test_what_is_too_much_to_count_is_said_to_be_more(
    as_alice: Client, bob: Member, monkeypatch: pytest.MonkeyPatch, count: int, more: str
) -> None:
    monkeypatch.setattr(new_runs, "AT_MOST", 3)
    app = make_app()
    sent = opened(as_alice, "/")
    for _ in range(count):
        share(make_run(bob, app, status="completed"))

    answer = as_alice.get("/live/team/", {**sent, "page": "home"}, headers=HTMX)

    news = Page(answer.text).first(id="team-news").attributes
    assert len(str(news["data-ids"]).split()) == 3
    assert news["data-more"] == more


def test_a_filter_counts_only_what_it_would_show(as_alice: Client, bob: Member) -> None:
    app = make_app("Reel")
    path = f"/history/?tab=team&app={app.public_id}"
    share(make_run(bob, app, status="completed"), -60)
    sent = opened(as_alice, path)

    share(make_run(bob, make_app("Other"), status="completed"))
    wanted = share(make_run(bob, app, status="completed"))

    assert ask(as_alice, sent, "history", path)[1] == [wanted.public_id]


@pytest.mark.parametrize("path", ["/history/", "/history/?tab=starred", "/apps/"])
def test_other_pages_do_not_ask(as_alice: Client, alice: Member, path: str) -> None:
    make_run(alice)
    body = as_alice.get(path).text
    assert "data-team-url" not in body
    assert ('id="own-news"' in body) is (path == "/history/")


@pytest.mark.parametrize(("name", "path"), [("history", "/history/?state=ready"), ("home", "/")])
def test_own_runs_from_another_device_are_told_with_the_frame(
    as_alice: Client,
    alice: Member,
    bob: Member,
    name: str,
    path: str,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    app = make_app()
    make_run(alice, app, status="completed", created_at=timezone.now() - timedelta(minutes=1))
    opening = Page(as_alice.get(path).text).first(id="own-news").attributes
    sent = {"n": "", "w": "", "b": "", "since": str(opening["data-since"]), "k": "", "page": name}
    here = HTMX | {"HX-Current-URL": f"http://testserver{path}"}
    as_alice.get("/live/frame/", sent, headers=here)  # the first request also asks for the balance
    with django_assert_num_queries(3):  # queries: session, member, my active and newest runs
        assert as_alice.get("/live/frame/", sent, headers=here).status_code == 204

    new = make_run(alice, app, status="completed")
    make_run(bob, app, status="completed")
    told = Page(as_alice.get("/live/frame/", sent, headers=here).text).first(id="own-news").attributes

    assert told["data-ids"] == new.public_id
    sent["k"] = str(told["data-token"])
    assert as_alice.get("/live/frame/", sent, headers=here).status_code == 204
    Run.objects.filter(pk=new.pk).update(deleted_at=timezone.now())
    gone = Page(as_alice.get("/live/frame/", sent, headers=here).text).first(id="own-news").attributes
    assert gone["data-ids"] == ""


@pytest.mark.parametrize(
    "since", ["", "x", "2026-11-26", "2026-11-26T10:00:00", "2026-13-26T10:00:00+00:00", "9" * 500]
)
def test_nonsense_is_answered_calmly(as_alice: Client, since: str) -> None:
    assert ask(as_alice, {"since": since}, "home", "/")[0] == 204
