"""`manage.py portal`, for `make run`: runs everything on this machine, in one terminal, until Ctrl-C."""

import signal
import sys
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Any, NoReturn
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, connections

from runs import catalog
from runs.background import heartbeats, incidents
from runs.background.queue import enqueue
from runs.management import examples
from runs.management.addresses import Address, AddressError, is_loopback
from runs.management.people import prepare_people
from runs.management.source import Source
from runs.management.supervision import Part, PartDied, Pulse, StopAsked, Supervisor, python
from runs.models import Heartbeat
from runs.models.messages import Message

STOP_ORDER = ("web server", "worker", "sandbox")


class Command(BaseCommand):
    help = "Start the whole portal: database, accounts, sandbox (without a key), worker and web server."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reload", action="store_true", help="Restart web server and worker when a file changes.")
        parser.add_argument("--empty", action="store_true", help="Leave out the example runs of a fresh sandbox.")

    def handle(self, *, reload: bool, empty: bool, **_: Any) -> None:
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sig, _interrupt)  # explicitly: a job started with `&` inherits an ignored SIGINT
        try:
            bind = Address.parse(settings.PORTAL_BIND)
            sandbox = sandbox_address()
            self._demand_free(bind, sandbox)
            people = self._prepare(bind, has_examples=sandbox is not None and not empty)
        except AddressError as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            self.say("Stopped before anything was started.")
            return
        sys.exit(self._supervise(bind, sandbox, people, is_reloaded=reload))

    def say(self, sentence: str) -> None:
        with suppress(OSError):  # the terminal is gone or the disk is full: no reason to stop
            self.stdout.write(sentence)
            self.stdout.flush()

    def _demand_free(self, bind: Address, sandbox: Address | None) -> None:
        way_out = {bind: "PORTAL_BIND=127.0.0.1:8001"}
        if sandbox:
            way_out[sandbox] = "LAMINA_BASE_URL=http://127.0.0.1:8901"
        for address, setting in way_out.items():
            try:
                address.demand_free()
            except AddressError as error:
                raise AddressError(f"{error} Nothing was started. Choose another address, such as {setting}") from None

    def _prepare(self, bind: Address, *, has_examples: bool) -> list[str]:
        """Prepare database, static files and accounts. Return messages that say who can sign in."""
        self.say("Preparing the database and static files.")
        call_command("migrate", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        people = prepare_people(bind, self.say)
        enqueue("pulse")
        catalog.request_refresh()  # so that the first person to sign in sees apps
        if has_examples:
            examples.request_examples()
        connections.close_all()  # child processes must not inherit a connection
        return people

    def _supervise(self, bind: Address, sandbox: Address | None, people: list[str], *, is_reloaded: bool) -> int:
        """Run the parts until asked to stop (return 0) or until an essential one dies (return 1)."""
        supervisor = Supervisor(self.say, STOP_ORDER)
        changed = Source(settings.BASE_DIR).changed if is_reloaded else list[str]  # before any part reads the files
        worker, web = worker_part(), web_part(bind)
        supervisor.catch_signals()
        try:
            if sandbox:
                supervisor.start(sandbox_part(sandbox), lambda: sandbox.answers("/"))
            supervisor.start(worker)
            supervisor.start(web, lambda: bind.answers("/healthz"))
            self.say("\n".join(["", f"Lamina Portal is ready: {address_to_open(bind)}", *people, "Ctrl-C stops it."]))
            worker.is_reloaded = web.is_reloaded = is_reloaded  # only now: if a part fails to start, somebody must act
            supervisor.watch(changed)
        except StopAsked:
            self.say("Stopping once work in progress is finished.")
            return 0
        except PartDied as died:
            self.stderr.write(str(died))
            return 1
        finally:
            supervisor.stop()
        return 1


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


def worker_part() -> Part:
    part = Part("worker", python("manage.py", "worker"), settings.BASE_DIR, is_restarted=True)
    pulse = Pulse(lambda: last_heartbeat(part))
    part.is_alive, part.on_start, part.on_restart = pulse.is_beating, pulse.restart, partial(record_restart, part)
    return part


def web_part(bind: Address) -> Part:
    config = ("--bind", str(bind), "--log-level", "warning")
    command = python("-m", "gunicorn", *config, "lamina_portal.wsgi")
    return Part("web server", command, settings.BASE_DIR)


def worker_name(part: Part) -> str:
    return heartbeats.name_of(part.process.pid) if part.process else heartbeats.ANY


def last_heartbeat(part: Part) -> object:
    """Return the time of the last heartbeat of the worker, or a new value each time while the database is down."""
    try:
        return Heartbeat.objects.filter(name=worker_name(part)).values_list("at", flat=True).first()
    except DatabaseError:
        return object()
    finally:
        connections.close_all()


def record_restart(part: Part, exit_code: int | None) -> None:
    """Record the restart for the health page."""
    with suppress(DatabaseError):
        heartbeats.forget(worker_name(part))
        incidents.record_incident("worker", restart_message(exit_code))
    connections.close_all()


def restart_message(exit_code: int | None) -> Message:
    """Return the message that says why the worker was restarted."""
    if exit_code is None:
        return Message("worker_hung")
    if exit_code < 0:
        return Message("worker_signalled", {"signal": signal.Signals(-exit_code).name})
    return Message("worker_exited", {"exit_code": exit_code})


def address_to_open(bind: Address) -> str:
    """Return the URL that people open: the public one if it is set, otherwise the one the portal listens on."""
    host = urlsplit(settings.PORTAL_URL).hostname or ""
    return f"{settings.PORTAL_URL}/" if not is_loopback(host) else f"http://{bind.as_seen_from_here}/"


def _interrupt(_signum: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
