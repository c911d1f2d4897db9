"""Sentences that people copy when they ask for help. They say when something happened, what it was about, what was
shown, and the reference."""

from datetime import datetime

from django.utils.translation import gettext as _

from runs.words.moments import zoned_words


def about_run(app: str, reference: str, at: datetime, message: str) -> str:
    """Describe a failed run. `message` is the message on the run's page."""
    values = {"when": zoned_words(at), "app": app, "reference": reference, "shown": message}
    words = _("On %(when)s, Lamina Portal showed this message about “%(app)s” (reference %(reference)s): “%(shown)s”")
    return words % values


def about_file(app: str, name: str, reference: str, at: datetime, message: str) -> str:
    """Describe a file or link that was refused, naming the app it was for, if known."""
    values = {"when": zoned_words(at), "app": app, "name": name, "reference": reference, "shown": message}
    if not app:
        words = _(
            "On %(when)s, Lamina Portal showed this message about the file “%(name)s” (reference %(reference)s): "
            "“%(shown)s”"
        )
        return words % values
    words = _(
        "On %(when)s, Lamina Portal showed this message about the file “%(name)s” for “%(app)s” "
        "(reference %(reference)s): “%(shown)s”"
    )
    return words % values


def about_page(page: str, reference: str, at: datetime, message: str) -> str:
    """Describe a page that failed; `page` is its URL within the portal."""
    values = {"when": zoned_words(at), "page": page, "reference": reference, "shown": message}
    words = _("On %(when)s, Lamina Portal showed this message at %(page)s (reference %(reference)s): “%(shown)s”")
    return words % values
