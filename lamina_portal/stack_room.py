"""Gives what a request calls room on Python's stack at once.

CPython takes memory for its frames in pieces of 16 KiB (about twenty calls), and gives a piece back as soon as the
first frame in it returns. Where a loop's calls just go beyond a piece, each of them takes and gives back one: a page
then takes up to twice its time, depending on nothing but how deep the stack happens to be.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

# Of a frame, in objects of 8 bytes. A piece is as large as the next power of two that holds its first frame, here
# 512 KiB, of which the frame takes half. Memory that nobody writes to isn't used.
ROOM = 32_000


def with_room[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Return `function`, called from a frame so large that Python takes one large piece for all that it calls."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        return function(*args, **kwargs)

    frame: Any = call
    frame.__code__ = frame.__code__.replace(co_stacksize=ROOM)
    return call
