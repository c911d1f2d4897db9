"""A whole portal in a temporary data folder: sandbox, database, static files, worker and web server.

Django is also set up in the benchmark's own process, on the same database, so that a benchmark can prepare and inspect
rows. Everything measured is done by the portal's real processes.
"""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from tests.bench.processes import Process, Processes
from tests.support.processes import free_port, wait_until

if TYPE_CHECKING:
    from runs.models import Member

OURS = ("LAMINA_", "PORTAL_", "DATABASE_URL", "REDIS_URL", "EMAIL_URL", "STORAGE_URL")
SANDBOX_SAYS = "Sandbox Lamina on "


class Sandbox:
    """The sandbox's control API."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.url = process.await_output(SANDBOX_SAYS).partition(SANDBOX_SAYS)[2].split()[0]

    def order(self, path: str, **values: Any) -> None:
        requests.post(f"{self.url}/control/{path}", json=values, timeout=10).raise_for_status()

    @property
    def state(self) -> dict[str, Any]:
        answer = requests.get(f"{self.url}/control/state", timeout=10)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


class Portal:
    """The portal for one benchmark. `run_seconds` is how long a run takes in the sandbox, `runs` is how many runs
    History has, and `env` holds the environment variables for the database and the queue (empty: SQLite)."""

    def __init__(
        self,
        folder: Path,
        processes: Processes,
        *,
        run_seconds: float,
        per_minute: int,
        runs: int,
        env: Mapping[str, str],
    ) -> None:
        self.processes = processes
        self.runs = runs
        self.only = ""  # measure only rows whose title contains this text (empty: all)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        for name in [name for name in os.environ if name.startswith(OURS)]:
            del os.environ[name]
        os.environ |= {
            "PORTAL_TESTING": "1",  # don't read .env
            "PORTAL_DATA_DIR": str(folder),
            "PORTAL_URL": self.url,
            "LAMINA_REQUESTS_PER_MINUTE": str(per_minute),
            "DJANGO_SETTINGS_MODULE": "lamina_portal.settings",
            "DJANGO_ALLOW_ASYNC_UNSAFE": "true",  # Playwright runs an event loop in the benchmark's thread
            **env,
        }
        options = ("--seconds", str(run_seconds), "--per-minute", str(per_minute), "--data", str(folder / "lamina"))
        command = ("-m", "runs.sandbox", "--port", "0", "--test-cards", *options)
        self.sandbox = Sandbox(processes.start("sandbox", *command))
        os.environ["LAMINA_BASE_URL"] = self.sandbox.url
        self._set_up()

    def _set_up(self) -> None:
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", interactive=False, verbosity=0)

    def load_catalog(self) -> None:
        """Read the whole catalogue now, ignoring the rate limit, and postpone the next scheduled read by an hour."""
        from django.test import override_settings
        from django.utils import timezone
        from django_q.models import Schedule

        from runs import catalog
        from runs.models import App, RequestWindow

        self.sandbox.order("limit", per_minute=None)
        with override_settings(LAMINA_REQUESTS_PER_MINUTE=100_000):
            catalog.refresh_catalog()
        if not App.objects.listed().filter(schema__isnull=False).exists():
            raise RuntimeError("the catalogue could not be read")
        Schedule.objects.filter(name="catalog").update(next_run=timezone.now() + timedelta(hours=1))
        RequestWindow.objects.all().delete()
        self.sandbox.order("reset")

    def start_worker(self, seconds: float = 60.0) -> Process:
        """Start a worker, and wait up to `seconds` for it to run tasks."""
        from django_q.tasks import async_task

        worker = self.processes.start("worker", "manage.py", "worker")
        async_task("runs.tasks.tidy")
        self.await_quiet(seconds)
        return worker

    def await_quiet(self, seconds: float = 60.0) -> None:
        """Wait until nothing is queued or in progress and every result is saved."""
        from django_q.models import OrmQ

        from runs.models import OutputFile

        def is_quiet() -> bool:
            self.processes.demand_alive()
            return not OrmQ.objects.exists() and not OutputFile.objects.filter(status="saving").exists()

        wait_until(is_quiet, "the worker to have nothing left to do", seconds)

    def begin_anew(self, seconds: float = 60.0) -> None:
        """Wait until the worker has nothing left to do, then make the portal and the sandbox forget all requests so
        far, as if a minute had passed without any."""
        from runs.models import RequestWindow

        self.await_quiet(seconds)
        RequestWindow.objects.all().delete()
        self.sandbox.order("reset")

    def start_web(self) -> Process:
        """Collect the static files and start the web server as `make run` does."""
        from django.core.management import call_command

        call_command("collectstatic", interactive=False, verbosity=0)
        web = self.processes.start("web", "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}", "lamina_portal.wsgi")

        def answers() -> bool:
            web.demand_alive()
            try:
                return requests.get(f"{self.url}/login/", timeout=5).ok
            except (requests.ConnectionError, requests.Timeout):
                return False

        wait_until(answers, "the web server to respond", 90)
        return web

    def make_member(self, name: str) -> "Member":
        from runs.models import Member

        return Member.objects.create_user(f"{name}@example.com", "a long enough password", name=name.title())
