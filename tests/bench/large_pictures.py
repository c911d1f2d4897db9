"""Uploads sixteen 70-megapixel pictures (200 to 300 KB each) at once. Measures how much memory the portal uses and
whether it still responds."""

import struct
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import requests

from runs.models import App, StoredFile
from tests.bench.damaged_http import FILE, make_app
from tests.bench.portal import Portal
from tests.bench.report import Report
from tests.support.processes import children_of, wait_until
from tests.support.visitor import Visitor

PICTURES = 16
WIDTH, HEIGHT = 10_000, 7_000
MAX_MB = 1_000.0
MAX_HEALTH_SECONDS = 1.0
PAUSE_SECONDS = 0.2


def bench(portal: Portal, report: Report) -> None:
    app = make_app(portal, "large-pictures", FILE)
    portal.start_worker()
    portal.start_web()
    visitor = Visitor(portal.url, portal.make_member("demo"))
    visitor.open_form(app.get_absolute_url())
    bodies = [png(6, 4), png(2, 3)]
    with report.part(f"{PICTURES} pictures of 70 million pixels at once"), Watch(portal) as watch:
        begun = time.monotonic()
        with ThreadPoolExecutor(PICTURES) as threads:
            taken = list(threads.map(lambda n: send(visitor, app, bodies[n % 2]), range(PICTURES)))
        report.note("until an upload gets a response, slowest", f"{max(taken):.1f} s")
        report.note("without a thumbnail by then", str(StoredFile.objects.filter(thumb_200="").count()))
        made = StoredFile.objects.exclude(thumb_200="")
        wait_until(lambda: made.count() == PICTURES, "every thumbnail", 300)
        report.note("until each has its thumbnail", f"{time.monotonic() - begun:.1f} s")
        report.note("the portal before", f"{watch.first_mb:.0f} MB")
        report.at_most("the whole portal, most", watch.most_mb, MAX_MB, " MB")
        report.at_most("/healthz, slowest", watch.slowest_seconds, MAX_HEALTH_SECONDS, " s")


def png(colour_type: int, bytes_per_point: int) -> bytes:
    """Return a single-colour picture of 70 million pixels."""
    packer = zlib.compressobj(9)
    row = bytes(1 + WIDTH * bytes_per_point)
    data = b"".join([*(packer.compress(row) for _ in range(HEIGHT)), packer.flush()])

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def send(visitor: Visitor, app: App, body: bytes) -> float:
    """Upload `body`, and return how many seconds the response took."""
    begun = time.monotonic()
    answer = visitor.session.post(
        f"{visitor.url}/uploads/",
        data={"app": app.public_id, "field": "p0"},
        files={"file": ("large.png", body)},
        headers={"X-CSRFToken": visitor.session.cookies["csrftoken"], "Referer": visitor.url},
        timeout=120,
    )
    answer.raise_for_status()
    return time.monotonic() - begun


class Watch:
    """Watches the portal's memory and health during the block."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._over = threading.Event()
        self._threads = [threading.Thread(target=work) for work in (self._weigh, self._ask)]
        self.first_mb = self.most_mb = self.slowest_seconds = 0.0

    def __enter__(self) -> "Watch":
        self.first_mb = self._mb()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _weigh(self) -> None:
        while not self._over.wait(PAUSE_SECONDS):
            self.most_mb = max(self.most_mb, self._mb())

    def _mb(self) -> float:
        roots = [process.popen.pid for process in self._portal.processes.running]
        return sum(pss_of(pid) for root in roots for pid in descendants(root)) / 1_000_000

    def _ask(self) -> None:
        while not self._over.wait(PAUSE_SECONDS):
            begun = time.monotonic()
            with suppress(requests.RequestException):  # if the request fails, this counts the time until it failed
                requests.get(f"{self._portal.url}/healthz", timeout=30)
            self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - begun)


def pss_of(pid: int) -> int:
    """Return the memory of process `pid` in bytes, including its share of shared memory; 0 if the process has ended."""
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("Pss:")).split()[1])
    return 0


def descendants(pid: int) -> list[int]:
    """Return `pid` and the ids of all its descendants."""
    return [pid, *(found for child in children_of(pid) for found in descendants(child))]
