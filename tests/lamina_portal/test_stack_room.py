"""Function calls take no memory from the system, however deep the stack is."""

import resource
import sys
from collections.abc import Callable

import pytest

from lamina_portal.stack_room import with_room

CALLS = 500
DEPTHS = 100


def leaf(a: int, b: int, c: int) -> int:
    return a + b + c


def loop() -> int:
    """Call a function again and again; return how many times the process had to get memory from the system."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for n in range(CALLS):
        leaf(n, n, n)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def at_depth(depth: int, function: Callable[[], int]) -> int:
    return at_depth(depth - 1, function) if depth else function()


@pytest.mark.skipif(sys.platform != "linux", reason="counts page faults")
def test_a_loop_at_any_depth_takes_no_memory_for_its_calls() -> None:
    inside = with_room(lambda depth: at_depth(depth, loop))
    assert max(inside(depth) for depth in range(DEPTHS)) < CALLS / 10


def test_values_and_errors_pass_through() -> None:
    assert with_room(leaf)(1, b=2, c=3) == 6
    with pytest.raises(ZeroDivisionError):
        with_room(lambda: 1 // 0)()
