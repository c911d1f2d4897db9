"""`manage.py lamina_sandbox`: a free stand-in for Lamina, on loopback."""

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from runs.sandbox.command import add_arguments, serve_until_signalled


class Command(BaseCommand):
    help = "Serve the sandbox on 127.0.0.1 until stopped."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser, default_data=Path(settings.DATA_DIR) / "lamina")

    def handle(self, *args: Any, **options: Any) -> None:
        code = serve_until_signalled(
            options["port"],
            options["data"],
            options["seconds"],
            options["per_minute"],
            has_test_cards=options["test_cards"],
        )
        if code:
            sys.exit(code)
