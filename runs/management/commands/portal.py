"""`manage.py portal`, for `make run`: runs everything on this machine, in one terminal, until Ctrl-C."""

import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn

from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from runs import catalog
from runs.background.queue import enqueue
from runs.management import examples, supervise
from runs.management.addresses import Address, AddressError
from runs.management.parts import sandbox_address
from runs.management.people import prepare_people
from runs.management.supervision import python


class Command(BaseCommand):
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
            people = self._prepare(bind, has_examples=sandbox is not None and not empty)
        except AddressError as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            self.say("Stopped before anything was started.")
            return
        self._hand_over(bind, sandbox, people, is_reloaded=reload)

    def say(self, sentence: str) -> None:
        with suppress(OSError):  # keep going even if the terminal has been closed or the disk is full
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
        """Prepare the database, static files and accounts. Return messages that say who can sign in."""
        self.say("Preparing the database and static files.")
        call_command("migrate", interactive=False, verbosity=0, skip_checks=False)
        call_command("collectstatic", interactive=False, verbosity=0)
        people = prepare_people(bind, self.say)
        enqueue("pulse")
        catalog.request_refresh()  # so that the first person to sign in sees apps
        if has_examples:
            examples.request_examples()
        connections.close_all()  # child processes mustn't inherit a connection
        return people

    def _hand_over(self, bind: Address, sandbox: Address | None, people: list[str], *, is_reloaded: bool) -> NoReturn:
        """Replace this process with the supervisor, which frees everything loaded so far. Signals that arrive in the
        meantime are delivered to the supervisor."""
        signal.pthread_sigmask(signal.SIG_BLOCK, supervise.SIGNALS)
        order = supervise.Order(str(bind), str(sandbox or ""), people, is_reloaded)
        os.chdir(settings.BASE_DIR)
        os.execv(sys.executable, python("-m", "runs.management.supervise", str(order.as_file())))  # noqa: S606 - ours


def _interrupt(_signum: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
