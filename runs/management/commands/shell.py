"""`manage.py shell`: Django's command, but its use is recorded."""

from django.core.management.commands import shell

from runs.audit.commands import NamedCommand


class Command(NamedCommand, shell.Command):
    is_always_recorded = True
