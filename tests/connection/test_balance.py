"""The balance on pages: the last one Lamina reported, minus the cost of runs sent and ended since then."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import DjangoCaptureOnCommitCallbacks

from runs.connection import balance, status
from runs.engine import progress
from runs.models import LaminaStatus, Member, MemberLimit, MonthTotal
from runs.models.spending import month_of
from tests.support.clients import HTMX
from tests.support.factories import make_app, make_run
from tests.support.page import Page
from tests.support.processes import wait_until
from tests.support.sandbox_door import SandboxDoor
from tests.support.work import queued

pytestmark = pytest.mark.django_db


def shown(client: Client) -> str:
    cache.clear()
    return Page(client.get("/me/").text).first(id="balance").words


def end(member: Member, cost: float | None, status: str = "running") -> None:
    run = make_run(member, credits_estimated=cost, status=status)
    assert progress.fail(run, "remote", timezone.now(), from_statuses=(run.status,))


def test_the_balance_falls_by_what_a_run_was_to_cost(as_alice: Client, alice: Member, sandbox: SandboxDoor) -> None:
    sandbox.control("balance", balance=100)
    balance.refresh_balance()
    assert shown(as_alice) == "100 credits"

    end(alice, 12)
    end(alice, 30, "starting")  # Lamina never accepted this run, so it cost nothing
    end(alice, None)  # Lamina gave no estimate
    assert shown(as_alice) == "about 88 credits"

    sandbox.control("balance", balance=87.5)
    balance.refresh_balance()
    assert shown(as_alice) == "87.5 credits"


def test_it_is_refreshed_after_the_clock_was_set_back(sandbox: SandboxDoor) -> None:
    ahead = timezone.now() + timedelta(hours=2)
    status.record_status(balance=Decimal(4), balance_at=ahead, balance_asked_at=ahead)
    sandbox.control("balance", balance=100)

    balance.request_balance_if_stale()
    assert LaminaStatus.objects.filter(balance_asked_at__lt=ahead).exists()
    balance.refresh_balance()

    assert LaminaStatus.objects.filter(balance=100, balance_at__lt=ahead).exists()


def test_it_never_falls_below_nothing(as_alice: Client, alice: Member) -> None:
    status.record_status(balance=Decimal(4), balance_at=timezone.now())
    end(alice, 12)
    assert shown(as_alice) == "about 0 credits"


def test_a_run_that_lamina_has_charged_before_telling_its_balance_isnt_counted_again(
    as_alice: Client, alice: Member, sandbox: SandboxDoor
) -> None:
    run = make_run(alice, credits_estimated=18, sent_at=timezone.now())
    sandbox.control("balance", balance=82.5)
    balance.refresh_balance()

    progress.fail(run, "remote", timezone.now(), from_statuses=(run.status,))

    assert shown(as_alice) == "82.5 credits"


def test_what_is_only_about_has_no_half_credits_on_any_page(as_alice: Client, as_admin: Client, alice: Member) -> None:
    status.record_status(balance=Decimal("100.5"), balance_at=timezone.now())
    end(alice, 18)

    assert shown(as_alice) == "about 82 credits"
    facts = Page(as_admin.get("/manage/").text).first("main").words
    assert "about 82 credits" in facts
    assert "100.5" not in facts
    assert "about 82 credits left" in as_alice.get(make_app("Reel").get_absolute_url()).text


def test_after_a_run_lamina_is_asked_for_its_balance_once(
    as_alice: Client, alice: Member, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    status.record_status(balance=Decimal(100), balance_at=timezone.now())

    with django_capture_on_commit_callbacks(execute=True):
        end(alice, 18)
        end(alice, 18)

    assert [waiting["func"] for waiting in queued()].count("runs.tasks.refresh_balance") == 1


def test_a_run_that_ends_while_lamina_answers_is_counted_once(
    as_alice: Client, alice: Member, sandbox: SandboxDoor
) -> None:
    status.record_status(balance=Decimal(100), balance_at=timezone.now())
    run = make_run(alice, credits_estimated=18, sent_at=timezone.now())
    sandbox.control("balance", balance=82)

    class EndsIt:
        """Ends the run right before Lamina's response is stored."""

        is_done = False

        def __call__(self, execute: object, sql: str, *rest: object) -> object:
            if "UPDATE" in sql and "balance_at" in sql and not self.is_done:
                self.is_done = True
                progress.fail(run, "remote", timezone.now(), from_statuses=(run.status,))
            return execute(sql, *rest)  # type: ignore[operator]

    with connection.execute_wrapper(EndsIt()):
        balance.refresh_balance()

    assert shown(as_alice) == "82 credits"


