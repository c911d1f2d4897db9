"""Sample pictures that stand in for apps' demo media."""

import io
import random
from collections.abc import Callable
from functools import lru_cache

from PIL import Image

from runs.sandbox.drawing import figures, scenes, still
from runs.sandbox.drawing.palette import PALETTES, Palette, choose, mix
from runs.sandbox.drawing.paper import Paper, Pen, glow, gradient, grained
from runs.sandbox.drawing.products import RED, sneaker

SIZE = (960, 1200)
GRAIN = 0.35  # low, because a sample gets more paper grain when it is used as an input
Subject = Callable[[Palette, random.Random], Image.Image]


def portrait(palette: Palette, chance: random.Random) -> Image.Image:
    width, height = SIZE
    sheet = Paper(SIZE, gradient(SIZE, palette.tone(0.9), palette.tone(0.62)))
    sheet.lay(Pen().ellipse(width * 0.5, height * 0.42, width * 0.42), palette.second, shadow=0.15)
    for side in (-1, 1):
        for number in range(4):
            root = (width * (0.5 + 0.5 * side), height * (0.98 - 0.13 * number))
            angle = -1.57 - side * (0.55 + 0.14 * number)
            colour = palette.tone(0.2 + 0.06 * number)
            sheet.lay(Pen().leaf(*root, angle, width * 0.3, width * 0.1), colour, shadow=0.25)
    figures.portrait(sheet, palette, chance, width * 0.5, height * 0.44, height * 0.4)
    return sheet.image


def front(palette: Palette, chance: random.Random, *, is_back: bool = False) -> Image.Image:
    width, height = SIZE
    sheet = Paper(SIZE, gradient(SIZE, mix(palette.paper, palette.tone(0.8), 0.35), palette.tone(0.85)))
    sheet.lay(glow(SIZE, width * 0.5, height * 0.45, width * 0.7), palette.paper, opacity=0.8)
    sheet.lay(Pen().box(0, height * 0.12, width, height * 0.128), (96, 72, 56), shadow=0.25)
    figures.garment(sheet, width * 0.5, height * 0.27, height * 0.6, palette.tone(0.3), palette.accent, is_back=is_back)
    return sheet.image


def back(palette: Palette, chance: random.Random) -> Image.Image:
    return front(palette, chance, is_back=True)


def person(palette: Palette, chance: random.Random) -> Image.Image:
    width, height = SIZE
    sheet = Paper(SIZE, gradient(SIZE, palette.tone(0.92), palette.paper))
    sheet.lay(Pen().arch(width * 0.2, height * 0.07, width * 0.8, height * 0.92), palette.second, shadow=0.15)
    sheet.lay(Pen().box(0, height * 0.9, width, height), palette.tone(0.62), shadow=0.2)
    figures.person(sheet, palette, chance, width * 0.5, height * 0.945, height * 0.8, palette.paper)
    return sheet.image


def product(palette: Palette, chance: random.Random) -> Image.Image:
    """Draw a bottle on a plain background, like a photo that someone wants an app to improve."""
    width, height = SIZE
    floor = height * 0.74
    ground = mix(palette.paper, palette.tone(0.9), 0.5)
    sheet = Paper(SIZE, gradient(SIZE, ground, mix(ground, palette.tone(0.5), 0.1)))
    sheet.lay(Pen().box(-4, floor, width + 4, height + 4), mix(ground, palette.tone(0.5), 0.16), shadow=0.1)
    figures.bottle(sheet, palette, width * 0.5, height * 0.82, height * 0.62)
    return sheet.image


def shoe(palette: Palette, chance: random.Random) -> Image.Image:
    """Draw a shoe on a plain background, just like `product`."""
    width, height = SIZE
    ground = mix(palette.paper, palette.tone(0.9), 0.5)
    sheet = Paper(SIZE, gradient(SIZE, ground, mix(ground, palette.tone(0.5), 0.1)))
    sheet.lay(Pen().box(-4, height * 0.62, width + 4, height + 4), mix(ground, palette.tone(0.5), 0.16), shadow=0.1)
    sneaker(sheet, palette, width * 0.5, height * 0.74, width * 0.72)
    return sheet.image


def _scene(palette: Palette, chance: random.Random) -> Image.Image:
    draw = chance.choice([scenes.hills, scenes.sea, still.botanic, still.town])
    return draw(SIZE, palette, chance)


# Each key is the start of a file name in the catalogue's defaults.
KNOWN: dict[str, tuple[Subject, str]] = {
    "55e99714": (portrait, "lagoon"),
    "older": (portrait, "dusk"),
    "1b2854fd": (front, "nordic"),
    "d81ce1a8": (back, "nordic"),
    "person": (person, "terracotta"),
    "product-honey": (product, "terracotta"),
    "product-ocha": (product, "mint"),
    "product-shoe": (shoe, RED),
    "product": (product, "dune"),
}


@lru_cache(maxsize=16)
def picture(name: str) -> Image.Image:
    """Return the sample with this name, 960 by 1200 pixels. Every unknown name gets its own scene."""
    chance = random.Random(name)  # noqa: S311 - art, not secrets
    for start, (subject, palette) in KNOWN.items():
        if name.startswith(start):
            return grained(subject(PALETTES[palette], chance), GRAIN)
    return grained(_scene(choose(chance), chance), GRAIN)


def draw(name: str) -> bytes:
    """Return the sample as a JPEG file."""
    file = io.BytesIO()
    picture(name).save(file, "JPEG", quality=86, progressive=True)
    return file.getvalue()
