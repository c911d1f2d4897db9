"""Draws a furnished room."""

import math
import random

from PIL import Image

from runs.sandbox.drawing import scenes
from runs.sandbox.drawing.headlines import pick
from runs.sandbox.drawing.job import Job
from runs.sandbox.drawing.palette import PALETTES, WHITE, Palette, mix
from runs.sandbox.drawing.paper import Paper, Pen, Size, glow, gradient, joined


def room(job: Job, size: Size, palette: Palette, chance: random.Random) -> Image.Image:
    """Draw a living room, or its reading corner, in the colours of the chosen style and the light of the chosen time of
    day."""
    width, height = size
    unit = min(size)
    style = ("nordic", "dune", "orchard", "terracotta", "ink")
    palette = PALETTES[style[pick(job, "scandinavian", "japandi", "mid-century", "mediterranean", "industrial")]]
    wall = mix(palette.tone(0.86), WHITE, 0.35)
    sheet = Paper(size, gradient(size, mix(wall, WHITE, 0.25), wall))
    floor = height * 0.74
    sheet.lay(Pen().box(-4, floor, width + 4, height + 4), (186, 146, 108), shadow=0.15)
    boards = (Pen().box(-2, floor + n * unit * 0.06, width + 2, floor + n * unit * 0.06 + 2) for n in range(1, 6))
    sheet.lay(joined(boards), (160, 120, 86))
    _room_window(sheet, job, palette, chance)
    if job.position % 2:
        _armchair(sheet, palette, width * 0.58, floor + unit * 0.08, unit * 0.42)
    else:
        _sofa(sheet, palette, width * 0.56, floor + unit * 0.08, unit * 0.64)
    _lamp(sheet, palette, width * 0.9, floor + unit * 0.06, unit * 0.56)
    _plant(sheet, palette, width * 0.12, floor + unit * 0.12, unit * 0.4, chance)
    rug = Pen().ellipse(width * 0.56, height * 0.93, unit * 0.42, unit * 0.06)
    sheet.lay(rug, mix(palette.accent, palette.paper, 0.35), shadow=0.12)
    if (hour := pick(job, "afternoon", "morning", "evening")) == 2:
        sheet.image = Image.blend(sheet.image, Image.new("RGB", size, (44, 32, 74)), 0.3)
        lamp = Paper(size, sheet.image)
        lamp.lay(glow(size, width * 0.9, floor - unit * 0.45, unit * 0.6), (255, 208, 130), opacity=0.8)
        return lamp.image
    if hour == 1:
        sheet.lay(glow(size, width * 0.25, height * 0.3, unit * 0.8), (255, 240, 205), opacity=0.4)
    return sheet.image


def _room_window(sheet: Paper, job: Job, palette: Palette, chance: random.Random) -> None:
    width, height = sheet.size
    unit = min(sheet.size)
    left, top, wide, tall = width * 0.2, height * 0.1, round(unit * 0.36), round(unit * 0.44)
    view = scenes.hills((wide, tall), palette, chance)
    whole = Image.new("RGB", sheet.size)
    whole.paste(view, (round(left), round(top)))
    frame = Pen().box(left - 9, top - 9, left + wide + 9, top + tall + 9, 4)
    sheet.lay(frame, WHITE, shadow=0.25)
    sheet.lay(Pen().box(left, top, left + wide - 1, top + tall - 1), whole)
    bars = Pen().box(left + wide / 2 - 4, top, left + wide / 2 + 4, top + tall)
    sheet.lay(bars.box(left, top + tall * 0.45, left + wide, top + tall * 0.45 + 7), WHITE)
    picture = width * 0.66
    sheet.lay(Pen().box(picture, top + 8, picture + unit * 0.2, top + unit * 0.25), palette.ink, shadow=0.25)
    inner = Pen().box(picture + 7, top + 15, picture + unit * 0.2 - 7, top + unit * 0.25 - 7)
    sheet.lay(inner, palette.paper)
    sheet.lay(Pen().ellipse(picture + unit * 0.1, top + unit * 0.13, unit * 0.05), palette.accent)


