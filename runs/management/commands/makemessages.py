"""Django's own command, which also finds our short names for lazy and deferred texts."""

from django.core.management.commands import makemessages


class Command(makemessages.Command):
    xgettext_options = [  # noqa: RUF012 - as Django declares it
        *makemessages.Command.xgettext_options,
        "--keyword=_lazy",
        "--keyword=_noop",
        "--keyword=N_",
    ]
    # A new text comes without a translation: a guess at one would have to be found first.
    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]  # noqa: RUF012
