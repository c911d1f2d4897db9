"""Loading the portal leaves out what few portals use."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.processes import ROOT


def test_what_few_portals_use_is_not_loaded(tmp_path: Path) -> None:
    code = """
import sys, django
django.setup()
from runs.management.commands.portal import load_portal
load_portal()
print(*{"PIL", "cryptography", "markdown_it", "nh3", "zxcvbn"}.intersection(sys.modules))
"""
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "lamina_portal.settings", "PORTAL_DATA_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, check=True, text=True)
    assert done.stdout.split() == []
