"""Advertising: posters, banners, opening titles, key visuals and newsletter headers."""

import random

from PIL import Image

from runs.sandbox.drawing import figures, fonts, scenes, still
from runs.sandbox.drawing.headlines import button, headline
from runs.sandbox.drawing.job import Job
from runs.sandbox.drawing.palette import WHITE, Palette
from runs.sandbox.drawing.paper import Paper, Pen, Size, glow, gradient

SCENES = (scenes.hills, scenes.sea, still.town, still.botanic, still.orbits, scenes.night)


def affiche(job: Job, size: Size, palette: Palette, chance: random.Random) -> Image.Image:
    """Draw a poster: a scene, a large title, and the place and time."""
    width, height = size
    unit = min(size)
    tall = round(height * 0.66)
    scene = SCENES[(sum(map(ord, job.prompt)) + 2 * job.position + job.variant) % len(SCENES)]
    sheet = Paper(size, palette.paper)
    sheet.image.paste(scene((width, tall), palette, chance), (0, 0))
    sheet.lay(Pen().box(0, tall, width, tall + unit * 0.012), palette.accent)
    large = unit * 0.105
    y = headline(sheet, job.prompt, palette.ink, (width * 0.07, tall + height * 0.035), width * 0.86, large)
    texts = [str(value) for _, kind, value in job.shown if kind == "text" and value][1:2]
    for text in texts:
        headline(sheet, text, palette.accent, (width * 0.07, y + unit * 0.02), width * 0.86, unit * 0.042, lines=2)
    return sheet.image


def kit(job: Job, size: Size, palette: Palette, chance: random.Random) -> Image.Image:
    """Draw an advert: the headline, a button, and paper shapes that suit the format."""
    width, height = size
    unit = min(size)
    is_wide = width > height * 1.2
    sheet = Paper(size, gradient(size, palette.tone(0.9), palette.tone(0.72)))
    x, y = (width * 0.78, height * 0.55) if is_wide else (width * 0.62, height * 0.72)
    sheet.lay(Pen().ellipse(x, y, unit * 0.42), palette.second, shadow=0.15)
    sheet.lay(Pen().ellipse(x + unit * 0.2, y + unit * 0.3, unit * 0.24), palette.accent, shadow=0.2)
    for number in range(6):
        root, angle = (x - unit * 0.1, height * 1.02), -1.57 + 0.34 * (number - 2.5)
        leaf = Pen().leaf(*root, angle, unit * chance.uniform(0.42, 0.58), unit * 0.14)
        sheet.lay(leaf, palette.tone(0.06 + 0.09 * number), shadow=0.25)
    figures.bottle(sheet, palette, x, height * 0.93, unit * 0.5)
    room = width * (0.52 if is_wide else 0.84)
    corner = (width * 0.07, height * (0.16 if is_wide else 0.09))
    below = headline(sheet, job.prompt, palette.ink, corner, room, unit * (0.11 if is_wide else 0.115))
    texts = [str(value) for _, kind, value in job.shown if kind == "text" and value][1:2]
    for text in texts:
        button(sheet, palette, (corner[0], below + unit * 0.03), text, unit * 0.045)
    return sheet.image


def seaside(job: Job, size: Size, palette: Palette, chance: random.Random) -> Image.Image:
    """Draw a bottle by the sea, with the headline above the waves."""
    width, height = size
    unit = min(size)
    sheet = Paper(size, scenes.sea(size, palette, chance))
    x = width * (0.78 if width > height else 0.5)
    sheet.lay(Pen().ellipse(x, height * 0.93, unit * 0.22, unit * 0.05), palette.paper, shadow=0.3)
    figures.bottle(sheet, palette, x, height * 0.93, unit * 0.5)
    headline(sheet, job.prompt, palette.ink, (width * 0.07, height * 0.07), width * 0.86, unit * 0.12, lines=2)
    return sheet.image


def titles(job: Job, size: Size, palette: Palette, chance: random.Random) -> Image.Image:
    """Draw a frame from a film's opening titles: a dark landscape between black bars."""
    width, height = size
    picture = Paper(
        size, scenes.night(size, palette, chance) if job.variant % 2 else scenes.hills(size, palette, chance)
    )
    picture.image = Image.blend(picture.image, Image.new("RGB", size, (10, 8, 18)), 0.35)
    bars = Pen().box(0, 0, width, height * 0.1).box(0, height * 0.9, width, height)
    picture.lay(bars, (8, 8, 12))
    name = (" ".join(job.prompt.split()) or job.app_name).upper()
    large = round(min(size) * 0.1)
    lines = fonts.wrapped(name, large, width * 0.86, 3)
    for number, line in enumerate(lines):
        y = height / 2 + (number - (len(lines) - 1) / 2) * large * 1.25
        fonts.write(picture.image, (width / 2, y), line, large, WHITE, anchor="mm", weight=1)
    return picture.image


def campaign(job: Job, size: Size, palette: Palette, chance: random.Random) -> Image.Image:
    """Draw a key visual: the product in a landscape, with the slogan in large letters."""
    width, height = size
    unit = min(size)
    scene = (scenes.hills, scenes.sea, still.town)[(job.position + job.variant + len(job.prompt)) % 3]
    sheet = Paper(size, scene(size, palette, chance))
    sheet.lay(glow(size, width * 0.3, height * 0.2, unit * 0.7), palette.paper, opacity=0.55)
    figures.bottle(sheet, palette, width * 0.76, height * 0.95, unit * 0.6)
    texts = [str(value) for _, kind, value in job.shown if kind == "text" and value]
    words = texts[2] if len(texts) > 2 else job.prompt
    y = headline(sheet, words, palette.ink, (width * 0.07, height * 0.08), width * 0.62, unit * 0.085, lines=3)
    headline(sheet, job.prompt, palette.accent, (width * 0.07, y + unit * 0.015), width * 0.6, unit * 0.04, lines=1)
    return sheet.image


def letter_head(job: Job, size: Size, palette: Palette, chance: random.Random) -> Image.Image:
    """Draw the picture at the top of a newsletter."""
    width, height = size
    unit = min(size)
    scene = SCENES[(sum(map(ord, job.prompt)) + job.variant) % len(SCENES)]
    sheet = Paper(size, scene(size, palette, chance))
    sheet.lay(Pen().box(width * 0.06, height * 0.58, width * 0.94, height * 0.92, 12), palette.paper, shadow=0.35)
    headline(sheet, job.prompt, palette.ink, (width * 0.1, height * 0.64), width * 0.8, unit * 0.08, lines=2)
    return sheet.image
