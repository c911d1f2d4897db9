"""Takes a few minutes to measure figures that are the same on any machine: each page's queries and bytes on the wire,
and a run's requests to Lamina. The figures are compared with those in kept.json (see `tests.bench.kept`); response
times are reported without a target."""

import gzip
import time
from collections import Counter
from datetime import timedelta
from urllib.parse import urlencode

import requests
from django.test import Client
from django.utils import timezone

from runs.display.cards import version_token
from runs.engine.poller_wakeups import POLLER
from runs.models import App, Lease, Member, Run
from runs.storage import usage
from tests.bench import kept
from tests.bench.browser import chromium
from tests.bench.first_view import weigh
from tests.bench.measure import count_queries
from tests.bench.portal import Portal
from tests.bench.quick_start import CARTOONIFY
from tests.bench.report import Report, number
from tests.support.clients import HTMX
from tests.support.factories import PICTURE, make_app, make_kept, make_run
from tests.support.processes import wait_until
from tests.support.visitor import Visitor, session_cookie

RUNS = 30
ACTIVE = 24  # how many runs the poll asks about
WHOLE_SECONDS = 300
SLOW_SECONDS = 180  # the machine may be busy running tests
LEVEL = 6


def bench(portal: Portal, report: Report) -> None:
    begun = time.monotonic()
    figures = kept.load()
    portal.load_catalog()
    portal.start_web()
    member, admin = portal.make_member("maker"), portal.make_member("admin")
    Member.objects.filter(pk=admin.pk).update(role=Member.Role.ADMIN)
    admin.refresh_from_db()
    count_requests(portal, report, member, figures)
    pages = make_pages(member, admin)
    usage.count(timezone.now())  # the worker does this once a day, and may not have done it yet today
    for what, (visitor, path) in pages.items():
        client = Client(SERVER_NAME="127.0.0.1", headers=HTMX if what == "poll" else {})
        client.force_login(visitor)
        status = 204 if what == "poll" else 200
        count_queries(client, path, status)  # the first request does some work that later ones don't
        report.add(kept.compared(f"queries: {what}", count_queries(client, path, status), figures))
        answered, size = fetch(portal, visitor, path, HTMX if what == "poll" else {})
        report.add(kept.compared(f"bytes: {what}", size, figures, " B"))
        report.note(f"time: {what}", f"{number(answered)} ms")
    weigh_first_views(portal, report, member, figures)
    took = time.monotonic() - begun
    report.note("took", f"{number(took)} s (on an idle machine, it should take at most {WHOLE_SECONDS} s)")


def make_pages(member: Member, admin: Member) -> dict[str, tuple[Member, str]]:
    """Create a small history; return the pages to measure, each with the member who views it."""
    begun = timezone.now() - timedelta(days=1)
    app = make_app("Postcard")
    runs = []
    for n in range(RUNS):
        at = begun + timedelta(minutes=n)
        runs.append(make_run(member, app, status="completed", created_at=at, shared_at=at))
        make_kept(runs[-1])
    paths = {
        "Home": "/",
        "apps": "/apps/",
        "app page": app.get_absolute_url(),
        "History": "/history/",
        "History, by words": "/history/?q=ghibli",
        "run page": runs[0].get_absolute_url(),
        "result page": runs[0].outputs.all()[0].get_absolute_url(),
        "review queue": "/review/",
        "inbox": "/inbox/",
        "bin": "/bin/",
        "links": "/shares/",
        "own settings": "/me/",
    }
    pages = {what: (member, path) for what, path in paths.items()}
    pages |= {what: (admin, path) for what, path in admin_pages(member).items()}
    pages |= {what: (member, path) for what, path in library_pages().items()}
    return pages | {"poll": (member, poll_of(member))}