@contextmanager
def asked_at_the_same_time(sandbox: SandboxDoor) -> Iterator[None]:
    """Simulate another worker's request for the balance: it is sent before the `with` block, and answered after it."""
    asked = sandbox.state["in_last_minute"]
    sandbox.control("faults", endpoint="usage", fault="delay", seconds=600)

    def ask() -> None:
        balance.refresh_balance()
        connection.close()

    worker = threading.Thread(target=ask)
    worker.start()
    try:
        wait_until(lambda: sandbox.state["in_last_minute"] > asked, "the other worker to ask")
        yield
    finally:
        sandbox.end_delays()
        worker.join()


@pytest.mark.django_db(transaction=True)
def test_what_was_spent_is_settled_only_once_by_two_answers(
    as_alice: Client, alice: Member, sandbox: SandboxDoor
) -> None:
    sandbox.control("balance", balance=100)
    balance.refresh_balance()
    end(alice, 12)
    sandbox.control("balance", balance=88)

    with asked_at_the_same_time(sandbox):
        balance.refresh_balance()
        assert LaminaStatus.objects.get().spent_since == 0

    assert LaminaStatus.objects.get().spent_since == 0
    assert shown(as_alice) == "88 credits"


def test_an_open_page_asks_lamina_once_a_minute(
    as_alice: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    now = timezone.now()
    status.record_status(balance=Decimal(4), balance_at=now - timedelta(seconds=61))

    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(2):
            cache.clear()
            as_alice.get("/live/frame/", headers=HTMX)
    assert [waiting["func"] for waiting in queued()] == ["runs.tasks.refresh_balance"]

    LaminaStatus.objects.update(balance_asked_at=now - timedelta(seconds=55))  # no answer so far
    cache.clear()
    with django_capture_on_commit_callbacks(execute=True):
        balance.request_balance_if_stale()
    assert OrmQ.objects.count() == 1


def test_the_balance_leads_to_what_runs_cost(as_alice: Client, as_admin: Client, alice: Member) -> None:
    status.record_status(balance=Decimal(4), balance_at=timezone.now())
    for client, place in ((as_alice, "/me/#spending"), (as_admin, "/manage/spending/")):
        link = Page(client.get("/").text).first(css="bar-balance")
        assert (link.words, link.attributes["href"]) == ("4 credits", place)

    Member.objects.filter(pk=alice.pk).update(role="viewer")  # viewers spend nothing
    assert Page(as_alice.get("/").text).first(css="bar-balance").tag == "span"


def test_a_limit_of_ones_own_is_beside_the_balance(
    as_alice: Client, as_bob: Client, as_admin: Client, alice: Member, bob: Member
) -> None:
    status.record_status(balance=Decimal(340), balance_at=timezone.now())
    MemberLimit.objects.create(member=alice, hundredths=10_000)
    MonthTotal.objects.create(member=alice, month=month_of(timezone.now()), used=7_350)

    page = Page(as_alice.get("/").text)
    assert page.first(id="own-limit").words == page.first(id="own-limit-left").words == "26.5 of 100 left this month"
    assert page.first(id="balance").words == "340 credits"
    MonthTotal.objects.update(used=8_000)
    cache.clear()  # as a few seconds later
    frame = Page(as_alice.get("/live/frame/", {"b": "341 credits"}, headers=HTMX).text)
    assert frame.first(id="own-limit").words == "20 of 100 left this month"

    Member.objects.filter(pk=bob.pk).update(role="viewer")
    for client in (as_bob, as_admin):
        assert "left this month" not in client.get("/").text


def test_an_open_page_gets_the_new_balance(as_alice: Client) -> None:
    status.record_status(balance=Decimal(4), balance_at=timezone.now())
    sent = {"n": "", "w": "", "b": "4 credits"}
    assert as_alice.get("/live/frame/", sent, headers=HTMX).status_code == 204

    status.record_status(balance=Decimal(3))

    told = as_alice.get("/live/frame/", sent, headers=HTMX).text
    assert 'id="balance" hx-swap-oob="true">3 credits<' in told
    assert "3 credits left" in told
    assert "launch-left" not in told
    form = as_alice.get("/live/frame/", sent | {"form": "1"}, headers=HTMX).text
    assert Page(form).first(id="launch-left").words == "3 left"
