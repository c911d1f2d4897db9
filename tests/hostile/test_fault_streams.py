"""Every fault of a stream: its run ends as it did on Lamina, no other run hears of it, and few requests are made."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import pytest
from django.core.cache import cache

from runs.background import leases
from runs.engine import poller_wakeups, polling, streams
from runs.engine.polling import Watch
from runs.lamina import streams as lamina_streams
from runs.models import LaminaStatus, Member, Run
from runs.words.sentences import state_of
from tests.hostile.browser import Browser, secrecy
from tests.hostile.faults import READ_FAULTS, app_like, known
from tests.support.processes import wait_until
from tests.support.quick_portal import hurry, quick_portal, step_to
from tests.support.sandbox_door import SandboxDoor

pytestmark = pytest.mark.django_db(transaction=True)

# The stream goes on, and tells the end.
HARMLESS = ("crlf", "cr", "comments", "drip", "huge", "misnamed", "stale", "late")
# The stream ends at once, and the list takes over.
ENDING = ("break", "close", "half_event", "open_event", "stranger", "junk", "endless_line", "truncate")
# The stream stays open, but doesn't tell the end.
HIDING = ("endless", "silence")
ENDS = ("completed", "failed", "cancelled")
SHOWN = {"completed": "ready", "failed": "failed", "cancelled": "cancelled"}
# Why streams are refused for a day, and after how many requests; all other faults pass.
REFUSED = {
    **dict.fromkeys(("401", "403"), ("forbidden", 1)),
    **dict.fromkeys(("400", "402", "404", "old error"), ("missing", 1)),
    **dict.fromkeys(("500", "503", "drop before", "drop after", "delay", "garbage", "html", "empty"), ("broken", 3)),
}


@pytest.fixture
def lamina_door(sandbox: SandboxDoor) -> Iterator[SandboxDoor]:
    with quick_portal(sandbox, LAMINA_STREAMS=40), patch.object(streams, "TEND_SECONDS", 0.02), secrecy():
        sandbox.control("follow", look_seconds=0.05, ping_seconds=0.2)
        yield sandbox


class Poller:
    """A poller that holds the lease, but works only when told to."""

    def __init__(self) -> None:
        self.watch = Watch(leases.new_holder())
        assert leases.acquire(poller_wakeups.POLLER, self.watch.holder, polling.LEASE_SECONDS)

    def until(self, done: Callable[[], bool], what: str) -> None:
        def is_done() -> bool:
            self.watch.round()
            self.watch._sleep(0.02)
            return done()

        wait_until(is_done, what)

    def drops(self, *runs: Run) -> Callable[[], bool]:
        return lambda: not any(self.watch.streams.follows(run) for run in runs)


@pytest.fixture
def poller(lamina_door: SandboxDoor) -> Iterator[Poller]:
    poller = Poller()
    yield poller
    poller.watch.streams.close()
    leases.release(poller_wakeups.POLLER, poller.watch.holder)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("stream-")]


def press(door: SandboxDoor, browser: Browser, name: str) -> Run:
    """Press Run on an app that never ends and whose only result is `name`."""
    app = known(door, app_like(name, outcome="never", values={"0": f"Result of {name}"}))
    run = browser.press(browser.open(app))
    step_to("submit_run")
    run.refresh_from_db()
    return run


def are_final(*runs: Run) -> Callable[[], bool]:
    return lambda: not Run.objects.filter(pk__in=[run.pk for run in runs]).exclude(status__in=ENDS).exists()


def requests_about(door: SandboxDoor, endpoint: str, run: Run) -> int:
    return sum(request["runId"] == run.remote_id for request in door.requests_to(endpoint))


def judge(browser: Browser, run: Run, name: str, end: str) -> None:
    """The run has ended so, as its page says, and has its own result."""
    run.refresh_from_db()
    page = browser.page(run.get_absolute_url())
    assert (state_of(run).key, page.first(id="run-panel").attributes["data-state"]) == (SHOWN[end], SHOWN[end]), name
    assert (f"Result of {name}" in page.words) == (end == "completed"), name
    assert "isn't true" not in page.words, name


def test_faults_in_a_stream(lamina_door: SandboxDoor, poller: Poller, alice: Member) -> None:
    """All faults at the same time, each in the stream of another run."""
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

    poller.until(lambda: len(door.requests_to("stream")) == len(runs), "a stream for each run")
    poller.until(poller.drops(*[runs[name] for name in ENDING]), "the broken streams to be given up")
    poller.until(lambda: Run.objects.filter(status="running").count() == len(runs), "every run to go on")
    assert all(poller.watch.streams.follows(runs[name]) for name in (*HARMLESS, *HIDING))

    poller.until(are_final(*end(*HARMLESS, *ENDING)), "the ends")
    with patch.object(streams, "ALONE_SECONDS", 0):  # the list is read for all runs, in case a stream hides something
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


@contextmanager
def impatience(fault: str) -> Iterator[None]:
    """Give a delayed stream up as soon as it is looked at."""
    with ExitStack() as stack:
        if fault == "delay":
            stack.enter_context(patch.object(lamina_streams, "SILENT_SECONDS", 0))
        yield


@pytest.mark.parametrize("is_lasting", [False, True], ids=["once", "lasting"])
def test_faults_instead_of_a_stream(lamina_door: SandboxDoor, poller: Poller, alice: Member, is_lasting: bool) -> None:
    browser, door = Browser.of(alice), lamina_door
    for place, (fault, order) in enumerate(READ_FAULTS.items()):
        if fault == "truncated":
            continue  # it's one of the faults in a stream
        LaminaStatus.objects.all().delete()
        cache.clear()
        hurry()
        name, end = f"fault {place}", ENDS[place % len(ENDS)]
        run = press(door, browser, name)
        door.control("faults", endpoint="stream", times=None if is_lasting else 1, **order)
        refusal, tries = REFUSED.get(fault, ("", 3)) if is_lasting else ("", 1)
        refusal, tries = REFUSED[fault] if REFUSED.get(fault, ("", 0))[1] == 1 else (refusal, tries)

        with patch.object(streams, "REST_SECONDS", 0 if is_lasting else 60), impatience(fault):

            def is_tried(run: Run = run, tries: int = tries) -> bool:
                hurry()
                if not poller.drops(run)():
                    return False
                door.end_delays()
                return requests_about(door, "stream", run) >= tries

            poller.until(is_tried, f"{tries} streams that bring nothing because of {fault}")
        status = LaminaStatus.objects.get()
        assert (status.streams_refusal, status.away_since, status.key_refused_at) == (refusal, None, None), fault
        run.refresh_from_db()
        assert run.status in ("queued", "running"), fault

        door.control(f"runs/{run.remote_id}", status=end)
        poller.until(are_final(run), f"the end in spite of {fault}")
        judge(browser, run, name, end)
        if refusal:
            assert requests_about(door, "stream", run) == tries, fault
        door.clear_faults()
    wait_until(lambda: not door.state["streams"], "every stream to be closed")
