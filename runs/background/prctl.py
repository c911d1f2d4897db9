"""Linux's PR_SET_PDEATHSIG: a process asks to be signalled when its parent dies, so that nothing is left behind.

Elsewhere nothing happens: the portal then stops cleanly as ever, only `kill -9` of a parent may leave children.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded before any fork: not safe to do after one


def die_with_parent(parent_pid: int, sig: signal.Signals) -> None:
    """Have the kernel send SIG to this process when its parent PARENT_PID dies; exit at once if it is dead already."""
    if _libc is None:
        return
    _libc.prctl(PR_SET_PDEATHSIG, int(sig), 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)
