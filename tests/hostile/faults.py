"""Rows of the fault matrix: what can go wrong with one call to Lamina, and how a run survives it."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.utils import timezone
from django_q.models import OrmQ

from runs import catalog
from runs.engine import create_run, polling
from runs.models import App, LaminaStatus, Member, OutputFile, Run
from runs.tasks import sweep
from runs.words.run_states import state_of
from tests.hostile.browser import Browser
from tests.hostile.media import png
from tests.support.processes import wait_until
from tests.support.quick_portal import DELAY, hurry, impatience, is_at_rest, step, step_to, work_until
from tests.support.sandbox_door import SandboxDoor

STATUSES = (400, 401, 402, 403, 404, 429, 500, 503)
FAULTS: dict[str, dict[str, Any]] = {
    **{str(status): {"fault": "status", "status": status} for status in STATUSES},
    "500 acting": {"fault": "status", "status": 500, "acts": True},
    "drop before": {"fault": "drop_before"},
    "drop after": {"fault": "drop_after"},
    "delay": {"fault": "delay", "seconds": DELAY},
    "garbage": {"fault": "garbage"},
    "garbage acting": {"fault": "garbage", "acts": True},
    "truncated": {"fault": "truncated"},
    "old error": {"fault": "old_error"},
    "plain 429": {"fault": "plain_429", "seconds": 1},
    "html": {"fault": "html"},
    "empty": {"fault": "empty"},
}
ACTING = ("500 acting", "drop after", "delay", "garbage acting", "truncated")
READ_FAULTS = {name: order for name, order in FAULTS.items() if not name.endswith(" acting")}  # reads change nothing
REFUSALS = ("400", "401", "402", "403", "404", "old error")
WAITS = ("429", "plain 429")
ROUNDS = 2  # worker rounds while a fault lasts


def app_like(app_id: str, *, photo: bool = False, kind: str = "text", **sandbox: Any) -> dict[str, Any]:
    """Return an app for the sandbox that is cheap to run: a note, a required photo if `photo`, and one result."""
    note = {"id": "n", "key": "", "name": "Note", "type": "text", "default": ""}
    picture = {"id": "u", "key": "", "name": "Photo", "type": "url", "accept": ["image"]}
    return {
        "appId": app_id,
        "name": f"Fault {app_id}",
        "parameters": [note, *([picture] if photo else [])],
        "outputs": [{"index": 0, "label": "Result", "type": kind}],
        "sandbox": {"seconds": 0} | sandbox,
    }


def known(door: SandboxDoor, app: dict[str, Any]) -> App:
    """Add `app` to the sandbox and read its form."""
    door.control("apps", app=app)
    row = App.objects.create(remote_id=app["appId"], name="not read yet")
    catalog.refresh_app(row.pk)
    return App.objects.select_related("schema").get(pk=row.pk)


@dataclass
class Outcome:
    """The outcome of one row: what the run's state and page were during the fault and at the end, and how many POSTs
    and runs the sandbox counted."""

    endpoint: str
    fault: str
    is_lasting: bool
    meanwhile: str = ""
    meanwhile_words: str = ""
    end: str = ""
    words: str = ""
    posts: int = 0
    runs: int = 0
    banner: str = ""
    problems: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        often = "lasting" if self.is_lasting else "once"
        numbers = f"{self.posts} POST, {self.runs} run"
        return (
            f"{self.endpoint:12} {self.fault:15} {often:8} {self.meanwhile or '-':9} {self.end or '-':10}"
            f" {numbers:14} {self.words[:90]}{'  <-- ' + '; '.join(self.problems) if self.problems else ''}"
        )


class Stage:
    """Runs one app again and again while one of Lamina's endpoints is broken."""

    def __init__(self, door: SandboxDoor, browser: Browser, member: Member, app: App) -> None:
        self.door, self.browser, self.member, self.app = door, browser, member, app
        self.rounds = ROUNDS
        self.before_fault: Callable[[Run], object] = lambda run: None
        self.form = browser.open(app)

    def play(self, endpoint: str, name: str, *, is_lasting: bool, is_late: bool = False) -> Outcome:
        """Press Run during a fault, end the fault, and follow the run to its end. With `is_late`, the fault doesn't
        begin until the run has started on Lamina."""
        outcome = Outcome(endpoint, name, is_lasting)
        LaminaStatus.objects.all().delete()
        cache.clear()
        hurry()
        posts, runs = len(self.door.requests_to("run_start")), len(self.door.runs)
        with impatience(endpoint) if name == "delay" else nullcontext():
            if not is_late:
                self._break(endpoint, name, is_lasting=is_lasting)
            run = self._press()
            if is_late:
                work_until(lambda: Run.objects.filter(pk=run.pk, status__in=("queued", "running")).exists())
                self._break(endpoint, name, is_lasting=is_lasting)
                self.before_fault(run)
                if (endpoint, name) == ("cancel", "delay"):
                    step()
                    self.door.end_delays()
                    wait_until(lambda: self.door.runs[-1]["cancelled"], "the delayed cancel")
            else:
                step_to("submit_run")
                if (endpoint, name) == ("run_start", "delay"):
                    self.door.end_delays()
                    wait_until(lambda: len(self.door.runs) > runs, "the delayed start")
            self._work()
        run.refresh_from_db()
        page = self.browser.page(run.get_absolute_url())
        outcome.meanwhile, outcome.meanwhile_words = state_of(run).key, page.first(id="run-panel").words
        outcome.banner = " ".join(e.words for e in page.find(css="banner"))
        self.door.clear_faults()
        if not is_late:
            work_until(is_at_rest)
        else:
            self._end_late(run)
        run.refresh_from_db()
        outcome.end = state_of(run).key
        if run.is_final and outcome.end != outcome.meanwhile:
            page = self.browser.page(run.get_absolute_url())
        outcome.words = page.first(id="run-panel").words
        outcome.posts = len(self.door.requests_to("run_start")) - posts
        outcome.runs = len(self.door.runs) - runs
        OrmQ.objects.all().delete()
        return outcome

    def _break(self, endpoint: str, name: str, *, is_lasting: bool) -> None:
        self.door.control("faults", endpoint=endpoint, times=None if is_lasting else 1, **FAULTS[name])

    def _press(self) -> Run:
        form = replace(self.form, files=[]).set("p0", "a note").set("token", create_run.new_form_token(self.member))
        if self.app.schema and len(self.app.schema.parameters) > 1:
            form.attach("p1", png())
        return self.browser.press(form)

    def _work(self) -> None:
        """Run a few worker rounds while the fault lasts."""
        for _ in range(self.rounds):
            step()
            polling.poll_window()
            if is_at_rest():
                return
            hurry()
            sweep()

    def _end_late(self, run: Run) -> None:
        """End the run in the sandbox unless it has been cancelled, because it would never end on its own."""
        for _ in range(ROUNDS):
            hurry()
            sweep()
            step()
        run.refresh_from_db()
        if run.is_active:
            self.door.control(f"runs/{run.remote_id}", status="completed")
        work_until(is_at_rest)


def age_files() -> None:
    """Backdate every file that hasn't been saved yet by 25 hours."""
    OutputFile.objects.filter(status="saving").update(created_at=timezone.now() - timedelta(hours=25))


def judge(outcomes: list[Outcome]) -> None:
    """Print the table; fail if any row is wrong."""
    print()  # noqa: T201
    for outcome in outcomes:
        print(outcome.line)  # noqa: T201
    wrong = [outcome.line for outcome in outcomes if outcome.problems]
    assert not wrong, "\n".join(wrong)
