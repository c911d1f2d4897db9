"""Records what management commands do under their names."""

from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError

from runs.audit.actors import Actor, Way, acting_as
from runs.audit.record import record
from runs.models import Verb
from runs.models.ids import new_public_id


class NamedCommand(BaseCommand):
    """A command whose changes are recorded under its name."""

    is_always_recorded = False  # for commands that can change anything without going through our code

    def execute(self, *args: Any, **options: Any) -> str | None:
        name = type(self).__module__.rpartition(".")[2]
        with acting_as(Actor(Way.COMMAND, name=name, request_id=new_public_id())):
            if self.is_always_recorded:  # before it runs, in case the shell is killed
                with suppress(DatabaseError):  # someone may open a shell before there are any tables
                    record(Verb.COMMAND_RUN, None, label=name)
            return super().execute(*args, **options)
