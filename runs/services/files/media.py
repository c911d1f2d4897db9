"""What a file really is: kind, type and size, by its content. Pictures are decoded whole, so that none is broken."""

import mmap
import re
import struct
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from runs.services.files import ffmpeg, sniffing, thumbnails
from runs.services.files.telling import Telling

MAX_PIXELS = 70_000_000  # 280 MB when unpacked; a few kilobytes of file can ask for thousands of millions
MAX_SCANS = 200  # of a JPEG; honest ones have about ten, each one costs a pass over the whole picture
JPEG_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])", re.DOTALL)  # those with a segment behind them, and the end
PILLOW_ERRORS = (
    OSError, SyntaxError, ValueError, EOFError, struct.error, LookupError, TypeError, ArithmeticError,
    AttributeError, MemoryError, RuntimeError,
)  # fmt: skip
BROKEN = "This picture is broken or cut off, so it cannot be used."
TOO_MANY_PIXELS = "This picture has more than 70 million points, which is more than the portal opens."

TOO_MANY_SCANS = "This picture would keep the portal busy for too long, so it is not opened."


class NotMedia(Telling):
    """The file is not what it pretends to be.

    IS_LASTING: the same file can never become acceptable. Without it, a second transfer may bring a whole one.
    """

    def __init__(self, sentence: str, *, is_lasting: bool = False) -> None:
        super().__init__(sentence)
        self.is_lasting = is_lasting


@dataclass(frozen=True)
class Media:
    """WIDTH and HEIGHT in pixels as a person sees it (orientation applied); COLOUR is the dominant one, "#rrggbb"."""

    kind: str
    media_type: str
    extension: str
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    colour: str = ""
    reader: str = ""

    @property
    def is_web_page(self) -> bool:
        return self.extension == sniffing.HTML.extension


def inspect(path: Path) -> Media:
    """Look at the file at PATH. Raises `NotMedia` for pictures that are broken, cut off or too large to unpack.

    Whatever is neither picture, film nor sound is of kind "other" and is only ever offered as a download.
    """
    with path.open("rb") as file:
        sniffed = sniffing.sniff(file.read(sniffing.HEAD_BYTES))
    if sniffed.kind == "image":
        return _inspect_picture(path, sniffed)
    if sniffed.kind == "other":
        return Media(sniffed.kind, sniffed.media_type, sniffed.extension)
    probed = ffmpeg.probe(path, sniffed.reader)
    if sniffed == sniffing.MP4 and not probed.has_picture:
        sniffed = sniffing.M4A
    is_film = sniffed.kind == "video"  # sounds carry cover pictures, which are no size of theirs
    return Media(
        sniffed.kind,
        sniffed.media_type,
        sniffed.extension,
        probed.width if is_film else None,
        probed.height if is_film else None,
        probed.duration_seconds,
        reader=sniffed.reader,
    )


def _inspect_picture(path: Path, sniffed: sniffing.Sniffed) -> Media:
    formats = [sniffed.reader]
    if sniffed == sniffing.JPEG and _has_too_many_scans(path):
        raise NotMedia(TOO_MANY_SCANS, is_lasting=True)
    try:
        with Image.open(path, formats=formats) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise NotMedia(TOO_MANY_PIXELS, is_lasting=True)
            picture.verify()  # checks sums that decoding skips; the picture must be opened again after it
        with Image.open(path, formats=formats) as picture:
            picture.load()
            width, height = thumbnails.upright_size(picture)
            colour = thumbnails.dominant_colour(picture)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise NotMedia(TOO_MANY_PIXELS, is_lasting=True) from None
    except PILLOW_ERRORS:
        raise NotMedia(BROKEN) from None
    return Media("image", sniffed.media_type, sniffed.extension, width, height, None, colour, sniffed.reader)


def _has_too_many_scans(path: Path) -> bool:
    """Read as a decoder does, from marker to marker: what a segment holds may look like an end, and what follows the
    end (phones append a film) like scans."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        count, at = 0, 2
        while count <= MAX_SCANS and (found := JPEG_MARKER.search(data, at)) and found[1] != b"\xd9":
            count += found[1] == b"\xda"
            at = found.start() + 2 + max(2, int.from_bytes(data[found.end() : found.end() + 2], "big"))
        return count > MAX_SCANS
