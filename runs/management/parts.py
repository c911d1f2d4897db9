"""The parts of the portal on this machine: the commands that start them, and how the worker is watched.

This module loads neither models nor pages, so that the supervisor stays small for `make dev`.
"""

import subprocess
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, connection, connections

from runs.background import cluster_names
from runs.management.addresses import Address, is_loopback
from runs.management.supervision import Part, Pulse, python

RECORD_SECONDS = 60.0  # time limit for recording a restart, in seconds
LAST_BEAT = "SELECT at FROM runs_heartbeat WHERE name = %s"


def sandbox_address() -> Address | None:
    """Return the address for the sandbox; None if a key is set or LAMINA_BASE_URL is not on this machine."""
    url = urlsplit(settings.LAMINA_BASE_URL)
    if not settings.IS_SANDBOX or url.scheme != "http" or not url.hostname or not is_loopback(url.hostname):
        return None
    return Address(url.hostname, url.port or 80)


def sandbox_part(address: Address) -> Part:
    data = settings.DATA_DIR / "lamina"
    command = python("manage.py", "lamina_sandbox", "--port", str(address.port), "--data", str(data))
    return Part("sandbox", command, settings.BASE_DIR)


def worker_part(is_forked: Callable[[], bool]) -> Part:
    """Return the part that runs the worker. A fork skips the checks that `manage.py portal` has already made, because
    repeating them would copy 20 MiB of memory."""
    command = python("manage.py", "worker")
    part = Part("worker", command, settings.BASE_DIR, is_restarted=True, is_forked=is_forked)
    part.fork_options = ["--skip-checks"]
    pulse = Pulse(lambda: last_heartbeat(part))
    part.is_alive, part.on_start, part.on_restart = pulse.is_beating, pulse.restart, partial(record_restart, part)
    return part


def web_part(bind: Address, is_forked: Callable[[], bool] = lambda: False) -> Part:
    config = ("--bind", str(bind), "--log-level", "warning")
    command = python("-m", "gunicorn", *config, "lamina_portal.wsgi")
    return Part("web server", command, settings.BASE_DIR, is_forked=is_forked)


def worker_name(part: Part) -> str:
    return cluster_names.name_of(part.process.pid) if part.process else cluster_names.ANY


def last_heartbeat(part: Part) -> object:
    """Return the time of the worker's last heartbeat. While the database is down, return a new value each time, so that
    the worker counts as alive."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(LAST_BEAT, [worker_name(part)])
            return cursor.fetchone()
    except DatabaseError:
        return object()
    finally:
        connections.close_all()


def record_restart(part: Part, exit_code: int | None) -> None:
    """Record the restart for the Health page, in a separate process that loads the models."""
    argument = "" if exit_code is None else str(exit_code)
    command = python("-m", "runs.management.restarts", worker_name(part), argument)
    with suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(command, cwd=settings.BASE_DIR, timeout=RECORD_SECONDS, check=False)  # noqa: S603 - our own
