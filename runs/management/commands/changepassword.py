"""`manage.py changepassword`: Django's command, which also does what follows every other change of a password."""

from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.db import transaction

from runs.audit.commands import NamedCommand
from runs.audit.record import record
from runs.models import Member, Verb
from runs.team import security_mail, sessions


class Command(NamedCommand, changepassword.Command):
    help = "Change a person's password."
    is_always_recorded = True

    def handle(self, *args: Any, **options: Any) -> str | None:
        options["username"] = Member.objects.normalize_email(options["username"])
        output: str | None = super().handle(*args, **options)
        member = Member.objects.get(email=options["username"])
        with transaction.atomic():
            sessions.end_all(member)
            record(Verb.PERSON_NEW_PASSWORD, member)
        security_mail.tell_of_password(member)
        return output
