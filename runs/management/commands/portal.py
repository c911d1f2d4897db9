"""`manage.py portal`, for `make run`: runs everything on this machine, in one terminal, until Ctrl-C."""

import multiprocessing
import os
import signal
import sys
from concurrent.futures import ProcessPoolExecutor
from types import FrameType
from typing import Any, NoReturn
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.base import CommandParser

from lamina_portal.warm import warm_up
from runs import catalog
from runs.audit.commands import NamedCommand
from runs.background.queue import enqueue
from runs.management import examples, supervise
from runs.management.addresses import Address, AddressError, is_loopback
from runs.management.people import prepare_people
from runs.management.supervise import Part, say


class Command(NamedCommand):
    help = "Start the whole portal: database, accounts, sandbox (without a key), worker and web server."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--reload", action="store_true", help="Restart the web server and the worker when a file changes."
        )
        parser.add_argument("--empty", action="store_true", help="Start a fresh sandbox without example runs.")

    def handle(self, *, reload: bool, empty: bool, **_: Any) -> None:
        for sig in supervise.SIGNALS:
            signal.signal(sig, _interrupt)  # set this explicitly, because a job started with `&` would ignore SIGINT
        try:
            bind = Address.parse(settings.PORTAL_BIND)
            sandbox = sandbox_address()
            self._demand_free(bind, sandbox)
            has_examples = sandbox is not None and not empty
            with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:  # migrating takes much memory
                people = pool.submit(prepare, bind, has_examples=has_examples).result()
            if not reload:
                load_portal()
        except AddressError as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            say("Stopped before anything was started.")
            return
        ready = ["", f"Lamina Portal is ready: {address_to_open(bind)}", *people, "Ctrl-C stops it."]
        os.chdir(settings.BASE_DIR)
        sys.exit(supervise.supervise(parts(bind, sandbox, is_forked=not reload), "\n".join(ready), is_reloaded=reload))

    def _demand_free(self, bind: Address, sandbox: Address | None) -> None:
        way_out = {bind: "PORTAL_BIND=127.0.0.1:8001"}
        if sandbox:
            way_out[sandbox] = "LAMINA_BASE_URL=http://127.0.0.1:8901"
        for address, setting in way_out.items():
            try:
                address.demand_free()
            except AddressError as error:
                raise AddressError(f"{error} Nothing was started. Choose another address, such as {setting}") from None


def prepare(bind: Address, *, has_examples: bool) -> list[str]:
    """Prepare the database, static files and accounts. Return messages that say who can sign in."""
    say("Preparing the database and static files.")
    call_command("migrate", interactive=False, verbosity=0, skip_checks=False)
    call_command("collectstatic", interactive=False, verbosity=0)
    people = prepare_people(bind, say)
    enqueue("pulse")
    catalog.request_refresh()  # so that the first person to sign in sees apps
    if has_examples:
        examples.request_examples()
    return people


def load_portal() -> None:
    """Load all that the worker and the web server need, so that they share it."""
    import lamina_portal.wsgi  # noqa: F401
    import runs.tasks  # noqa: F401

    warm_up()


def parts(bind: Address, sandbox: Address | None, *, is_forked: bool) -> list[Part]:
    """Return what the supervisor starts, in this order."""
    parts = []
    if sandbox:
        options = ["lamina_sandbox", "--port", str(sandbox.port), "--data", str(settings.DATA_DIR / "lamina")]
        parts.append(Part("sandbox", "manage", options, url=f"http://{sandbox}/"))
    # `manage.py portal` has already made the checks, and they take up memory
    worker = Part("worker", "manage", ["worker", "--skip-checks"], is_restarted=True)
    options = ["--bind", str(bind), "--log-level", "warning", "lamina_portal.wsgi"]
    web = Part("web server", "gunicorn", options, url=f"http://{bind.as_seen_from_here}/healthz")
    for part in (*parts, worker, web):
        part.is_forked = is_forked
    return [*parts, worker, web]


def sandbox_address() -> Address | None:
    """Return the address for the sandbox; None if a key is set or LAMINA_BASE_URL is not on this machine."""
    url = urlsplit(settings.LAMINA_BASE_URL)
    if not settings.IS_SANDBOX or url.scheme != "http" or not url.hostname or not is_loopback(url.hostname):
        return None
    return Address(url.hostname, url.port or 80)


def address_to_open(bind: Address) -> str:
    """Return the URL that people open: the public one if it is set, otherwise the one the portal listens on."""
    host = urlsplit(settings.PORTAL_URL).hostname or ""
    return f"{settings.PORTAL_URL}/" if not is_loopback(host) else f"http://{bind.as_seen_from_here}/"


def _interrupt(_signum: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
