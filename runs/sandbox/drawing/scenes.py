"""Paper-cut landscapes of any size, from a palette and a random generator."""

import math
import random

from PIL import Image

from runs.sandbox.drawing.palette import Colour, Palette, mix
from runs.sandbox.drawing.paper import Paper, Pen, Point, glow, gradient

Size = tuple[int, int]


def ridge(size: Size, chance: random.Random, base: float, height: float) -> list[Point]:
    """Return the outline of a range of hills whose crest is around `base` (pixels from the top)."""
    width, bottom = size
    waves = [(chance.uniform(0.5, 1.3), 1.0), (chance.uniform(1.7, 2.9), 0.45), (chance.uniform(4.0, 6.0), 0.13)]
    phases = [chance.uniform(0, math.tau) for _ in waves]
    crest: list[Point] = []
    for step in range(97):
        y = sum(a * math.sin(math.tau * f * step / 96 + p) for (f, a), p in zip(waves, phases, strict=True))
        crest.append((width * step / 96, base - height * y))
    return [(-2, bottom + 2), (-2, crest[0][1]), *crest, (width + 2, crest[-1][1]), (width + 2, bottom + 2)]


def crest_at(points: list[Point], x: float) -> float:
    return min(points[2:-2], key=lambda point: abs(point[0] - x))[1]


def hills(size: Size, palette: Palette, chance: random.Random) -> Image.Image:
    """Draw a sun over five ranges of hills."""
    width, height = size
    unit = min(size)
    sheet = Paper(size, gradient(size, palette.tone(0.86), palette.paper))
    x, y = width * chance.uniform(0.28, 0.72), height * chance.uniform(0.27, 0.4)
    radius = unit * chance.uniform(0.13, 0.19)
    sheet.lay(glow(size, x, y, radius * 3.2), mix(palette.second, palette.paper, 0.25), opacity=0.7)
    sheet.lay(Pen().ellipse(x, y, radius), palette.accent)
    for number in range(5):
        share = number / 4
        outline = ridge(size, chance, height * (0.5 + 0.105 * number), height * (0.055 + 0.012 * number))
        colour = mix(palette.tone(0.72 - 0.72 * share), palette.second, 0.16 * (1 - share))
        if number in (3, 4):
            trees(sheet, outline, palette.tone(0.45 - 0.42 * share), chance, unit * (0.03 + 0.05 * share))
        sheet.lay(Pen().polygon(outline), colour, shadow=0.3, lift=round(unit * 0.014))
    birds(sheet, palette, chance)
    return sheet.image


def trees(sheet: Paper, outline: list[Point], colour: Colour, chance: random.Random, tall: float) -> None:
    """Draw trees behind the crest of `outline`."""
    middle = chance.uniform(0.15, 0.85) * sheet.width

    def cut(pen: Pen) -> None:
        for _ in range(chance.randint(5, 10)):
            x = middle + chance.gauss(0, 0.1) * sheet.width
            y, high = crest_at(outline, x) + tall * 0.2, tall * chance.uniform(0.7, 1.4)
            for part in range(3):
                top, wide = y - high * (1.2 - 0.3 * part), high * (0.2 + 0.08 * part)
                pen.polygon([(x, top), (x - wide, top + high * 0.55), (x + wide, top + high * 0.55)])

    sheet.lay(cut, colour, shadow=0.15, lift=4)


def birds(sheet: Paper, palette: Palette, chance: random.Random) -> None:
    left, top, unit = chance.uniform(0.1, 0.7) * sheet.width, chance.uniform(0.1, 0.2) * sheet.height, min(sheet.size)

    def cut(pen: Pen) -> None:
        for _ in range(chance.randint(2, 5)):
            x, y = left + chance.uniform(0, 0.2) * sheet.width, top + chance.uniform(0, 0.09) * sheet.height
            span = unit * chance.uniform(0.012, 0.02)
            wing = [(x + span * along, y - span * up) for along, up in ((-1, 0.5), (-0.4, 0.55), (0, 0), (0.4, 0.55))]
            pen.line([*wing, (x + span, y - span * 0.5)], unit * 0.0035)

    sheet.lay(cut, palette.ink, opacity=0.8)


