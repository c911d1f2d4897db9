"""Picture results: stored artwork or the photos that were added, with the words of the inputs written on it."""

import io
import re
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps, ImageStat

from runs.sandbox import fonts
from runs.sandbox.fonts import Colour
from runs.sandbox.job import Job

MEDIA = Path(__file__).with_name("media")
Open = Callable[[str], Image.Image | None]
Box = tuple[float, float, float, float]
INK, PAPER = (34, 30, 46), (250, 246, 238)
SIZES = {"1:1": (1024, 1024), "4:3": (1152, 864), "3:4": (864, 1152), "16:9": (1280, 720), "9:16": (720, 1280)}
# Aspect ratios, by words in a result's label that say what it's for.
SHAPES = {
    "story": "9:16", "banner": "16:9", "バナー": "16:9", "querformat": "4:3", "hochformat": "3:4", "kopfbild": "16:9",
    "cover": "9:16", "cartello": "3:4", "living room": "4:3", "reading corner": "3:4", "still": "16:9",
}  # fmt: skip
# Scenes for apps without artwork of their own, by words in the prompt.
SCENES = {
    "night": ("night", "moon", "star", "lighthouse", "dark", "nuit", "dream"),
    "sea": ("sea", "boat", "ship", "ocean", "wave", "beach", "mer", "fish", "river", "lake"),
    "town": ("city", "town", "house", "street", "home", "village", "ville", "urban"),
    "botanic": ("flower", "plant", "garden", "leaf", "tree", "fruit", "vase", "tea", "coffee", "kitchen"),
    "orbits": ("space", "planet", "music", "circle", "abstract", "robot"),
    "hills": ("mountain", "hill", "sun", "forest", "morning", "landscape", "cat", "dog", "nature"),
    "tiles": ("pattern", "tile", "geometric", "bauhaus"),
    "harbour": (), "street": (), "sunrise": (),
}  # fmt: skip
# Where posters and adverts have their words, as shares of the picture's width and height: left, top, right, bottom.
WORDS: dict[str, Box] = {
    "affiche": (0.07, 0.7, 0.93, 0.94), "kit": (0.07, 0.08, 0.6, 0.4), "banner": (0.07, 0.06, 0.8, 0.3),
    "letter": (0.13, 0.62, 0.87, 0.82), "logo": (0.1, 0.79, 0.9, 0.93), "titles": (0.1, 0.3, 0.9, 0.7),
    "campaign": (0.07, 0.07, 0.68, 0.34), "window": (0.14, 0.36, 0.86, 0.8),
}  # fmt: skip
# Artwork that shows a product, which keeps its colours.
PRODUCTS = ("packshot", "surface", "productreel")
CAPTION: Box = (0.04, 0.9, 0.82, 0.985)


def draw(job: Job, art: str, open_picture: Open) -> bytes:
    """Return the result as a JPEG file. `art` is the name of the app's artwork."""
    file = io.BytesIO()
    picture(job, art, open_picture).save(file, "JPEG", quality=86)
    return file.getvalue()


def picture(job: Job, art: str, open_picture: Open) -> Image.Image:
    size = size_of(job)
    artwork = MEDIA / "results" / f"{art}-{job.position}.webp"
    # If somebody added a photo as an input, the result has to show it.
    tokens = [token for token in job.pictures if token.startswith("asset:") or not artwork.exists()]
    photos = [photo for token in tokens[:3] if (photo := open_picture(token))]
    image = _with_photos(photos, size, job) if photos else _with_artwork(artwork, size, job)
    _write_words(image, job, WORDS.get(art, CAPTION))
    return image


def size_of(job: Job) -> tuple[int, int]:
    """Return the size that the inputs ask for or the result's label suggests, in pixels."""
    named = next((shape for word, shape in SHAPES.items() if word in job.label.casefold()), "1:1")
    return SIZES.get(job.option("aspect", "ratio", "frame", "format"), SIZES[named])


def thumbnail(app_id: str, art: str) -> bytes:
    """Return an app's picture as a WebP file of 640 by 400 pixels."""
    path = MEDIA / "thumbnails" / f"{art}.webp"
    if path.exists():
        return path.read_bytes()
    artwork = MEDIA / "results" / f"{art}-0.webp"
    with Image.open(artwork if artwork.exists() else scene(Job(app_id, "", ""))) as opened:
        file = io.BytesIO()
        ImageOps.fit(opened, (640, 400)).save(file, "WEBP", quality=80)
        return file.getvalue()


