"""Paper-cut people and objects, for sample pictures and the catalogue."""

import math
import random

from runs.sandbox.drawing.palette import Colour, Palette, mix
from runs.sandbox.drawing.paper import SHADOW, Paper, Pen, Point, joined

SKIN: tuple[Colour, ...] = ((244, 205, 172), (222, 164, 122), (172, 112, 78), (121, 76, 54))


def around(x: float, y: float, unit: float, points: list[Point]) -> list[Point]:
    return [(x + along * unit, y + down * unit) for along, down in points]


def mirrored(points: list[Point]) -> list[Point]:
    """Return a complete outline, with `points` as the right half and their mirror image as the left half."""
    return points + [(-along, down) for along, down in reversed(points)]


def portrait(sheet: Paper, palette: Palette, chance: random.Random, x: float, y: float, unit: float) -> None:
    """Draw a head and shoulders; (x, y) is the centre of the head and `unit` its height."""
    skin = chance.choice(SKIN)
    hair, shirt = mix(palette.ink, palette.tone(0.1), 0.5), palette.accent

    def back(pen: Pen) -> None:
        pen.ellipse(x, y - unit * 0.1, unit * 0.5, unit * 0.56)
        pen.box(x - unit * 0.5, y - unit * 0.1, x + unit * 0.5, y + unit * 0.62, unit * 0.2)

    sheet.lay(back, hair, shadow=0.25, lift=10)
    shoulders = mirrored([(0.14, 0.62), (0.5, 0.74), (0.86, 0.98), (0.98, 1.5), (0.98, 3.0)])
    sheet.lay(Pen().polygon(around(x, y, unit, shoulders)), shirt, shadow=0.3, lift=10)
    sheet.lay(Pen().ellipse(x, y + unit * 0.68, unit * 0.24, unit * 0.16), mix(skin, (90, 30, 20), 0.16))
    neck = mirrored([(0.13, 0.3), (0.14, 0.62), (0.2, 0.7)])
    sheet.lay(Pen().polygon(around(x, y, unit, neck)), mix(skin, (90, 30, 20), 0.16))
    sheet.lay(Pen().ellipse(x, y + unit * 0.05, unit * 0.34, unit * 0.44), skin, shadow=0.2, lift=6)
    fringe = [(-0.37, 0.02), (-0.4, -0.3), (-0.2, -0.5), (0.1, -0.52), (0.36, -0.34), (0.38, 0.04), (0.28, -0.16)]
    fringe += [(0.04, -0.24), (-0.16, -0.2), (-0.29, -0.1)]
    sheet.lay(Pen().polygon(around(x, y, unit, fringe)), hair, shadow=0.2, lift=5)
    _face(sheet, palette, skin, x, y + unit * 0.05, unit)


def _face(sheet: Paper, palette: Palette, skin: Colour, x: float, y: float, unit: float) -> None:
    def lines(pen: Pen) -> None:
        for side in (-1, 1):
            pen.ellipse(x + side * unit * 0.135, y, unit * 0.026, unit * 0.034)
            brow = [(side * along, down) for along, down in ((0.08, -0.105), (0.14, -0.13), (0.2, -0.1))]
            pen.line(around(x, y, unit, brow), unit * 0.018)
        pen.line(around(x, y, unit, [(0.0, 0.02), (-0.025, 0.1), (0.015, 0.11)]), unit * 0.012)

    def mouth(pen: Pen) -> None:
        turns = [n * math.pi / 12 for n in range(13)]
        smile = [(0.1 * math.cos(turn), 0.17 + 0.055 * math.sin(turn)) for turn in turns]
        pen.line(around(x, y, unit, smile), unit * 0.02)

    sheet.lay(joined(Pen().ellipse(x + s * unit * 0.2, y + unit * 0.1, unit * 0.055) for s in (-1, 1)),
              mix(skin, (226, 80, 70), 0.3))  # fmt: skip
    sheet.lay(lines, mix(palette.ink, (30, 20, 20), 0.5))
    sheet.lay(mouth, (168, 58, 58))


