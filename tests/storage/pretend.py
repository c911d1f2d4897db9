"""Programs that stand in for the picture process."""

from collections.abc import Callable

DIES = "import os, signal, sys; sys.stdin.readline(); os.kill(os.getpid(), signal.SIG{})"
HANGS = "import sys, time; sys.stdin.readline(); time.sleep(600)"
type Pretend = Callable[[str], None]
