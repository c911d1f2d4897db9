"""How worker clusters are named on pages."""

from django.utils.translation import gettext as _

PREFIX = "worker "  # names are "worker host:pid"


def worker_words(name: str) -> str:
    """ "process 7 on host"; older incidents store this text instead of the name."""
    if not name.startswith(PREFIX):
        return name
    host, _colon, pid = name.removeprefix(PREFIX).rpartition(":")
    return _("process %(pid)s on %(host)s") % {"pid": pid, "host": host}
