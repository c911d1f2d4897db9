"""App thumbnails: a picture for each regular app, and a test pattern for the test cards."""

import io
import random
from collections.abc import Callable
from typing import Any

from PIL import Image

from runs.sandbox.drawing import figures, photos, scenes, still
from runs.sandbox.drawing.palette import PALETTES, Palette, choose, mix
from runs.sandbox.drawing.paper import Paper, Pen, gradient, grained, joined

SIZE = (640, 400)
Art = Callable[[random.Random], Image.Image]


def draw(app: dict[str, Any]) -> bytes:
    """Return the thumbnail as a WebP file of 640 by 400 pixels."""
    chance = random.Random(f"{app['appId']} {app['name']}".encode("utf-8", "surrogatepass"))  # noqa: S311 - art
    file = io.BytesIO()
    ART.get(app["sandbox"].get("art", ""), any_scene)(chance).save(file, "WEBP", quality=86, method=3)
    return file.getvalue()


def any_scene(chance: random.Random) -> Image.Image:
    scene = chance.choice([scenes.hills, scenes.sea, scenes.night, still.botanic, still.town, still.orbits])
    return grained(scene(SIZE, choose(chance), chance), 0.8)


def halves(chance: random.Random) -> Image.Image:
    """Draw one portrait, half photo and half cartoon."""
    width, height = SIZE
    palette = PALETTES["lagoon"]
    portrait = Paper(SIZE, gradient(SIZE, palette.tone(0.9), palette.tone(0.62)))
    portrait.lay(Pen().ellipse(width * 0.5, height * 0.5, height * 0.42), palette.second, shadow=0.15)
    for side in (-1, 1):
        for number in range(4):
            root = (width * (0.5 + 0.42 * side), height * (1.0 - 0.16 * number))
            angle = -1.57 - side * (0.5 + 0.13 * number)
            colour = palette.tone(0.2 + 0.08 * number)
            leaf = Pen().leaf(*root, angle, height * 0.4, height * 0.13)
            portrait.lay(leaf, colour, shadow=0.25)
    figures.portrait(portrait, palette, random.Random(3), width * 0.5, height * 0.45, height * 0.48)  # noqa: S311
    photo = portrait.image
    plain = photos.duotone(photo, (44, 50, 58), (150, 154, 156), (244, 242, 236))
    sheet = Paper(SIZE, plain)
    slant = [(width * 0.56, -2), (width + 9, -2), (width + 9, height + 2), (width * 0.44, height + 2)]
    edge = [(x - 8, y) for x, y in slant]
    sheet.lay(Pen().polygon(edge), (252, 249, 243), shadow=0.4, lift=8)
    # Drawn at three times the size, since the blur in this look is meant for large pictures.
    large = photo.resize((width * 3, height * 3), Image.Resampling.BICUBIC)
    sheet.lay(Pen().polygon(slant), photos.feature(large, palette).resize(SIZE, Image.Resampling.BICUBIC))
    return grained(sheet.image, 0.7)


def rail(chance: random.Random) -> Image.Image:
    width, height = SIZE
    palette = PALETTES["nordic"]
    sheet = Paper(SIZE, gradient(SIZE, mix(palette.paper, palette.tone(0.8), 0.3), palette.tone(0.86)))
    sheet.lay(Pen().box(-2, height * 0.14, width + 2, height * 0.155), (96, 72, 56), shadow=0.25)
    dark, blue = palette.tone(0.1), palette.tone(0.3)
    colours = ((palette.accent, palette.paper), (blue, palette.accent), (palette.second, dark))
    for number, (colour, trim) in enumerate(colours):
        x = width * (0.2 + 0.3 * number)
        figures.garment(sheet, x, height * 0.33, height * 0.56, colour, trim, is_back=number == 2)
    return grained(sheet.image, 0.8)


def try_on(chance: random.Random) -> Image.Image:
    width, height = SIZE
    palette = PALETTES["terracotta"]
    sheet = Paper(SIZE, gradient(SIZE, palette.tone(0.9), palette.paper))
    sheet.lay(Pen().ellipse(width * 0.27, height * 0.48, height * 0.36), palette.second, shadow=0.15)
    arch = Pen().arch(width * 0.56, height * 0.07, width * 0.9, height * 1.02)
    sheet.lay(arch, palette.tone(0.32), shadow=0.2)
    sheet.lay(Pen().box(-2, height * 0.9, width + 2, height + 2), palette.tone(0.66), shadow=0.2)
    figures.garment(sheet, width * 0.27, height * 0.33, height * 0.42, palette.accent, palette.paper)
    figures.person(sheet, palette, random.Random(2), width * 0.73, height * 0.95, height * 0.83, palette.accent)  # noqa: S311
    dots = (Pen().ellipse(width * (0.45 + 0.025 * n), height * 0.48, 3.6) for n in range(5))
    sheet.lay(joined(dots), palette.ink)
    return grained(sheet.image, 0.8)


def product(chance: random.Random) -> Image.Image:
    width, height = SIZE
    palette = PALETTES["mint"]
    sheet = Paper(SIZE, gradient(SIZE, palette.tone(0.9), palette.tone(0.75)))
    sheet.lay(Pen().ellipse(width * 0.66, height * 0.36, height * 0.26), palette.second, shadow=0.15)
    sheet.lay(Pen().arch(width * 0.3, height * 0.12, width * 0.56, height), palette.tone(0.6), shadow=0.2)
    sheet.lay(Pen().box(width * 0.6, height * 0.58, width * 0.84, height), palette.tone(0.42), shadow=0.25)
    sheet.lay(Pen().box(width * 0.2, height * 0.8, width * 0.66, height), palette.paper, shadow=0.3)
    figures.bottle(sheet, palette, width * 0.43, height * 0.82, height * 0.56)
    for number in range(5):
        root, angle = (width * 0.74, height * 0.6), -1.57 + 0.42 * (number - 2)
        colour = palette.tone(0.08 + 0.07 * number)
        sheet.lay(Pen().leaf(*root, angle, height * 0.3, height * 0.09), colour, shadow=0.25)
    return grained(sheet.image, 0.8)


