"""Draws a brand's logos, patterns and signs for shop windows."""

import math
import random

from PIL import Image

from runs.sandbox.drawing import fonts
from runs.sandbox.drawing.headlines import headline, pick
from runs.sandbox.drawing.job import Job
from runs.sandbox.drawing.palette import Colour, Palette, mix
from runs.sandbox.drawing.paper import Paper, Pen, Point, Size, gradient, joined


def logo(job: Job, size: Size, palette: Palette, chance: random.Random) -> Image.Image:
    """Draw an emblem over the brand name; each sketch has a different emblem and background."""
    width, height = size
    unit = min(size)
    grounds = (palette.paper, palette.accent, palette.tone(0.08), mix(palette.second, palette.paper, 0.25))
    inks = (palette.accent, palette.paper, palette.second, palette.ink)
    ground, ink = grounds[job.position % 4], inks[job.position % 4]
    sheet = Paper(size, ground)
    _emblem(sheet, job, ink, ground, (width / 2, height * 0.4), unit * 0.19)
    name = " ".join(job.prompt.split()) or job.app_name
    large = round(unit * 0.085)
    while large > 20 and fonts.width(name, large) > width * 0.8:
        large -= 4
    fonts.write(sheet.image, (width / 2, height * 0.7), name, large, ink, anchor="mm", weight=round(large * 0.025))
    line = Pen().box(width / 2 - unit * 0.06, height * 0.78, width / 2 + unit * 0.06, height * 0.785)
    sheet.lay(line, ink, opacity=0.7)
    return sheet.image


def _emblem(sheet: Paper, job: Job, ink: Colour, ground: Colour, place: Point, radius: float) -> None:
    x, y = place
    kind = (sum(map(ord, job.prompt)) + job.position + job.variant) % 5
    if kind == 0:  # a half moon
        sheet.lay(Pen().ellipse(x, y, radius).ellipse(x + radius * 0.42, y - radius * 0.12, radius * 0.84, fill=0), ink)
    elif kind == 1:  # rings
        sheet.lay(joined(Pen().ring(x, y, radius * share, radius * 0.11) for share in (1.0, 0.66, 0.32)), ink)
    elif kind == 2:  # a flower
        petals = (Pen().leaf(x, y, math.tau * n / 8, radius * 1.05, radius * 0.42) for n in range(8))
        sheet.lay(joined(petals), ink)
        sheet.lay(Pen().ellipse(x, y, radius * 0.2), ground)
    elif kind == 3:  # a roof over a door
        roof = [(x - radius, y + radius * 0.1), (x, y - radius), (x + radius, y + radius * 0.1)]
        house = Pen().polygon(roof).box(x - radius * 0.7, y, x + radius * 0.7, y + radius)
        sheet.lay(house.arch(x - radius * 0.24, y + radius * 0.3, x + radius * 0.24, y + radius, fill=0), ink)
    else:  # the first letter in a circle
        sheet.lay(Pen().ellipse(x, y, radius), ink)
        letter = (job.prompt.strip() or job.app_name)[:1].upper()
        fonts.write(sheet.image, (x, y), letter, round(radius * 1.2), ground, anchor="mm", weight=3)


def window(job: Job, size: Size, palette: Palette, chance: random.Random) -> Image.Image:
    """Draw a sign for a shop window: stripes, the offer in large letters, and the name of the shop."""
    width, height = size
    unit = min(size)
    sheet = Paper(size, palette.accent)
    step = width / 11
    for number in range(11):
        colour = palette.paper if number % 2 else palette.accent
        left = number * step
        awning = Pen().box(left, -4, left + step + 1, height * 0.13).ellipse(left + step / 2, height * 0.13, step / 2)
        sheet.lay(awning, colour, shadow=0.2)
    sheet.lay(
        Pen().box(width * 0.07, height * 0.25, width * 0.93, height * 0.93, 14), palette.paper, shadow=0.35, lift=12
    )
    y = headline(sheet, job.prompt, palette.ink, (width * 0.13, height * 0.33), width * 0.74, unit * 0.115, lines=4)
    sheet.lay(Pen().box(width * 0.13, y + unit * 0.02, width * 0.33, y + unit * 0.028), palette.accent)
    texts = [str(value) for _, kind, value in job.shown if kind == "text" and value][1:2]
    for text in texts:
        headline(sheet, text, palette.accent, (width * 0.13, y + unit * 0.06), width * 0.74, unit * 0.05, lines=1)
    return sheet.image


def pattern(job: Job, size: Size, palette: Palette, chance: random.Random) -> Image.Image:
    """Draw a repeating pattern of lemons and leaves; the second result shows it on a wrapped parcel."""
    width, height = size
    unit = min(size)
    across = (9, 6, 4)[pick(job, "small", "medium", "large")]
    sheet = Paper(size, mix(palette.tone(0.88), palette.paper, 0.4))
    step = unit / across
    order = random.Random(repr((job.prompt, job.variant)))  # noqa: S311 - art, not secrets
    turns = [order.uniform(0, math.tau) for _ in range(4)]
    fruits, leaves, dots = Pen(), Pen(), Pen()
    for row in range(-1, math.ceil(height / step) + 1):
        for column in range(-1, math.ceil(width / step) + 1):
            x, y = (column + 0.5 * (row % 2)) * step, row * step
            turn = turns[(row % 2) * 2 + column % 2]
            if (row + column) % 2:
                fruits.ellipse(x, y, step * 0.24, step * 0.3)
            else:
                dots.ellipse(x, y, step * 0.09)
            for side in (-1, 1):
                leaves.leaf(x, y, turn + side * 0.7, step * 0.5, step * 0.18)
    sheet.lay(leaves, palette.tone(0.3))
    sheet.lay(fruits, palette.second)
    sheet.lay(dots, palette.accent)
    return _parcel(sheet.image, palette) if job.position % 2 else sheet.image


def _parcel(paper: Image.Image, palette: Palette) -> Image.Image:
    width, height = paper.size
    unit = min(paper.size)
    sheet = Paper(paper.size, gradient(paper.size, palette.tone(0.74), palette.tone(0.58)))
    left, top = width / 2 - unit * 0.34, height / 2 - unit * 0.26
    box = Pen().box(left, top, left + unit * 0.68, top + unit * 0.56, 6)
    sheet.lay(box, paper, shadow=0.5, lift=18)
    ribbon = Pen().box(width / 2 - unit * 0.03, top, width / 2 + unit * 0.03, top + unit * 0.56)
    ribbon.box(left, top + unit * 0.24, left + unit * 0.68, top + unit * 0.3)
    sheet.lay(ribbon, palette.accent, shadow=0.25, lift=4)
    for angle in (-2.5, -0.64):
        sheet.lay(Pen().leaf(width / 2, top + unit * 0.27, angle, unit * 0.2, unit * 0.11), palette.accent, shadow=0.3)
    return sheet.image
