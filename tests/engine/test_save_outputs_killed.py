"""If a worker is killed while saving files, each file is either saved completely or tried again."""

import hashlib
import os
import random
import sqlite3
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.support.hostile_server import HostileServer, hostile_server
from tests.support.processes import Home, wait_until

pytestmark = [pytest.mark.whole, pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs Linux's /proc")]

FILES = 100
KILLS = int(os.environ.get("KEEPING_KILLS", "3"))
MAKE = """
from tests.support.factories import make_app, make_run
from runs.models import Member, OutputFile
run = make_run(Member.objects.create_user("a@example.com", "x"), make_app())
box = run.outputs.all()[0]
OutputFile.objects.bulk_create(
    OutputFile(output=box, position=n, source_url=f"{url}/drip-file-{{n}}") for n in range({files})
)
"""
# Pretend that a minute has passed, so that all claims and slots have expired, and let the sweep look for what is due.
A_MINUTE_LATER = """
from django.utils import timezone
from runs.models import Lease, OutputFile
from runs.tasks import sweep
now = timezone.now()
Lease.objects.update(until=now)
OutputFile.objects.filter(status="saving").update(claimed_until=None, due_at=now)
for _ in range(2):
    sweep()
"""


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with hostile_server() as running:
        chance = random.Random(7)
        for n in range(FILES):
            target = BytesIO()
            Image.frombytes("RGB", (70, 70), chance.randbytes(70 * 70 * 3)).save(target, "PNG")
            running.dripping[f"/drip-file-{n}"] = target.getvalue()
        yield running


@pytest.fixture
def home(tmp_path: Path, server: HostileServer) -> Iterator[Home]:
    home = Home(tmp_path, LAMINA_BASE_URL=server.url, PORTAL_TESTING="1")
    home.migrate()
    home.manage("shell", "--no-imports", "-c", MAKE.format(url=server.url, files=FILES))
    yield home
    home.end_all()


class Kept:
    """What the database and the disk contain, as seen from outside the portal."""

    def __init__(self, home: Home, server: HostileServer) -> None:
        self.folder = home.folder / "sandbox"
        self.whole = {hashlib.sha256(body).hexdigest() for body in server.dripping.values()}

    def saved(self) -> int:
        with sqlite3.connect(self.folder / "portal.sqlite3", timeout=60) as database:
            return int(database.execute("select count(*) from runs_outputfile where status = 'saved'").fetchone()[0])

    def check(self) -> None:
        """Check that every file matches its row and that every file in storage is complete."""
        with sqlite3.connect(self.folder / "portal.sqlite3", timeout=60) as database:
            rows = database.execute(
                "select f.file, f.thumb_400, f.sha256, f.size_bytes from runs_outputfile o"
                " join runs_storedfile f on f.id = o.file_id where o.status = 'saved'"
            ).fetchall()
        for name, thumb, digest, size in rows:
            content = (self.folder / "media" / name).read_bytes()
            assert (hashlib.sha256(content).hexdigest(), len(content)) == (digest, size)
            assert digest in self.whole
            Image.open(self.folder / "media" / thumb).load()
        for path in (self.folder / "media" / "files").rglob("*"):
            if path.suffix == ".png":
                assert hashlib.sha256(path.read_bytes()).hexdigest() in self.whole, path
            elif path.suffix:
                Image.open(path).load()


def test_kill_minus_nine_leaves_no_half_file(home: Home, server: HostileServer) -> None:
    kept = Kept(home, server)
    chance = random.Random(int(os.environ.get("KEEPING_SEED", "1")))
    killed_at = []
    for n in range(KILLS):
        before = len(server.hits)
        home.manage("shell", "--no-imports", "-c", A_MINUTE_LATER)
        home.start("worker")
        wait_until(lambda before=before: len(server.hits) > before + 2, f"transfers after kill {n}")  # type: ignore[misc]
        time.sleep(chance.uniform(0, 0.8))  # at a random moment in a transfer
        home.end_all()
        killed_at.append(kept.saved())
        kept.check()

    home.manage("shell", "--no-imports", "-c", A_MINUTE_LATER)
    home.start("worker")
    wait_until(lambda: kept.saved() == FILES, f"all to be saved; at the kills it was {killed_at}", 240)
    kept.check()
    assert killed_at[0] < FILES  # otherwise, no transfer was interrupted
