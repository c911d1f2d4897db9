"""A whole portal for the browser tests: web server, worker and a quick sandbox, all on free ports."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from tests.support.mail_servers import MailServer
from tests.support.processes import ROOT, TIMEOUT_SECONDS, Home, free_port, wait_until
from tests.support.pseudo import write_catalogue
from tests.support.sandbox_door import SandboxDoor

READY = "Lamina Portal is ready"
# Lamina's limits are tested elsewhere; here, they would only make tests wait for each other.
PER_MINUTE = "6000"
QUICK = {"LAMINA_REQUESTS_PER_MINUTE": PER_MINUTE, "LAMINA_POLL_SECONDS": "0.3"}
RUN_SECONDS = "0.4"


class Whole:
    """A running portal. `url` is its address, `lamina` controls the sandbox, `inside` works on the portal's database,
    and `post` is the mail server that receives its emails."""

    def __init__(self, folder: Path, post: MailServer) -> None:
        self.post = post
        port, lamina_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.lamina = SandboxDoor(f"http://127.0.0.1:{lamina_port}")
        bind = {"PORTAL_BIND": f"127.0.0.1:{port}", "PORTAL_URL": self.url, "LAMINA_BASE_URL": self.lamina.url}
        # Because an API key is set, the portal doesn't start its own sandbox, which would be slower than this one.
        write_catalogue(folder / "locale")
        languages = {"DJANGO_SETTINGS_MODULE": "tests.browser.settings", "PSEUDO_LOCALE": str(folder / "locale")}
        mail = {"EMAIL_URL": f"smtp://127.0.0.1:{post.port}"}
        self.home = Home(folder, LAMINA_API_KEY="lma_sandbox", **bind, **languages, **mail, **QUICK)
        self._lamina_port = lamina_port
        self._lamina_data = folder / "lamina"

    def start(self) -> None:
        """Start everything and wait for a complete catalogue. The caller must call `stop`, even after an error."""
        self.home.migrate()
        self.home.collect_static()  # the portal would do so itself, but starts faster if the files are already there
        place = ("--port", str(self._lamina_port), "--data", str(self._lamina_data))
        pace = ("--seconds", RUN_SECONDS, "--per-minute", PER_MINUTE)
        self.home.start("lamina_sandbox", "--test-cards", *place, *pace)
        wait_until(lambda: "Sandbox Lamina on" in self.home.output(), "the sandbox to listen")
        self.process = self.home.start("portal")
        wait_until(lambda: self._has_ended() or READY in self.home.output(), "the portal to be ready")
        assert READY in self.home.output(), self.home.output()
        self.inside = Inside(self.home)
        what = "the catalogue, its forms and its pictures"
        wait_until(lambda: self.inside.ask("has_catalog"), what, 4 * TIMEOUT_SECONDS, every=0.5)

    def begin_anew(self) -> None:
        """Reset the sandbox: no faults or scripts, and no runs from earlier tests.

        Runs that earlier tests left in progress are unshared, because they would keep every Home page polling. The
        portal also forgets how long runs of an app usually take, because pages poll more often when a run is likely to
        end soon.
        """
        self.lamina.control("reset")
        self.inside.ask("unshare_active")
        self.inside.ask("usually_take", quick=None, late=None)

    def script(self, app: str, **values: Any) -> None:
        """Set how the next run of `app` (Lamina's id) behaves: `seconds=2`, `outcome="never"`…"""
        self.lamina.control("script", appId=app, **values)

    def move(self, remote_id: str, status: str, **values: Any) -> None:
        """Set a run's status on Lamina, optionally with the number of finished results (`ready=1`) or an error
        (`error="…"`)."""
        self.lamina.control(f"runs/{remote_id}", status=status, **values)

    def remote_id(self, run: str) -> str:
        """Wait until `run` (the portal's id) reaches Lamina; return its id there."""
        return wait_until(lambda: str(self.inside.ask("run", run=run)["remote_id"]), f"run {run} to reach Lamina")

    def wait_for(self, run: str, state: str) -> None:
        """Wait until `run` is in this state or status in the portal (or has ended, for "final") and all of its files
        are saved."""

        found: dict[str, Any] = {}

        def is_there() -> bool:
            found.update(self.inside.ask("run", run=run))
            return state in (found["state"], found["status"], found["final"]) and not found["saving"]

        try:
            wait_until(is_there, f"run {run} to be {state}", 2 * TIMEOUT_SECONDS)  # a failed file is retried after 30 s
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {found}") from None

    def letter_to(self, email: str) -> EmailMessage:
        """Make the portal email all pending notices, as if their two-minute delay were over; return the first email to
        `email` that no earlier call has returned."""
        self.inside.ask("mail_now")

        def arrived() -> EmailMessage | None:
            return next((mail for mail in self.post.mails if mail["To"] == email), None)

        letter = wait_until(arrived, f"an email to {email}")
        assert letter is not None
        self.post.mails.remove(letter)
        return letter

    def stop(self) -> None:
        if hasattr(self, "inside"):
            self.inside.stop()
        if hasattr(self, "process"):
            self.process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(60)
        self.home.end_all()

    def _has_ended(self) -> bool:
        return self.process.poll() is not None


class Inside:
    """A helper process with access to the portal's database: it creates people, and anything else that would be tedious
    to set up by clicking."""

    def __init__(self, home: Home) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.browser.inside"],
            cwd=ROOT,
            env={**home.env, "PYTHONPATH": os.fspath(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def ask(self, _what: str, **values: Any) -> Any:
        """Call a function of `tests.browser.inside`; an error there fails the test."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps([_what, values]) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline() or '{"error": "the helper has ended"}')
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def stop(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(60)
