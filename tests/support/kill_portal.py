"""Presses Run many times while processes are killed: `python -m tests.support.kill_portal --runs 20 --kills 8 --seed
1`.

Two real web servers and two real workers share one database and a sandbox. Web servers, workers, their children, the
poller and the sandbox are killed with `kill -9` at times decided by the seed, then restarted. Every press has its own
text, so the sandbox's records show how many runs each press led to. The last line of output is the verdict, as JSON.
"""

import json
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import requests

from tests.support.engines import Engine
from tests.support.processes import wait_until
from tests.support.whole_portal import APPS, Whole, parser, with_whole

if TYPE_CHECKING:
    from runs.models import Run

# The poller and the worker processes that send starts are listed twice, because they matter most.
KINDS = ("poller", "worker child", "worker", "sandbox", "web", "web child", "poller", "worker child")
GAP_SECONDS = (0.5, 2.5)
DOWN_SECONDS = (0.0, 1.5)
ANSWER_SECONDS = 0.8  # how long the sandbox waits before it starts a run, so that kills hit starts in progress
SETTLED_SECONDS = 240.0


@dataclass
class Verdict:
    """The state after all kills. Each list has the cases of one kind of fault."""

    engine: str
    presses: int = 0
    kills: dict[str, int] = field(default_factory=dict)
    restarts: int = 0
    lost: list[str] = field(default_factory=list)  # pressed, but neither started nor refused
    doubled: list[str] = field(default_factory=list)  # more than one run in the sandbox for one press
    strangers: list[str] = field(default_factory=list)  # in the sandbox, but unknown to the portal
    # ended differently from the sandbox's run, or belongs to another press
    wrong: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)  # not in a final state, whether stuck or not
    asked: list[str] = field(default_factory=list)  # waiting for a person to decide
    charged: list[str] = field(default_factory=list)  # charges that are missing or doubled, and sums that are wrong
    settled_seconds: float = 0.0  # seconds from the last kill until every run was final
    checked: int = 0  # starts that the portal had to look for on Lamina
    begun_again: int = 0

    @property
    def faults(self) -> dict[str, list[str]]:
        """Return the lists that should be empty but aren't, by name."""
        found: dict[str, list[str]] = {name: value for name, value in asdict(self).items() if isinstance(value, list)}
        return {name: value for name, value in found.items() if value}


class Killing:
    """One round of presses and kills. The seed decides in advance what happens when."""

    def __init__(self, whole: Whole, runs: int, kills: int, seed: int) -> None:
        self.whole, self.parts = whole, whole.parts
        chance = random.Random(seed)
        self.chance = random.Random(chance.random())  # for choices that depend on which processes are alive
        self.kills = [
            (chance.uniform(*GAP_SECONDS), KINDS[n % len(KINDS)], chance.uniform(*DOWN_SECONDS)) for n in range(kills)
        ]
        chance.shuffle(self.kills)
        length = sum(gap for gap, _, _ in self.kills)
        self.presses = sorted(
            (chance.uniform(0, length), chance.choice(APPS), f"press {n} of {seed}") for n in range(runs)
        )
        self.pressed: dict[str, str] = {}  # the run's page for each press, keyed by the press's text
        self.problems: list[str] = []

    def run(self) -> None:
        """Press and kill as planned; return after the last kill, once every press has led to a run's page."""
        self.parts.keep_alive()
        is_over = threading.Event()
        presser = threading.Thread(target=self._press_all)
        slower = threading.Thread(target=self._slow_down_starts, args=(is_over,))
        try:
            slower.start()
            presser.start()
            for gap, kind, down_seconds in self.kills:
                time.sleep(gap)  # the kills follow a timetable; there is no event to wait for
                self.parts.kill(kind, self.chance, down_seconds)
        finally:
            presser.join()
            is_over.set()
            slower.join()
        if self.problems:
            raise RuntimeError("; ".join(self.problems))

    def _slow_down_starts(self, is_over: threading.Event) -> None:
        """Make the sandbox slow to start runs, and do it again each time it has been killed."""
        pid = 0
        while not is_over.wait(0.1):
            if (now := self.parts.sandbox.pid) != pid:
                with suppress(requests.RequestException):
                    self.whole.order("faults", endpoint="run_start", fault="delay", seconds=ANSWER_SECONDS, times=None)
                    pid = now

    def _press_all(self) -> None:
        begun = time.monotonic()
        pressers = [threading.Thread(target=self._press, args=(begun, *press)) for press in self.presses]
        for presser in pressers:
            presser.start()
        for presser in pressers:
            presser.join()

    def _press(self, begun: float, moment: float, remote_id: str, text: str) -> None:
        time.sleep(max(0.0, begun + moment - time.monotonic()))  # planned timing
        try:
            self.pressed[text] = self.whole.press(remote_id, text, self.chance.choice)
        except RuntimeError as error:
            self.problems.append(str(error))

    def judge(self, name: str) -> Verdict:
        """Wait up to four minutes for everything to settle, then compare the portal's runs with the sandbox's
        records."""
        from runs.models import Run
        from tests.support.charges import wrong_charges

        begun = time.monotonic()
        wait_until(lambda: all(part.is_up for part in self.parts.all), "the part killed last to be restarted")
        with suppress(AssertionError):
            wait_until(lambda: not Run.objects.active().exists(), "every run to end", SETTLED_SECONDS)
        verdict = Verdict(name, len(self.pressed), dict(self.parts.killed), self.parts.deaths)
        verdict.settled_seconds = round(time.monotonic() - begun, 1)
        wait_until(self.whole.sandbox_answers, "the sandbox")
        at_sandbox = self.whole.sandbox_state["runs"]
        compare(verdict, list(Run.objects.prefetch_related("inputs")), at_sandbox, set(self.pressed))
        verdict.charged = wrong_charges()
        output = self.parts.home.output()
        verdict.checked = output.count("to=checking")
        verdict.begun_again = output.count("from=checking to=starting")
        return verdict


