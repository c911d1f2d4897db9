"""App thumbnails: a picture for each regular app, and a test pattern for the test cards."""

import io
import math
import random
from collections.abc import Callable
from typing import Any

from PIL import Image

from runs.sandbox.drawing import figures, photos, scenes, still, studio
from runs.sandbox.drawing.job import Job
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
    """Draw a portrait that is half photo and half cartoon."""
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
    # Draw this half at three times the size, because this style's blur is meant for large pictures.
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


def finished(app_id: str, palette: str, *words: str) -> Art:
    """Return a function that draws one of the app's results for these text inputs."""

    def draw_it(chance: random.Random) -> Image.Image:
        job = Job(app_id, "", "", shown=tuple((f"text {n}", "text", word) for n, word in enumerate(words)))
        return grained(studio.PIECES[app_id](job, SIZE, PALETTES[palette], chance), 0.7)

    return draw_it


def emblems(chance: random.Random) -> Image.Image:
    """Draw four logos, each in a square."""
    sheet = Image.new("RGB", SIZE)
    for number, name in enumerate(("Nord", "Oliva", "Half Moon", "Tilda")):
        job = Job("sandbox-logo", "", "", number, shown=(("name", "text", name),))
        half = (SIZE[0] // 2, SIZE[1] // 2)
        tile = studio.PIECES["sandbox-logo"](job, half, PALETTES["lagoon"], chance)
        sheet.paste(tile, (number % 2 * half[0], number // 2 * half[1]))
    return grained(sheet, 0.7)


def music(chance: random.Random) -> Image.Image:
    """Draw a sound wave that looks like a row of coloured keys."""
    width, height = SIZE
    palette = PALETTES["orchard"]
    sheet = Paper(SIZE, gradient(SIZE, palette.tone(0.96), palette.tone(0.8)))
    sheet.lay(Pen().ellipse(width * 0.5, height * 0.5, height * 0.42), palette.second, shadow=0.15)
    for number in range(15):
        x = width * (0.1 + 0.0571 * number)
        tall = height * (0.1 + 0.26 * abs(math.sin(number * 0.75)) * (1 - abs(number - 7) / 12))
        colour = palette.accent if number % 4 == 2 else palette.tone(0.06 + 0.05 * (number % 4))
        sheet.lay(Pen().box(x - 11, height / 2 - tall, x + 11, height / 2 + tall, 11), colour, shadow=0.3)
    return grained(sheet.image, 0.8)


def microphone(chance: random.Random) -> Image.Image:
    width, height = SIZE
    palette = PALETTES["ink"]
    sheet = Paper(SIZE, gradient(SIZE, palette.tone(0.12), palette.tone(0.3)))
    x, y = width * 0.5, height * 0.42
    rings = (Pen().ring(x, y, height * share, 5) for share in (0.34, 0.46, 0.58))
    sheet.lay(joined(rings), palette.tone(0.5), opacity=0.6)
    stand = Pen().box(x - 7, y, x + 7, height * 0.9).box(x - 70, height * 0.88, x + 70, height * 0.91, 6)
    sheet.lay(stand, palette.paper, shadow=0.3)
    cup = Pen().ellipse(x, y + 24, 88, 96).ellipse(x, y + 12, 74, 84, fill=0).box(x - 96, y - 90, x + 96, y + 6, fill=0)
    sheet.lay(cup, palette.paper, shadow=0.3)
    sheet.lay(Pen().box(x - 56, y - 118, x + 56, y + 78, 56), palette.accent, shadow=0.4, lift=9)
    lines = (Pen().box(x - 40, y - 70 + 26 * n, x + 40, y - 64 + 26 * n, 3) for n in range(4))
    sheet.lay(joined(lines), palette.second)
    return grained(sheet.image, 0.8)


def label(chance: random.Random) -> Image.Image:
    """Draw a price tag with lines of text next to a bottle."""
    width, height = SIZE
    palette = PALETTES["meadow"]
    sheet = Paper(SIZE, gradient(SIZE, palette.tone(0.95), palette.tone(0.78)))
    figures.bottle(sheet, palette, width * 0.22, height * 0.92, height * 0.74)
    left, top, right, bottom = width * 0.4, height * 0.16, width * 0.9, height * 0.86
    tag = [(left + 44, top), (right, top), (right, bottom), (left + 44, bottom), (left, (top + bottom) / 2)]
    sheet.lay(Pen().polygon(tag).ellipse(left + 42, (top + bottom) / 2, 12, fill=0), palette.paper, shadow=0.4, lift=10)
    sheet.lay(Pen().box(left + 84, top + 40, left + 230, top + 62, 6), palette.accent)
    texts = (
        Pen().box(left + 84, top + 92 + 32 * n, left + (290, 262, 278, 170)[n], top + 104 + 32 * n, 6) for n in range(4)
    )
    sheet.lay(joined(texts), palette.tone(0.3))
    return grained(sheet.image, 0.8)


def replies(chance: random.Random) -> Image.Image:
    """Draw a question and an answer as two speech bubbles."""
    width, height = SIZE
    palette = PALETTES["dusk"]
    sheet = Paper(SIZE, gradient(SIZE, palette.tone(0.96), palette.tone(0.8)))
    for left, top, right, colour, tip, lines in (
        (0.08, 0.12, 0.6, palette.paper, 0.16, (0.34, 0.26)),
        (0.36, 0.46, 0.92, palette.tone(0.3), 0.84, (0.4, 0.44, 0.3)),
    ):
        bottom = top + 0.13 + 0.1 * len(lines)
        bubble = Pen().box(width * left, height * top, width * right, height * bottom, 26)
        foot = [(width * (tip - 0.03), height * bottom - 4), (width * (tip + 0.03), height * bottom - 4)]
        bubble.polygon([*foot, (width * tip, height * (bottom + 0.09))])
        sheet.lay(bubble, colour, shadow=0.35, lift=9)
        ink = palette.tone(0.45) if colour == palette.paper else palette.paper
        for number, wide in enumerate(lines):
            y = height * (top + 0.08 + 0.1 * number)
            sheet.lay(Pen().box(width * (left + 0.05), y, width * (left + 0.05 + wide), y + 13, 6), ink)
    return grained(sheet.image, 0.8)


def envelope(chance: random.Random) -> Image.Image:
    """Draw a letter sticking out of an envelope."""
    width, height = SIZE
    palette = PALETTES["terracotta"]
    sheet = Paper(SIZE, gradient(SIZE, palette.tone(0.92), palette.tone(0.72)))
    left, right, top, bottom = width * 0.2, width * 0.8, height * 0.42, height * 0.9
    sheet.lay(Pen().box(left, top, right, bottom, 10), palette.tone(0.3), shadow=0.3)
    sheet.lay(Pen().box(left + 30, height * 0.1, right - 30, bottom - 10, 8), palette.paper, shadow=0.3)
    picture = scenes.hills((round(right - left) - 100, 96), palette, chance)
    sheet.image.paste(picture, (round(left) + 50, round(height * 0.1) + 20))
    texts = (
        Pen().box(left + 50, height * 0.4 + 24 * n, right - (60, 90)[n], height * 0.4 + 24 * n + 11, 5) for n in (0, 1)
    )
    sheet.lay(joined(texts), palette.tone(0.2))
    middle = (width / 2, height * 0.74)
    sides = (
        Pen().polygon([(left, top + 8), middle, (left, bottom)]).polygon([(right, top + 8), middle, (right, bottom)])
    )
    sheet.lay(sides, mix(palette.accent, palette.paper, 0.18), shadow=0.25)
    front = Pen().polygon([(left, bottom), (width / 2, height * 0.66), (right, bottom)])
    sheet.lay(front, palette.accent, shadow=0.3)
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
    "card": test_pattern, "packshot": finished("sandbox-packshot", "ink"), "logo": emblems,
    "kit": finished("sandbox-social-kit", "terracotta", "New in town", "Say hello"),
    "surface": finished("sandbox-hintergrund", "orchard"), "dish": finished("sandbox-receta", "terracotta"),
    "affiche": finished("sandbox-affiche", "lagoon", "Jazz au jardin", "Samedi 12 juin"),
    "banner": finished("sandbox-banner-ja", "mint"), "room": finished("sandbox-room", "nordic"),
    "pattern": finished("sandbox-pattern", "orchard"), "letter": envelope, "jingle": music, "podcast": microphone,
    "campaign": finished("sandbox-campaign", "meadow", "Honeyhill", "Honey", "Sweet on every table"),
    "productreel": finished("sandbox-product-reel", "lagoon", "Made to be walked in"),
    "titles": finished("sandbox-titles", "dusk", "The lighthouse"), "description": label, "replies": replies,
    "window": finished("sandbox-vetrina", "berry", "Tre libri al prezzo di due", "Libreria all'Angolo"),
}  # fmt: skip
