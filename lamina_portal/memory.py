"""Helps forked processes keep sharing memory with their parent, and give back memory that they no longer need."""

import ctypes
import gc
import sys

ARENA_MAX, MMAP_THRESHOLD, TRIM_THRESHOLD = -8, -3, -1  # parameters of glibc's mallopt
LARGE = 128 * 1024  # in bytes; a block larger than this is given back as soon as it is freed
LARGEST_GAP, SMALLEST_GAP, MOST_FILLED = 64 * 1024, 24, 8 * 1024 * 1024  # in bytes
USAGE = ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")


class _Usage(ctypes.Structure):
    """`struct mallinfo2` of glibc 2.33 and later. `keepcost` is the amount of free memory at the end of the heap, in
    bytes."""

    _fields_ = [(name, ctypes.c_size_t) for name in USAGE]


def _load_glibc() -> "ctypes.CDLL | None":
    """Return glibc, or None if this isn't Linux or the C library isn't glibc 2.33 or later."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is None or not hasattr(library, "mallinfo2"):
        return None
    library.mallinfo2.restype = _Usage
    library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    library.free.restype, library.free.argtypes = None, [ctypes.c_void_p]
    return library


_glibc = _load_glibc()  # load this before any fork, because loading after a fork isn't safe


def share() -> None:
    """Call this when everything is loaded, before forking.

    The garbage collector writes to every object it examines, which in a forked process copies the object's page of
    memory. So we tell the collector to ignore everything loaded so far. Then we run it once, so that it counts only the
    few objects that it still tracks; otherwise, its next full run would wait until new objects amounted to a quarter of
    those loaded.
    """
    gc.collect()
    gc.freeze()
    gc.collect()
    if _glibc:
        _use_one_heap(_glibc)
        _fill_gaps(_glibc)


def _use_one_heap(glibc: ctypes.CDLL) -> None:
    """Make all threads use the same heap. Otherwise, each thread holds on to free memory of its own: about 2 MiB after
    handling a page."""
    glibc.mallopt(ARENA_MAX, 1)
    glibc.mallopt(MMAP_THRESHOLD, LARGE)
    glibc.mallopt(TRIM_THRESHOLD, LARGE)


def _fill_gaps(glibc: ctypes.CDLL) -> None:
    """Permanently fill the gaps between used blocks of memory: less than 1 MiB in total.

    A forked process would use these gaps first, and that would copy the memory pages they're on: 4 MiB just to open the
    database. If the process uses another allocator (`LD_PRELOAD`), nothing is filled, because glibc's numbers don't
    describe that allocator.
    """
    size, room = LARGEST_GAP, MOST_FILLED if glibc.mallinfo2().keepcost else 0
    while size >= SMALLEST_GAP:
        while room >= size and _fills_a_gap(glibc, size):
            room -= size
        size -= max(16, size // 8 // 16 * 16)


def _fills_a_gap(glibc: ctypes.CDLL, size: int) -> bool:
    """Allocate `size` bytes; return whether they came from a gap rather than from the end of the heap."""
    at_the_end = glibc.mallinfo2().keepcost
    place = glibc.malloc(size)
    if place is None:
        return False
    if glibc.mallinfo2().keepcost == at_the_end:
        return True
    glibc.free(place)
    return False
