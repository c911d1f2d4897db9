"""Positions that people type in for a comment: a spot on a picture, or a time in a video or audio file."""

from django.utils.translation import gettext as _

from runs.models import StoredFile
from runs.review import spots
from runs.review.comment_text import CommentRefusedError
from runs.words.media_times import parse_seconds, seconds_words

ROUNDED_MS = 100  # players may show a time up to a tenth of a second after the end


def spot_typed(file: StoredFile | None, x: str, y: str) -> tuple[int, int] | None:
    """Return the spot typed as two percentages; None if nothing was typed. Raises `CommentRefusedError`."""
    if not spots.can_mark(file) or not (x.strip() or y.strip()):
        return None
    across, down = (spots.ten_thousandths(part.strip()) for part in (x, y))
    if across is None or down is None:
        raise CommentRefusedError("outside", _("Enter two numbers from 0 to 100."))
    return (across, down)


def time_typed(file: StoredFile | None, text: str) -> int | None:
    """Return the typed time in milliseconds; None if nothing was typed. Raises `CommentRefusedError`."""
    if file is None or file.kind not in ("video", "audio") or not text.strip():
        return None
    at_ms = parse_seconds(text)
    if at_ms is None:
        raise CommentRefusedError("invalid", _("Enter the time in seconds, or as minutes:seconds: 12, 0:12 or 1:02.5."))
    if file.duration_seconds is not None and at_ms > file.duration_seconds * 1000 + ROUNDED_MS:
        end = seconds_words(int(file.duration_seconds * 1000), is_exact=True)
        raise CommentRefusedError("after-end", _("Enter a time no later than %(end)s.") % {"end": end})
    return at_ms
