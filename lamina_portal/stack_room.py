"""Makes room on Python's stack for everything that a request calls.

CPython allocates memory for its stack frames in pieces of 16 KiB (about twenty calls), and frees a piece as soon as the
first frame in it returns. If a loop makes calls just where a piece ends, each call allocates a new piece and frees it
again. A page can then take up to twice as long, just because of how deep the stack happens to be.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

# `with_room`'s frame has room for this many objects of 8 bytes each. The size of a piece is the smallest power of two
# that holds its first frame and some reserve: here 512 KiB, of which the frame takes half. The parts that are never
# written to take up no real memory.
ROOM = 32_000


def with_room[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Return a function that calls `function` from a very large frame, so that Python gets one large piece for
    everything that `function` calls."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        return function(*args, **kwargs)

    frame: Any = call
    frame.__code__ = frame.__code__.replace(co_stacksize=ROOM)
    return call