def night(size: Size, palette: Palette, chance: random.Random) -> Image.Image:
    """Draw a moon, stars, and a lighthouse by the sea."""
    width, height = size
    unit = min(size)
    sheet = Paper(size, gradient(size, mix(palette.tone(0.0), (8, 8, 24), 0.35), palette.tone(0.52)))

    def stars(pen: Pen) -> None:
        for _ in range(90):
            x, y = chance.uniform(0, width), height * 0.7 * chance.random() ** 1.3
            pen.ellipse(x, y, unit * chance.choice((0.0012, 0.0018, 0.0032)))

    def moon(pen: Pen) -> None:
        pen.ellipse(x, y, radius)
        pen.ellipse(x + radius * 0.45, y - radius * 0.2, radius * 0.86, fill=0)

    sheet.lay(stars, palette.paper, opacity=0.85)
    x, y, radius = width * chance.uniform(0.18, 0.4), height * 0.24, unit * 0.1
    sheet.lay(glow(size, x, y, radius * 3.4), palette.second, opacity=0.35)
    sheet.lay(moon, mix(palette.second, palette.paper, 0.45))
    lighthouse(sheet, palette, width * chance.uniform(0.62, 0.76))
    for number in range(4):
        outline = ridge(size, chance, height * (0.71 + 0.08 * number), height * 0.018)
        colour = mix(palette.tone(0.36 - 0.1 * number), palette.ink, 0.12 * number)
        sheet.lay(Pen().polygon(outline), colour, shadow=0.35, lift=round(unit * 0.012))
    return sheet.image


def lighthouse(sheet: Paper, palette: Palette, x: float) -> None:
    base, top, wide = sheet.height * 0.76, sheet.height * 0.36, min(sheet.size) * 0.052
    beam = [(x, top - wide * 0.4), (-sheet.width * 0.1, top - sheet.height * 0.12), (-sheet.width * 0.1, top + wide)]

    def half(share: float) -> float:
        return wide * (1 - 0.38 * share)

    def bands(pen: Pen) -> None:
        for share in (0.2, 0.55, 0.9):
            low, high = share - 0.09, min(1.0, share + 0.09)
            down, up = base + (top - base) * low, base + (top - base) * high
            pen.polygon([(x - half(low), down), (x + half(low), down), (x + half(high), up), (x - half(high), up)])
        pen.polygon([(x - wide * 0.8, top - wide * 0.75), (x + wide * 0.8, top - wide * 0.75), (x, top - wide * 1.7)])
        pen.box(x - wide * 0.85, top - wide * 0.1, x + wide * 0.85, top + wide * 0.08)

    sheet.lay(Pen().polygon(beam), palette.second, opacity=0.28)
    tower = [(x - wide, base), (x - half(1), top), (x + half(1), top), (x + wide, base)]
    sheet.lay(Pen().polygon(tower), palette.paper, shadow=0.3)
    sheet.lay(bands, palette.accent)
    lamp = mix(palette.second, (255, 255, 255), 0.3)
    sheet.lay(Pen().box(x - wide * 0.4, top - wide * 0.75, x + wide * 0.4, top - wide * 0.1), lamp)
    sheet.lay(glow(sheet.size, x, top - wide * 0.4, wide * 3), lamp, opacity=0.6)


def sea(size: Size, palette: Palette, chance: random.Random) -> Image.Image:
    """Draw a small boat among rows of scalloped waves."""
    width, height = size
    unit = min(size)
    sheet = Paper(size, gradient(size, palette.tone(0.95), mix(palette.second, palette.paper, 0.5)))
    x, y = width * chance.uniform(0.3, 0.7), height * 0.37
    sheet.lay(glow(size, x, y, unit * 0.5), mix(palette.second, palette.paper, 0.3), opacity=0.6)
    sheet.lay(Pen().ellipse(x, y, unit * 0.19), palette.accent)
    place, rows = width * chance.uniform(0.28, 0.72), 6
    for row in range(rows):
        top, radius = height * (0.53 + 0.085 * row), unit * (0.065 + 0.012 * row)
        shift = radius * (row % 2) - chance.uniform(0, radius)
        if row == 2:
            boat(sheet, palette, place, top - radius * 0.25, unit * 0.2)

        def cut(pen: Pen, top: float = top, radius: float = radius, shift: float = shift) -> None:
            pen.box(-2, top, width + 2, height + 2)
            for n in range(-1, int(width / radius / 2) + 3):
                pen.ellipse(shift + n * radius * 2, top, radius * 1.02, radius * 0.6)

        colour = palette.tone(0.72 - 0.72 * row / (rows - 1))
        sheet.lay(cut, colour, shadow=0.28, lift=round(unit * 0.012))
    birds(sheet, palette, chance)
    return sheet.image


def boat(sheet: Paper, palette: Palette, x: float, y: float, tall: float) -> None:
    def piece(*points: Point) -> list[Point]:
        return [(x + tall * along, y + tall * down) for along, down in points]

    hull = piece((-0.52, -0.2), (0.56, -0.2), (0.36, 0.1), (-0.36, 0.1))
    sail, jib = piece((0.05, -1.1), (0.05, -0.28), (0.52, -0.28)), piece((-0.03, -0.95), (-0.03, -0.28), (-0.4, -0.28))
    sheet.lay(Pen().polygon(hull), palette.ink, shadow=0.25)
    sheet.lay(Pen().polygon(sail), palette.paper, shadow=0.25)
    sheet.lay(Pen().polygon(jib), mix(palette.paper, palette.second, 0.45), shadow=0.2)