def _sofa(sheet: Paper, palette: Palette, x: float, y: float, unit: float) -> None:
    fabric, dark = palette.tone(0.36), palette.tone(0.22)

    def pair(far: float, half: float, top: float, low: float, radius: float) -> Pen:
        places = (x - far * unit, x + far * unit)
        return joined(
            Pen().box(at - half * unit, y - top * unit, at + half * unit, y - low * unit, radius) for at in places
        )

    sheet.lay(pair(0.42, 0.012, 0.02, -0.06, 0), (96, 66, 44))
    sheet.lay(Pen().box(x - unit * 0.46, y - unit * 0.42, x + unit * 0.46, y - unit * 0.08, 22), dark, shadow=0.3)
    sheet.lay(pair(0.22, 0.21, 0.22, 0.06, 14), fabric, shadow=0.25)
    sheet.lay(pair(0.48, 0.06, 0.28, 0, 16), fabric, shadow=0.3)
    for share, colour in ((-0.3, palette.accent), (0.28, palette.second)):
        left = x + share * unit
        sheet.lay(Pen().box(left - unit * 0.08, y - unit * 0.36, left + unit * 0.08, y - unit * 0.2, 10), colour,
                  shadow=0.25)  # fmt: skip


def _armchair(sheet: Paper, palette: Palette, x: float, y: float, unit: float) -> None:
    fabric = palette.accent
    legs = (
        Pen().line([(x + s * unit * 0.3, y - unit * 0.1), (x + s * unit * 0.38, y + unit * 0.12)], 8) for s in (-1, 1)
    )
    sheet.lay(joined(legs), (96, 66, 44))
    back = Pen().box(x - unit * 0.36, y - unit * 0.8, x + unit * 0.36, y - unit * 0.1, unit * 0.2)
    sheet.lay(back, mix(fabric, palette.ink, 0.2), shadow=0.3, lift=10)
    sheet.lay(Pen().box(x - unit * 0.42, y - unit * 0.32, x + unit * 0.42, y, unit * 0.1), fabric, shadow=0.3)
    book = Pen().box(x - unit * 0.12, y - unit * 0.38, x + unit * 0.16, y - unit * 0.31, 3)
    sheet.lay(book, palette.paper, shadow=0.3)


def _lamp(sheet: Paper, palette: Palette, x: float, y: float, unit: float) -> None:
    sheet.lay(Pen().box(x - 4, y - unit * 0.8, x + 4, y), (70, 60, 56))
    sheet.lay(Pen().ellipse(x, y, unit * 0.12, unit * 0.025), (70, 60, 56), shadow=0.3)
    shade = [(x - unit * 0.1, y - unit), (x + unit * 0.1, y - unit), (x + unit * 0.19, y - unit * 0.72)]
    sheet.lay(Pen().polygon([*shade, (x - unit * 0.19, y - unit * 0.72)]), mix(palette.second, WHITE, 0.4), shadow=0.25)


def _plant(sheet: Paper, palette: Palette, x: float, y: float, unit: float, chance: random.Random) -> None:
    for number in range(7):
        angle = -math.pi / 2 + 0.34 * (number - 3) * chance.uniform(0.85, 1.1)
        colour = mix((62, 110, 72), palette.tone(0.2), 0.12 * number)
        leaf = Pen().leaf(x, y - unit * 0.28, angle, unit * chance.uniform(0.55, 0.75), unit * 0.16)
        sheet.lay(leaf, colour, shadow=0.25)
    pot = [(x - unit * 0.17, y - unit * 0.32), (x + unit * 0.17, y - unit * 0.32), (x + unit * 0.12, y)]
    sheet.lay(Pen().polygon([*pot, (x - unit * 0.12, y)]), palette.accent, shadow=0.3)