def admin_pages(person: Member) -> dict[str, str]:
    return {
        "Manage, health": "/manage/",
        "Manage, storage": "/manage/storage/",
        "Manage, retention": "/manage/keeping/",
        "Manage, on hold": "/manage/keeping/protected/",
        "Manage, apps": "/manage/apps/",
        "Manage, people": "/manage/people/",
        "Manage, a person": f"/manage/people/{person.public_id}/",
        "Manage, record": "/manage/log/",
        "Manage, review": "/manage/review/",
        "spending, a month": "/manage/spending/",
        "spending, 12 months": "/manage/spending/?span=12",
        "spending, one person": f"/manage/spending/?span=12&by={person.public_id}",
        "spending, limits": "/manage/spending/limits/",
        "bin, an admin": "/bin/",
        "History, an admin: Team": "/history/?tab=team",
    }


def library_pages() -> dict[str, str]:
    """Return the pages on which people pick a file for a field."""
    app = make_app("Takes pictures", [PICTURE])
    path = f"/library/?app={app.public_id}&field=p0&source="
    return {
        "library, results of somebody with much": f"{path}results",
        "library, the team's results": f"{path}team",
        "library, uploads": f"{path}uploads",
        "library, a common word": f"{path}results&q=teapot",
        "library, a word of no run": f"{path}results&q=xylophone",
    }


def poll_of(member: Member) -> str:
    """Return the address of a poll that finds nothing to do: the poller is running, and the runs have just been
    checked."""
    app = App.objects.order_by("pk")[0]
    later = timezone.now() + timedelta(hours=1)
    Lease.objects.update_or_create(name=POLLER, defaults={"until": later, "holder": "bench"})
    runs = [make_run(member, app, opened_at=later) for _ in range(ACTIVE)]
    return f"/live/?{urlencode([('r', f'{run.public_id}:{version_token(run)}') for run in runs])}"


def fetch(portal: Portal, member: Member, path: str, headers: dict[str, str]) -> tuple[float, int]:
    """Return the response time in milliseconds and the size of the body in bytes, compressed as on the wire but without
    the random padding that the portal adds to hide the exact size."""
    name, value = session_cookie(member)
    headers = {"Cookie": f"{name}={value}", **headers}
    answer = requests.get(f"{portal.url}{path}", headers=headers, timeout=SLOW_SECONDS)
    answer.raise_for_status()
    return answer.elapsed.total_seconds() * 1000, len(gzip.compress(answer.content, LEVEL))


def count_requests(portal: Portal, report: Report, member: Member, figures: dict[str, int]) -> None:
    """Run an app once with no page open, and count the requests that the portal sends to Lamina for that run."""
    worker = portal.start_worker(SLOW_SECONDS)
    visitor, path = Visitor(portal.url, member), App.objects.get(remote_id=CARTOONIFY).get_absolute_url()
    form = visitor.open_form(path)
    portal.await_quiet(SLOW_SECONDS)
    portal.sandbox.order("reset")
    visitor.press_run(path, form)
    wait_until(lambda: not Run.objects.active().exists(), "the run to end", SLOW_SECONDS)
    portal.await_quiet(SLOW_SECONDS)
    counts = Counter(request["endpoint"] for request in portal.sandbox.state["requests"])
    for endpoint in ("run_start", "stream", "run"):
        report.add(kept.compared(f"requests to Lamina for one run: {endpoint}", counts[endpoint], figures))
    portal.processes.stop(worker)


def weigh_first_views(portal: Portal, report: Report, member: Member, figures: dict[str, int]) -> None:
    """Count what a browser with nothing cached loads."""
    app = App.objects.get(remote_id=CARTOONIFY).get_absolute_url()
    with chromium() as browser:
        for what, path, visitor in (("sign-in page", "/login/", None), ("app page", app, member)):
            weight = weigh(browser, portal, path, visitor)
            report.add(kept.compared(f"first view, {what}: requests", weight.requests, figures))
            report.add(kept.compared(f"first view, {what}: bytes", weight.total, figures, " B"))
