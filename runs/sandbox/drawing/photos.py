"""Gives input pictures a paper frame and a look that depends on the chosen style."""

import random
from collections.abc import Callable

from PIL import Image, ImageChops, ImageEnhance, ImageFilter, ImageOps

from runs.sandbox.drawing.palette import Colour, Palette, mix
from runs.sandbox.drawing.paper import Box, Paper, Pen, Point, glow

Look = Callable[[Image.Image, Palette], Image.Image]


def inked(photo: Image.Image, colours: int, line: float) -> Image.Image:
    """Reduce the photo to a few flat colours with inked outlines."""
    smooth = photo.filter(ImageFilter.BoxBlur(2))
    # Reduce the colours at half the size, which is faster. The filter removes specks between similar colours.
    half = smooth.reduce(2).filter(ImageFilter.BoxBlur(1))
    few = half.reduce(2).quantize(colours, Image.Quantize.MAXCOVERAGE)
    flat = half.quantize(palette=few, dither=Image.Dither.NONE).filter(ImageFilter.ModeFilter(5)).convert("RGB")
    flat = flat.resize(photo.size, Image.Resampling.BICUBIC)
    edges = ImageOps.grayscale(smooth).filter(ImageFilter.FIND_EDGES)
    # FIND_EDGES leaves the outermost pixels unchanged.
    inside = Image.new("L", photo.size, 0)
    inside.paste(edges.crop((2, 2, photo.width - 2, photo.height - 2)), (2, 2))
    ink = inside.filter(ImageFilter.BoxBlur(1)).point(lambda value: 255 - min(255, int(max(0, value - 12) * line)))
    return ImageChops.multiply(flat, Image.merge("RGB", (ink, ink, ink)))


def duotone(photo: Image.Image, dark: Colour, middle: Colour, light: Colour) -> Image.Image:
    grey = ImageOps.autocontrast(ImageOps.grayscale(photo), cutoff=1)
    return ImageOps.colorize(grey, dark, light, middle)


def storybook(photo: Image.Image, palette: Palette) -> Image.Image:
    warm = Image.blend(inked(photo, 28, 2.2), duotone(photo, (38, 66, 54), (154, 190, 120), (255, 247, 214)), 0.28)
    return ImageEnhance.Brightness(ImageEnhance.Color(warm).enhance(1.25)).enhance(1.06)


def sitcom(photo: Image.Image, palette: Palette) -> Image.Image:
    yellow = duotone(photo, (46, 40, 66), (240, 178, 30), (255, 232, 120))
    return Image.blend(inked(photo, 12, 5.0), yellow, 0.55)


def feature(photo: Image.Image, palette: Palette) -> Image.Image:
    rich = ImageEnhance.Color(inked(photo, 32, 1.0)).enhance(1.5)
    soft = rich.filter(ImageFilter.BoxBlur(9))
    return Image.blend(rich, ImageChops.screen(rich, soft), 0.35)


def neon(photo: Image.Image, palette: Palette) -> Image.Image:
    tones = duotone(inked(photo, 24, 3.0), (14, 8, 44), (226, 28, 140), (120, 250, 245))
    screen = Image.new("L", photo.size, 255)
    for top in range(0, photo.height, 4):
        screen.paste(190, (0, top, photo.width, top + 1))
    return ImageChops.multiply(tones, Image.merge("RGB", (screen, screen, screen)))


def natural(photo: Image.Image, palette: Palette) -> Image.Image:
    return ImageEnhance.Color(photo).enhance(1.12)


def print_one(photo: Image.Image, palette: Palette) -> Image.Image:
    return duotone(photo, palette.tones[0], mix(palette.accent, palette.tones[1], 0.15), palette.paper)


def print_two(photo: Image.Image, palette: Palette) -> Image.Image:
    return duotone(inked(photo, 12, 1.5), palette.ink, palette.tones[1], palette.tones[-1])


def poster(photo: Image.Image, palette: Palette) -> Image.Image:
    return Image.blend(inked(photo, 18, 3.0), print_one(photo, palette), 0.25)


LOOKS: dict[str, Look] = {
    "ghibli": storybook, "simpsons": sitcom, "disney": feature, "pixar": feature, "cyberpunk": neon,
    "studio": natural, "urban": print_two, "park": storybook,
}  # fmt: skip


def look_for(style: str, position: int) -> Look:
    for word, look in LOOKS.items():
        if word in style.casefold():
            return look
    return (poster, natural, print_one, print_two)[position % 4]