def text_of(values: Sequence[Any]) -> str:
    return next((value for value in values if isinstance(value, str) and value.startswith("press ")), "")


def compare(verdict: Verdict, runs: "list[Run]", remote_runs: list[dict[str, Any]], pressed: set[str]) -> None:
    """Add runs that are lost, doubled, wrong or stuck to `verdict`."""
    from django.utils import timezone

    remote = {run["runId"]: run for run in remote_runs}
    at_sandbox = Counter(text_of(list(run["inputs"].values())) for run in remote_runs)
    ours = {text_of([given.value for given in run.inputs.all()]): run for run in runs}
    verdict.doubled = [f"{text}: {count}" for text, count in at_sandbox.items() if count > 1]
    verdict.strangers = sorted(set(remote) - {run.remote_id for run in runs})
    for text in sorted(pressed | set(ours)):
        run = ours.get(text)
        is_refused = run is not None and run.status == "failed" and not run.remote_id
        if run is None or (is_refused and run.failure != "refused") or (not at_sandbox[text] and not is_refused):
            verdict.lost.append(f"{text}: {run.status if run else 'no row'} {run.failure if run else ''}")
    for text, run in ours.items():
        about = f"{text}: {run.status} {run.wait} due {run.due_at} sent {run.sent_at}"
        told = remote.get(run.remote_id)
        if run.remote_id and (told is None or text_of(list(told["inputs"].values())) != text):
            verdict.wrong.append(f"{about}: is another press's run")
        elif run.is_final and told is not None and told["status"] != run.status:
            verdict.wrong.append(f"{about}: at the sandbox {told['status']}")
        if run.is_active:
            verdict.unfinished.append(about)
            is_asked = run.status == "checking" and run.due_at is None
            is_due = run.due_at is not None and run.due_at > timezone.now()
            verdict.asked += [about] if is_asked else []
            verdict.stuck += [] if is_asked or is_due or run.wait == "budget" else [about]


def main(arguments: Sequence[str]) -> int:
    given = parser("kill_portal", __doc__)
    given.add_argument("--runs", type=int, default=20)
    given.add_argument("--kills", type=int, default=8)
    given.add_argument("--seed", type=int, default=1)
    options = given.parse_args(arguments)

    def work(whole: Whole, engine: Engine) -> dict[str, list[str]]:
        killing = Killing(whole, options.runs, options.kills, options.seed)
        killing.run()
        verdict = killing.judge(engine.name)
        sys.stdout.write(json.dumps(asdict(verdict)) + "\n")
        return verdict.faults

    return with_whole(options.engine, work)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
