"""Press Run many times while processes are killed: `python -m tests.reliability.killing --runs 20 --kills 8 --seed 1`.

Two web servers and two workers on one database and a sandbox Lamina, all real; web servers, workers, their children,
the poller and the sandbox are killed with `kill -9` at moments that the seed decides, and started again. Every press
carries a text of its own, so that the sandbox's own records tell which press became how many runs. The last line
printed is the verdict, as JSON.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from tests.processes import wait_until
from tests.reliability.engines import Engine, engine
from tests.reliability.parts import Parts

if TYPE_CHECKING:
    from runs.models import App, Run
    from tests.bench.visitor import Visitor

APPS = ("card-no-description", "card-nested-errors", "card-same-outputs", "card-template", "sandbox-caption")
# The poller and the workers that hand over are what matters most.
KINDS = ("poller", "worker child", "worker", "sandbox", "web", "web child", "poller", "worker child")
GAP_SECONDS = (0.5, 2.5)
DOWN_SECONDS = (0.0, 1.5)
ANSWER_SECONDS = 0.8  # the sandbox thinks for so long before it starts a run, so that kills meet starts in flight
SETTLED_SECONDS = 120.0
PRESS_SECONDS = 60.0
LOG_SHOWN = 30_000  # characters of what the parts printed, when something went wrong


@dataclass
class Verdict:
    """What is left when the killing is over; everything that must be nothing is a list of what it is."""

    engine: str
    presses: int = 0
    kills: dict[str, int] = field(default_factory=dict)
    restarts: int = 0
    lost: list[str] = field(default_factory=list)  # pressed, and neither started nor refused
    doubled: list[str] = field(default_factory=list)  # more than one run at the sandbox for one press
    strangers: list[str] = field(default_factory=list)  # at the sandbox, but nobody's here
    wrong: list[str] = field(default_factory=list)  # ended otherwise than at the sandbox, or another press's run
    stuck: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)  # not final, stuck or not
    asked: list[str] = field(default_factory=list)  # left to a person
    settled_seconds: float = 0.0  # from the last kill until every run was final
    checked: int = 0  # starts that had to be looked for
    begun_again: int = 0

    @property
    def faults(self) -> dict[str, list[str]]:
        """Everything that must not be."""
        found: dict[str, list[str]] = {name: value for name, value in asdict(self).items() if isinstance(value, list)}
        return {name: value for name, value in found.items() if value}


class Killing:
    """One such afternoon."""

    def __init__(self, parts: Parts, runs: int, kills: int, seed: int) -> None:
        self.parts = parts
        chance = random.Random(seed)
        self.chance = random.Random(chance.random())  # for what depends on who happens to be alive
        self.kills = [
            (chance.uniform(*GAP_SECONDS), KINDS[n % len(KINDS)], chance.uniform(*DOWN_SECONDS)) for n in range(kills)
        ]
        chance.shuffle(self.kills)
        length = sum(gap for gap, _, _ in self.kills)
        self.presses = sorted(
            (chance.uniform(0, length), chance.choice(APPS), f"press {n} of {seed}") for n in range(runs)
        )
        self.pressed: dict[str, str] = {}  # text: the run's page
        self.problems: list[str] = []

    def prepare(self) -> None:
        """Database, static files and the apps; then every part."""
        import django

        os.environ |= {name: value for name, value in self.parts.home.env.items() if name not in {"PYTHONWARNINGS"}}
        django.setup()
        from django.core.management import call_command
        from django.utils import timezone
        from django_q.models import Schedule

        from runs.models import App
        from runs.services import catalog

        call_command("migrate", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        self.parts.start(self.parts.sandbox)
        wait_until(self.sandbox_answers, "the sandbox")
        for remote_id in APPS:
            catalog.refresh_app(App.objects.create(remote_id=remote_id, name="not read yet").pk)
        Schedule.objects.filter(name="catalog").update(next_run=timezone.now() + timedelta(hours=1))
        self.parts.start(*self.parts.webs, *self.parts.workers)
        for url in self.parts.web_urls:
            wait_until(lambda url=url: answers(f"{url}/healthz"), "a web server")  # type: ignore[misc]
        self.visitors = self._sign_in()
        self.parts.keep_alive()

    def sandbox_answers(self) -> bool:
        return answers(f"{self.parts.sandbox_url}/control/state")

    def run(self) -> None:
        """Press and kill as planned; returns with the last kill, when every press has got its page."""
        with ThreadGroup(self._press_all, self._slow_down_starts) as threads:
            for gap, kind, down_seconds in self.kills:
                time.sleep(gap)  # the plan's own time: nothing to wait for
                self.parts.kill(kind, self.chance, down_seconds)
            threads.join_first()
        if self.problems:
            raise RuntimeError("; ".join(self.problems))

    def _slow_down_starts(self, is_over: threading.Event) -> None:
        """A killed sandbox forgets that it was told to think about each start."""
        pid = 0
        while not is_over.wait(0.1):
            if (now := self.parts.sandbox.pid) != pid:
                order = {"endpoint": "run_start", "fault": "delay", "seconds": ANSWER_SECONDS, "times": None}
                with suppress(requests.RequestException):
                    requests.post(f"{self.parts.sandbox_url}/control/faults", json=order, timeout=5).raise_for_status()
                    pid = now

    def _sign_in(self) -> "list[Visitor]":
        """One member, whose browser knows both web servers by the same cookies."""
        from runs.models import App, Member
        from tests.bench.visitor import Visitor

        member = Member.objects.create_user("demo@example.com", "a long enough password", name="Demo")
        visitors = [Visitor(url, member) for url in self.parts.web_urls]
        self.apps = {app.remote_id: app for app in App.objects.select_related("schema")}
        visitors[0].open_form(self.apps[APPS[0]].get_absolute_url())
        for visitor in visitors:
            visitor.session.cookies = visitors[0].session.cookies
        return visitors

    def _press_all(self, is_over: threading.Event) -> None:
        begun = time.monotonic()
        pressers = []
        for moment, remote_id, text in self.presses:
            is_over.wait(max(0.0, begun + moment - time.monotonic()))
            thread = threading.Thread(target=self._press, args=(self.apps[remote_id], text))
            thread.start()
            pressers.append(thread)
        for thread in pressers:
            thread.join()

    def _press(self, app: "App", text: str) -> None:
        """As a person does: open the form, press Run, and when no page comes press again; the token makes it one."""
        path, pairs, deadline, trouble = app.get_absolute_url(), None, time.monotonic() + PRESS_SECONDS, ""
        while time.monotonic() < deadline:
            visitor = self.chance.choice(self.visitors)
            try:
                pairs = pairs or filled(visitor.open_form(path), app, text)
                self.pressed[text] = visitor.press_run(path, pairs).headers["Location"]
                return
            except (requests.RequestException, RuntimeError) as error:
                trouble = f"{type(error).__name__}: {error}"
                time.sleep(0.2)  # as somebody whose page did not load
        self.problems.append(f"{text}: no page within {PRESS_SECONDS:.0f} s, lastly {trouble}")

    def judge(self, name: str) -> Verdict:
        """Wait until everything is settled, at most two minutes, and compare with the sandbox's own records."""
        from runs.models import Run

        begun = time.monotonic()
        with suppress(AssertionError):
            wait_until(lambda: not Run.objects.active().exists(), "every run to end", SETTLED_SECONDS)
        verdict = Verdict(name, len(self.pressed), dict(self.parts.killed), self.parts.deaths)
        verdict.settled_seconds = round(time.monotonic() - begun, 1)
        wait_until(self.sandbox_answers, "the sandbox")
        state = requests.get(f"{self.parts.sandbox_url}/control/state", timeout=30).json()
        compare(verdict, list(Run.objects.prefetch_related("inputs")), state["runs"], set(self.pressed))
        output = self.parts.home.output()
        verdict.checked = output.count("to=checking")
        verdict.begun_again = output.count("from=checking to=starting")
        return verdict


