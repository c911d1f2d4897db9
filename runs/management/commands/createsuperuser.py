"""`manage.py createsuperuser`: replaces Django's command, which lets people skip the rules for passwords by pressing y.

A script may still set any password, because it can't answer, but is told what is wrong with it.
"""

import os
import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from runs.audit.commands import NamedCommand
from runs.management.people import ask_for_admin, create_admin, weakness


class Command(NamedCommand):
    help = "Create an admin."
    is_always_recorded = True
    requires_migrations_checks = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", help="The admin's email address.")
        parser.add_argument(
            "--noinput",
            "--no-input",
            action="store_false",
            dest="interactive",
            help="Ask nothing: take the password from DJANGO_SUPERUSER_PASSWORD, and the email address from --email or"
            " DJANGO_SUPERUSER_EMAIL. Without a password, the admin needs a link to set one.",
        )

    def handle(self, *, email: str | None, interactive: bool, verbosity: int, **_: Any) -> None:
        if interactive and not sys.stdin.isatty():
            raise CommandError("There is no terminal to ask in. Use --noinput.")
        try:
            if interactive:
                member = ask_for_admin(self.stdout.write, email or "")
            else:
                address = email or os.environ.get("DJANGO_SUPERUSER_EMAIL", "")
                password = os.environ.get("DJANGO_SUPERUSER_PASSWORD")
                member = create_admin(address, password)
                if problem := weakness(address, password):
                    self.stderr.write(f"This password is weak: {problem} Change it after signing in.")
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        except (KeyboardInterrupt, EOFError):
            raise CommandError("Stopped. No account was created.") from None
        if verbosity:
            self.stdout.write(f"{member.email} is an admin now.")
