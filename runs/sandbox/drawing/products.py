"""Draws pictures of products: shop pictures, bottles on surfaces, a sneaker and a dish."""

import math
import random

from PIL import Image

from runs.sandbox.drawing import figures, scenes
from runs.sandbox.drawing.headlines import headline, pick
from runs.sandbox.drawing.job import Job
from runs.sandbox.drawing.palette import PALETTES, WHITE, Colour, Palette, mix
from runs.sandbox.drawing.paper import Paper, Pen, Point, Size, glow, gradient, joined

SHOE, RED = "sample:product-shoe.jpg", "nordic"  # the red shoe sample, and its palette


def packshot(job: Job, size: Size, palette: Palette, chance: random.Random) -> Image.Image:
    """Draw a product on a stand: from the front, next to its box, or close up."""
    width, height = size
    unit = min(size)
    wall = (WHITE, (222, 214, 204), mix(palette.tone(0.85), palette.accent, 0.18), palette.tone(0.18))
    ground = wall[pick(job, "white", "grey", "pastel", "deep")]
    sheet = Paper(size, gradient(size, mix(ground, WHITE, 0.3), mix(ground, palette.tone(0.4), 0.12)))
    x, floor = width * 0.5, height * 0.8
    hard = pick(job, "soft", "hard", "flash")
    if hard == 1:
        _window_light(sheet, palette)
    sheet.lay(glow(size, x, height * 0.42, unit * 0.62), WHITE, opacity=0.5)
    sheet.lay(Pen().ellipse(x + unit * 0.18, height * 0.36, unit * 0.27), mix(palette.second, ground, 0.35))
    sheet.lay(Pen().box(-4, floor, width + 4, height + 4), mix(ground, palette.tone(0.5), 0.28), shadow=0.12)
    close = 1.55 if job.position % 3 == 2 else 1.0
    stand = unit * 0.3 * close
    top = floor - unit * 0.05
    sheet.lay(Pen().box(x - stand, top, x + stand, floor + unit * 0.1, 8), mix(palette.paper, ground, 0.35), shadow=0.3)
    if job.position % 3 == 1:
        _carton(sheet, palette, x + unit * 0.19, top + 4, unit * 0.36)
        figures.bottle(sheet, palette, x - unit * 0.12, top + 6, unit * 0.52)
    else:
        figures.bottle(sheet, palette, x, top + 6, unit * 0.56 * close)
    for number in range(5):
        root, angle = (width * 0.04, height * 1.01), -1.35 + 0.3 * (number - 1)
        sheet.lay(Pen().leaf(*root, angle, unit * 0.34, unit * 0.09), palette.tone(0.1 + 0.1 * number), shadow=0.22)
    return sheet.image


def _carton(sheet: Paper, palette: Palette, x: float, y: float, unit: float) -> None:
    side = unit * 0.3
    sheet.lay(Pen().box(x - side, y - unit, x + side, y, 4), palette.accent, shadow=0.32, lift=10)
    sheet.lay(Pen().box(x - side, y - unit * 0.7, x + side, y - unit * 0.28), palette.paper)
    sheet.lay(Pen().ellipse(x, y - unit * 0.49, unit * 0.11), palette.second)
    sheet.lay(Pen().box(x - side * 0.6, y - unit * 0.2, x + side * 0.6, y - unit * 0.17), palette.ink)


def _window_light(sheet: Paper, palette: Palette) -> None:
    """Add slanting light from a window to the wall."""
    width, height = sheet.size
    lean = height * 0.22

    def panes(pen: Pen) -> None:
        for column in range(2):
            for row in range(3):
                left, top = width * (0.08 + 0.2 * column), height * (0.06 + 0.2 * row)
                right, bottom = left + width * 0.17, top + height * 0.17
                pen.polygon([(left, top), (right, top + lean * 0.3), (right, bottom + lean * 0.3), (left, bottom)])

    sheet.lay(panes, mix(palette.second, WHITE, 0.6), opacity=0.55)


def surface(job: Job, size: Size, palette: Palette, chance: random.Random) -> Image.Image:
    """Draw bottles on marble, wood, linen or a plain colour, or in a forest, in the chosen light; if the input is the
    shoe sample, draw the shoe instead of the bottles."""
    width, height = size
    unit = min(size)
    chosen = pick(job, "marmor", "eichenholz", "linen", "leinen", "farb", "herbst")
    tops = ((236, 235, 232), (176, 128, 84), (221, 210, 190), (221, 210, 190), palette.accent, palette.tone(0.1))
    top = tops[chosen]
    if chosen == 5:
        sheet = Paper(size, scenes.hills(size, PALETTES["terracotta"], chance))
    else:
        sheet = Paper(size, gradient(size, mix(palette.tone(0.85), WHITE, 0.3), mix(palette.tone(0.7), top, 0.3)))
        sheet.lay(Pen().ellipse(width * 0.74, height * 0.3, unit * 0.2), mix(palette.second, WHITE, 0.2))
    table = height * 0.7
    sheet.lay(Pen().box(-4, table, width + 4, height + 4), top, shadow=0.35, lift=12)
    _grain_lines(sheet, top, table, chance)
    if SHOE in job.pictures:
        sneaker(sheet, PALETTES[RED], width * 0.48, table + height * 0.14, unit * 0.66)
    else:
        _two_bottles(sheet, palette, table, unit)
    if pick(job, "tages", "morgen", "kerzen") == 2:
        sheet.lay(glow(size, width * 0.16, table, unit * 0.5), (255, 196, 110), opacity=0.5)
        sheet.image = Image.blend(sheet.image, Image.new("RGB", size, (92, 46, 24)), 0.22)
    return sheet.image


