"""Measures whether pages read more data as the portal grows: with 10,000, 100,000 and 1,000,000 runs of four outputs
each on PostgreSQL (at most ten times `--runs`), and with 100,000 runs on SQLite, where only times are measured.

A page's rows and buffers are summed over its queries, as EXPLAIN (ANALYZE, BUFFERS) reports them. From the smallest
portal to the largest, both numbers may grow by a factor of up to 1.2; each index lookup may also read one more level.
After the pages, the benchmark measures the worker's own background work: its longest statement and, unless the work is
done in slices, all its statements together.

`--only WORDS` measures only pages and work with WORDS in their name.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone

from runs import tasks
from runs.display.cards import version_token
from runs.engine.poller_wakeups import POLLER
from runs.history import retention_rules, run_counts
from runs.manage.health_report import health_report
from runs.models import App, Lease, Member, Output, RetentionRules, Run
from runs.storage import orphans, usage
from tests.bench import history, history_search, review
from tests.bench.growth_rows import empty, fill
from tests.bench.history import MAX_MS, SEARCH_MS, milliseconds, report_time
from tests.bench.history_search import MORE_ON_POSTGRES, OUTPUTS_PER_RUN
from tests.bench.portal import Portal
from tests.bench.report import Report, number
from tests.bench.rows_read import Reads, reads_of
from tests.support.clients import HTMX
from tests.support.factories import PICTURE, make_app, make_kept, make_run, make_stored
from tests.support.visitor import Visitor

SIZES = (10_000, 100_000, 1_000_000)
MOST_GROWTH = 1.2
MAX_FILL_MINUTES, MAX_FILL_GB = 20, 40
MAX_WORK_MS = 200.0
ON_PAGE = 24
DUE = 1_500  # runs that the retention rules should move to the bin
YEAR = 365


@dataclass(frozen=True)
class Page:
    """A page as seen by one person, and how many milliseconds it may take."""

    member: Member
    path: str
    is_poll: bool = False

    @property
    def headers(self) -> dict[str, str]:
        return HTMX if self.is_poll else {}

    @property
    def max_ms(self) -> float:
        return SEARCH_MS if "q=" in self.path and "/apps/" not in self.path else MAX_MS


def bench(portal: Portal, report: Report) -> None:
    is_postgres = connection.vendor == "postgresql"
    most = portal.runs * (MORE_ON_POSTGRES if is_postgres else 1)
    sizes = [size for size in SIZES if size <= most and is_postgres] or [most]
    reads: dict[str, list[Reads]] = {}
    portal.start_web()
    for size in sizes:
        if size != sizes[0]:
            empty()
        pages = fill_portal(portal, report, size)
        if is_postgres:
            for what, page in pages.items():
                reads.setdefault(what, []).append(reads_of(page.member, page.path, page.headers))
    cache.clear()
    for what, page in pages.items():
        with report.part(what):
            if what in reads:
                report_growth(report, reads[what])
            visitor = Visitor(portal.url, page.member)
            report_time(report, partial(milliseconds, visitor, page.path, page.headers), page.max_ms)
    for what, work in WORK.items():
        if portal.only in what:
            with report.part(f"{sizes[-1]:,} runs, {what}"):
                report_work(report, work, sizes[-1])


def fill_portal(portal: Portal, report: Report, size: int) -> dict[str, Page]:
    """Create people and `size` runs; return the pages to measure."""
    many, approver, admin, few = (portal.make_member(name) for name in ("many", "approver", "admin", "few"))
    for member, role in ((approver, "approver"), (admin, "admin")):
        Member.objects.filter(pk=member.pk).update(role=role)
        member.refresh_from_db()
    begun = time.monotonic()
    busy = fill(many, approver, size)
    minutes = (time.monotonic() - begun) / 60
    with report.part(f"{size:,} runs, {size * OUTPUTS_PER_RUN:,} outputs, filled"):
        report.at_most("in", minutes, MAX_FILL_MINUTES, " min")
        if connection.vendor == "postgresql":
            report.at_most("database", database_bytes() / 1e9, MAX_FILL_GB, " GB")
    run_counts.count(timezone.now())
    usage.count(timezone.now())
    pages = pages_of(busy, many, approver, admin, few)
    return {what: page for what, page in pages.items() if portal.only in what}


def database_bytes() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def pages_of(busy: Output, many: Member, approver: Member, admin: Member, few: Member) -> dict[str, Page]:
    other = Member.objects.get(email="person77@example.com")
    people = {"somebody with much": many, "somebody with little": few, "one of many": other}
    found = {f"Home, {who}": Page(member, "/") for who, member in people.items()}
    for who, member in people.items():
        found |= {f"History, {who}: {what}": Page(member, path) for what, path in lists_of(member).items()}
    decided = review.pages_of(busy, approver, many)
    found |= {what: Page(approver, path) for what, path in decided.items()}
    found |= {what: Page(admin, path) for what, path in admin_pages(other).items()}
    found |= library_pages(people)
    found |= {"inbox": Page(many, "/inbox/"), "bin": Page(many, "/bin/"), "bin, somebody else": Page(other, "/bin/")}
    found |= {what: Page(many, path) for what, path in APP_PAGES.items()}
    ended = Run.objects.owned_by(many).filter(status="completed").newest_first()
    found["run page"] = Page(many, ended[ON_PAGE].get_absolute_url())
    file = make_stored((300, 200))
    make_kept(ended.filter(shared_at__isnull=False)[ON_PAGE], file)
    found["thumbnail"] = Page(approver, f"/files/{file.public_id}/thumb/400")
    found["file, admin"] = Page(admin, f"/files/{file.public_id}/original")
    return found | {"poll": Page(many, poll_of(many), is_poll=True)}


APP_PAGES = {"2,000 apps": "/apps/", "2,000 apps, by words": "/apps/?q=golden+bycicle"}


def lists_of(member: Member) -> dict[str, str]:
    """Return every list, filter and search in History."""
    asked = {what: f"/history/{query}" for what, query in history.queries(member).items()}
    searched = {what: f"/history/?{urlencode(query)}" for what, query in history_search.queries(member).items()}
    return asked | searched


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


def library_pages(people: dict[str, Member]) -> dict[str, Page]:
    """Return the pages on which people pick a file for a field."""
    app = make_app("Takes pictures", [PICTURE])
    path = f"/library/?app={app.public_id}&field=p0&source="
    many = people["somebody with much"]
    found = {f"library, results of {who}": Page(member, f"{path}results") for who, member in people.items()}
    return found | {
        "library, the team's results": Page(many, f"{path}team"),
        "library, uploads": Page(many, f"{path}uploads"),
        "library, a common word": Page(many, f"{path}results&q=teapot"),
        "library, a word of no run": Page(many, f"{path}results&q=xylophone"),
    }


def poll_of(member: Member) -> str:
    """Return the address of a poll that finds nothing to do: the poller is running, and the runs have just been
    checked."""
    app = App.objects.order_by("pk")[0]
    later = timezone.now() + timedelta(hours=1)
    Lease.objects.update_or_create(name=POLLER, defaults={"until": later, "holder": "bench"})
    runs = [make_run(member, app, opened_at=later) for _ in range(ON_PAGE)]
    return f"/live/?{urlencode([('r', f'{run.public_id}:{version_token(run)}') for run in runs])}"


def report_growth(report: Report, reads: list[Reads]) -> None:
    first, last = reads[0], reads[-1]
    rows, buffers = ([getattr(one, name) for one in reads] for name in ("rows", "buffers"))
    report.at_most("rows", last.rows, int(MOST_GROWTH * first.rows), aside=told(rows))
    allowed = int(MOST_GROWTH * first.buffers) + last.descents
    report.at_most("buffers", last.buffers, allowed, aside=told(buffers))
    if last.buffers > allowed:
        print(f"{report.title}: {last.worst}\n")


def told(values: list[int]) -> str:
    return " → ".join(f"{value:,}" for value in values)


def sweep(_: int) -> None:
    tasks.sweep()


def check_health(_: int) -> None:
    cache.clear()
    health_report()


def remove_old(runs: int) -> None:
    """Apply retention rules for which `DUE` runs are old enough; runs are one minute apart."""
    days = (runs - DUE) * timedelta(minutes=1) // timedelta(days=1)
    RetentionRules.objects.all().delete()
    RetentionRules(ready_days=days, failed_days=days, rejected_days=YEAR, uploads_days=YEAR).save()
    retention_rules.apply(timezone.now())


def remove_orphans(_: int) -> None:
    orphans.sweep()


def count_storage(_: int) -> None:
    usage.count(timezone.now())


def count_runs(_: int) -> None:
    run_counts.count(timezone.now())


def tidy(_: int) -> None:
    tasks.tidy()


WORK: dict[str, Callable[[int], None]] = {
    "sweep": sweep,
    "hourly tidying": tidy,
    "health": check_health,
    "retention": remove_old,
    "orphans": remove_orphans,
    "storage": count_storage,
    "counts of runs": count_runs,
}


SLICED = (tidy, remove_old, remove_orphans, count_storage, count_runs)  # each slice has a transaction of its own


def report_work(report: Report, work: Callable[[int], None], runs: int) -> None:
    """Measure the statements that `work` executes, and roll them back."""
    with transaction.atomic(), statements_timed() as taken:
        work(runs)
        transaction.set_rollback(True)
    longest, statement = max(taken, default=(0.0, ""))
    whole = sum(ms for ms, _ in taken)
    aside = f"{len(taken):,} statements, {number(whole)} ms in all"
    report.at_most("longest statement", longest, MAX_WORK_MS, " ms", aside=aside)
    if work not in SLICED:
        report.at_most("all statements", whole, MAX_WORK_MS, " ms")
    if longest > MAX_WORK_MS:
        print(f"{report.title}: {statement}\n")


@contextmanager
def statements_timed() -> Iterator[list[tuple[float, str]]]:
    """Collect the milliseconds and text of each statement in the block."""
    taken: list[tuple[float, str]] = []

    def measure(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        begun = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            taken.append(((time.perf_counter() - begun) * 1000, sql))

    with connection.execute_wrapper(measure):
        yield taken
