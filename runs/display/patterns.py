"""Patterns to show when there's no picture."""

import hashlib
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Shape:
    """One shape of a generated pattern, in a grid of 16 by 10; `tone` ranges from 1 to 4."""

    x: int
    y: int
    r: int
    tone: int


def shapes_of(name: str) -> list[Shape]:
    """Return the shapes of a subtle pattern for `name`. The same name always gets the same pattern."""
    digest = hashlib.sha256(name.encode("utf-8", "replace")).digest()
    fours = [digest[4 * i : 4 * i + 4] for i in range(6)]
    shapes = [Shape(x=x % 17, y=y % 11, r=2 + r % 4, tone=1 + tone % 4) for x, y, r, tone in fours]
    # Use at least one strong tone, so that the pattern doesn't look pale.
    shapes[0] = replace(shapes[0], tone=2 + digest[31] % 2)
    return shapes
