"""Undoes the last action: a message with an Undo button is shown once, on the next page that has room for it."""

from datetime import datetime
from typing import TypedDict

from django.utils.dateparse import parse_datetime

from runs.history import selection
from runs.web.http import PortalRequest

UNDO = "undo"  # session key


class Undo(TypedDict):
    """What Undo needs: a message, the bulk action that reverses the last one, and, if that bulk action needs them, the
    last action's time and the place of the selection that it cleared."""

    words: str
    do: str
    at: str
    place: str


def offer_undo(request: PortalRequest, words: str, do: str, at: datetime | None = None, place: str = "") -> None:
    """Offer to undo what `words` describes, using the bulk action `do`. If there is a `place`, the selection there was
    cleared, which is undone as well."""
    request.session[UNDO] = Undo(words=words, do=do, at=at.isoformat() if at else "", place=place)


def end_selection(request: PortalRequest, place: str, done: str = "") -> None:
    """Clear the selection in `place`, because what it was made for is `done`, and offer to restore it."""
    words = selection.cleared_words(selection.summary_of(request.user, place).count)
    if selection.clear(request.user, place):
        offer_undo(request, f"{done} {words}".strip(), "reselect", place=place)


def take_undo(request: PortalRequest, place: str = "") -> Undo | None:
    """Return what can be undone, but only once. For a prefetched page, return None and keep the undo for later.

    If `place` is given, return the undo only if it applies to that place's selection; if it doesn't, return None and
    keep it for the History page.
    """
    undo: Undo | None = request.session.get(UNDO)
    if undo is None or "Sec-Purpose" in request.headers or (place and undo.get("place") != place):
        return None
    del request.session[UNDO]
    return undo


def moment(text: str) -> datetime | None:
    """Parse the time posted by a button; return None if it is invalid."""
    try:
        return parse_datetime(text)
    except ValueError:
        return None
