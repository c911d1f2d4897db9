"""Starts gunicorn with one worker, or any other server, for tests that need a real server on a socket."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from tests.support.processes import ROOT, TIMEOUT_SECONDS, Home, wait_until

MAKE_PEOPLE = """
from runs.management.addresses import Address
from runs.management.people import prepare_people
prepare_people(Address.parse("127.0.0.1:8000"), print)
"""
MANY_SECONDS = 120.0  # for starting on a machine that is busy with other tests


@contextmanager
def serving(command: list[str], url: str, **options: object) -> Iterator[None]:
    """Start `command`, wait until it responds at `url`, and stop it afterwards."""
    process = subprocess.Popen(command, **options)  # type: ignore[call-overload]
    try:
        wait_until(lambda: process.poll() is not None or _answers(url), f"an answer of {command[0]}", MANY_SECONDS)
        assert process.poll() is None
        yield
    finally:
        process.terminate()
        process.wait(TIMEOUT_SECONDS)


@contextmanager
def gunicorn(home: Home, port: int) -> Iterator[str]:
    """Serve the data of `home` on a loopback port; yield the address."""
    url = f"http://127.0.0.1:{port}"
    env = home.env | {"PORTAL_BIND": f"127.0.0.1:{port}", "WEB_CONCURRENCY": "1"}
    with serving([sys.executable, "-m", "gunicorn", "lamina_portal.wsgi"], url, cwd=ROOT, env=env):
        yield url


def prepare(home: Home) -> None:
    """Prepare the database, static files and the sandbox's accounts."""
    home.migrate()
    home.collect_static()
    home.manage("shell", "-c", MAKE_PEOPLE)


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=5).status_code in (200, 503)
    except requests.RequestException:
        return False
