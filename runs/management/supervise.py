"""`python -m runs.management.supervise FD`: starts the parts and watches them. It reads what to start from the file
descriptor FD.

`manage.py portal` becomes this process after preparing everything, because the preparation loads far more than the
parts need, and Python doesn't give memory back. This process loads the portal once, and forks the worker and the web
server. For `make dev`, it loads next to nothing and starts both as programs, so that they pick up changes to source
files.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

import django
from django.apps import apps
from django.conf import settings

from runs.management.addresses import Address, is_loopback
from runs.management.parts import sandbox_part, web_part, worker_part
from runs.management.source import Source
from runs.management.supervision import PartDied, StopAsked, Supervisor

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOP_ORDER = ("web server", "worker", "sandbox")


@dataclass(frozen=True)
class Order:
    """What to start: the addresses ("" for no sandbox), messages that say who can sign in, and whether to watch the
    source."""

    bind: str
    sandbox: str
    people: list[str]
    is_reloaded: bool

    def as_file(self) -> int:
        """Return a file descriptor that a program started by `exec` can read this order from. (Other users could see
        command-line arguments.)"""
        reading, writing = os.pipe()
        os.write(writing, json.dumps(asdict(self)).encode())  # just a few hundred bytes, so this doesn't block
        os.close(writing)
        os.set_inheritable(reading, True)
        return reading

    @classmethod
    def from_file(cls, descriptor: int) -> "Order":
        with os.fdopen(descriptor, "rb") as file:
            return cls(**json.load(file))


def say(sentence: str) -> None:
    with suppress(OSError):  # keep going even if the terminal has been closed or the disk is full
        sys.stdout.write(f"{sentence}\n")
        sys.stdout.flush()


def load(order: Order) -> Callable[[], bool]:
    """Load what this process needs. Return a function that says whether a fork of this process would still run the
    current source code."""
    if order.is_reloaded or sys.platform != "linux":  # on macOS, libraries that have been used don't survive a fork
        apps.populate([])  # loads no models
        return lambda: False
    source = Source(settings.BASE_DIR, every=0.0)
    django.setup()
    from runs.management import whole_portal

    whole_portal.load()
    return source.is_unchanged


def supervise(order: Order) -> int:
    """Run the parts until asked to stop (return 0) or until an essential one dies (return 1)."""
    bind, sandbox = Address.parse(order.bind), Address.parse(order.sandbox) if order.sandbox else None
    supervisor = Supervisor(say, STOP_ORDER)
    supervisor.catch_signals()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # `manage.py portal` has blocked these signals
    is_forked = load(order)
    # Note the state of the source files before any part reads them
    changed = Source(settings.BASE_DIR).changed if order.is_reloaded else list[str]
    worker, web = worker_part(is_forked), web_part(bind, is_forked)
    try:
        if sandbox:
            supervisor.start(sandbox_part(sandbox), lambda: sandbox.answers("/"))
        supervisor.start(worker)
        supervisor.start(web, lambda: bind.answers("/healthz"))
        say("\n".join(["", f"Lamina Portal is ready: {address_to_open(bind)}", *order.people, "Ctrl-C stops it."]))
        # Reload parts only from now on: if a part fails when it first starts, somebody has to fix it.
        worker.is_reloaded = web.is_reloaded = order.is_reloaded
        supervisor.watch(changed)
    except StopAsked:
        say("Stopping once work in progress is finished.")
        return 0
    except PartDied as died:
        sys.stderr.write(f"{died}\n")
        return 1
    finally:
        supervisor.stop()
    return 1


def address_to_open(bind: Address) -> str:
    """Return the URL that people open: the public one if it is set, otherwise the one the portal listens on."""
    host = urlsplit(settings.PORTAL_URL).hostname or ""
    return f"{settings.PORTAL_URL}/" if not is_loopback(host) else f"http://{bind.as_seen_from_here}/"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lamina_portal.settings")
    sys.exit(supervise(Order.from_file(int(sys.argv[1]))))
