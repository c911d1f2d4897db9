"""Real proxies in front of the portal, set up exactly as in docs/deploy."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from django.test import Client

from runs.models import Member
from tests.support.clients import PASSWORD
from tests.support.processes import ROOT, TIMEOUT_SECONDS, wait_until
from tests.support.requirements import skip_or_fail

DEPLOY = ROOT / "docs" / "deploy"
WHERE = "/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin"


def binary(name: str, package: str) -> str:
    """Return the path of the program `name`; skip the test if it is missing."""
    found = shutil.which(name, path=WHERE)
    if found is None:
        skip_or_fail(f"No {name} found: install one (Debian: apt-get install {package})")
    assert found is not None
    return found


@contextmanager
def running(command: list[str], url: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the proxy that `command` starts, which responds at `url` and writes errors to `log`."""
    homes = {"XDG_CONFIG_HOME": str(log.parent), "XDG_DATA_HOME": str(log.parent)}  # where Caddy stores its data
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=os.environ | homes)

    def is_up() -> bool:
        try:
            return requests.get(url, timeout=5, allow_redirects=False).status_code < 600
        except requests.ConnectionError:
            assert process.poll() is None, log.read_text()
            return False

    try:
        wait_until(is_up, command[0])
        yield process
    finally:
        process.terminate()
        process.wait(TIMEOUT_SECONDS)


def signed_in(member: Member) -> dict[str, str]:
    """Return the cookies of a browser where `member` is signed in."""
    client = Client()
    assert client.login(username=member.email, password=PASSWORD)
    return {name: morsel.value for name, morsel in client.cookies.items()}