def sample(name: str) -> Image.Image:
    """Return the sample picture whose name starts like this one; any scene if there is none."""
    names = sorted(MEDIA.glob("samples/*.webp"), key=lambda path: len(path.stem), reverse=True)
    path = next((path for path in names if name.startswith(path.stem)), scene(Job("sample", name, "")))
    with Image.open(path) as opened:
        return opened.convert("RGB")


def open_upload(path: Path, most_pixels: int) -> Image.Image | None:
    """Open an uploaded picture, upright, in RGB and at most 1,600 pixels wide and high.

    Return None if it can't be read.
    """
    try:
        with Image.open(path) as opened:
            if opened.width * opened.height > most_pixels:
                return None
            opened.draft("RGB", (1600, 1600))
            upright = ImageOps.exif_transpose(opened)
            upright.thumbnail((1600, 1600))
            clear = upright.convert("RGBA")
            return Image.alpha_composite(Image.new("RGBA", clear.size, (255, 255, 255, 255)), clear).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def scene(job: Job) -> Path:
    """Return the scene that the prompt names; for other prompts, and for results after the first, any scene."""
    words_of_prompt = set(re.findall(r"\w+", job.prompt.casefold()))
    named = [
        name
        for name, words in SCENES.items()
        if words_of_prompt.intersection((*words, *(f"{word}s" for word in words)))
    ]
    name = named[0] if named and job.position == 0 else list(SCENES)[job.seed % len(SCENES)]
    return MEDIA / "results" / f"scene-{name}.webp"


def _with_artwork(artwork: Path, size: tuple[int, int], job: Job) -> Image.Image:
    """Return the artwork at this size. Its colours, or the side it faces, depend on the inputs."""
    with Image.open(artwork if artwork.exists() else scene(job)) as opened:
        image = ImageOps.fit(opened.convert("RGB"), size)
    if artwork.stem.startswith(PRODUCTS):
        return ImageOps.mirror(image) if job.seed % 2 else image
    hue, saturation, value = image.convert("HSV").split()
    turned = hue.point(lambda degrees: (degrees + 8 * (job.seed % 8 - 5)) % 256)
    return Image.merge("HSV", (turned, saturation, value)).convert("RGB")


def _with_photos(photos: list[Image.Image], size: tuple[int, int], job: Job) -> Image.Image:
    """Return the photos side by side, in few colours and tinted."""
    image = Image.new("RGB", size, PAPER)
    each = -(-size[0] // len(photos))
    for number, photo in enumerate(photos):
        part = ImageOps.fit(photo, (each, size[1]), centering=(0.5, 0.36))
        image.paste(ImageOps.mirror(part) if job.position % 2 else part, (number * each, 0))
    tint = Image.new("HSV", size, (job.seed % 256, 90, 230)).convert("RGB")
    return Image.blend(ImageOps.posterize(image, 3), tint, 0.18)


def _write_words(image: Image.Image, job: Job, box: Box) -> None:
    """Write the prompt and the chosen options into `box`, and into the corner that the picture comes from the sandbox,
    with a number, since no two results are the same."""
    width, height = image.size
    unit = min(image.size)
    left, top, right, bottom = (round(share * side) for share, side in zip(box, (width, height) * 2, strict=True))
    title = " ".join(job.prompt.split())
    title = title if fonts.fitting(title[:400])[1] else job.app_name
    large, lines = round(unit * 0.085), 3
    if box == CAPTION:
        strip = Image.new("RGB", (width, height - round(height * 0.885)), PAPER)
        image.paste(strip, (0, height - strip.height))
        large, lines = round(unit * 0.03), 1
    ink = INK if ImageStat.Stat(image.crop((left, top, right, bottom)).convert("L")).mean[0] > 130 else PAPER
    for line in fonts.wrapped(title, large, right - left, lines):
        fonts.write(image, (left, top), line, large, ink, weight=1)
        top += round(large * 1.25)
    texts = [str(value) for _, kind, value in job.shown if kind == "text" and value][1:2]
    details = " · ".join([job.label, *(value for _, value in job.chips)] if box == CAPTION else texts)
    small = round(unit * (0.022 if box == CAPTION else 0.04))
    for line in fonts.wrapped(details, small, right - left, 1):
        fonts.write(image, (left, top), line, small, ink)
    _write_mark(image, job, round(unit * 0.02), INK if box == CAPTION else None)


def _write_mark(image: Image.Image, job: Job, size: int, ink: Colour | None) -> None:
    place = (image.width - size, image.height - size)
    mark = f"Sandbox {job.seed % 10_000:04d}"
    if ink is None:
        wide = round(fonts.width(mark, size)) + size
        ImageDraw.Draw(image).rectangle((place[0] - wide, place[1] - size * 1.6, image.width, image.height), fill=PAPER)
    fonts.write(image, place, mark, size, ink or INK, anchor="rs")