def film(chance: random.Random) -> Image.Image:
    width, height = SIZE
    palette = PALETTES["dusk"]
    sheet = Paper(SIZE, palette.tone(0.04))
    for number in range(3):
        left, wide = width * (0.06 + 0.31 * number), width * 0.265
        frame = scenes.hills((round(wide), round(height * 0.74)), palette, random.Random(7 + number))  # noqa: S311
        whole = Image.new("RGB", SIZE)
        whole.paste(frame, (round(left), round(height * 0.13)))
        sheet.lay(Pen().box(left, height * 0.13, left + wide - 1, height * 0.86, 12), whole, shadow=0.3)

    def holes(pen: Pen) -> None:
        for number in range(16):
            for top in (0.035, 0.905):
                x = width * (0.012 + number / 15.6)
                pen.box(x, height * top, x + 20, height * (top + 0.055), 5)

    sheet.lay(holes, palette.paper)
    x, y = width / 2, height * 0.495
    sheet.lay(Pen().ellipse(x, y, 50), palette.paper, shadow=0.4, lift=9)
    sheet.lay(Pen().polygon([(x - 15, y - 24), (x - 15, y + 24), (x + 26, y)]), palette.accent)
    return grained(sheet.image, 0.7)


def words(chance: random.Random) -> Image.Image:
    width, height = SIZE
    palette = PALETTES["berry"]
    sheet = Paper(SIZE, gradient(SIZE, palette.tone(0.82), palette.tone(0.7)))
    sheet.lay(Pen().ellipse(width * 0.8, height * 0.24, height * 0.3), palette.accent, shadow=0.15)

    def bubble(pen: Pen) -> None:
        pen.box(width * 0.14, height * 0.16, width * 0.7, height * 0.6, 34)
        pen.polygon([(width * 0.24, height * 0.56), (width * 0.36, height * 0.58), (width * 0.22, height * 0.74)])

    def lines(pen: Pen) -> None:
        for number, wide in enumerate((0.4, 0.46, 0.26)):
            top = height * (0.26 + 0.1 * number)
            pen.box(width * 0.195, top, width * (0.195 + wide), top + 13, 6.5)

    sheet.lay(bubble, palette.paper, shadow=0.32, lift=9)
    sheet.lay(lines, palette.tone(0.3))
    bars = [random.Random(5 + n).uniform(0.05, 0.2) for n in range(21)]  # noqa: S311

    def sound(pen: Pen) -> None:
        for number, tall in enumerate(bars):
            x, y = width * (0.42 + 0.025 * number), height * 0.8
            pen.box(x, y - height * tall * 0.6, x + 8, y + height * tall * 0.6, 4)

    sheet.lay(sound, palette.tone(0.08), shadow=0.25)
    return grained(sheet.image, 0.8)


def test_pattern(chance: random.Random) -> Image.Image:
    """Draw colour bars, a grid and a circle, like a television test card."""
    width, height = SIZE
    palette: Palette = choose(chance)
    sheet = Paper(SIZE, mix(palette.paper, palette.tone(0.7), 0.25))
    step = 40
    grid = mix(palette.tone(0.5), palette.paper, 0.55)
    sheet.lay(joined(Pen().box(x - 0.75, 0, x + 0.75, height) for x in range(step, width, step)), grid)
    sheet.lay(joined(Pen().box(0, y - 0.75, width, y + 0.75) for y in range(step, height, step)), grid)
    x, y, radius = width / 2, height / 2, 168
    disc = sheet.mask(Pen().ellipse(x, y, radius))
    sheet.lay(disc, palette.paper, shadow=0.3, lift=9)
    inside = Paper(SIZE, palette.paper)
    bars = [*reversed(palette.tones), palette.second, palette.accent]
    wide = 2 * radius / len(bars)
    for number, colour in enumerate(bars):
        left = x - radius + number * wide
        inside.lay(Pen().box(left, y - 84, left + wide + 1, y + 40), colour)
    inside.lay(Pen().box(0, y + 40, width, y + 84), palette.ink)
    inside.lay(joined(Pen().box(x - 84 + 24 * n, y + 52, x - 72 + 24 * n, y + 72, 2) for n in range(8)), palette.paper)
    inside.lay(Pen().polygon([(x - 26, y - 168), (x + 26, y - 168), (x, y - 100)]), palette.accent)
    inside.lay(Pen().box(x - 60, y + 100, x + 60, y + 110, 5), palette.tone(0.4))
    sheet.lay(disc, inside.image)
    sheet.lay(Pen().ring(x, y, radius, 5), palette.ink)
    corners = [(left, top) for left in (60, width - 60) for top in (60, height - 60)]
    sheet.lay(joined(Pen().ellipse(*corner, 26) for corner in corners), palette.second, shadow=0.2)
    sheet.lay(joined(Pen().ring(*corner, 26, 4) for corner in corners), palette.ink)
    return grained(sheet.image, 0.8)


ART: dict[str, Art] = {
    "portrait": halves, "garment": rail, "tryon": try_on, "product": product, "reel": film, "words": words,
    "card": test_pattern,
}  # fmt: skip
