"""Create WebP thumbnails of a picture, upright and without metadata: 200 pixels wide (up to 10 KB), 400 pixels wide (up
to 40 KB) and 1200 pixels wide.

This only runs in the picture process (`picture_process`). Memory is limited there, so this code never holds a second
full-size copy of the picture: it first shrinks the picture in strips, and only then converts its colours and rotates
it.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import (  # importing only these plugins keeps Pillow from loading forty more
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageCms,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

__all__ = ["MAX_BYTES", "Broken", "Opened", "Shrunk", "encode", "from_png", "open_picture", "shrink"]

PLUGINS = (
    AvifImagePlugin, BmpImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin,
)  # fmt: skip
MAX_BYTES = {200: 10_000, 400: 40_000, 1200: 500_000}  # maximum size of a thumbnail in bytes, by its width in pixels
QUALITIES = (82, 72, 62, 50, 38, 26, 14)
TALLEST = 2  # maximum height as a multiple of the width; thumbnails of taller pictures are made narrower
BOX = (max(MAX_BYTES), max(MAX_BYTES) * TALLEST)
STRIP_POINTS = 1_000_000
EXIF_ORIENTATION = 0x0112
TURNED_FROM = 5  # EXIF orientations from this one up swap width and height
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
WITH_ALPHA = {"RGBA", "LA", "PA", "La", "RGBa"}


class Broken(Exception):
    """The picture can't be fully read. The message gives the reason, for the log."""


@dataclass(frozen=True)
class Opened:
    """A picture that has been opened but not decoded yet; `orientation` is 1 to 8, as in EXIF."""

    picture: Image.Image
    orientation: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels with the camera's orientation applied."""
        width, height = self.picture.size
        return (height, width) if self.orientation >= TURNED_FROM else (width, height)


@dataclass(frozen=True)
class Shrunk:
    """A picture of at most 1200 x 2400 pixels, upright, 8-bit sRGB. `colour` is the dominant colour, or empty."""

    picture: Image.Image
    colour: str


def open_picture(path: Path, reader: str, max_points: int) -> Opened:
    """Read the header of the picture at `path`, with the decoder `reader`.

    Raises `Broken` or MemoryError, or `Image.DecompressionBombError` if there are more than `max_points` pixels.
    """
    Image.MAX_IMAGE_PIXELS = max_points
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        if reader == "PNG":
            with Image.open(path, formats=[reader]) as checked:
                checked.verify()  # verifies checksums that decoding skips; after this, the picture must be reopened
        picture = Image.open(path, formats=[reader])
        return Opened(picture, _orientation(picture))
    except (MemoryError, Image.DecompressionBombError):
        raise
    except Image.DecompressionBombWarning as warning:
        raise Image.DecompressionBombError(str(warning)) from None
    except Exception as error:
        raise Broken(f"{type(error).__name__}: {error}") from error


def _orientation(picture: Image.Image) -> int:
    """Return the EXIF orientation, or 1 if it is unreadable: bad metadata is no reason to refuse a picture."""
    try:
        value = picture.getexif().get(EXIF_ORIENTATION, 1)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - broken EXIF may raise anything
        return 1
    return value if value in TURNS else 1


def shrink(opened: Opened) -> Shrunk:
    """Decode the whole picture and shrink it. Raises `Broken` or MemoryError."""
    picture, is_turned = opened.picture, opened.orientation >= TURNED_FROM
    profile = picture.info.get("icc_profile")
    try:
        picture.draft("RGB", _fitting(picture.size, is_turned))  # JPEGs are decoded straight to about the size we need
        picture.load()
    except MemoryError:
        raise
    except Exception as error:
        raise Broken(f"{type(error).__name__}: {error}") from error
    return _finished(_reduced(picture, is_turned=is_turned), profile, opened.orientation)


def from_png(png: bytes) -> Shrunk:
    """Shrink a small PNG made by ffmpeg."""
    with Image.open(BytesIO(png), formats=["PNG"]) as picture:
        return _finished(_reduced(picture, is_turned=False), None, 1)


def encode(shrunk: Shrunk) -> Mapping[int, bytes]:
    """Return the thumbnails as WebP, keyed by width, widest first."""
    thumbnails: dict[int, bytes] = {}
    for width in sorted(MAX_BYTES, reverse=True):
        small = shrunk.picture.copy()
        small.thumbnail((width, width * TALLEST), Image.Resampling.LANCZOS)
        thumbnails[width] = _within(small, MAX_BYTES[width])
    return thumbnails


