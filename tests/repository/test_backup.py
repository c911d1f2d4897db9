"""Backup and restore with the commands from docs/operating.md, on a database that is in use."""

import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILL = """
from django.core import signing
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from runs.models import Member
Member.objects.create_user("ada@example.com", "a long enough password")
default_storage.save("results/picture.webp", ContentFile(b"a picture"))
print(signing.dumps("signed before"))
"""
READ = """
from django.core import signing
from django.core.files.storage import default_storage
from runs.models import Member
names = sorted(Member.objects.values_list("name", "email"))
print(names, default_storage.open("results/picture.webp").read(), signing.loads({signed!r}))
"""


class Portal:
    """A folder where the manual's commands work as written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "manage.py").symlink_to(ROOT / "manage.py")
        (folder / ".venv").symlink_to(sys.prefix)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("LAMINA_", "PORTAL_"))}
        self.env = {**kept, "DJANGO_SETTINGS_MODULE": "lamina_portal.settings", "PORTAL_TESTING": "1"}
        self.env |= {"PORTAL_DATA_DIR": str(folder / "var"), "LAMINA_API_KEY": "lma_none", "DATABASE_URL": ""}

    def type(self, commands: str) -> str:
        """Run `commands` in a shell that stops at the first failure; return their output."""
        command = ["sh", "-e", "-c", commands]
        done = subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def shell(self, code: str) -> str:
        command = [".venv/bin/python", "manage.py", "shell", "--verbosity", "0", "-c", code]
        done = subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def commands_of_the_manual(backup: Path) -> tuple[str, str]:
    """Return the manual's backup and restore commands, with /backup replaced by `backup`."""
    section = (ROOT / "docs/operating.md").read_text().partition("\n## Backup and restore")[2].partition("\n## ")[0]
    first, second = re.findall(r"```sh\n(.*?)```", section, re.S)
    return first.replace("/backup", str(backup)), second.replace("/backup", str(backup))


@pytest.mark.whole
def test_what_was_backed_up_in_use_is_all_there_when_restored(tmp_path: Path) -> None:
    folder = tmp_path / "portal"
    folder.mkdir()
    portal = Portal(folder)
    back_up, restore = commands_of_the_manual(tmp_path / "backup")
    portal.type(".venv/bin/python manage.py migrate --verbosity 0")
    signed = portal.shell(FILL)
    # The backup must include changes that are committed but still only in the write-ahead log.
    with sqlite3.connect(folder / "var/portal.sqlite3") as user:
        user.execute("UPDATE runs_member SET name = 'Ada'")
        user.commit()
        assert (folder / "var/portal.sqlite3-wal").stat().st_size > 0
        portal.type(back_up)
        portal.type(back_up)  # the next day's backup, written over the first one
    user.close()

    (folder / "var").rename(folder / "lost")
    portal.type(restore)

    assert portal.shell(READ.format(signed=signed)) == "[('Ada', 'ada@example.com')] b'a picture' signed before"
