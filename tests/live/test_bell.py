"""The bell shows members what they haven't read yet, whatever page they are on. In these tests, the news is always that
one of the member's own runs has ended."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from runs.background import leases
from runs.display.bell import LISTED
from runs.engine import poller_wakeups, progress
from runs.models import Member, Notice, Run
from runs.notices import listeners, read_state
from tests.support.clients import HTMX
from tests.support.factories import make_app, make_kept, make_run

pytestmark = pytest.mark.django_db


def end(run: Run, cause: str = "remote") -> Run:
    assert progress.fail(run, cause, timezone.now(), from_statuses=("queued", "running", "starting"))
    run.refresh_from_db()
    return run


def rung(client: Client, path: str = "/me/") -> list[str]:
    """Return the ids of the runs that the bell lists on this page."""
    return re.findall(r'data-ended="(\w+)"', client.get(path).text)


def poll(client: Client, path: str = "/live/", **query: str) -> tuple[int, str]:
    answer = client.get(path, query, headers=HTMX)
    return answer.status_code, answer.text


def test_every_page_tells_which_of_my_runs_have_ended(as_alice: Client, as_bob: Client, alice: Member) -> None:
    mine = end(make_run(alice, shared_at=timezone.now()))
    make_run(alice, mine.app)

    page = as_alice.get("/me/").text

    assert rung(as_alice) == [mine.public_id]
    assert "<title>(1) " in page
    assert 'aria-label="Inbox: 1 new"' in page
    assert re.search(r"<noscript>\s*<div class=.messages.>.*Cartoonify!.*Failed", page, re.S)
    assert rung(as_bob) == []


def test_a_page_without_news_asks_nothing_for_the_bell(
    as_alice: Client, alice: Member, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    end(make_run(alice))
    assert read_state.mark_all(alice, timezone.now())
    as_alice.get("/help/keys/")

    with django_assert_num_queries(2):  # queries: session, member
        assert 'data-count=""' in as_alice.get("/help/keys/").text


def test_the_poll_tells_once_and_costs_nothing_more(
    as_alice: Client, alice: Member, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    run, other = make_run(alice), make_run(alice)
    kept = make_run(alice, status="completed")
    make_kept(kept)
    assert leases.acquire(poller_wakeups.POLLER, "somebody", 60)
    end(other)

    status, body = poll(as_alice, n="", w="1")
    token = re.search(r'data-bell="([^"]+)"', body)

    assert token
    assert (status, "data-watching" in body) == (200, True)
    assert f'data-ended="{other.public_id}"' in body
    with django_assert_num_queries(3):  # queries: session, member, the poller's lease
        assert poll(as_alice, n=token[1], w="1") == (204, "")
    end(run)
    body = poll(as_alice, n=token[1], w="1")[1]
    assert re.findall(r'data-ended="(\w+)"', body) == [run.public_id, other.public_id]
    assert "data-watching" not in body  # there are no runs left that could end, so the page stops asking


def test_the_frame_says_whether_more_will_end(
    as_alice: Client, alice: Member, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """A page that has just been opened doesn't know whether the member has any active runs that it doesn't show."""
    run = make_run(alice)
    assert "data-watching" in poll(as_alice, "/live/frame/", n="", w="", b="")[1]

    with django_assert_num_queries(3):  # queries: session, member, my active runs
        assert poll(as_alice, "/live/frame/", n="", w="1", b="") == (204, "")

    Run.objects.filter(pk=run.pk).update(status="cancelled", finished_at=timezone.now())
    assert "data-watching" not in poll(as_alice, "/live/frame/", n="", w="1", b="")[1]


def test_looking_marks_exactly_what_was_shown(as_alice: Client, alice: Member) -> None:
    app = make_app()
    runs = [end(make_run(alice, app)) for _ in range(LISTED + 2)]

    page = as_alice.get("/me/").text
    shown = re.search(r'name="notices" value="([^"]+)"', page)
    assert shown
    assert f"Inbox: {LISTED}+ new" in page
    ids = dict(Notice.objects.values_list("run", "public_id"))
    assert shown[1].split() == [ids[run.pk] for run in reversed(runs[2:])]
    late = end(make_run(alice, app))
    answer = as_alice.post("/inbox/seen/", {"notices": shown[1]}, headers=HTMX).text

    assert 'data-count="3"' in answer
    assert "bell-list" not in answer.replace('popovertarget="bell-list"', "")  # the list stays while someone reads it
    assert rung(as_alice) == [late.public_id, runs[1].public_id, runs[0].public_id]


def test_nobody_marks_somebody_elses_news(as_alice: Client, as_bob: Client, alice: Member) -> None:
    run = end(make_run(alice, shared_at=timezone.now()))

    as_bob.post("/inbox/seen/", {"notices": Notice.objects.get().public_id})
    as_bob.get(run.get_absolute_url())

    assert rung(as_alice) == [run.public_id]


def test_opening_a_run_is_looking(as_alice: Client, alice: Member) -> None:
    app = make_app()
    first, second = (end(make_run(alice, app)) for _ in range(2))

    assert rung(as_alice, first.get_absolute_url()) == [second.public_id]
    assert rung(as_alice) == [second.public_id]


def test_the_open_page_of_a_run_does_not_ring(as_alice: Client, alice: Member) -> None:
    run = make_run(alice)
    end(run)

    body = poll(as_alice, r=f"{run.public_id}:1.0-progress-0-2", page="run", n="")[1]

    assert "There are no results." in body
    assert 'data-count=""' in body
    assert "Cartoonify! · Ghibli: Failed." in body  # the run's own page announces that it has ended
    assert rung(as_alice) == []


def test_a_line_announces_what_a_card_would(as_alice: Client, alice: Member) -> None:
    """Screen readers announce the end of a run only once, even though Home shows it twice."""
    run = make_run(alice)
    end(run)

    body = poll(as_alice, r=f"{run.public_id}:1.0-progress-0-2", page="home", n="")[1]

    assert f'id="card-{run.public_id}"' in body
    assert f'data-ended="{run.public_id}"' in body
    assert 'id="announcer"' not in body


class EndsIt:
    """Ends the run after a request has loaded the member but before it reads the runs."""

    def __init__(self, run: Run) -> None:
        self.run, self.is_done = run, False

    def __call__(self, execute: object, sql: str, *rest: object) -> object:
        if 'FROM "runs_run"' in sql and "public_id" in sql and not self.is_done:
            self.is_done = True
            end(self.run)
        return execute(sql, *rest)  # type: ignore[operator]


def test_a_run_that_ends_during_the_request_is_announced_once(as_alice: Client, alice: Member) -> None:
    """The run's card and the line about its end arrive together, so the page doesn't announce first one and then the
    other."""
    run = make_run(alice)

    with connection.execute_wrapper(EndsIt(run)):
        body = poll(as_alice, r=f"{run.public_id}:1.0-progress-0-2", page="history", n="")[1]

    assert f'id="card-{run.public_id}"' in body
    assert f'data-ended="{run.public_id}"' in body
    assert 'id="announcer"' not in body


def test_its_own_page_announces_a_run_that_ends_during_the_request(as_alice: Client, alice: Member) -> None:
    run = make_run(alice)

    with connection.execute_wrapper(EndsIt(run)):
        body = poll(as_alice, r=f"{run.public_id}:1.0-progress-0-2", page="run", n="")[1]

    assert "There are no results." in body
    assert 'data-count=""' in body
    assert "Cartoonify! · Ghibli: Failed." in body
    assert rung(as_alice) == []


def test_a_saved_picture_is_news_again(as_alice: Client, alice: Member) -> None:
    """The line appears before the picture is saved; the picture is then added to the line."""
    run = make_run(alice, status="completed")
    listeners.on_run_ended(run)
    alice.refresh_from_db()
    before = alice.news_at
    kept = make_kept(run)

    listeners.on_output_saved(kept)

    alice.refresh_from_db()
    assert alice.news_at != before
    assert f"/files/{kept.file.public_id}/" in as_alice.get("/me/").text if kept.file else False


def test_a_run_in_the_bin_is_no_news(as_alice: Client, alice: Member) -> None:
    run = end(make_run(alice))

    Run.objects.filter(pk=run.pk).update(deleted_at=timezone.now())

    assert rung(as_alice) == []


def test_examples_of_the_sandbox_ring_no_bell(as_alice: Client, alice: Member) -> None:
    end(make_run(alice, is_example=True))

    assert rung(as_alice) == []
    alice.refresh_from_db()
    assert alice.news_at is None


def test_without_scripts_a_button_marks_them_and_leads_back(as_alice: Client, alice: Member) -> None:
    end(make_run(alice))
    here = "http://testserver/history/?q=shoe"

    answer = as_alice.post("/inbox/seen/", {"notices": Notice.objects.get().public_id}, headers={"Referer": here})

    assert answer["Location"] == here
    assert rung(as_alice) == []
    foreign = as_alice.post("/inbox/seen/", {"notices": ""}, headers={"Referer": "https://else.test/"})
    assert foreign["Location"] == "/"