def _fitting(size: tuple[int, int], is_turned: bool) -> tuple[int, int]:
    """Return `size`, scaled down if it doesn't fit the box; with `is_turned`, the box is rotated by 90°."""
    across, down = reversed(BOX) if is_turned else BOX
    factor = max(1.0, size[0] / across, size[1] / down)
    return max(1, round(size[0] / factor)), max(1, round(size[1] / factor))


def _reduced(picture: Image.Image, *, is_turned: bool) -> Image.Image:
    """Return `picture` as 8-bit L, RGB, RGBA or CMYK, at a few times the final size, assembled from strips that were
    shrunk one by one."""
    width, height = picture.size
    fitting = _fitting(picture.size, is_turned)
    factor = max(1, min(width // (2 * fitting[0]), height // (2 * fitting[1])))
    mode, levels = _simple_mode(picture), _levels(picture)
    reduced = Image.new(mode, (-(-width // factor), -(-height // factor)))
    rows = max(1, STRIP_POINTS // width // factor) * factor
    for top in range(0, height, rows):
        strip = picture.crop((0, top, width, min(height, top + rows)))
        strip = _eight_bits(strip, *levels) if levels else strip
        reduced.paste(strip.convert(mode).reduce(factor), (0, top // factor))
    return reduced


def _simple_mode(picture: Image.Image) -> str:
    if picture.mode in WITH_ALPHA or "transparency" in picture.info:
        return "RGBA"
    if picture.mode in {"1", "L"} or picture.mode.startswith(("I", "F")):
        return "L"
    return "CMYK" if picture.mode == "CMYK" else "RGB"


def _levels(picture: Image.Image) -> tuple[float, float] | None:
    """Return the range of grey values in a picture with more than 8 bits per pixel, otherwise None."""
    if picture.mode.startswith("I;16"):
        return 0.0, 65535.0
    if not picture.mode.startswith(("I", "F")):
        return None
    low, high = picture.getextrema()
    return float(low), float(high)  # type: ignore[arg-type]  # one band: two numbers


def _eight_bits(strip: Image.Image, low: float, high: float) -> Image.Image:
    scale = 255.0 / ((high - low) or 1.0)
    return strip.convert("F").point(lambda value: value * scale - low * scale).convert("L")


def _finished(reduced: Image.Image, profile: bytes | None, orientation: int) -> Shrunk:
    """Return `reduced` at its final size, in sRGB, upright, and without metadata."""
    fitting = _fitting(reduced.size, orientation >= TURNED_FROM)
    reduced.thumbnail(fitting, Image.Resampling.LANCZOS, reducing_gap=2.0)
    if profile:
        reduced = _in_srgb(reduced, profile)
    plain = reduced.convert("RGBA" if reduced.mode == "RGBA" else "RGB")
    if orientation in TURNS:
        plain = plain.transpose(TURNS[orientation])
    plain.info.clear()
    return Shrunk(plain, _dominant_colour(plain))


def _in_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """Convert the colours to sRGB, because thumbnails have no colour profile. A broken profile is ignored."""
    target_mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        changed = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode=target_mode)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - an untrusted profile
        return picture
    return changed or picture


def _within(picture: Image.Image, max_bytes: int) -> bytes:
    """Encode `picture` as WebP of at most `max_bytes`: reduce the quality first, then the dimensions."""
    while True:
        encoded = _best_fit(picture, max_bytes)
        if len(encoded) <= max_bytes:
            return encoded
        shrink = min(0.8, (max_bytes / len(encoded)) ** 0.5)
        size = max(1, int(picture.width * shrink)), max(1, int(picture.height * shrink))
        picture = picture.resize(size, Image.Resampling.LANCZOS)


def _best_fit(picture: Image.Image, max_bytes: int) -> bytes:
    """Encode at the best quality that fits, found by binary search, or at the lowest quality if none fits."""
    low, high = 0, len(QUALITIES) - 1
    best = b""
    while low <= high:
        # try the best quality first, because that's small enough for most pictures
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


def _dominant_colour(picture: Image.Image) -> str:
    """Return the main colour of the opaque parts of `picture`, as "#rrggbb"; "" if nothing is opaque."""
    small = picture.resize((32, 32), Image.Resampling.BOX, reducing_gap=2.0).convert("RGBA")
    solid = [pixel[:3] for pixel in small.get_flattened_data() if pixel[3] > 127]  # type: ignore[index]
    if not solid:
        return ""
    row = Image.new("RGB", (len(solid), 1))
    row.putdata(solid)
    colours = row.quantize(8).convert("RGB").getcolors(len(solid)) or []
    _, colour = max(colours, key=lambda entry: entry[0])
    return "#{:02x}{:02x}{:02x}".format(*colour)  # type: ignore[misc]
