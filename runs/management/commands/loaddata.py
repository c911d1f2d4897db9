"""`manage.py loaddata`: Django's command, but its use is recorded."""

from django.core.management.commands import loaddata

from runs.audit.commands import NamedCommand


class Command(NamedCommand, loaddata.Command):
    is_always_recorded = True
