"""`manage.py worker`: runs queued tasks. A portal can have several workers, on any hosts that share its database."""

import logging
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from lamina_portal.warm import warm_up
from runs import tasks as tasks  # load the tasks once for all processes
from runs.background.worker import run_worker
from runs.management import record_guard


class Command(BaseCommand):
    help = "Start the worker, which starts runs on Lamina, follows them and saves their results."

    requires_system_checks = ()  # it makes them itself, with those of the database

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--skip-checks", action="store_true", help="Skip system checks.")
        parser.add_argument(
            "--silent-seconds",
            type=float,
            default=30.0,
            metavar="SECONDS",
            help="Exit with code 3 if no task ends for this long, although there is a process for it.",
        )

    def handle(self, *, verbosity: int, skip_checks: bool, silent_seconds: float, **_: Any) -> None:
        if not skip_checks:
            self.check(databases=["default"])
        if verbosity < 2:
            logging.getLogger("django-q").setLevel(logging.WARNING)  # otherwise it logs several lines for every task
        record_guard.restore()
        connections.close_all()  # the processes started next mustn't share connections
        warm_up()
        sys.exit(run_worker("runs.tasks.pulse", silent_seconds))
