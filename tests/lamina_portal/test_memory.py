"""Forked processes keep sharing memory: new objects don't go into the gaps between those loaded earlier."""

import os
import subprocess
import sys
from pathlib import Path

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


@pytest.mark.skipif(sys.platform != "linux", reason="needs glibc")
def test_little_memory_is_filled_whatever_the_allocator_says() -> None:
    """If another allocator is loaded with `LD_PRELOAD`, glibc's numbers never change, so every piece of memory seems to
    fill a gap."""
    code = """
from lamina_portal import memory
memory._fills_a_gap = lambda glibc, size: counted.append(size) or True
counted = []
memory.share()
print(sum(counted) <= memory.MOST_FILLED)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["True"]


def test_what_few_portals_use_is_not_loaded(tmp_path: Path) -> None:
    code = """
import sys, django
django.setup()
from runs.management import whole_portal
whole_portal.load()
print(*{"PIL", "cryptography", "markdown_it", "nh3", "zxcvbn"}.intersection(sys.modules))
"""
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "lamina_portal.settings", "PORTAL_DATA_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, check=True, text=True)
    assert done.stdout.split() == []
