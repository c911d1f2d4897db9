"""Records what management commands do, each under its own name."""

from contextlib import suppress
from functools import wraps
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError

from runs.audit.actors import Actor, Way, acting_as
from runs.audit.record import record
from runs.models import Verb
from runs.models.ids import new_public_id

# Django's own commands that can change what people see or may do without going through our code.
RECORDED = frozenset({"createsuperuser", "changepassword", "loaddata", "shell", "dbshell"})


def install() -> None:
    """Record what every command does, including Django's own, under the command's name. Calling this again has no
    effect."""
    execute = BaseCommand.execute
    if hasattr(execute, "__wrapped__"):
        return

    @wraps(execute)
    def execute_as_itself(self: BaseCommand, *args: Any, **options: Any) -> str | None:
        name = type(self).__module__.rpartition(".")[2]
        with acting_as(Actor(Way.COMMAND, name=name, request_id=new_public_id())):
            if name in RECORDED:  # recorded before it runs, in case the shell is killed
                with suppress(DatabaseError):  # someone may open a shell before there are any tables
                    record(Verb.COMMAND_RUN, None, label=name)
            return execute(self, *args, **options)

    BaseCommand.execute = execute_as_itself  # type: ignore[method-assign]
