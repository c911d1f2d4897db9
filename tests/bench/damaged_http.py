"""Sends three hundred files through a complete portal. One in twenty is intact; the rest are damaged. A member uploads
half of them; the worker fetches the other half as results."""

import os
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

from django_q.models import Failure

from runs import catalog
from runs.models import App, OutputFile, Run
from tests.bench.portal import Portal
from tests.bench.processes import Process
from tests.bench.report import Report
from tests.support.damaged_files import damaged, kinds, whole
from tests.support.hostile_server import HostileServer, hostile_server
from tests.support.processes import wait_until
from tests.support.visitor import Visitor

UPLOADS = RESULTS = 150
EVERY = 20  # one file in this many is intact
PER_RUN = 10
AT_ONCE = 4
MAX_SECONDS = 60.0  # maximum time between the end of an intact file's run and the file being saved
FILE = {"id": "u", "key": "", "name": "File", "type": "url", "accept": []}
NOTE = {"id": "n", "key": "", "name": "Note", "type": "text", "default": ""}


def make_app(portal: Portal, app_id: str, parameter: Mapping[str, object]) -> App:
    """Put an app with one `parameter` into the sandbox and make the portal read it."""
    outputs = [{"index": 0, "label": "Result", "type": "image"}]
    app = {"appId": app_id, "name": app_id, "parameters": [parameter], "outputs": outputs, "sandbox": {"seconds": 0.5}}
    portal.sandbox.order("apps", app=app)
    row = App.objects.create(remote_id=app_id, name="not read yet")
    catalog.refresh_app(row.pk)
    return App.objects.get(pk=row.pk)


def bench(portal: Portal, report: Report) -> None:
    with hostile_server() as server:
        os.environ["PORTAL_FILE_ORIGINS"] = server.url
        worker = portal.start_worker()
        portal.start_web()
        visitor = Visitor(portal.url, portal.make_member("demo"))
        with report.part(f"{UPLOADS} uploads"):
            upload_all(visitor, report, make_app(portal, "damaged-uploads", FILE))
        with report.part(f"{RESULTS} results"):
            keep_all(portal, report, server, visitor, worker)


def is_good(number: int) -> bool:
    return number % EVERY == EVERY - 1


def body_of(number: int) -> bytes:
    """Return file `number`: an intact one (the kinds alternate) or a damaged one."""
    return whole(kinds()[number // EVERY % len(kinds())]) if is_good(number) else damaged(number)[1]


def upload_all(visitor: Visitor, report: Report, app: App) -> None:
    visitor.open_form(app.get_absolute_url())  # sets the cookie
    with ThreadPoolExecutor(AT_ONCE) as threads:
        found = list(threads.map(partial(upload, visitor, app), range(UPLOADS)))
    report.note("responses", ", ".join(f"{count} times {status}" for status, count in Counter(found).most_common()))
    report.at_most("responses with status 500 or more", sum(status >= 500 for status in found), 0)
    refused = [number for number, status in enumerate(found) if is_good(number) and status != 200]
    report.at_most(f"of {UPLOADS // EVERY} good ones refused", len(refused), 0, aside=str(refused))


def upload(visitor: Visitor, app: App, number: int) -> int:
    """Upload file `number`; return the response's status."""
    answer = visitor.session.post(
        f"{visitor.url}/uploads/",
        data={"app": app.public_id, "field": "p0"},
        files={"file": (f"file-{number}", body_of(number))},
        headers={"X-CSRFToken": visitor.session.cookies["csrftoken"], "Referer": visitor.url},
        timeout=60,
    )
    return answer.status_code


def keep_all(portal: Portal, report: Report, server: HostileServer, visitor: Visitor, worker: Process) -> None:
    app = make_app(portal, "damaged-results", NOTE)
    numbers = range(UPLOADS, UPLOADS + RESULTS)
    server.files |= {f"/{number}": body_of(number) for number in numbers}
    for first in numbers[::PER_RUN]:  # each run's intact file, if any, comes last; the damaged ones must not block it
        addresses = [f"{server.url}/{number}" for number in range(first, first + PER_RUN)]
        portal.sandbox.order("script", appId=app.remote_id, values={"0": addresses})
        visitor.press_run(app.get_absolute_url(), visitor.open_form(app.get_absolute_url()))
    seen = OutputFile.objects.filter(source_url__startswith=server.url)

    def is_each_tried() -> bool:
        worker.demand_alive()
        return seen.count() == RESULTS and not seen.filter(status="saving", attempts=0).exists()

    wait_until(is_each_tried, "every result to be tried", 240)
    goods = [f"{server.url}/{number}" for number in numbers if is_good(number)]
    good = seen.filter(source_url__in=goods)
    wait_until(lambda: not good.exclude(status="saved").exists(), "every good file to be saved", 120)
    taken = [
        max(timedelta(), kept.file.created_at - kept.output.run.finished_at).total_seconds()
        for kept in good.select_related("file", "output__run")
        if kept.file and kept.output.run.finished_at
    ]
    report.note(
        "ends", ", ".join(f"{n} {status}" for status, n in Counter(seen.values_list("status", flat=True)).items())
    )
    unsaved = seen.exclude(status="saved")
    wait_until(lambda: all(one.error for one in unsaved.all()), "every file that isn't saved to have a reason", 120)
    report.at_most(f"until a good file is saved, slowest of {len(goods)}", max(taken), MAX_SECONDS, " s")
    dead = Failure.objects.count() + worker.output().count("reincarnated")
    report.at_most("tasks that died", dead, 0, aside=str(list(Failure.objects.values_list("func", flat=True)[:3])))
    pages = [visitor.session.get(f"{visitor.url}{run.get_absolute_url()}", timeout=60) for run in Run.objects.all()]
    report.at_most(f"of {len(pages)} pages, status 500 or more", sum(page.status_code >= 500 for page in pages), 0)