def _two_bottles(sheet: Paper, palette: Palette, table: float, unit: float) -> None:
    width, height = sheet.size
    places = ((0.36, 0.5), (0.62, 0.36)) if width > height else ((0.42, 0.52), (0.66, 0.34))
    for share, tall in places:
        figures.bottle(sheet, palette, width * share, table + height * 0.12, unit * tall)


def _grain_lines(sheet: Paper, colour: Colour, top: float, chance: random.Random) -> None:
    width, height = sheet.size

    def lines(pen: Pen) -> None:
        for _ in range(9):
            y, bend = chance.uniform(top + 6, height), chance.uniform(-14, 14)
            points = [(width * n / 8, y + bend * math.sin(n * 0.9)) for n in range(9)]
            pen.line(points, chance.uniform(1.2, 3.5))

    sheet.lay(lines, mix(colour, (60, 40, 30), 0.25), opacity=0.5)


def shoe(job: Job, size: Size, palette: Palette, chance: random.Random) -> Image.Image:
    """Draw a sneaker on a block in front of a large sun, with the slogan."""
    width, height = size
    unit = min(size)
    sheet = Paper(size, gradient(size, palette.tone(0.9), palette.tone(0.66)))
    x, y = width * 0.5, height * 0.56
    sheet.lay(Pen().ellipse(x, y - unit * 0.1, unit * 0.36), palette.second, shadow=0.14)
    sheet.lay(Pen().box(x - unit * 0.44, y + unit * 0.2, x + unit * 0.44, height + 4, 6), palette.tone(0.3), shadow=0.3)
    sneaker(sheet, palette, x, y + unit * 0.2, unit * 0.62)
    headline(sheet, job.prompt, palette.ink, (width * 0.08, height * 0.07), width * 0.84, unit * 0.075)
    return sheet.image


def sneaker(sheet: Paper, palette: Palette, x: float, y: float, unit: float) -> None:
    """Draw a shoe seen from the side; (x, y) is the middle of its sole and `unit` its length."""
    body: list[Point] = [(-0.46, -0.1), (-0.47, -0.34), (-0.4, -0.44), (-0.27, -0.38), (-0.14, -0.36), (-0.04, -0.4)]
    body += [(0.08, -0.27), (0.24, -0.2), (0.4, -0.16), (0.49, -0.09), (0.49, -0.04), (-0.46, -0.04)]
    toe: list[Point] = [(0.26, -0.19), (0.4, -0.16), (0.49, -0.09), (0.49, -0.04), (0.22, -0.04)]
    heel: list[Point] = [(-0.46, -0.04), (-0.47, -0.34), (-0.4, -0.44), (-0.33, -0.2), (-0.34, -0.04)]
    wave: list[Point] = [(-0.3, -0.1), (-0.08, -0.12), (0.14, -0.2), (0.02, -0.22), (-0.16, -0.18)]

    def at(points: list[Point]) -> list[Point]:
        return figures.around(x, y, unit, points)

    sheet.lay(Pen().polygon(at(body)), palette.accent, shadow=0.4, lift=12)
    sheet.lay(Pen().polygon(at(toe)), mix(palette.accent, WHITE, 0.55))
    sheet.lay(Pen().polygon(at(heel)), mix(palette.accent, palette.ink, 0.35))
    sheet.lay(Pen().polygon(at(wave)), palette.paper)
    sole = Pen().box(x - unit * 0.48, y - unit * 0.075, x + unit * 0.51, y, unit * 0.035)
    sheet.lay(sole, palette.paper, shadow=0.3)
    laces = (Pen().line(at([(0.0 + 0.05 * n, -0.37 + 0.055 * n), (0.09 + 0.05 * n, -0.33 + 0.055 * n)]), unit * 0.018)
             for n in range(3))  # fmt: skip
    sheet.lay(joined(laces), palette.paper)


def dish(job: Job, size: Size, palette: Palette, chance: random.Random) -> Image.Image:
    """Draw a plate from above, on a cloth with cutlery."""
    width, height = size
    unit = min(size)
    sheet = Paper(size, mix(palette.tone(0.75), palette.paper, 0.4))
    step = unit / 9
    stripes = (
        Pen().box(-2, n * step * 2, width + 2, n * step * 2 + step * 0.5) for n in range(math.ceil(height / step))
    )
    sheet.lay(joined(stripes), mix(palette.second, palette.paper, 0.35))
    x, y = width * 0.5, height * 0.5
    radius = unit * 0.36
    for side in (-1, 1):
        left = x + side * radius * 1.28
        sheet.lay(Pen().box(left - 6, y - radius * 0.8, left + 6, y + radius * 0.8, 6), (150, 150, 156), shadow=0.3)
    sheet.lay(Pen().ellipse(x, y, radius), WHITE, shadow=0.4, lift=14)
    sheet.lay(Pen().ring(x, y, radius * 0.82, 3), mix(palette.tone(0.5), WHITE, 0.5))
    sheet.lay(Pen().ellipse(x, y, radius * 0.6), palette.second, shadow=0.25)
    for _ in range(16):
        turn, far = chance.uniform(0, math.tau), radius * 0.5 * math.sqrt(chance.random())
        place = (x + math.cos(turn) * far, y + math.sin(turn) * far)
        colour = chance.choice((palette.accent, (214, 74, 54), (244, 214, 120), palette.tone(0.3)))
        sheet.lay(Pen().ellipse(*place, radius * chance.uniform(0.05, 0.1)), colour, shadow=0.2, lift=3)
    for _ in range(9):
        turn, far = chance.uniform(0, math.tau), radius * 0.42 * chance.random()
        leaf = Pen().leaf(x + math.cos(turn) * far, y + math.sin(turn) * far, turn, radius * 0.22, radius * 0.09)
        sheet.lay(leaf, (86, 138, 70), shadow=0.2, lift=3)
    return sheet.image
