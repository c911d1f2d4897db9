"""Sentences about how an app's form has changed on Lamina, day by day."""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from runs.models import App, AppChange
from runs.words.numbers import number_words

MOST_CHANGES = 60
Kind = AppChange.Kind


@dataclass(frozen=True)
class ChangeDay:
    """Changes that the portal noticed at the same time, as sentences."""

    at: datetime
    sentences: list[str]


def change_days(app: App) -> list[ChangeDay]:
    """Return the latest changes to the app's form, newest first, with one query."""
    changes = list(app.changes.all()[:MOST_CHANGES])
    return [
        ChangeDay(at, [change_words(change) for change in of_time])
        for at, of_time in groupby(changes, key=lambda change: change.at)
    ]


def change_words(change: AppChange) -> str:
    """Describe a change to a field in a sentence."""
    detail = change.detail
    if change.kind in (Kind.OPTIONS_ADDED, Kind.OPTIONS_GONE):
        return _option_words(change)
    if change.kind == Kind.RETYPED:
        return _type_words(change)
    sentences = {
        Kind.ADDED: _("“%(field)s” is new."),
        Kind.GONE: _("“%(field)s” was removed."),
        Kind.RENAMED: _("“%(from)s” is now called “%(to)s”."),
        Kind.SAMPLE: _("“%(field)s” has a different sample file, which is used if no file is added."),
        Kind.NEEDED: _("“%(field)s” no longer has a default, so it must be filled in."),
    }
    return sentences[Kind(change.kind)] % {"field": change.field, **detail}


def _type_words(change: AppChange) -> str:
    kinds = {"text": _("text"), "options": _("one of several options"), "url": _("files")}
    before, after = (kinds.get(change.detail[at], change.detail[at]) for at in ("from", "to"))
    if before == after:
        return _("“%(field)s” now takes a different number of files.") % {"field": change.field}
    return _("“%(field)s” now takes %(to)s instead of %(from)s.") % {"field": change.field, "from": before, "to": after}


def _option_words(change: AppChange) -> str:
    names, count = change.detail["options"], change.detail["count"]
    quoted = [_("“%(name)s”") % {"name": name} for name in names]
    if count > len(names):
        more = ngettext("%(count)s more", "%(count)s more", count - len(names))
        quoted.append(more % {"count": number_words(count - len(names))})
    values = {
        "field": change.field,
        "options": get_text_list(quoted, pgettext("between the last two of a list", "and")),
    }
    if change.kind == Kind.OPTIONS_ADDED:
        return (
            ngettext("“%(field)s” has a new option: %(options)s.", "“%(field)s” has new options: %(options)s.", count)
            % values
        )
    return (
        ngettext(
            "“%(field)s” no longer has the option %(options)s.",
            "“%(field)s” no longer has the options %(options)s.",
            count,
        )
        % values
    )
