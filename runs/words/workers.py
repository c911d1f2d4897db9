"""Names of groups of worker processes, as shown on pages."""

from django.utils.translation import gettext as _

PREFIX = "worker "  # names are "worker host:pid"


def worker_words(name: str) -> str:
    """Return a name such as "process 7 on host"."""
    host, _colon, pid = name.removeprefix(PREFIX).rpartition(":")
    return _("process %(pid)s on %(host)s") % {"pid": pid, "host": host}
