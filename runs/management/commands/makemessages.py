"""Django's command, extended to recognize our short names for marking strings to translate later."""

from django.core.management.commands import makemessages


class Command(makemessages.Command):
    xgettext_options = [  # noqa: RUF012 - as Django declares it
        *makemessages.Command.xgettext_options,
        "--keyword=_lazy",
        "--keyword=_noop",
        "--keyword=N_",
    ]
    # Leave new strings untranslated; otherwise, gettext would guess translations, and someone would have to find the
    # wrong ones.
    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]  # noqa: RUF012
