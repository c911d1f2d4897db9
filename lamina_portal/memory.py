"""Keeps processes that were forked from one sharing its memory, and returns memory that they no longer need."""

import ctypes
import gc
import sys

ARENA_MAX, MMAP_THRESHOLD, TRIM_THRESHOLD = -8, -3, -1  # of glibc's mallopt
LARGE = 128 * 1024  # bytes; what is larger is returned at once
LARGEST_GAP, SMALLEST_GAP, MOST_FILLED = 64 * 1024, 24, 8 * 1024 * 1024  # bytes
USAGE = ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")


class _Usage(ctypes.Structure):
    """`struct mallinfo2` of glibc 2.33 and later. `keepcost` is the free memory at the end of the heap, in bytes."""

    _fields_ = [(name, ctypes.c_size_t) for name in USAGE]


def _load_glibc() -> "ctypes.CDLL | None":
    """Return the C library; None if it is another one or an older one."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is None or not hasattr(library, "mallinfo2"):
        return None
    library.mallinfo2.restype = _Usage
    library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    library.free.restype, library.free.argtypes = None, [ctypes.c_void_p]
    return library


_glibc = _load_glibc()  # before any fork: loading after one isn't safe


def share() -> None:
    """Call this when everything is loaded, before forking.

    The garbage collector writes to each object that it looks at, and a fork then gets its own copy of that page. So it
    leaves alone what has been loaded. The second collection tells it how little is left, or it would wait until there
    is garbage worth a quarter of what was loaded.
    """
    gc.collect()
    gc.freeze()
    gc.collect()
    if _glibc:
        _use_one_heap(_glibc)
        _fill_gaps(_glibc)


def _use_one_heap(glibc: ctypes.CDLL) -> None:
    """Have all threads use one heap. Otherwise, each keeps its own free memory, about 2 MiB after a page."""
    glibc.mallopt(ARENA_MAX, 1)
    glibc.mallopt(MMAP_THRESHOLD, LARGE)
    glibc.mallopt(TRIM_THRESHOLD, LARGE)


def _fill_gaps(glibc: ctypes.CDLL) -> None:
    """Use up the free memory between used memory, less than 1 MiB, for good.

    A fork would use these gaps first, and copy all the pages around them: 4 MiB for opening the database. Nothing is
    filled if another allocator serves the process (`LD_PRELOAD`), of which these numbers say nothing.
    """
    size, room = LARGEST_GAP, MOST_FILLED if glibc.mallinfo2().keepcost else 0
    while size >= SMALLEST_GAP:
        while room >= size and _fills_a_gap(glibc, size):
            room -= size
        size -= max(16, size // 8 // 16 * 16)


def _fills_a_gap(glibc: ctypes.CDLL, size: int) -> bool:
    """Allocate `size` bytes if they come from a gap, not from the end of the heap."""
    at_the_end = glibc.mallinfo2().keepcost
    place = glibc.malloc(size)
    if place is None:
        return False
    if glibc.mallinfo2().keepcost == at_the_end:
        return True
    glibc.free(place)
    return False
