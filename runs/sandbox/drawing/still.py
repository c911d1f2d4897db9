"""More paper-cut pictures: a vase, a tiled floor, rows of houses, orbiting circles."""

import math
import random

from PIL import Image

from runs.sandbox.drawing.palette import Colour, Palette, mix
from runs.sandbox.drawing.paper import Paper, Pen, Point, glow, gradient, joined
from runs.sandbox.drawing.scenes import Size


def botanic(size: Size, palette: Palette, chance: random.Random) -> Image.Image:
    """Draw branches in a vase in front of an arch."""
    width, height = size
    unit = min(size)
    sheet = Paper(size, gradient(size, mix(palette.tone(0.92), palette.paper, 0.3), palette.tone(0.8)))
    x, table = width * 0.5, height * 0.8
    arch = unit * 0.34
    sheet.lay(Pen().arch(x - arch, height * 0.1, x + arch, height), palette.second, shadow=0.18)
    sheet.lay(Pen().ellipse(x + arch * 0.34, height * 0.33, unit * 0.12), palette.accent)
    sheet.lay(Pen().box(-2, table, width + 2, height + 2), palette.tone(0.12), shadow=0.25)
    neck = table - unit * 0.2
    for number, lean in enumerate((-0.55, 0.5, -0.18, 0.16)):
        colour = palette.tone((0.0, 0.22, 0.34, 0.1)[number])
        lean, length = lean * chance.uniform(0.8, 1.25), unit * chance.uniform(0.4, 0.5)
        _branch(sheet, (x, neck + unit * 0.05), lean, length, colour)
    _vase(sheet, palette, x, table, unit)
    for number, place in enumerate((-0.3, -0.2, 0.28)):
        fruit, radius = x + place * unit * chance.uniform(0.95, 1.1), unit * (0.052 - 0.006 * number)
        colour = palette.accent if number % 2 else mix(palette.accent, palette.second, 0.45)
        sheet.lay(Pen().ellipse(fruit, table + unit * 0.02, radius), colour, shadow=0.3)
    return sheet.image


def _branch(sheet: Paper, root: Point, lean: float, length: float, colour: Colour) -> None:
    angle = -math.pi / 2 + lean

    def cut(pen: Pen) -> None:
        points = []
        for step in range(9):
            bend = angle + lean * 0.35 * step / 8
            points.append((root[0] + math.cos(bend) * length * step / 8, root[1] + math.sin(bend) * length * step / 8))
        pen.line(points, length * 0.014)
        for step in range(3, 9):
            x, y = points[step]
            for side in (-1, 1):
                pen.leaf(x, y, angle + side * 0.95, length * (0.31 - 0.017 * step), length * 0.105)
        pen.leaf(*points[8], angle, length * 0.2, length * 0.09)

    sheet.lay(cut, colour, shadow=0.25, lift=5)


def _vase(sheet: Paper, palette: Palette, x: float, table: float, unit: float) -> None:
    top, bottom, belly = table - unit * 0.22, table + unit * 0.05, unit * 0.105

    def body(pen: Pen) -> None:
        pen.ellipse(x, bottom - belly * 1.05, belly, belly * 1.05)
        pen.box(x - unit * 0.04, top, x + unit * 0.04, bottom - belly, 3)
        pen.box(x - unit * 0.058, top - unit * 0.012, x + unit * 0.058, top + unit * 0.012, 4)

    mask = sheet.mask(body)
    sheet.lay(mask, palette.paper, shadow=0.35)
    stripe = sheet.mask(Pen().box(0, bottom - belly * 1.25, sheet.width, bottom - belly * 0.85))
    sheet.lay(Image.composite(mask, Image.new("L", sheet.size, 0), stripe), palette.tone(0.3))


def tiles(size: Size, palette: Palette, chance: random.Random) -> Image.Image:
    """Draw a floor of geometric tiles."""
    width, height = size
    across = max(3, round(width / min(size) * 4))
    edge = width / across
    colours = [*palette.tones, palette.accent, palette.second, palette.paper]
    grounds: dict[Colour, list[Pen]] = {}
    figures: dict[Colour, list[Pen]] = {}
    for column in range(across):
        for row in range(math.ceil(height / edge)):
            ground, figure = chance.sample(colours, 2)
            corner = (column * edge, row * edge)
            grounds.setdefault(ground, []).append(Pen().box(*corner, corner[0] + edge, corner[1] + edge))
            figures.setdefault(figure, []).append(_figure(corner, edge, chance.randrange(6), chance.randrange(4)))
    sheet = Paper(size, palette.paper)
    for some in (grounds, figures):
        for colour, pens in some.items():
            sheet.lay(joined(pens), colour)
    return sheet.image


