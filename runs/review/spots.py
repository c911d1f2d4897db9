"""Spots on pictures, in ten-thousandths of the width and height, so that they don't depend on the displayed size.

People mark a spot by clicking the picture, by typing two percentages, or, without JavaScript, by clicking a picture
that is a button: `<input type="image">` sends the click's position in px. The button has a fixed size, because browsers
don't send its size.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runs.models import StoredFile

END = 10_000
WIDTHS = (280, 640)  # width of the button in px, on phones and on larger screens
SHORTEST_SIDE = 120  # in px; being half a pixel off is then at most 0.42% of a side
NEAR = 300  # dots on spots that are nearer than this, across and down, would cover each other
DOT, PER_ROW = 28, 4  # how far dots on one spot are apart, in px, and how many of them stand in a row


@dataclass(frozen=True)
class SpotButton:
    """A picture to click on; `size` is its CSS class. The stylesheet shows only the button that fits the
    screen."""

    name: str
    size: str
    width: int
    height: int


@dataclass(frozen=True)
class DotPlace:
    """Where to draw a dot: `x` and `y` in percent, and from there `across` and `down` in px."""

    x: str
    y: str
    across: int
    down: int


def places(spots: Sequence[tuple[int, int, int]]) -> list[DotPlace]:
    """Return where to draw the dots of these spots (across, down, position of the file). Dots that would cover each
    other stand side by side, beginning at the first one's spot and going towards the middle of the picture."""
    firsts: list[list[int]] = []  # the first spot of each group, and how many dots the group has so far
    dots = []
    for x, y, file in spots:
        near = (one for one in firsts if abs(one[0] - x) < NEAR and abs(one[1] - y) < NEAR and one[2] == file)
        first = next(near, None)
        if first is None:
            first = [x, y, file, 0]
            firsts.append(first)
        left, top, _file, before = first
        across, down = DOT * (before % PER_ROW), DOT * (before // PER_ROW)
        dots.append(
            DotPlace(
                f"{percent(left)}%",
                f"{percent(top)}%",
                -across if left > END / 2 else across,
                -down if top > END / 2 else down,
            )
        )
        first[3] += 1
    return dots


def can_mark(file: StoredFile | None) -> bool:
    """Return whether people can mark a spot on `file`, which must be a picture whose size is known."""
    return file is not None and file.kind == StoredFile.Kind.IMAGE and bool(file.width and file.height)


def buttons_of(file: StoredFile | None) -> list[SpotButton]:
    """Return the clickable pictures for `file`; an empty list if it isn't a picture."""
    if file is None or not can_mark(file):
        return []
    across, down = file.width or 1, file.height or 1
    buttons = []
    for size, width in zip(("narrow", "wide"), WIDTHS, strict=True):
        scale = min(width / across, width * 1.5 / down)
        scale = max(scale, SHORTEST_SIDE / min(across, down))
        buttons.append(SpotButton(f"spot-{size}", size, round(across * scale), round(down * scale)))
    return buttons


def clicked(file: StoredFile | None, posted: Mapping[str, str]) -> tuple[int, int] | None:
    """Return the spot that was clicked on one of the file's spot buttons; None if there was no click."""
    for button in buttons_of(file):
        at = [str(posted.get(f"{button.name}.{part}", "")) for part in "xy"]
        if all(part.isascii() and part.isdigit() and len(part) < 6 for part in at):
            middle = [(int(part) + 0.5) * END for part in at]  # the middle of the pixel
            x, y = round(middle[0] / button.width), round(middle[1] / button.height)
            return (min(x, END), min(y, END))
    return None


def ten_thousandths(text: str) -> int | None:
    """Convert a typed percentage to ten-thousandths; return None unless it is a number from 0 to 100."""
    try:
        part = round(float(text.replace(",", ".")) * 100)
    except (ValueError, OverflowError):
        return None
    return part if 0 <= part <= END else None


def percent(part: int) -> str:
    """Format ten-thousandths as a percentage such as "43.21", the same in every language."""
    return f"{part / 100:.2f}"
