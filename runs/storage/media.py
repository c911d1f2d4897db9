"""Detect a file's true kind, type and dimensions from its content. Pictures are decoded completely to find broken ones,
but only in a separate process (`picture_process`)."""

import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from runs.models.messages import Message
from runs.storage import file_types, picture_client, picture_headers
from runs.storage.picture_headers import Header
from runs.storage.picture_slots import OnWait
from runs.words.errors import UserFacingError

MAX_POINTS = 70_000_000  # pixels; they take 280 MB when decoded. A tiny file can claim to have billions
MAX_SCANNED_POINTS = 1_000_000_000  # pixels times scans in a JPEG; real JPEGs have about ten scans
WEB_SECONDS = 5.0  # how long a request waits for thumbnails of all its files; after that, they are created later
WEB_WAITERS = 3  # how many of a web process's eight threads may wait; the others stay free for other pages
BROKEN = Message("broken_picture")
TOO_MANY_POINTS = Message("too_many_points")
TOO_MANY_SCANS = Message("too_many_scans")
_web_places = threading.BoundedSemaphore(WEB_WAITERS)


class NotMedia(UserFacingError):
    """The file isn't what it claims to be.

    If `is_lasting`, the file will never be acceptable; otherwise, transferring it again may help.
    """

    def __init__(self, message: Message, *, is_lasting: bool = False) -> None:
        super().__init__(message)
        self.is_lasting = is_lasting


class TooLargeToOpen(NotMedia):
    """A picture that would take too much memory or time to open."""

    def __init__(self, message: Message) -> None:
        super().__init__(message, is_lasting=True)


@dataclass(frozen=True)
class Media:
    """What we found by inspecting a file.

    `width` and `height` are in pixels, with the orientation applied; `colour` is the main colour, "#rrggbb". `small`
    contains the thumbnails (WebP), keyed by width; it is empty if none can be created. If `follows`, there wasn't
    enough time to inspect the file; its dimensions and thumbnails may come later.
    """

    kind: str
    media_type: str
    extension: str
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    colour: str = ""
    small: Mapping[int, bytes] = field(default_factory=dict)
    follows: bool = False

    @property
    def is_web_page(self) -> bool:
        return self.extension == file_types.HTML.extension


def inspect(
    path: Path,
    *,
    timeout_seconds: float = picture_client.WORKER_SECONDS,
    on_wait: OnWait = lambda: None,
    keeps_unopened: bool = False,
) -> Media:
    """Inspect the file at `path`. Raises `NotMedia` for pictures that are broken, cut off or too large to decode.

    If `keeps_unopened`, pictures that are too large get the kind "other", like files that aren't pictures, video or
    audio, and are only offered as downloads. Waits at most `timeout_seconds`. While waiting, it calls `on_wait`, which
    may raise to stop.
    """
    with path.open("rb") as file:
        sniffed = file_types.sniff(file.read(file_types.HEAD_BYTES))
    media = Media(sniffed.kind, sniffed.media_type, sniffed.extension)
    if sniffed.kind == "image":
        try:
            return _with_picture(media, path, sniffed.reader, timeout_seconds, on_wait)
        except TooLargeToOpen:
            if keeps_unopened:  # browsers couldn't open it either, so it is only offered as a download
                return replace(media, kind=file_types.OTHER.kind, media_type=file_types.OTHER.media_type)
            raise
    if sniffed.kind == "other" or not (shutil.which("ffprobe") or shutil.which("ffmpeg")):
        return media
    look = picture_client.look(path, sniffed.kind, sniffed.reader, timeout_seconds=timeout_seconds, on_wait=on_wait)
    if sniffed == file_types.MP4 and not look.has_picture:
        media = replace(media, kind="audio", media_type=file_types.M4A.media_type, extension=file_types.M4A.extension)
    if media.kind == "video":  # audio has no dimensions; any that we find belong to its cover picture
        media = replace(media, width=look.width, height=look.height, colour=look.colour, small=look.small)
    return replace(media, duration_seconds=look.duration_seconds, follows=look.end == "later")


class WebWait:
    """How much longer one request may wait for thumbnails. All its files share the time, so that a form with many
    can't hold a web thread for minutes."""

    def __init__(self) -> None:
        self.left_seconds = WEB_SECONDS

    @contextmanager
    def counted(self) -> Iterator[float]:
        """Yield the time left, and subtract the time that the block takes."""
        began = time.monotonic()
        try:
            yield self.left_seconds
        finally:
            self.left_seconds = max(0.0, self.left_seconds - (time.monotonic() - began))


def inspect_in_web(path: Path, wait: WebWait) -> Media:
    """Inspect a file in a web thread: wait a few seconds, or not at all if too many other threads are waiting."""
    has_place = _web_places.acquire(blocking=False)
    try:
        with wait.counted() as left_seconds:
            return inspect(path, timeout_seconds=left_seconds if has_place else 0.0)
    finally:
        if has_place:
            _web_places.release()


def _with_picture(media: Media, path: Path, reader: str, timeout_seconds: float, on_wait: OnWait) -> Media:
    try:
        header = picture_headers.read_header(path, reader)
    except picture_headers.UnreadableHeader:
        raise NotMedia(BROKEN) from None
    _demand_bounds(header)
    look = picture_client.look(
        path,
        "image",
        reader,
        memory_bytes=header.memory_bytes,
        max_points=MAX_POINTS,
        timeout_seconds=timeout_seconds,
        on_wait=on_wait,
    )
    if look.end == "broken":
        raise NotMedia(BROKEN)
    if look.end == "too_many_points":
        raise TooLargeToOpen(TOO_MANY_POINTS)
    return replace(
        media,
        width=look.width or header.width or None,
        height=look.height or header.height or None,
        colour=look.colour,
        small=look.small,
        follows=look.end == "later",
    )


def _demand_bounds(header: Header) -> None:
    if header.points > MAX_POINTS:
        raise TooLargeToOpen(TOO_MANY_POINTS)
    if header.scans > picture_headers.MAX_SCANS or header.points * header.scans > MAX_SCANNED_POINTS:
        raise TooLargeToOpen(TOO_MANY_SCANS)
