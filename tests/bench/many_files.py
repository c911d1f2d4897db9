"""Measures what it takes to save 5,000 pictures that are all due at once: time, disk, database and queue."""

import time
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from runs.engine import save_outputs
from runs.models import Output, OutputFile
from tests.bench.portal import Portal
from tests.bench.report import Report, number
from tests.bench.seen import noise, upload
from tests.support.factories import make_app, make_run
from tests.support.processes import wait_until

FILES, RESULTS = 5_000, 2  # RESULTS: how many results each run has
SIDE = 180  # in pixels; a square of noise this wide takes up about 100 KB
MAX_SECONDS = 3_600.0
MAX_QUEUED = 20
LOOK_SECONDS = 0.2


def bench(portal: Portal, report: Report) -> None:
    addresses = [upload(portal, f"{place}.png", "image", noise(SIDE, seed=place)) for place in range(FILES)]
    make_due(portal, addresses)
    worker = portal.processes.start("worker", "manage.py", "worker")  # `start_worker` would wait for all files
    database, begun, queued = database_bytes(), time.monotonic(), [0]

    def is_saved() -> bool:
        worker.demand_alive()
        queued.append(OrmQ.objects.count())
        return not OutputFile.objects.filter(status="saving").exists()

    save_outputs.FILES.request()
    wait_until(is_saved, "every file to be saved", MAX_SECONDS, every=LOOK_SECONDS)
    taken = time.monotonic() - begun
    report.at_most("not saved", OutputFile.objects.exclude(status="saved").count(), 0)
    report.at_most("saved in", taken, MAX_SECONDS, " s", aside=f"{FILES / taken:.1f} each second")
    report.at_most("most tasks in the queue", max(queued), MAX_QUEUED)
    portal.await_quiet()
    report.at_most("tasks in the queue afterwards", OrmQ.objects.count(), 0)
    disk = sum(path.stat().st_size for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file())
    report.note("disk, with thumbnails", f"{disk / 1e6:.0f} MB ({disk / FILES / 1e3:.0f} KB each)")
    grown = database_bytes() - database
    report.note("the database grew by", f"{number(grown / 1e6)} MB ({grown / FILES / 1e3:.1f} KB for each file)")


def make_due(portal: Portal, addresses: Sequence[str]) -> None:
    """Create completed runs whose results are at `addresses` and still have to be saved."""
    member, app = portal.make_member("demo"), make_app()
    runs = [make_run(member, app, status="completed") for _ in range(FILES // RESULTS)]
    outputs = Output.objects.filter(run__in=runs).order_by("pk")
    OutputFile.objects.bulk_create(
        OutputFile(output=output, source_url=address, due_at=timezone.now())
        for output, address in zip(outputs, addresses, strict=True)
    )


def database_bytes() -> int:
    """Return the size of the SQLite database in bytes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        (size,) = cursor.fetchone()
    return int(size)
