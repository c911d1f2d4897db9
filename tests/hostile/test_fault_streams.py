"""Every fault a stream can have: its run ends as it did on Lamina, no other run is affected, and few requests are
sent."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from unittest.mock import patch

import pytest
from django.core.cache import cache

from runs.background import leases
from runs.connection.rate_limit import RateLimitWait
from runs.engine import poller_wakeups, polling, stream_refusals, streams
from runs.engine.polling import Watch
from runs.lamina import streams as lamina_streams
from runs.models import LaminaStatus, Member, Run
from runs.words.run_states import state_of
from tests.hostile.browser import Browser, secrecy
from tests.hostile.faults import READ_FAULTS, app_like, known
from tests.support.processes import wait_until
from tests.support.quick_portal import hurry, quick_portal, step
from tests.support.sandbox_door import SandboxDoor

pytestmark = pytest.mark.django_db(transaction=True)

# The stream continues and reports the end of the run.
HARMLESS = ("crlf", "cr", "comments", "drip", "huge", "misnamed", "stale", "late")
# The stream ends early, and polling the list takes over.
ENDING = ("break", "close", "half_event", "open_event", "stranger", "junk", "bare_end", "endless_line", "truncate")
# The stream stays open, but doesn't report the end.
HIDING = ("endless", "silence")
ENDS = ("completed", "failed", "cancelled")
SHOWN = {"completed": "ready", "failed": "failed", "cancelled": "cancelled"}
# For each fault, why streams count as refused for a day ("" if they don't), and how many times the poller tries first.
REFUSED = {
    **dict.fromkeys(("401", "403"), ("forbidden", 1)),
    **dict.fromkeys(("400", "402", "404", "old error"), ("missing", 1)),
    **dict.fromkeys(("429", "plain 429"), ("", 1)),  # the poller opens no further streams for a while
    **dict.fromkeys(("500", "503", "drop before", "drop after", "delay", "garbage", "html", "empty"), ("broken", 3)),
}


# These limits are so long that only the tests decide when something has taken too long, however slow the machine is.
PACE: dict[str, Any] = {
    "TEND_SECONDS": 0.02,
    "REST_SECONDS": 600.0,
    "FIRST_NEWS_SECONDS": 600.0,
    "ALONE_SECONDS": 600.0,
}


@pytest.fixture
def lamina_door(sandbox: SandboxDoor) -> Iterator[SandboxDoor]:
    with quick_portal(sandbox, LAMINA_STREAMS=40), patch.multiple(streams, **PACE), secrecy():
        sandbox.control("follow", look_seconds=0.05, ping_seconds=0.2)
        yield sandbox


class Poller:
    """A poller that holds the lease, but works only when a test calls `until`."""

    def __init__(self) -> None:
        self.watch = Watch(leases.new_holder())
        assert leases.acquire(poller_wakeups.POLLER, self.watch.holder, polling.LEASE_SECONDS)

    def until(self, done: Callable[[], bool], what: str) -> None:
        def is_done() -> bool:
            hurry()  # don't wait, not even after a 429
            with suppress(RateLimitWait):
                self.watch.round()
            self.watch._sleep(0.02)
            return done()

        wait_until(is_done, what)

    def drops(self, *runs: Run) -> Callable[[], bool]:
        return lambda: not any(self.watch.streams.follows(run) for run in runs)


@contextmanager
def polling_now() -> Iterator[Poller]:
    poller = Poller()
    try:
        yield poller
    finally:
        poller.watch.streams.close()
        leases.release(poller_wakeups.POLLER, poller.watch.holder)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("stream-")]


def press(door: SandboxDoor, browser: Browser, name: str) -> Run:
    """Press Run on an app whose runs never end and whose only result is `name`."""
    app = known(door, app_like(name, outcome="never", values={"0": f"Result of {name}"}))
    run = browser.press(browser.open(app))
    step()
    run.refresh_from_db()
    return run


def are_final(*runs: Run) -> Callable[[], bool]:
    return lambda: not Run.objects.filter(pk__in=[run.pk for run in runs]).exclude(status__in=ENDS).exists()


def requests_about(door: SandboxDoor, endpoint: str, run: Run) -> int:
    return sum(request["runId"] == run.remote_id for request in door.requests_to(endpoint))


def judge(browser: Browser, run: Run, name: str, end: str) -> None:
    """Check that the run has ended with the status `end`, that its page says so, and that the page shows this run's own
    result if it succeeded."""
    run.refresh_from_db()
    page = browser.page(run.get_absolute_url())
    assert (state_of(run).key, page.first(id="run-panel").attributes["data-state"]) == (SHOWN[end], SHOWN[end]), name
    assert (f"Result of {name}" in page.words) == (end == "completed"), name
    assert "isn't true" not in page.words, name


def test_faults_in_a_stream(lamina_door: SandboxDoor, alice: Member) -> None:
    """All faults happen at the same time, each in the stream of a different run."""
    browser, door = Browser.of(alice), lamina_door
    names = [*HARMLESS, *ENDING, *HIDING, "none"]
    for name in names[:-1]:
        door.control("faults", endpoint="stream", fault=name, appId=name, times=None, seconds=600)
    runs = {name: press(door, browser, name) for name in names}
    ends = {name: ENDS[place % len(ENDS)] for place, name in enumerate(names)}

    def end(*ended: str) -> list[Run]:
        for name in ended:
            door.control(f"runs/{runs[name].remote_id}", status=ends[name])
        return [runs[name] for name in ended]

    with polling_now() as poller:
        poller.until(lambda: len(door.requests_to("stream")) == len(runs), "a stream for each run")
        poller.until(poller.drops(*[runs[name] for name in ENDING]), "the broken streams to be given up")
        poller.until(lambda: Run.objects.filter(status="running").count() == len(runs), "every run to go on")
        assert all(poller.watch.streams.follows(runs[name]) for name in (*HARMLESS, *HIDING))

        poller.until(are_final(*end(*HARMLESS, *ENDING)), "the ends")
        with patch.object(streams, "ALONE_SECONDS", 0):  # so the poller reads the list for every run
            poller.until(are_final(*end("endless")), "the end that a stream hides")
        poller.until(are_final(*end("none")), "the end of the run whose stream is whole")
        with patch.object(lamina_streams, "SILENT_SECONDS", 0):
            poller.until(poller.drops(runs["silence"]), "the silent stream to be given up")
        poller.until(are_final(*end("silence")), "the end that a stream keeps silent about")
        assert poller.watch.round() is None

    for name, run in runs.items():
        judge(browser, run, name, ends[name])
        asked = (requests_about(door, "stream", run), requests_about(door, "run", run))
        assert asked == (1, int(name in (*ENDING, *HIDING))), name
    wait_until(lambda: not door.state["streams"], "every stream to be closed")
    assert len(door.requests_to("run_start")) == len(runs)
    assert not LaminaStatus.objects.exclude(streams_refusal="", away_since=None).exists()


@pytest.mark.parametrize("is_lasting", [False, True], ids=["once", "lasting"])
def test_faults_instead_of_a_stream(lamina_door: SandboxDoor, alice: Member, is_lasting: bool) -> None:
    """The faults come one after the other, because a refusal turns streams off."""
    browser, door = Browser.of(alice), lamina_door
    for place, fault in enumerate(READ_FAULTS):
        if fault == "truncated":
            continue  # test_faults_in_a_stream covers this fault
        LaminaStatus.objects.all().delete()
        cache.clear()
        run, end = press(door, browser, f"fault {place}"), ENDS[place % len(ENDS)]
        refusal, tries = REFUSED[fault]
        if not is_lasting and tries > 1:
            refusal, tries = "", 1
        door.control("faults", endpoint="stream", times=None if is_lasting else 1, **READ_FAULTS[fault])

        with polling_now() as poller:
            wait_in_vain(door, poller, run, fault, tries)
            status = LaminaStatus.objects.get()
            assert (status.streams_refusal, status.away_since, status.key_refused_at) == (refusal, None, None), fault
            assert not Run.objects.filter(pk=run.pk, status__in=ENDS).exists(), fault
            door.control(f"runs/{run.remote_id}", status=end)
            poller.until(are_final(run), f"the end in spite of {fault}")

        judge(browser, run, f"fault {place}", end)
        assert requests_about(door, "stream", run) == tries, fault
        door.clear_faults()
    wait_until(lambda: not door.state["streams"], "every stream to be closed")


def wait_in_vain(door: SandboxDoor, poller: Poller, run: Run, fault: str, tries: int) -> None:
    """Let the poller try `tries` times to open the stream of `run`, as if a minute passed between attempts."""

    def is_tried() -> bool:
        if not poller.drops(run)():
            return False
        door.end_delays()
        return requests_about(door, "stream", run) == tries

    silent_seconds = 0.0 if fault == "delay" else lamina_streams.SILENT_SECONDS
    with (
        patch.object(streams, "REST_SECONDS", 0.0 if tries > 1 else streams.REST_SECONDS),
        patch.object(stream_refusals, "FAILURES_APART_SECONDS", 0.0),
        patch.object(lamina_streams, "SILENT_SECONDS", silent_seconds),
    ):
        poller.until(is_tried, f"{tries} streams that bring nothing because of {fault}")
