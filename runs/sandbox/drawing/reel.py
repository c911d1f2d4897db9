"""The frames of a video result: hills that drift past a rising sun, or a slow zoom into the input picture."""

import math
import random
from collections.abc import Iterator

from PIL import Image

from runs.sandbox.drawing import fonts, photos, scenes, studio
from runs.sandbox.drawing.job import Job
from runs.sandbox.drawing.palette import Palette, choose, mix
from runs.sandbox.drawing.paper import Paper, Pen, glow, gradient
from runs.sandbox.drawing.posters import Open

Layer = tuple[Image.Image, Image.Image, float]


def frames(job: Job, open_picture: Open, size: tuple[int, int], count: int) -> Iterator[Image.Image]:
    """Yield `count` pictures of this size. The motion starts and ends gently."""
    chance = job.random()
    palette = choose(chance, job.option("style", "look"))
    given = next((photo for token in job.pictures if (photo := open_picture(token))), None)
    if piece := studio.PIECES.get(job.app_id):
        palette = studio.palette_of(job)
        if not any(token.startswith("asset:") for token in job.pictures):
            given = piece(job, (720, 800), palette, chance)
    layers = _hills(size, palette, chance)
    photo = photos.natural(photos.fit(given, size), palette) if given else None
    for number in range(count):
        along = 0.5 - 0.5 * math.cos(math.pi * number / max(1, count - 1))
        frame = _sky(size, palette, along)
        if photo:
            _show_photo(frame, photo, along)
        for picture, mask, speed in layers:
            shift = round((picture.width - size[0]) * along * speed)
            part = (shift, 0, shift + size[0], size[1])
            frame.paste(picture.crop(part), (0, 0), mask.crop(part))
        _words(frame, job, palette, along)
        yield frame


def _sky(size: tuple[int, int], palette: Palette, along: float) -> Image.Image:
    sheet = Paper(size, gradient(size, mix(palette.tone(0.7), palette.tone(0.88), along), palette.paper))
    x, y, radius = size[0] * 0.5, size[1] * (0.6 - 0.3 * along), size[0] * 0.2
    sheet.lay(glow(size, x, y, radius * 3), palette.second, opacity=0.5)
    sheet.lay(Pen().ellipse(x, y, radius), palette.accent)
    return sheet.image


def _hills(size: tuple[int, int], palette: Palette, chance: random.Random) -> list[Layer]:
    """Return layers of hills that are wider than the picture; nearer layers move faster."""
    layers = []
    for number in range(4):
        wide = (round(size[0] * 1.6), size[1])
        outline = scenes.ridge(wide, chance, size[1] * (0.6 + 0.1 * number), size[1] * 0.035)
        colour = palette.tone(0.62 - 0.2 * number)
        mask = Paper(wide, colour).mask(Pen().polygon(outline))
        layers.append((gradient(wide, mix(colour, palette.second, 0.3), colour), mask, 0.25 + 0.25 * number))
    return layers


def _show_photo(frame: Image.Image, photo: Image.Image, along: float) -> None:
    """Draw a round-topped window that slowly zooms in on the picture."""
    width, height = frame.size
    wide, tall = round(width * 0.72), round(height * 0.5)
    left, top = (width - wide) // 2, round(height * 0.1)
    near = 0.08 * along
    across = (photo.width * near, photo.width * (1 - near))
    half = (across[1] - across[0]) * tall / wide / 2
    middle = photo.height * 0.46
    box = (across[0], middle - half, across[1], middle + half)
    view = photo.resize((wide + 1, tall + 1), Image.Resampling.BILINEAR, box=box)
    sheet = Paper(frame.size, frame)
    sheet.lay(Pen().arch(left - 7, top - 7, left + wide + 7, top + tall + 7), (252, 249, 243), shadow=0.35)
    whole = Image.new("RGB", frame.size)
    whole.paste(view, (left, top))
    sheet.lay(Pen().arch(left, top, left + wide, top + tall), whole)
    frame.paste(sheet.image)


def _words(frame: Image.Image, job: Job, palette: Palette, along: float) -> None:
    title = job.prompt or job.app_name
    size = round(frame.width * 0.06)
    shown = min(1.0, along * 2.5)
    y = frame.height * 0.82 + (1 - shown) * 14
    colour = mix(palette.tone(0.1), palette.paper, shown)
    for line in fonts.wrapped(title, size, frame.width * 0.84, 2):
        fonts.write(frame, (frame.width / 2, y), line, size, colour, anchor="ma")
        y += size * 1.3
    faint = mix(palette.tone(0.1), palette.paper, 0.6)
    fonts.write(frame, (frame.width / 2, frame.height - 18), "Sandbox", 11, faint, anchor="mm")
