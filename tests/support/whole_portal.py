"""A whole portal made up of real processes, and one person who presses Run on either web server.

Django is also set up in this process, on the same database, to prepare data and check results, so each process can run
only one of these portals.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from tests.support.engines import Engine, engine
from tests.support.portal_parts import Parts
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from runs.models import App
    from tests.support.visitor import Pairs, Visitor

APPS = ("card-no-description", "card-nested-errors", "card-same-outputs", "card-template", "sandbox-caption")
LOG_SHOWN = 30_000  # characters of the parts' output to show if something goes wrong
PRESS_SECONDS = 180.0


class Whole:
    """`parts` with a database, `apps`, and a member who is signed in at both web servers."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.apps: dict[str, App] = {}
        self.visitors: list[Visitor] = []

    def prepare(self) -> None:
        """Prepare the database, static files and apps, and start every part."""
        import django

        if not self.parts.home.env["DATABASE_URL"]:
            self.parts.home.migrate()
        os.environ |= {name: value for name, value in self.parts.home.env.items() if name != "PYTHONWARNINGS"}
        django.setup()
        from django.core.management import call_command
        from django.utils import timezone
        from django_q.models import Schedule

        from runs import catalog
        from runs.models import App

        call_command("migrate", interactive=False, verbosity=0)
        self.parts.home.collect_static()
        self.parts.start(self.parts.sandbox)
        wait_until(self.sandbox_answers, "the sandbox")
        for remote_id in APPS:
            catalog.refresh_app(App.objects.create(remote_id=remote_id, name="not read yet").pk)
        Schedule.objects.filter(name="catalog").update(next_run=timezone.now() + timedelta(hours=1))
        self.apps = {app.remote_id: app for app in App.objects.select_related("schema")}
        self.parts.start(*self.parts.webs, *self.parts.workers)
        for url in self.parts.web_urls:
            wait_until(lambda url=url: answers(f"{url}/healthz"), "a web server")  # type: ignore[misc]
        self._sign_in()

    def _sign_in(self) -> None:
        """Sign the browser in at both web servers, with the same cookies."""
        from runs.models import Member
        from tests.support.visitor import Visitor

        member = Member.objects.create_user("demo@example.com", "a long enough password", name="Demo")
        self.visitors = [Visitor(url, member) for url in self.parts.web_urls]
        self.open_form(self.visitors[0], APPS[0], "")
        for visitor in self.visitors:
            visitor.session.cookies = self.visitors[0].session.cookies

    def sandbox_answers(self) -> bool:
        return answers(f"{self.parts.sandbox_url}/control/state")

    def order(self, path: str, **values: Any) -> None:
        """Call the sandbox's control API. Raises RequestException while it is down."""
        requests.post(f"{self.parts.sandbox_url}/control/{path}", json=values, timeout=5).raise_for_status()

    @property
    def sandbox_state(self) -> dict[str, Any]:
        found: dict[str, Any] = requests.get(f"{self.parts.sandbox_url}/control/state", timeout=30).json()
        return found

    def open_form(self, visitor: "Visitor", remote_id: str, text: str) -> "Pairs":
        """Return the form of an app as `visitor` would post it, with `text` in its first text field."""
        app = self.apps[remote_id]
        assert app.schema is not None
        place = next(n for n, parameter in enumerate(app.schema.parameters) if parameter["type"] == "text")
        pairs = visitor.open_form(app.get_absolute_url())
        return [(name, text if name == f"p{place}" else value) for name, value in pairs]

    def press(self, remote_id: str, text: str, choose: "Callable[[list[Visitor]], Visitor]") -> str:
        """Act like a person: open the form, press Run, and press again until a page arrives. The form's token
        ensures that this starts only one run.

        Returns the address of the run's page. Raises RuntimeError if no page arrives within three minutes.
        """
        path, pairs, trouble = self.apps[remote_id].get_absolute_url(), None, ""
        deadline = time.monotonic() + PRESS_SECONDS
        while time.monotonic() < deadline:
            visitor = choose(self.visitors)
            try:
                pairs = pairs or self.open_form(visitor, remote_id, text)
                return visitor.press_run(path, pairs).headers["Location"]
            except (requests.RequestException, RuntimeError) as error:
                trouble = f"{type(error).__name__}: {error}"
                time.sleep(0.2)  # wait, as people do when a page doesn't load
        raise RuntimeError(f"{text}: no page within {PRESS_SECONDS:.0f} s, lastly {trouble}")


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


def parser(program: str, description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options shared by all programs that use a whole portal."""
    found = argparse.ArgumentParser(prog=f"python -m tests.support.{program}", description=description)
    found.add_argument("--engine", choices=("sqlite", "postgres"), default="sqlite")
    return found


def with_whole(engine_name: str, work: Callable[[Whole, Engine], Mapping[str, Sequence[str]]]) -> int:
    """Start a portal, run `work` and stop every process. Return 1 and show the log if `work` found faults."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that every `finally` block still runs
    with (
        tempfile.TemporaryDirectory(prefix="portal-whole-", ignore_cleanup_errors=True) as folder,
        engine(engine_name) as chosen,
    ):
        parts = Parts(Path(folder), **chosen.env)
        faults: Mapping[str, Sequence[str]] = {"broke off": []}
        try:
            whole = Whole(parts)
            whole.prepare()
            faults = work(whole, chosen)
        finally:
            parts.end_all()
            if faults:
                sys.stderr.write(parts.home.output()[-LOG_SHOWN:])
    return 1 if faults else 0
