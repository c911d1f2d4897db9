"""Measures the Review pages in a portal with many decisions: the queue, making a decision there, a result with many
comments and versions, and History filtered by decision.

SQL statements generate the rows: two decisions and one comment for each run. `--runs` sets the
number of runs; on PostgreSQL, there are ten times as many. Each page is also requested with a tenth of the rows, to
check that the database's work (rows read or, on SQLite, steps) barely grows with the tables.
`tests/review/test_growth.py` does the same with fewer rows.
"""

import re
import time
from collections.abc import Callable
from functools import partial

from django.db import connection, transaction
from django.utils import timezone

from runs.models import Comment, Decision, Member, Output, ReviewItem, ReviewRequest, Run
from tests.bench.measure import MAX_MS, measure_page, report_time
from tests.bench.portal import Portal
from tests.bench.report import Report
from tests.bench.rows import MORE_ON_POSTGRES, OUTPUTS_PER_RUN, Postgres, Sqlite, copies, make_rows, unchecked
from tests.bench.rows_read import work_for
from tests.support.factories import make_run
from tests.support.visitor import Visitor

WAITING = 1_000
ANSWERS = 20
ANSWER_MS = 150.0
COMMENTS = 200
VERSIONS = 50
FEWER, MOST_GROWTH = 10, 1.2
MAX_FILL_MINUTES = 20
VERDICT = "CASE n % 3 WHEN 0 THEN 'changes' WHEN 1 THEN 'rejected' ELSE 'approved' END"  # for the second result
CONTENT = f"'{1:064}'"
RUN_COLUMNS = {
    "verdicts": f"' approved ' || CASE n % 3 WHEN 2 THEN '' ELSE {VERDICT} || ' ' END || 'none '",
    "outputs_approved": "CASE n % 3 WHEN 2 THEN 2 ELSE 1 END",
    "outputs_changes": "CASE n % 3 WHEN 0 THEN 1 ELSE 0 END",
    "outputs_rejected": "CASE n % 3 WHEN 1 THEN 1 ELSE 0 END",
    "comments_total": "1",
}
OUTPUT_COLUMNS = {
    "content_hash": CONTENT,
    "verdict": f"CASE place WHEN 1 THEN 'approved' WHEN 2 THEN {VERDICT} ELSE '' END",
    "comments_total": "CASE place WHEN 1 THEN 1 ELSE 0 END",
}


def bench(portal: Portal, report: Report) -> None:
    runs = portal.runs * (MORE_ON_POSTGRES if connection.vendor == "postgresql" else 1)
    many, approver = portal.make_member("many"), portal.make_member("approver")
    Member.objects.filter(pk=approver.pk).update(role="approver")
    portal.start_web()
    before = work_before(many, approver, runs // FEWER)
    begun = time.monotonic()
    busy = make_reviewed(many, approver, runs)
    with report.part(f"{runs:,} runs, {runs * OUTPUTS_PER_RUN:,} outputs, {runs * 2:,} decisions, {runs:,} comments"):
        report.at_most("made in", (time.monotonic() - begun) / 60, MAX_FILL_MINUTES, " min")
    visitor = Visitor(portal.url, approver)
    for what, path in pages_of(busy, approver, many).items():
        with report.part(what):
            measure_page(report, visitor, approver, path, MAX_MS)
            now, few = work_for(approver, path), before[what]
            what_grew = "rows read" if connection.vendor == "postgresql" else "steps"
            aside = f"{few:,} → {now:,}"
            report.at_most(f"{what_grew} with {FEWER} times as many", now / few, MOST_GROWTH, aside=aside)
    with report.part("an answer in the queue"):
        report_time(report, partial(answer, visitor), ANSWER_MS)


def work_before(
    many: Member, approver: Member, count: int, also: Callable[[], dict[str, tuple[Member, str]]] = dict
) -> dict[str, int]:
    """Return how much work the database does for each page of a portal with `count` runs (see `work_for`). Everything
    is rolled back afterwards. `also` returns more pages to measure, each with the member who opens it and its path."""
    with transaction.atomic():
        busy = make_reviewed(many, approver, count)
        pages = {what: (approver, path) for what, path in pages_of(busy, approver, many).items()} | also()
        work = {what: work_for(member, path) for what, (member, path) in pages.items()}
        transaction.set_rollback(True)
    return work


def pages_of(busy: Output, approver: Member, many: Member) -> dict[str, str]:
    """Return the paths of the pages to measure, keyed by name."""
    return {
        f"queue with {WAITING:,} waiting": "/review/",
        f"a result with {COMMENTS} comments and {VERSIONS} versions": busy.get_absolute_url(),
        "History, approved": "/history/?tab=team&decision=approved",
        "History, needs changes": "/history/?tab=team&decision=changes",
        "History, not reviewed": "/history/?tab=team&decision=none",
        "History, decided by one": f"/history/?tab=team&decided={approver.public_id}",
        "History, needs changes, by one": f"/history/?tab=team&decision=changes&decided={approver.public_id}",
        "History, decided by nobody": f"/history/?tab=team&decided={many.public_id}",
        "History, waiting for me": "/history/?tab=team&waits=me",
        "History, waiting for anyone": "/history/?tab=team&waits=anyone",
    }


def answer(visitor: Visitor) -> float:
    """Approve the result that the queue shows by posting the queue's form; return how many milliseconds that took."""
    page = visitor.get("/review/").text
    form = re.search(r'<form\s+class="queue-form".*?</form>', page, re.DOTALL)
    assert form, "nothing waits"
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[0])
    answered = visitor.post("/review/", dict(hidden) | {"verdict": "approved"})
    return float(answered.elapsed.total_seconds() * 1000)


