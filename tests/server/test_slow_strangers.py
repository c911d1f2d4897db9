"""The portal itself, started as usual, with a hundred slow clients of each kind and no proxy in front."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from functools import partial

import pytest
import requests

from runs.background.prctl import die_with_parent
from runs.management.addresses import Address
from runs.management.parts import web_part
from tests.support.processes import ROOT, TIMEOUT_SECONDS, Home, free_port, wait_until
from tests.support.slow_clients import KINDS, answers_in_time, slow_clients

pytestmark = pytest.mark.whole
STRANGERS = 100
ASKED = 10
# On an idle machine, each response takes less than two seconds, as `python -m tests.bench slow_clients` requires. Here,
# other tests run at the same time. A server that slow clients can block would take over a minute: a hundred clients
# would share sixteen threads, and each would hold one for 15 s.
BOUND_SECONDS = 20.0


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Start the portal's real web server, as `make run` does."""
    port = free_port()
    home = Home(tmp_path_factory.mktemp("portal"), PORTAL_BIND=f"127.0.0.1:{port}", PORTAL_TESTING="1")
    home.migrate()
    home.collect_static()
    with home.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *web_part(Address("127.0.0.1", port)).command[1:]],
            cwd=ROOT,
            env=home.env,
            stdout=log,
            stderr=log,
            preexec_fn=partial(die_with_parent, os.getpid(), signal.SIGTERM),
        )

    def answers() -> bool:
        assert process.poll() is None, home.output()
        with suppress(requests.RequestException):
            return all(requests.get(f"http://127.0.0.1:{port}/login/", timeout=20).ok for _ in range(8))
        return False

    wait_until(answers, "the web server to respond with everything loaded", 60)
    yield port
    process.terminate()
    process.wait(TIMEOUT_SECONDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_hundred_slow_clients_do_not_block_the_portal(port: int, kind: str) -> None:
    with slow_clients(port, kind, STRANGERS):
        taken = answers_in_time(f"http://127.0.0.1:{port}", ASKED, BOUND_SECONDS)
    assert len(taken) == ASKED


def test_all_kinds_together_do_not_block_it_either(port: int) -> None:
    with ExitStack() as stack:
        for kind in KINDS:
            stack.enter_context(slow_clients(port, kind, STRANGERS))
        taken = answers_in_time(f"http://127.0.0.1:{port}", ASKED, BOUND_SECONDS)
    assert len(taken) == ASKED