def fit(photo: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Crop and scale to `size`, centred slightly above the middle, where faces are."""
    return ImageOps.fit(photo, size, Image.Resampling.BILINEAR, centering=(0.5, 0.36))


def arrange(sheet: Paper, photos: list[Image.Image], chance: random.Random) -> None:
    """Place the photos on the sheet: a single photo in a large frame, several as prints side by side."""
    width, height = sheet.size
    if len(photos) == 1:
        _alone(sheet, photos[0], chance)
        return
    photos = photos[:6]
    across = len(photos) if len(photos) < 4 and width > height * 0.9 else 2 if len(photos) < 5 else 3
    down = -(-len(photos) // across)
    cell = (width * 0.92 / across, height * 0.9 / down)
    for number, photo in enumerate(photos):
        row = number // across
        in_row = min(across, len(photos) - row * across)
        x = width / 2 + (number % across - (in_row - 1) / 2) * cell[0]
        y = height / 2 + (row - (down - 1) / 2) * cell[1]
        _print(sheet, photo, (x, y), (cell[0] * 0.88, cell[1] * 0.88), chance.uniform(1.0, 3.0) * (-1) ** number)


def _alone(sheet: Paper, photo: Image.Image, chance: random.Random) -> None:
    width, height = sheet.size
    ratio = max(0.7, min(1.5, photo.width / photo.height, width * 0.9 / height))
    tall = height * 0.84
    wide = min(tall * ratio, width * 0.84)
    left, top = (width - wide) / 2, (height - tall) / 2
    box = (round(left), round(top), round(left + wide), round(top + tall))
    if wide < tall * 0.95 and chance.random() < 0.5:
        _framed(sheet, photo, lambda e: Pen().arch(box[0] - e, box[1] - e, box[2] + e, box[3] + e), box)
    else:
        radius = min(wide, tall) * 0.03
        _framed(sheet, photo, lambda e: Pen().box(box[0] - e, box[1] - e, box[2] + e, box[3] + e, radius + e), box)


def _framed(sheet: Paper, photo: Image.Image, shape: Callable[[float], Pen], box: Box) -> None:
    edge = min(sheet.size) * 0.022
    sheet.lay(shape(edge), (252, 249, 243), shadow=0.4, lift=14)
    whole = Image.new("RGB", sheet.size)
    whole.paste(fit(photo, (box[2] - box[0] + 1, box[3] - box[1] + 1)), box[:2])
    sheet.lay(shape(-0.5), whole)


def _print(sheet: Paper, photo: Image.Image, place: Point, room: tuple[float, float], turn: float) -> None:
    """Add a photo with a white border, slightly rotated."""
    scale = min(room[0] / 0.8, room[1])
    border = max(4, round(scale * 0.035))
    size = (round(min(room[0], scale * 0.95)) - 2 * border, round(room[1]) - 2 * border)
    card = Image.new("RGB", (size[0] + 2 * border, size[1] + 2 * border), (252, 249, 243))
    card.paste(fit(photo, size), (border, border))
    mask = Image.new("L", card.size, 255).rotate(turn, Image.Resampling.BILINEAR, expand=True)
    card = card.rotate(turn, Image.Resampling.BILINEAR, expand=True)
    corner = (round(place[0] - card.width / 2), round(place[1] - card.height / 2))
    whole, through = Image.new("RGB", sheet.size), Image.new("L", sheet.size, 0)
    whole.paste(card, corner)
    through.paste(mask, corner)
    sheet.lay(through, whole, shadow=0.4, lift=12)


def backdrop(size: tuple[int, int], palette: Palette, chance: random.Random) -> Paper:
    """Return a sheet with paper discs as a background for photos."""
    width, height = size
    unit = min(size)
    sheet = Paper(size, mix(palette.tone(0.75), palette.paper, 0.15))
    side = chance.choice((0.0, 1.0))
    sheet.lay(Pen().ellipse(width * side, height * 0.12, unit * 0.42), palette.second, shadow=0.15)
    sheet.lay(Pen().ellipse(width * (1 - side), height * 0.95, unit * 0.5), palette.tone(0.45), shadow=0.2)
    sheet.lay(glow(size, width / 2, height / 2, unit * 0.7), palette.paper, opacity=0.3)
    return sheet


def leaves(sheet: Paper, palette: Palette, chance: random.Random) -> None:
    """Add a spray of leaves over each lower corner."""
    width, height = sheet.size
    unit = min(sheet.size)
    for side in (0, 1):
        for number in range(4):
            angle = -1.57 + (0.5 - side) * (0.5 + 0.62 * number) * chance.uniform(0.9, 1.1)
            root = (width * side, height * 1.02)
            length = unit * chance.uniform(0.2, 0.28)
            colour = palette.accent if number == 1 else palette.tone(0.05 + 0.12 * number)
            sheet.lay(Pen().leaf(*root, angle, length, length * 0.34), colour, shadow=0.3)
