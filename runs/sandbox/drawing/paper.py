"""Draws paper-cut pictures: layered smooth shapes with soft shadows and paper grain."""

import math
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Self

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from runs.sandbox.drawing.palette import Colour

Point = tuple[float, float]
Size = tuple[int, int]
Box = tuple[int, int, int, int]
Part = tuple[Image.Image, Box]
# Pillow's radial gradient reaches 255 only in the corners, but a glow has to fade out at the sides.
GLOW = [round(255 * max(0.0, 1 - value / 180) ** 2) for value in range(256)]
SHADOW = (20, 16, 30)
SCALE = 2  # draw shapes larger by this factor, then scale them down to smooth the edges


class Pen:
    """Collects shapes to cut; their coordinates are pixels in the finished picture. `fill=0` cuts a hole."""

    def __init__(self) -> None:
        self._strokes: list[tuple[str, list[Point], dict[str, Any]]] = []
        self._reach: list[tuple[float, float, float]] = []  # x and y, and how far a shape may extend from that point

    def polygon(self, points: Iterable[Point], fill: int = 255) -> Self:
        return self._note("polygon", points, fill=fill)

    def ellipse(self, x: float, y: float, rx: float, ry: float | None = None, fill: int = 255) -> Self:
        ry = rx if ry is None else ry
        return self._note("ellipse", [(x - rx, y - ry), (x + rx, y + ry)], fill=fill)

    def ring(self, x: float, y: float, radius: float, width: float, fill: int = 255) -> Self:
        corners = [(x - radius, y - radius), (x + radius, y + radius)]
        return self._note("ellipse", corners, outline=fill, width=max(1, round(width * SCALE)))

    def box(self, left: float, top: float, right: float, bottom: float, radius: float = 0, fill: int = 255) -> Self:
        return self._note("rounded_rectangle", [(left, top), (right, bottom)], radius=radius * SCALE, fill=fill)

    def slice(self, x: float, y: float, radius: float, start: float, end: float, fill: int = 255) -> Self:
        """Add a pie slice between two angles in degrees, clockwise from three o'clock."""
        corners = [(x - radius, y - radius), (x + radius, y + radius)]
        return self._note("pieslice", corners, start=start, end=end, fill=fill)

    def line(self, points: Iterable[Point], width: float, fill: int = 255) -> Self:
        return self._note("line", points, width, fill=fill, width=max(1, round(width * SCALE)), joint="curve")

    def arch(self, left: float, top: float, right: float, bottom: float, fill: int = 255) -> Self:
        """Add an upright window shape with a round top."""
        radius = (right - left) / 2
        self.ellipse(left + radius, top + radius, radius, fill=fill)
        return self.box(left, top + radius, right, bottom, fill=fill)

    def leaf(self, x: float, y: float, angle: float, length: float, width: float, fill: int = 255) -> Self:
        """Add a pointed leaf that grows from (x, y) at an angle in radians."""
        sides: list[list[Point]] = [[], []]
        for step in range(13):
            along = step / 12
            across = math.sin(math.pi * along**0.85) * width / 2
            for side, sign in zip(sides, (1, -1), strict=True):
                side.append(_turned(x, y, angle, along * length, sign * across))
        return self.polygon(sides[0] + sides[1][::-1], fill)

    def cut(self, size: tuple[int, int]) -> Part | None:
        """Return the smallest smooth mask that contains the shapes, and its position on a sheet of this size."""
        if not self._reach:
            return None
        left = max(0, math.floor(min(x - far for x, _, far in self._reach)) - 1)
        top = max(0, math.floor(min(y - far for _, y, far in self._reach)) - 1)
        right = min(size[0], math.ceil(max(x + far for x, _, far in self._reach)) + 2)
        bottom = min(size[1], math.ceil(max(y + far for _, y, far in self._reach)) + 2)
        if right <= left or bottom <= top:
            return None
        large = Image.new("L", ((right - left) * SCALE, (bottom - top) * SCALE), 0)
        draw = ImageDraw.Draw(large)
        for name, points, how in self._strokes:
            getattr(draw, name)([((x - left) * SCALE, (y - top) * SCALE) for x, y in points], **how)
        return large.reduce(SCALE), (left, top, right, bottom)

    def add(self, other: "Pen") -> Self:
        self._strokes += other._strokes
        self._reach += other._reach
        return self

    def _note(self, name: str, points: Iterable[Point], far: float = 0.0, **how: Any) -> Self:
        points = list(points)
        self._strokes.append((name, points, how))
        self._reach += [(x, y, far) for x, y in points]
        return self


