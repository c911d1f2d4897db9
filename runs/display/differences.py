"""Differences between two texts, word by word, at a bounded cost.

Texts that are too long or repetitive for this are compared line by line. Even longer texts aren't compared at all:
nobody would read that many marks, and the comparison would slow the portal down for everybody else.
"""

import re
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Literal

Mark = Literal["", "ins", "del"]
WORD = re.compile(r"\S+\s*|\s+")
MAX_PARTS = 4000  # words or lines per text
MAX_PAIRS = 300_000  # pairs of equal words in the two texts, which determine how long the comparison takes


@dataclass(frozen=True)
class Piece:
    """A piece of text; `mark` is "ins" if only the new text has it, "del" if only the old one does."""

    text: str
    mark: Mark = ""


def side_by_side(left: str, right: str) -> tuple[list[Piece], list[Piece]] | None:
    """Return both texts, with removed words marked on the left and new ones on the right; None if the texts are too
    long."""
    if (pieces := _compared(left, right)) is None:
        return None
    return (
        _join([piece for piece in pieces if piece.mark != "ins"]),
        _join([piece for piece in pieces if piece.mark != "del"]),
    )


def inline(base: str, text: str) -> list[Piece] | None:
    """Return a single sequence of pieces with the changes from `base` to `text` marked; None if the texts are too
    long."""
    return None if (pieces := _compared(base, text)) is None else _join(pieces)


def _compared(left: str, right: str) -> list[Piece] | None:
    for parts in (WORD.findall, lambda text: text.splitlines(keepends=True)):
        old, new = parts(left), parts(right)
        if _is_cheap(old, new):
            return _pieces(old, new)
    return None


def _is_cheap(old: list[str], new: list[str]) -> bool:
    if max(len(old), len(new)) > MAX_PARTS:
        return False
    counts = Counter(map(str.strip, old))
    return sum(counts[word] * count for word, count in Counter(map(str.strip, new)).items()) <= MAX_PAIRS


def _pieces(old: list[str], new: list[str]) -> list[Piece]:
    pieces: list[Piece] = []
    matcher = SequenceMatcher(None, [part.strip() for part in old], [part.strip() for part in new], autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            pieces += [Piece(part) for part in new[j1:j2]]
        else:
            pieces += [Piece(part, "del") for part in old[i1:i2]]
            pieces += [Piece(part, "ins") for part in new[j1:j2]]
    return pieces


def _join(pieces: list[Piece]) -> list[Piece]:
    """Join neighbouring pieces with the same mark. Trailing whitespace, such as a line break, gets no mark."""
    joined: list[Piece] = []
    for mark, group in groupby(pieces, key=lambda piece: piece.mark):
        text = "".join(piece.text for piece in group)
        bare = text.rstrip() if mark else text
        joined += [piece for piece in (Piece(bare, mark), Piece(text[len(bare) :])) if piece.text]
    return joined
