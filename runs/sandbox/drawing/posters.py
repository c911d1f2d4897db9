"""Image results: each is a small print on paper that shows the inputs in and below its picture."""

import io
import random
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

from runs.sandbox.drawing import fonts, photos, scenes, still, studio
from runs.sandbox.drawing.job import Job
from runs.sandbox.drawing.palette import Palette, choose, mix
from runs.sandbox.drawing.paper import Paper, Pen, grained

Open = Callable[[str], Image.Image | None]
Scene = Callable[[tuple[int, int], Palette, random.Random], Image.Image]
SIZES = {"1:1": (1024, 1024), "4:3": (1152, 864), "3:4": (864, 1152), "16:9": (1280, 720), "9:16": (720, 1280)}
SCENES: tuple[tuple[Scene, tuple[str, ...]], ...] = (
    (scenes.night, ("night", "moon", "star", "lighthouse", "dark", "nuit", "dream")),
    (scenes.sea, ("sea", "boat", "ship", "ocean", "wave", "beach", "mer", "fish", "river", "lake")),
    (still.town, ("city", "town", "house", "street", "home", "village", "ville", "urban")),
    (still.botanic, ("flower", "plant", "garden", "leaf", "tree", "fruit", "vase", "tea", "coffee", "kitchen")),
    (still.orbits, ("space", "planet", "music", "circle", "abstract", "robot")),
    (scenes.hills, ("mountain", "hill", "sun", "forest", "morning", "landscape", "cat", "dog", "nature")),
    (still.tiles, ("pattern", "tile", "geometric", "bauhaus")),
)


# Aspect ratios, by words in a result's label that say what it's for.
SHAPES = {
    "story": "9:16", "banner": "16:9", "バナー": "16:9", "querformat": "4:3", "hochformat": "3:4", "kopfbild": "16:9",
    "cover": "9:16", "cartello": "3:4", "living room": "4:3", "reading corner": "3:4", "still": "16:9",
}  # fmt: skip


def size_of(job: Job) -> tuple[int, int]:
    named = next((shape for word, shape in SHAPES.items() if word in job.label.casefold()), "1:1")
    return SIZES.get(job.option("aspect", "ratio", "frame", "format"), SIZES[named])


def draw(job: Job, open_picture: Open) -> bytes:
    """Return the picture as a JPEG file."""
    file = io.BytesIO()
    picture(job, open_picture).save(file, "JPEG", quality=86)
    return file.getvalue()


def picture(job: Job, open_picture: Open) -> Image.Image:
    piece = studio.PIECES.get(job.app_id)
    # If somebody added a photo as an input, the result has to show it.
    if piece and not any(token.startswith("asset:") for token in job.pictures):
        return _finished(piece, job)
    chance = job.random()
    style = job.option("style", "look", "location", "mood")
    palette = choose(chance, style)
    size = size_of(job)
    unit = min(size)
    margin, caption = round(unit * 0.045), round(unit * 0.155)
    room = (size[0] - 2 * margin, size[1] - margin - caption)
    photos_in = [photo for token in job.pictures[:6] if (photo := open_picture(token))]
    art = with_photos(job, photos_in, room, palette, style, chance) if photos_in else scene(job, room, palette, chance)
    sheet = Image.new("RGB", size, palette.paper)
    sheet.paste(art, (margin, margin))
    sheet = grained(sheet, 0.75)
    _caption(sheet, job, palette, (margin, size[1] - caption), unit)
    return sheet


def _finished(piece: studio.Piece, job: Job) -> Image.Image:
    """Return the finished piece, which fills the whole picture; only the sandbox label is added."""
    size, palette = size_of(job), studio.palette_of(job)
    art = grained(piece(job, size, palette, job.random()), 0.6)
    unit = min(size)
    fonts.write(art, (size[0] - unit * 0.02, size[1] - unit * 0.018), "Sandbox", round(unit * 0.017), (128, 122, 120),
                anchor="rs")  # fmt: skip
    return art


