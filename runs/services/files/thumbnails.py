"""Small WebP pictures of a file: 200 pixels (at most 10 KB), 400 (40 KB) and 1200, upright and without metadata."""

import threading
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageCms, ImageOps

from runs.models.file import THUMBNAIL_WIDTHS
from runs.services.files import ffmpeg

# A picture of few bytes may unpack to hundreds of MB: eight web threads at once would be too many.
ONE_AT_A_TIME = threading.Lock()
MAX_BYTES = {200: 10_000, 400: 40_000, 1200: 500_000}
QUALITIES = (82, 72, 62, 50, 38, 26, 14)
TALLEST = 2  # times the width; a picture taller than that is made narrower
EXIF_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Thumbnails:
    """WebP bytes by width; empty where no picture can be made. COLOUR is the dominant one, "#rrggbb" or empty."""

    by_width: dict[int, bytes] = field(default_factory=dict)
    colour: str = ""


def make(path: Path, kind: str, reader: str) -> Thumbnails:
    """The small pictures of a checked file; READER is the decoder its content asked for.

    Of animations and films the first frame is taken, of films only where ffmpeg is installed.
    """
    if kind == "image":
        with ONE_AT_A_TIME, Image.open(path, formats=[reader]) as picture:
            return _from_picture(picture)
    if kind == "video" and (png := ffmpeg.still(path, reader)):
        with Image.open(BytesIO(png), formats=["PNG"]) as picture:
            return _from_picture(picture)
    return Thumbnails()


def _from_picture(picture: Image.Image) -> Thumbnails:
    largest = max(THUMBNAIL_WIDTHS)
    picture.draft("RGB", (largest, largest * TALLEST))  # JPEG unpacks straight to about the size needed
    upright = _plain(ImageOps.exif_transpose(picture))
    upright.thumbnail((largest, largest * TALLEST), Image.Resampling.LANCZOS, reducing_gap=2.0)
    made: dict[int, bytes] = {}
    for width in sorted(THUMBNAIL_WIDTHS, reverse=True):
        small = upright.copy()
        small.thumbnail((width, width * TALLEST), Image.Resampling.LANCZOS)
        made[width] = _within(small, MAX_BYTES[width])
    return Thumbnails(made, dominant_colour(upright))


def _within(picture: Image.Image, max_bytes: int) -> bytes:
    """PICTURE as WebP of at most MAX_BYTES: quality goes down first, then size."""
    while True:
        encoded = _best_fit(picture, max_bytes)
        if len(encoded) <= max_bytes:
            return encoded
        shrink = min(0.8, (max_bytes / len(encoded)) ** 0.5)
        size = max(1, int(picture.width * shrink)), max(1, int(picture.height * shrink))
        picture = picture.resize(size, Image.Resampling.LANCZOS)


def _best_fit(picture: Image.Image, max_bytes: int) -> bytes:
    """The best quality that fits, found by halving; the lowest one when none does."""
    low, high = 0, len(QUALITIES) - 1
    best = b""
    while low <= high:
        # most pictures fit at the first try; the others are not worth seven
        middle = low if low == 0 and high == len(QUALITIES) - 1 else (low + high) // 2
        encoded = _encoded(picture, QUALITIES[middle])
        if len(encoded) <= max_bytes:
            best, high = encoded, middle - 1
        else:
            low = middle + 1
    return best or encoded


def _encoded(picture: Image.Image, quality: int) -> bytes:
    target = BytesIO()
    picture.save(target, "WEBP", quality=quality, method=4)
    return target.getvalue()


def _plain(picture: Image.Image) -> Image.Image:
    """8 bits per channel in sRGB, with transparency where there is any, and nothing else attached."""
    if picture.mode.startswith(("I", "F")):
        picture = _eight_bits(picture)
    has_alpha = picture.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in picture.info
    profile = picture.info.get("icc_profile")
    if profile and picture.mode in {"RGB", "RGBA", "CMYK", "L"}:
        picture = _in_srgb(picture, profile)
    plain = picture.convert("RGBA" if has_alpha else "RGB")
    plain.info.clear()
    return plain


def _eight_bits(picture: Image.Image) -> Image.Image:
    lowest, highest = picture.convert("F").getextrema()
    span = (float(highest) - float(lowest)) or 1.0  # type: ignore[arg-type]  # one band: two numbers
    low = float(lowest)  # type: ignore[arg-type]
    if picture.mode.startswith("I;16"):
        low, span = 0.0, 65535.0
    return picture.convert("F").point(lambda value: value * (255.0 / span) - low * (255.0 / span)).convert("L")


def _in_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """Colours as they were meant, since the profile itself is not kept; a broken profile is ignored."""
    target_mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        changed = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode=target_mode)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return picture
    return changed or picture


def upright_size(picture: Image.Image) -> tuple[int, int]:
    """Width and height in pixels once the camera's orientation is applied."""
    is_turned = picture.getexif().get(EXIF_ORIENTATION) in {5, 6, 7, 8}
    return (picture.height, picture.width) if is_turned else (picture.width, picture.height)


def dominant_colour(picture: Image.Image) -> str:
    """The colour that covers most of PICTURE, as "#rrggbb"; of what is not transparent, if anything."""
    if picture.mode.startswith(("I", "F")):
        picture = _eight_bits(picture)
    small = _plain(picture.resize((32, 32), Image.Resampling.BOX, reducing_gap=2.0)).convert("RGBA")
    solid = [pixel[:3] for pixel in small.get_flattened_data() if pixel[3] > 127]  # type: ignore[index]
    if not solid:
        return ""
    row = Image.new("RGB", (len(solid), 1))
    row.putdata(solid)
    counted = row.quantize(8).convert("RGB").getcolors(len(solid)) or []
    _, colour = max(counted, key=lambda entry: entry[0])
    return "#{:02x}{:02x}{:02x}".format(*colour)  # type: ignore[misc]