def _figure(corner: Point, edge: float, kind: int, turn: int) -> Pen:
    left, top = corner
    x, y, half, pen = left + edge / 2, top + edge / 2, edge / 2, Pen()
    corners = [(left, top), (left + edge, top), (left + edge, top + edge), (left, top + edge)]
    near, far = corners[turn], corners[(turn + 2) % 4]
    match kind:
        case 0:
            return pen.slice(*near, edge, 90 * turn, 90 * turn + 90)
        case 1:
            return pen.slice(x, y, half, 90 * turn, 90 * turn + 180)
        case 2:
            return pen.ellipse(x, y, half * 0.62)
        case 3:
            return pen.polygon([near, far, corners[(turn + 1) % 4]])
        case 4:
            whole = pen.slice(*near, edge, 90 * turn, 90 * turn + 90)
            return whole.slice(*near, edge / 2, 90 * turn, 90 * turn + 90, fill=0)
    return pen.leaf(*near, math.atan2(far[1] - near[1], far[0] - near[0]), edge * math.sqrt(2), edge * 0.8)


def town(size: Size, palette: Palette, chance: random.Random) -> Image.Image:
    """Draw rows of gabled houses under a low sun."""
    width, height = size
    unit = min(size)
    sheet = Paper(size, gradient(size, palette.tone(0.78), palette.paper))
    x, y = width * chance.uniform(0.25, 0.75), height * 0.28
    sheet.lay(glow(size, x, y, unit * 0.42), palette.second, opacity=0.6)
    sheet.lay(Pen().ellipse(x, y, unit * 0.12), mix(palette.second, palette.paper, 0.3))
    for row in range(3):
        _street(sheet, palette, chance, row)
    return sheet.image


def _street(sheet: Paper, palette: Palette, chance: random.Random, row: int) -> None:
    """Draw one row of houses, colour by colour."""
    unit, base = min(sheet.size), sheet.height * (0.74 + 0.15 * row)
    colours = (palette.tone(0.5 - 0.22 * row), palette.tone(0.32 - 0.14 * row), palette.accent)
    left = -unit * chance.uniform(0, 0.1)
    houses: list[list[tuple[float, float, float]]] = [[], [], []]
    last = -1
    while left < sheet.width:
        wide, tall = unit * chance.uniform(0.1, 0.17), unit * chance.uniform(0.2, 0.36) * (0.85 + 0.12 * row)
        last = chance.choice([n for n in range(3) if n != last])
        houses[last].append((left, base - tall, wide))
        left += wide * chance.uniform(0.97, 1.03)
    for colour, some in zip(colours, houses, strict=True):
        faded = mix(colour, palette.tone(0.8), 0.34 - 0.17 * row)
        sheet.lay(joined(_house(sheet.height, *h) for h in some), faded, shadow=0.28, lift=7)
    lit = mix(palette.second, palette.paper, 0.45)
    sheet.lay(joined(_windows(*house) for some in houses for house in some), lit)


def _house(bottom: float, left: float, top: float, wide: float) -> Pen:
    gable = (left + wide / 2, top - wide * 0.55)
    return Pen().polygon([(left, bottom + 4), (left, top), gable, (left + wide, top), (left + wide, bottom + 4)])


def _windows(left: float, top: float, wide: float) -> Pen:
    pen = Pen()
    for row in range(1, 4):
        for column in (0.2, 0.58):
            x, y = left + wide * column, top + wide * (0.5 * row - 0.3)
            pen.box(x, y, x + wide * 0.22, y + wide * 0.28, 2)
    return pen


def orbits(size: Size, palette: Palette, chance: random.Random) -> Image.Image:
    """Draw discs and rings, printed on top of each other in transparent inks."""
    width, height = size
    unit = min(size)
    sheet = Paper(size, palette.paper)
    inks = [palette.second, palette.accent, palette.tone(0.4), palette.tone(0.68)]
    angle, x, y = chance.uniform(0, math.tau), width * 0.5, height * 0.5
    for number, ink in enumerate(inks):
        turn = angle + number * math.tau / 4
        far = unit * (0.17 + 0.02 * number)
        radius = unit * (0.3 - 0.035 * number)
        place = (x + math.cos(turn) * far * width / unit, y + math.sin(turn) * far * height / unit)
        sheet.multiply(sheet.mask(Pen().ellipse(*place, radius)), ink)
    sheet.lay(joined(Pen().ring(x, y, unit * (0.14 + 0.055 * n), unit * 0.006) for n in range(6)), palette.paper)
    moon = (x + math.cos(angle) * unit * 0.36, y + math.sin(angle) * unit * 0.36)
    sheet.lay(Pen().ellipse(x, y, unit * 0.075), palette.ink, shadow=0.3)
    sheet.lay(Pen().ellipse(*moon, unit * 0.03), palette.ink, shadow=0.3)
    return sheet.image
