"""Helpers for pictures that contain words: chosen options, large letters and buttons."""

from runs.sandbox.drawing import fonts
from runs.sandbox.drawing.job import Job
from runs.sandbox.drawing.palette import Colour, Palette
from runs.sandbox.drawing.paper import Paper, Pen, Point


def pick(job: Job, *words: str) -> int:
    """Return the index of the first of `words` that appears in a chosen option; 0 if none does."""
    chosen = " ".join(label for _, label in job.chips).casefold()
    return next((number for number, word in enumerate(words) if word in chosen), 0)


def headline(
    sheet: Paper, text: str, colour: Colour, corner: Point, room: float, size: float, *, lines: int = 3
) -> float:
    """Write the text in large letters, or in smaller ones if it is long; return the y position just below it."""
    text = " ".join(text.split())
    large = round(size)
    while large > 16 and len(fonts.wrapped(text, large, room, 9)) > lines:
        large = round(large * 0.9)
    y = corner[1]
    for line in fonts.wrapped(text, large, room, lines):
        fonts.write(sheet.image, (corner[0], y), line, large, colour, weight=round(large * 0.03))
        y += large * 1.18
    return y


def button(sheet: Paper, palette: Palette, corner: Point, text: str, size: float) -> None:
    large = round(size)
    text = fonts.shortened(" ".join(text.split()), large, sheet.width * 0.6)
    wide = fonts.width(text, large) + large * 2
    x, y = corner
    sheet.lay(Pen().box(x, y, x + wide, y + large * 2.1, large), palette.ink, shadow=0.25)
    place = (x + wide / 2, y + large * 1.05)
    fonts.write(sheet.image, place, text, large, palette.paper, anchor="mm")
