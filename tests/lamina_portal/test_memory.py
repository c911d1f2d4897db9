"""Forks keep sharing memory: nothing new goes into the gaps of what was loaded."""

import subprocess
import sys

import pytest

from tests.support.processes import ROOT

CODE = """
import ctypes, gc
from lamina_portal import memory
loaded = [bytes(1000) for _ in range(5000)]
del loaded[::2]
end = max(map(id, loaded))
memory.share()
new = [bytes(1000) for _ in range(1000)]
print(sum(id(one) < end for one in new), gc.get_freeze_count() > 1000)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs glibc")
def test_what_was_loaded_is_left_alone() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, check=True, text=True)
    assert done.stdout.split() == ["0", "True"]
