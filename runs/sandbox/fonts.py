"""Fonts: Pillow's own font, or one such as DejaVu or Noto for scripts that it doesn't cover. Each string uses a single
font; characters missing from it are left out."""

import unicodedata
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
Font = ImageFont.FreeTypeFont
FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path("/Library/Fonts"))
BROAD = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "FreeSans.ttf", "Arial Unicode.ttf")


@lru_cache(maxsize=1)
def _installed() -> dict[str, str]:
    """Return the paths of the font files installed on this machine, by file name."""
    paths: dict[str, str] = {}
    for folder in FOLDERS:
        for path in sorted(folder.rglob("*.tt[fc]")) if folder.is_dir() else ():
            paths.setdefault(path.name, str(path))
    return paths


@lru_cache(maxsize=256)
def _load(path: str, size: int) -> Font | None:
    try:
        if path:
            return ImageFont.truetype(path, size)
        own = ImageFont.load_default(size)
    except OSError:
        return None
    return own if isinstance(own, ImageFont.FreeTypeFont) else None


@lru_cache(maxsize=4096)
def _can_draw(path: str, character: str) -> bool:
    font = _load(path, 24)
    if font is None:
        return False
    if character.isspace() or unicodedata.category(character) in {"Cf", "Mn"}:
        return True
    # If a font has no glyph for a character, it draws the same shape as for a code point that will never be assigned.
    mask, missing = font.getmask(character), font.getmask("\U0010fffe")
    return mask.size != missing.size or bytes(mask) != bytes(missing)


def _candidates(text: str) -> list[str]:
    installed = _installed()
    scripts = {unicodedata.name(c, "").split(" ")[0].title() for c in text if not c.isascii()}
    names = [*BROAD, *(f"NotoSans{script}-Regular.ttf" for script in sorted(scripts)), "NotoSansCJK-Regular.ttc"]
    return ["", *(installed[name] for name in names if name in installed)]


@lru_cache(maxsize=512)
def fitting(text: str) -> tuple[str, str]:
    """Return the font file that covers most of the text ("" means Pillow's own font), and the part of the text it can
    draw."""
    if text.isascii():
        return "", text
    best = max(_candidates(text), key=lambda path: sum(_can_draw(path, c) for c in text))
    drawable = "".join(c for c in text if _can_draw(best, c) and c not in "\u200d\ufe0f")
    return best, " ".join(drawable.split())


def write(
    picture: Image.Image, place: tuple[float, float], text: str, size: int, colour: Colour, *,
    anchor: str = "la", weight: int = 0,
) -> None:  # fmt: skip
    """Write one line. `anchor` is Pillow's anchor; `weight` thickens the strokes by that many pixels."""
    path, text = fitting(text)
    font = _load(path, max(6, size))
    if font is not None and text:
        draw = ImageDraw.Draw(picture)
        draw.text(place, text, fill=colour, font=font, anchor=anchor, stroke_width=weight, stroke_fill=colour)


def width(text: str, size: int) -> float:
    path, text = fitting(text)
    font = _load(path, max(6, size))
    return float(font.getlength(text)) if font is not None and text else 0.0


def wrapped(text: str, size: int, room: float, lines: int) -> list[str]:
    """Wrap the text into at most `lines` lines of `room` pixels; the last one ends with "…" if there is more text."""
    path, text = fitting(" ".join(text[:400].split()))
    font = _load(path, max(6, size))
    if font is None:
        return []
    done: list[str] = []
    words = text.split(" ")
    line = ""
    while words:
        word = words.pop(0)
        longer = f"{line} {word}".strip()
        if font.getlength(longer) <= room:
            line = longer
        elif not line:
            line = _cut(font, word, room)
            words = [""] if len(done) + 1 < lines else ["", ""]
        else:
            done.append(line)
            line = ""
            words.insert(0, word)
            if len(done) == lines:
                break
    if len(done) < lines and line:
        done.append(line)
    elif words and any(words) and done:
        done[-1] = _cut(font, f"{done[-1]} …", room)
    return done


def _cut(font: Font, text: str, room: float) -> str:
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(f"{text}…") > room:
        text = text[:-1]
    return f"{text.rstrip(' …')}…"
