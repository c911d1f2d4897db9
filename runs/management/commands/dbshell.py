"""`manage.py dbshell`: Django's command, but its use is recorded."""

from django.core.management.commands import dbshell

from runs.audit.commands import NamedCommand


class Command(NamedCommand, dbshell.Command):
    is_always_recorded = True