def garment(
    sheet: Paper, x: float, y: float, unit: float, colour: Colour, trim: Colour, *, is_back: bool = False
) -> None:
    """Draw a T-shirt on a hanger; (x, y) is the middle of its collar and `unit` its height."""
    wire = around(x, y, unit, [(-0.3, 0.06), (0, -0.1), (0.3, 0.06)])

    def hanger(pen: Pen) -> None:
        pen.line(wire, unit * 0.018)
        hook = [(0, -0.1), (0, -0.16), (0.035, -0.2), (0.0, -0.245), (-0.03, -0.21)]
        pen.line(around(x, y, unit, hook), unit * 0.015)

    sheet.lay(hanger, (96, 72, 56))
    tee = mirrored([(0.13, 0.0), (0.3, 0.05), (0.5, 0.3), (0.37, 0.4), (0.29, 0.31), (0.3, 0.98), (0.0, 1.0)])
    sheet.lay(Pen().polygon(around(x, y, unit, tee)), colour, shadow=0.32, lift=10)
    depth = 0.04 if is_back else 0.11
    for wide, deep, shade in ((0.135, depth + 0.022, mix(colour, trim, 0.5)), (0.112, depth, mix(colour, SHADOW, 0.5))):
        turns = [n * math.pi / 18 for n in range(19)]
        scoop = [(wide * math.cos(turn), deep * math.sin(turn)) for turn in turns]
        scoop += [(-wide * math.cos(turn), -0.018 * math.sin(turn)) for turn in turns]
        sheet.lay(Pen().polygon(around(x, y, unit, scoop)), shade)
    if is_back:
        sheet.lay(Pen().ellipse(x, y + unit * 0.42, unit * 0.15), trim)
        wave = [(0.26 * n / 12 - 0.13, 0.44 + 0.03 * math.sin(n)) for n in range(13)]
        sheet.lay(Pen().line(around(x, y, unit, wave), unit * 0.02), colour)
    else:
        sheet.lay(Pen().box(x - unit * 0.3, y + unit * 0.5, x + unit * 0.3, y + unit * 0.57), trim)
        sheet.lay(Pen().box(x - unit * 0.3, y + unit * 0.6, x + unit * 0.3, y + unit * 0.625), trim)


def person(sheet: Paper, palette: Palette, chance: random.Random, x: float, y: float, unit: float, tee: Colour) -> None:
    """Draw a standing person; (x, y) is between the feet and `unit` is the height."""
    skin, hair = chance.choice(SKIN), mix(palette.ink, palette.tone(0.1), 0.4)
    legs = mirrored([(0.1, -0.5), (0.125, -0.02), (0.045, -0.02), (0.012, -0.42)])
    arms = [(0.1, -0.79), (0.15, -0.76), (0.205, -0.5), (0.17, -0.485), (0.11, -0.66)]
    left_arm = [(-along, down) for along, down in arms]
    sheet.lay(joined(Pen().ellipse(x + s * unit * 0.1, y - unit * 0.012, unit * 0.055, unit * 0.02) for s in (-1, 1)),
              palette.ink, shadow=0.25)  # fmt: skip
    sheet.lay(joined(Pen().polygon(around(x, y, unit, arm)) for arm in (arms, left_arm)), skin, shadow=0.2)
    sheet.lay(Pen().polygon(around(x, y, unit, legs)), palette.tone(0.12), shadow=0.25)
    sheet.lay(Pen().box(x - unit * 0.028, y - unit * 0.87, x + unit * 0.028, y - unit * 0.78), skin)
    shirt = mirrored([(0.03, -0.82), (0.1, -0.8), (0.175, -0.66), (0.13, -0.63), (0.105, -0.68), (0.108, -0.46)])
    sheet.lay(Pen().polygon(around(x, y, unit, shirt)), tee, shadow=0.3, lift=8)
    sheet.lay(Pen().ellipse(x, y - unit * 0.935, unit * 0.062, unit * 0.066), hair, shadow=0.2)
    sheet.lay(Pen().ellipse(x + unit * 0.004, y - unit * 0.918, unit * 0.047, unit * 0.055), skin)


def bottle(sheet: Paper, palette: Palette, x: float, y: float, unit: float) -> None:
    """Draw a bottle with a label; (x, y) is the middle of its base and `unit` its height."""
    glass = mix(palette.tone(0.3), palette.second, 0.12)

    def body(pen: Pen) -> None:
        pen.box(x - unit * 0.2, y - unit * 0.66, x + unit * 0.2, y, unit * 0.07)
        pen.box(x - unit * 0.075, y - unit * 0.82, x + unit * 0.075, y - unit * 0.6)

    sheet.lay(body, glass, shadow=0.4, lift=12)
    sheet.lay(Pen().box(x - unit * 0.09, y - unit, x + unit * 0.09, y - unit * 0.8, unit * 0.03), palette.ink)
    sheet.lay(Pen().box(x - unit * 0.2, y - unit * 0.5, x + unit * 0.2, y - unit * 0.16), palette.paper)
    sheet.lay(Pen().ellipse(x, y - unit * 0.36, unit * 0.075), palette.accent)
    sheet.lay(Pen().box(x - unit * 0.1, y - unit * 0.235, x + unit * 0.1, y - unit * 0.22), palette.ink)
    shine = mix(glass, (255, 255, 255), 0.35)
    sheet.lay(Pen().box(x - unit * 0.165, y - unit * 0.62, x - unit * 0.135, y - unit * 0.53, 4), shine)
