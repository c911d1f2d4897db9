"""What happens if the portal's clock is two hours fast or slow, either permanently or until it is corrected during a
run."""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
import time_machine
from pytest_django import Settings

from runs.connection import rate_limit
from runs.connection.rate_limit import Priority
from runs.engine import polling
from runs.models import Member, OutputFile, Run
from runs.tasks import sweep
from tests.hostile.apps import NOTE
from tests.hostile.browser import Browser, secrecy
from tests.hostile.faults import app_like, known
from tests.support.processes import ROOT, free_port, wait_until
from tests.support.quick_portal import is_at_rest, quick_portal, step, work_until
from tests.support.sandbox_door import SandboxDoor

pytestmark = pytest.mark.django_db(transaction=True)
OFF = [timedelta(hours=2), timedelta(hours=-2)]


@pytest.fixture(scope="module")
def far_away(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a sandbox in another process, whose clock stays correct."""
    port, folder = free_port(), tmp_path_factory.mktemp("far-away")
    options = ("--port", str(port), "--data", str(folder), "--seconds", "0.2", "--test-cards")
    command = [sys.executable, "-m", "runs.sandbox", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: answers(url), "the sandbox's first answer")
            yield url
        finally:
            process.terminate()


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/control/state", timeout=5).ok
    except requests.ConnectionError:
        return False


@pytest.fixture
def door(far_away: str, tmp_path: Path) -> Iterator[SandboxDoor]:
    door = SandboxDoor(far_away)
    door.control("reset")
    with quick_portal(door), secrecy():
        yield door


def clock_off(by: timedelta) -> "time_machine.travel":
    return time_machine.travel(datetime.now(UTC) + by, tick=True)


def work_plainly(done: Callable[[], bool]) -> None:
    """Do what the worker and the poller do, without skipping any waits, until `done()` is true."""

    def is_done() -> bool:
        step()
        polling.poll_window()
        sweep()
        return done()

    wait_until(is_done, "an end without help")


@pytest.mark.parametrize("off", OFF, ids=["ahead", "behind"])
def test_runs_still_end_and_are_saved(door: SandboxDoor, alice: Member, off: timedelta) -> None:
    picture = f"{door.url}/thumbs/sandbox-caption.webp"
    with clock_off(off):
        app = known(door, app_like("clock", kind="image", values={"0": picture}))
        browser = Browser.of(alice)
        run = browser.press(browser.open(app).set("p0", "x"))
        work_plainly(is_at_rest)

        page = browser.page(run.get_absolute_url())
    assert re.match(r"Ready Finished in \d+ s\b", page.first(css="run-sentence").words)
    assert OutputFile.objects.get().status == "saved"


@pytest.mark.parametrize("off", OFF, ids=["ahead", "behind"])
@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
def test_an_unclear_start_is_still_found(door: SandboxDoor, alice: Member, off: timedelta, fault: str) -> None:
    """Times in Lamina's list are judged by Lamina's own clock: the right run is found, and a start that never arrived
    is sent again."""
    with clock_off(off):
        app = known(door, NOTE)
        browser = Browser.of(alice)
        browser.press(browser.open(app).set("p0", "an older run of this app"))
        work_until(is_at_rest)
        door.control("faults", endpoint="run_start", fault=fault)
        run = browser.press(browser.open(app).set("p0", "x"))
        work_until(is_at_rest)

    assert Run.objects.get(pk=run.pk).status == "completed"
    assert [r["inputs"]["Note"] for r in door.runs] == ["an older run of this app", "x"]


def test_a_start_before_the_clock_was_corrected(door: SandboxDoor, alice: Member) -> None:
    """Somebody presses Run on a host whose clock is ahead, but the worker's clock is correct."""
    with clock_off(timedelta(hours=2)):
        app = known(door, NOTE)
        browser = Browser.of(alice)
        browser.press(browser.open(app).set("p0", "x"))

    work_plainly(is_at_rest)


@pytest.mark.parametrize("off", OFF, ids=["ahead", "behind"])
def test_an_unclear_start_before_the_clock_was_corrected_is_not_sent_again(
    door: SandboxDoor, alice: Member, off: timedelta
) -> None:
    """We can't tell by the times in Lamina's list which run is ours, so a person decides."""
    with clock_off(off):
        app = known(door, NOTE)
        browser = Browser.of(alice)
        door.control("faults", endpoint="run_start", fault="drop_after")
        door.control("faults", endpoint="runs", fault="drop_before")
        run = browser.press(browser.open(app).set("p0", "x"))
        step()
        assert Run.objects.get(pk=run.pk).status == "checking"

    work_plainly(lambda: Run.objects.get(pk=run.pk).needs_confirmation or is_at_rest())

    assert len(door.runs) == 1


def test_a_run_started_before_the_clock_was_corrected(door: SandboxDoor, alice: Member) -> None:
    with clock_off(timedelta(hours=2)):
        app = known(door, NOTE | {"sandbox": {"seconds": 0.2}})
        browser = Browser.of(alice)
        browser.press(browser.open(app).set("p0", "x"))
        step()
        assert Run.objects.get().status == "queued"

    work_plainly(is_at_rest)


@pytest.mark.parametrize("off", OFF, ids=["ahead", "behind"])
def test_the_budget_is_not_blocked_forever(door: SandboxDoor, settings: Settings, off: timedelta) -> None:
    """Requests that were counted while the clock was wrong expire as soon as they would have with a correct clock. So
    does a pause that Lamina asked for."""
    settings.LAMINA_REQUESTS_PER_MINUTE = 10
    with clock_off(off):
        while rate_limit.take(Priority.START) == 0:
            pass
        rate_limit.close(600)

    at = time.time()
    with time_machine.travel(at, tick=False) as traveller:
        for _ in range(10):
            if (wait := rate_limit.take(Priority.START)) == 0:
                break
            traveller.shift(wait)
        assert time.time() - at <= rate_limit.CLOSED_AT_MOST + 2 * rate_limit.WINDOW_SECONDS
        assert wait == 0