def make_reviewed(many: Member, approver: Member, count: int) -> Output:
    """Create runs with decisions and comments, a queue, and a result with more decisions and comments than any other;
    return that result."""
    pattern, file = make_rows(many, approver, count, RUN_COLUMNS, OUTPUT_COLUMNS)
    output = file.output
    first = Decision.objects.create(
        output=output, content_hash=output.content_hash, member=approver, verdict="approved", is_standing=True
    )
    said = Comment.objects.create(run=pattern, output=output, member=many, text="A little warmer, please.")
    result = f"{pattern.pk + 10} + 4 * n + place"
    at = (Postgres if connection.vendor == "postgresql" else Sqlite)().minutes_ago("n")  # same age as its run
    with unchecked(), connection.cursor() as cursor:
        each = "FROM bench_numbers CROSS JOIN (SELECT place FROM bench_places WHERE place <= 2) places"
        decided = {
            "id": f"{first.pk} + 2 * n + place",
            **dict.fromkeys(("public_id", "batch"), "'b' || (2 * n + place)"),
            "output_id": result,
            "content_hash": CONTENT,
            "verdict": OUTPUT_COLUMNS["verdict"],
            "created_at": at,
        }
        cursor.execute(copies("runs_decision", first, decided, each))
        one = "FROM bench_numbers CROSS JOIN (SELECT place FROM bench_places WHERE place = 1) places"
        posted = {
            "id": f"{said.pk} + n",
            "public_id": "'b' || n",
            "run_id": f"{pattern.pk} + n",
            "output_id": result,
            "content_hash": CONTENT,
            "created_at": at,
        }
        cursor.execute(copies("runs_comment", said, posted, one))
        if connection.vendor == "postgresql":  # rows were added without advancing the sequences
            for table in ("runs_run", "runs_output", "runs_outputfile", "runs_decision", "runs_comment"):
                cursor.execute(
                    f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"  # noqa: S608
                )
    make_queue(many)
    busy = make_busy(many, pattern)
    if connection.vendor == "postgresql":  # it would do this by itself within a minute; SQLite never does
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    return busy


def make_queue(asker: Member) -> None:
    """Ask for decisions on the third results of runs shared with the team, ten results per request."""
    requests = ReviewRequest.objects.bulk_create(ReviewRequest(asker=asker) for _ in range(WAITING // 10))
    shared = Output.objects.filter(run__shared_at__isnull=False, position=3, run__status="completed").order_by("-pk")
    ReviewItem.objects.bulk_create(
        ReviewItem(request=requests[n // 10], output_id=pk, position=n % 10)
        for n, pk in enumerate(shared.values_list("pk", flat=True)[:WAITING])
    )


def make_busy(member: Member, pattern: Run) -> Output:
    """Create a result with many comments and versions, and return its first version."""
    now = timezone.now()
    runs = [make_run(member, pattern.app, status="completed", shared_at=now) for _ in range(VERSIONS)]
    first, *later = [run.outputs.all()[0] for run in runs]
    for version, output in enumerate(later, 2):
        Output.objects.filter(pk=output.pk).update(line=first, number=version)
    for n in range(COMMENTS):
        Comment.objects.create(run=runs[0], output=first, member=member, text=f"Comment {n}: a little warmer, please.")
    Output.objects.filter(pk=first.pk).update(comments_total=COMMENTS)
    return first
