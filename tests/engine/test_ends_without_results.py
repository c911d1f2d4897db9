"""A run may end before its results are read: pages show the end immediately, and the portal reads the results when the
request budget allows."""

import html
from contextlib import suppress

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from runs.background import leases
from runs.connection import rate_limit
from runs.connection.rate_limit import RateLimitWait
from runs.engine import poller_wakeups, polling, progress
from runs.engine.polling import Watch
from runs.lamina.errors import LaminaUnavailable
from runs.models import App, Member, Run
from tests.engine.steps import hand_over, start, watch_once
from tests.support.cartoonify import press
from tests.support.page import Page
from tests.support.sandbox_door import SandboxDoor

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_end_is_shown_before_its_results_are_read(
    alice: Member, as_alice: Client, app: App, sandbox: SandboxDoor, settings: Settings
) -> None:
    run = start(alice, app, sandbox)
    sandbox.control(f"runs/{run.remote_id}", status="completed")
    settings.LAMINA_REQUESTS_PER_MINUTE = rate_limit.used() + 2  # enough for one poll and the reserve for starts
    holder = leases.new_holder()
    assert leases.acquire(poller_wakeups.POLLER, holder, polling.LEASE_SECONDS)
    watch = Watch(holder)

    with pytest.raises(RateLimitWait):
        watch.round()

    run.refresh_from_db()
    assert (run.status, run.ended_at is not None) == ("queued", True)
    page = as_alice.get(run.get_absolute_url()).content.decode()
    assert "Finished on Lamina." in page or "of 2 ready" in page
    assert "fetching the results is taking a little longer" in page
    version = run.version
    settings.LAMINA_REQUESTS_PER_MINUTE = 100
    watch.round()
    run.refresh_from_db()
    assert run.status == "completed"
    assert run.version > version
    assert len(sandbox.requests_to("runs")) == 1, "runs known to have ended are read before the next poll"


@pytest.mark.parametrize("is_refused", [True, False], ids=["refused", "cancelled"])
def test_a_result_that_never_came_was_not_made(
    alice: Member, as_alice: Client, app: App, sandbox: SandboxDoor, is_refused: bool
) -> None:
    """Whoever reads "Cancelled" beside a result asks who did that. If Lamina refused the start, nobody did."""
    first = press(alice, app)
    if is_refused:
        sandbox.control("faults", endpoint="run_start", fault="status", status=403)
        run = hand_over(first)
    else:
        progress.ask_cancel(first, alice, timezone.now())
        run = Run.objects.get(pk=first.pk)
    front, later = run.outputs.all()
    later.line, later.number = front, 2  # the strip of versions says it, too
    later.save()

    pages = [Page(as_alice.get(url).text) for url in (run.get_absolute_url(), front.get_absolute_url())]

    assert run.status == ("failed" if is_refused else "cancelled")
    notes = [note.words for note in pages[0].find(css="output-note")]
    assert notes == ["Not made", "Not made"]
    assert pages[1].first(css="stage-said-name").words == "Not made"
    assert [link.words for link in pages[1].find("a", css="version")] == ["Version 1 Not made", "Version 2 Not made"]
    assert any("ancelled" in page.words for page in pages) is not is_refused


@pytest.mark.parametrize("fault", [{"fault": "status", "status": 500}, {"fault": "garbage"}, {"fault": "drop_before"}])
def test_an_end_is_shown_while_its_results_cannot_be_read(
    alice: Member, as_alice: Client, app: App, sandbox: SandboxDoor, fault: dict[str, object]
) -> None:
    run = start(alice, app, sandbox)
    sandbox.control(f"runs/{run.remote_id}", status="completed")
    sandbox.control("faults", endpoint="run", times=None, **fault)

    watch_once()

    run.refresh_from_db()
    assert (run.status, run.ended_at is not None) == ("queued", True)
    page = html.unescape(as_alice.get(run.get_absolute_url()).content.decode())
    assert "Finished on Lamina." in page or "of 2 ready" in page
    assert "The results can't be fetched yet. We'll keep trying." in page
    assert "Many runs are active" not in page
    told = (run.version, run.ended_at)
    watch_once()
    run.refresh_from_db()
    assert (run.version, run.ended_at) == told
    sandbox.clear_faults()
    watch_once()
    run.refresh_from_db()
    assert (run.status, run.wait) == ("completed", "")


def test_an_unreadable_list_does_not_delay_known_ends(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    run = start(alice, app, sandbox)
    start(alice, app, sandbox)
    sandbox.control(f"runs/{run.remote_id}", status="completed")
    sandbox.control("faults", endpoint="runs", fault="status", status=500, times=None)
    holder = leases.new_holder()
    assert leases.acquire(poller_wakeups.POLLER, holder, polling.LEASE_SECONDS)
    watch = Watch(holder)
    watch.unread = {run.pk: run}

    with pytest.raises(LaminaUnavailable):
        watch.round()
    with suppress(LaminaUnavailable):
        watch.round()

    run.refresh_from_db()
    assert run.status == "completed"


def test_an_end_that_the_list_takes_back_is_no_end(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    run = start(alice, app, sandbox)
    for told in ("by a read of its own", "by the list"):
        progress.record_ended([Run.objects.get(pk=run.pk)], timezone.now())
        sandbox.control(f"runs/{run.remote_id}", status="running", ready=1)
        if told == "by the list":
            watch_once()
        else:
            Run.objects.filter(pk=run.pk).update(opened_at=timezone.now(), asked_at=None)
            watch_once()

        run.refresh_from_db()
        assert (run.status, run.ended_at) == ("running", None), told
