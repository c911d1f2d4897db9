"""Django's command, extended to find our short names for lazy and deferred texts."""

from django.core.management.commands import makemessages


class Command(makemessages.Command):
    xgettext_options = [  # noqa: RUF012 - as Django declares it
        *makemessages.Command.xgettext_options,
        "--keyword=_lazy",
        "--keyword=_noop",
        "--keyword=N_",
    ]
    # Leave new texts untranslated; otherwise, someone would have to find gettext's wrong guesses.
    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]  # noqa: RUF012
