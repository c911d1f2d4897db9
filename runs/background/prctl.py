"""Linux's PR_SET_PDEATHSIG: a process gets a signal when its parent dies, so that no orphans are left behind.

Other systems have nothing like it, so `kill -9` on a parent may leave its children running there.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
# Load this before any fork, because loading after a fork isn't safe
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent(parent_pid: int, sig: signal.Signals) -> None:
    """Have the kernel send `sig` to this process when its parent dies; exit at once if `parent_pid` is already dead."""
    if _libc is None:
        return
    _libc.prctl(PR_SET_PDEATHSIG, int(sig), 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)