def joined(pens: Iterable[Pen]) -> Pen:
    """Combine the shapes of all `pens` into a single pen."""
    whole = Pen()
    for pen in pens:
        whole.add(pen)
    return whole


def _turned(x: float, y: float, angle: float, along: float, across: float) -> Point:
    cos, sin = math.cos(angle), math.sin(angle)
    return x + along * cos - across * sin, y + along * sin + across * cos


# A shape: a pen, a function that uses a pen, or a mask as large as the sheet.
Shape = Pen | Callable[[Pen], None] | Image.Image


class Paper:
    """A sheet to lay shapes on; `image` is the picture so far."""

    def __init__(self, size: tuple[int, int], ground: Image.Image | Colour) -> None:
        self.size = size
        self.image = ground.copy() if isinstance(ground, Image.Image) else Image.new("RGB", size, ground)

    @property
    def width(self) -> int:
        return self.size[0]

    @property
    def height(self) -> int:
        return self.size[1]

    def mask(self, shape: Shape) -> Image.Image:
        """Return the shape as a mask as large as the whole sheet."""
        whole = Image.new("L", self.size, 0)
        part = self._part(shape)
        if part:
            whole.paste(part[0], part[1])
        return whole

    def lay(
        self, shape: Shape, colour: Image.Image | Colour, *,
        shadow: float = 0.0, lift: int = 6, opacity: float = 1.0,
    ) -> None:  # fmt: skip
        """Add a shape, either in one colour or cut from a picture as large as the sheet."""
        part = self._part(shape)
        if part is None:
            return
        # Change only the area that the shape covers, because most shapes are small.
        mask, box = part
        if shadow:
            self._shade(mask, box[:2], shadow, lift)
        through = mask if opacity >= 1 else mask.point(lambda value: int(value * opacity))
        self.image.paste(colour.crop(box) if isinstance(colour, Image.Image) else colour, box, through)

    def _part(self, shape: Shape) -> Part | None:
        if isinstance(shape, Image.Image):
            box = shape.getbbox()
            return (shape.crop(box), box) if box else None
        if isinstance(shape, Pen):
            return shape.cut(self.size)
        pen = Pen()
        shape(pen)
        return pen.cut(self.size)

    def _shade(self, part: Image.Image, corner: tuple[int, int], strength: float, lift: int) -> None:
        """Add a soft shadow that falls to the lower right. Blurring it at a quarter of its size looks good enough."""
        room = lift * 3
        wide = Image.new("L", (part.width + 2 * room, part.height + 2 * room), 0)
        wide.paste(part, (room, room))
        small = wide.reduce(4).filter(ImageFilter.GaussianBlur(max(1.0, lift / 3)))
        soft = small.resize(wide.size, Image.Resampling.BILINEAR).point(lambda value: int(value * strength))
        left, top = corner[0] - room + lift // 2, corner[1] - room + lift
        self.image.paste(SHADOW, (left, top, left + wide.width, top + wide.height), soft)

    def multiply(self, mask: Image.Image, colour: Colour) -> None:
        """Print a transparent ink over the picture, like the second colour in a two-colour print."""
        white = Image.new("RGB", self.size, (255, 255, 255))
        white.paste(colour, (0, 0, *self.size), mask)
        self.image = ImageChops.multiply(self.image, white)

    def grain(self, strength: float = 1.0) -> None:
        self.image = grained(self.image, strength)


def gradient(size: tuple[int, int], top: Colour, bottom: Colour) -> Image.Image:
    ramp = Image.linear_gradient("L").resize(size, Image.Resampling.BILINEAR)
    return Image.composite(Image.new("RGB", size, bottom), Image.new("RGB", size, top), ramp)


def glow(size: tuple[int, int], x: float, y: float, radius: float) -> Image.Image:
    """Return a mask that is bright at (x, y) and fades to nothing at `radius`."""
    edge = max(2, round(radius * 2))
    disc = Image.radial_gradient("L").point(GLOW).resize((edge, edge), Image.Resampling.BICUBIC)
    mask = Image.new("L", size, 0)
    mask.paste(disc, (round(x - edge / 2), round(y - edge / 2)))
    return mask


@lru_cache(maxsize=8)
def _noise(size: tuple[int, int], strength: int) -> Image.Image:
    tile = Image.effect_noise((512, 512), strength)
    noise = Image.new("L", size)
    for left in range(0, size[0], 512):
        for top in range(0, size[1], 512):
            noise.paste(tile, (left, top))
    return Image.merge("RGB", (noise, noise, noise))


def grained(picture: Image.Image, strength: float = 1.0) -> Image.Image:
    """Return the picture with the grain of uncoated paper."""
    return ImageChops.overlay(picture, _noise(picture.size, round(17 * strength)))