class ThreadGroup:
    """Threads that are told when it is over."""

    def __init__(self, *works: Any) -> None:
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=work, args=(self.is_over,)) for work in works]

    def __enter__(self) -> "ThreadGroup":
        for thread in self.threads:
            thread.start()
        return self

    def join_first(self) -> None:
        self.threads[0].join()

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        for thread in self.threads:
            thread.join()


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


def filled(pairs: "list[tuple[str, str]]", app: "App", text: str) -> "list[tuple[str, str]]":
    """The form with TEXT in its first text field."""
    assert app.schema is not None
    place = next(n for n, parameter in enumerate(app.schema.parameters) if parameter["type"] == "text")
    return [(name, text if name == f"p{place}" else value) for name, value in pairs]


def text_of(values: Sequence[Any]) -> str:
    return next((value for value in values if isinstance(value, str) and value.startswith("press ")), "")


def compare(verdict: Verdict, runs: "list[Run]", remote_runs: list[dict[str, Any]], pressed: set[str]) -> None:
    """Fill in what is lost, doubled, wrong or stuck."""
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


def kill_and_judge(folder: Path, chosen: Engine, runs: int, kills: int, seed: int) -> Verdict:
    """The whole of it in FOLDER; every process has ended when it returns."""
    parts = Parts(folder, **chosen.env)
    killing = Killing(parts, runs, kills, seed)
    try:
        killing.prepare()
        killing.run()
        return killing.judge(chosen.name)
    except Exception:
        sys.stderr.write(parts.home.output()[-LOG_SHOWN:])
        raise
    finally:
        parts.end_all()


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.killing", description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=("sqlite", "postgres"), default="sqlite")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="portal-killing-", ignore_cleanup_errors=True) as name:
        with engine(options.engine) as chosen:
            verdict = kill_and_judge(Path(name), chosen, options.runs, options.kills, options.seed)
        if verdict.faults:
            sys.stderr.write(Path(name, "output.log").read_text()[-LOG_SHOWN:])
    sys.stdout.write(json.dumps(asdict(verdict)) + "\n")
    return 1 if verdict.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