def scene(job: Job, room: tuple[int, int], palette: Palette, chance: random.Random) -> Image.Image:
    """Draw the scene that matches the prompt. For outputs after the first, or if no scene matches, draw some other
    scene."""
    words = job.prompt.casefold()
    called = [scene for scene, names in SCENES if any(name in words for name in names)]
    if called and job.position == 0:
        return called[0](room, palette, chance)
    choice = [scene for scene, _ in SCENES]
    start = sum(map(ord, job.app_id + words)) + job.position + job.part
    return choice[start % len(choice)](room, palette, chance)


def with_photos(
    job: Job, given: list[Image.Image], room: tuple[int, int], palette: Palette, style: str, chance: random.Random
) -> Image.Image:
    look = photos.look_for(style, job.position + job.part + job.variant)
    longest = round(max(room) * (0.9 if len(given) == 1 else 0.55))
    looked = [look(ImageOps.contain(photo, (longest, longest), Image.Resampling.BILINEAR), palette) for photo in given]
    if job.position % 2:
        looked = [ImageOps.mirror(photo) for photo in looked]
    sheet = photos.backdrop(room, palette, chance)
    photos.arrange(sheet, looked, chance)
    photos.leaves(sheet, palette, chance)
    return sheet.image


def _caption(sheet: Image.Image, job: Job, palette: Palette, corner: tuple[int, int], unit: int) -> None:
    """Write the title, the chosen options as chips, and the sandbox label."""
    left, top = corner
    right = sheet.width - left
    title = " ".join(job.prompt.split())
    if not fonts.fitting(title[:400])[1]:
        title = job.app_name
    mark = round(unit * 0.02)
    _mark(sheet, palette, right, sheet.height - round(unit * 0.04), mark)
    room = right - left
    is_long = fonts.width(title, round(unit * 0.036)) > room
    large = round(unit * (0.025 if is_long else 0.036))
    y = top + round(unit * (0.026 if is_long else 0.032))
    for line in fonts.wrapped(title, large, room, 2):
        fonts.write(sheet, (left, y), line, large, palette.ink, weight=0 if is_long else 1)
        y += round(large * 1.3)
    _chips(sheet, job, palette, (left, top + round(unit * 0.098)), round(unit * 0.0215), right - unit * 0.16)


def _chips(sheet: Image.Image, job: Job, palette: Palette, corner: tuple[float, float], size: int, end: float) -> None:
    x, y = corner
    paint = ImageDraw.Draw(sheet)
    words = [job.label, *(value.strip() for _, value in job.chips)]
    for number, word in enumerate(words):
        word = fonts.shortened(word, size, end - x - size * 1.6)
        wide = fonts.width(word, size) + size * 1.5
        if not word or x + wide > end:
            break
        box = (x, y, x + wide, y + size * 1.75)
        # The first chip names the output. Its colour stands out, but is light enough for dark letters.
        fill = mix(palette.second, palette.paper, 0.35) if number == 0 else None
        outline = fill or mix(palette.ink, palette.paper, 0.45)
        paint.rounded_rectangle(box, size * 0.87, fill=fill, outline=outline, width=2)
        colour = palette.ink
        fonts.write(sheet, (x + wide / 2, y + size * 0.87), word, size, colour, anchor="mm")
        x += wide + size * 0.5


def _mark(sheet: Image.Image, palette: Palette, right: int, middle: int, size: int) -> None:
    colour = mix(palette.ink, palette.paper, 0.38)
    fonts.write(sheet, (right, middle), "Sandbox", size, colour, anchor="rm")
    x = right - fonts.width("Sandbox", size) - size * 0.8
    dot = Paper((size * 2, size * 2), palette.paper)
    dot.lay(Pen().ring(size, size, size * 0.42, size * 0.14), colour)
    sheet.paste(dot.image, (round(x - size), middle - size))


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
            if "A" in upright.getbands() or "transparency" in upright.info:
                clear = upright.convert("RGBA")
                upright = Image.alpha_composite(Image.new("RGBA", clear.size, (255, 255, 255, 255)), clear)
            return upright.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
