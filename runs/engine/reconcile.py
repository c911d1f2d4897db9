"""If a start got no clear response, look for it in Lamina's run list before sending it again.

The list doesn't show inputs, so we compare app and time: we take all of this app's runs since just before the POST and
leave out the ones we already know about. If one run is left, it's ours. If none is left in two checks twenty seconds
apart, we assume that the run hasn't started and send it again, after a longer delay each time. After some rounds
without a clear response, a person decides. A person also decides if several runs are left, if the only run left is
older than our POST (as far as the clocks can tell) or one of the clocks was set since, if we can't read the whole list,
if we can't read any of it for ten minutes, or if we aren't allowed to read it. A webhook sent to the run's own URL
settles the question at once (`webhooks`).
"""

import logging
from datetime import datetime, timedelta
from http import HTTPStatus

from django.db.models import F, QuerySet
from django.utils import timezone

from runs.connection import status
from runs.connection.lamina_api import lamina
from runs.connection.rate_limit import Priority, RateLimitWait
from runs.engine import poller_wakeups, progress
from runs.lamina.client import START
from runs.lamina.errors import LaminaError, LaminaRejected
from runs.lamina.types import RunRow
from runs.models import Run

logger = logging.getLogger("runs.reconcile")

MARGIN = timedelta(seconds=60)  # allows for clocks that differ, and for the time that the POST took
CLOCK_MARGIN = timedelta(days=1)  # the same if one of the clocks may have been set since the POST
# If we know how far off Lamina's clock is, a run that started more than this long before our POST can't be ours.
OLDER = timedelta(seconds=5)
LOOKS = 2
LOOK_AGAIN = timedelta(seconds=20)
MAY_START = timedelta(seconds=START.total)  # if our worker dies, Lamina may still be working on its POST for this long
UNCLEAR_FOR = timedelta(minutes=2)  # if we still can't read the whole list this long after the POST, a person decides
UNREADABLE_FOR = timedelta(minutes=10)  # the same if we can't read any of it, which often sorts itself out
# Delay before we resend a start that wasn't found: the first time, the second time, and so on. The delays grow because
# each start that we resend may turn out to be one too many.
AGAIN_AFTER = tuple(timedelta(seconds=s) for s in (0, 60, 300, 600))
LATER = timedelta(seconds=10)
SOON = timedelta(seconds=3)
CLAIM = timedelta(seconds=30)
PAGE, PAGES = 100, 5


def check_run(run_id: int) -> None:
    """Find out whether a doubtful start happened, and act on the answer."""
    now = timezone.now()
    waiting = Run.objects.filter(pk=run_id, status="checking", due_at__lte=now)
    if not waiting.update(due_at=now + CLAIM):  # two checks at once do no harm, and neither does one that dies halfway
        return
    run = Run.objects.select_related("app").get(pk=run_id)
    try:
        rows, is_whole = _look(run)
    except RateLimitWait as wait:
        _look_later(run, timedelta(seconds=wait.seconds))
    except LaminaRejected as error:
        if error.is_key_refused:
            _look_later(run, MARGIN)
        else:
            progress.ask_person(run, [])  # this key isn't allowed to read the list
    except LaminaError as error:
        if _is_unreadable(error) and _age(run, now) >= UNREADABLE_FOR:
            progress.ask_person(run, [])
        else:
            _look_later(run, LATER)
    else:
        _decide(run, rows, now, is_whole=is_whole)


def _decide(run: Run, rows: list[RunRow], now: datetime, *, is_whole: bool) -> None:
    others = Run.objects.active().filter(app=run.app).exclude(pk=run.pk)
    could_be = [row for row in rows if not _is_older(row, run)]
    is_first_look = (run.empty_looks + 1) % LOOKS != 0
    if rows and others.filter(status="starting", sent_at__isnull=False).exists():
        _look_later(run, SOON)  # what we found may belong to one of these starts, with the response still on its way
    elif not is_whole and _age(run, now) < UNCLEAR_FOR:
        _look_later(run, LOOK_AGAIN)  # our run may be in the part that we couldn't read
    elif not is_whole:
        progress.ask_person(run, [row.run_id for row in rows])
    elif (
        len(rows) == len(could_be) == 1
        and _is_since(rows[0], run, MARGIN)
        and not others.filter(status="checking").exists()
    ):
        logger.info("run %s found again", run.public_id)
        progress.accept(run, rows[0].run_id, rows[0].status, timezone.now())
        poller_wakeups.wake_for_new_work()
    elif not could_be and run.failure_text == progress.INTERRUPTED and _age(run, now) < MAY_START:
        _look_later(run, LOOK_AGAIN)  # this doesn't count as a check, because our run may simply be late
    elif could_be or (rows and not is_first_look):
        progress.ask_person(run, [row.run_id for row in rows])
    elif is_first_look:
        _ours(run).update(empty_looks=F("empty_looks") + 1, due_at=now + LOOK_AGAIN)
    else:
        _send_again(run)


def _send_again(run: Run) -> None:
    """Resend a start that wasn't found, or ask a person after enough tries."""
    looks = run.empty_looks + 1
    rounds = looks // LOOKS
    if rounds <= len(AGAIN_AFTER):
        progress.start_again(run, timezone.now(), after=AGAIN_AFTER[rounds - 1], empty_looks=looks)
    else:
        progress.ask_person(run, [], empty_looks=looks)


def tries_of(run: Run) -> int:
    """Return how many times this start was sent without being found, if that is why we ask a person; otherwise 0."""
    return run.empty_looks // LOOKS if run.empty_looks > LOOKS * len(AGAIN_AFTER) and not run.candidates else 0


def _look(run: Run) -> tuple[list[RunRow], bool]:
    """Return this app's runs that Lamina has started since just before our POST and that we don't know about yet, and
    whether we could read the whole list."""
    since = _sent_at(run) - _margin(run)
    rows: dict[str, RunRow] = {}
    skipped, is_last = 0, False
    for number in range(PAGES):
        page = lamina(Priority.FINAL).list_runs(app_id=run.app.remote_id, since=since, limit=PAGE, offset=number * PAGE)
        rows |= {row.run_id: row for row in page.rows if _may_be(row, run)}
        skipped += page.skipped
        is_last = len(page.rows) + page.skipped < PAGE
        if is_last:
            break
    own_ids = set(Run.objects.filter(remote_id__in=rows).values_list("remote_id", flat=True))
    return [row for row in rows.values() if row.run_id not in own_ids], is_last and not skipped


def _is_unreadable(error: LaminaError) -> bool:
    """Return whether Lamina sent its list, but we couldn't read a single row of it."""
    return error.status is not None and HTTPStatus.OK <= error.status < HTTPStatus.MULTIPLE_CHOICES


def _may_be(row: RunRow, run: Run) -> bool:
    """Return whether `row` could be `run`. This applies the list's filters again, in case Lamina ignored them."""
    is_our_app = row.workflow_id in ("", run.app.remote_id)
    return is_our_app and _is_since(row, run, _margin(run))


def _margin(run: Run) -> timedelta:
    """Return how much earlier than our POST our run may seem to have started. If a clock was set in the meantime, we
    would overlook it with a short margin, and start it twice."""
    return MARGIN if _is_clock_known(run) else CLOCK_MARGIN


def _is_since(row: RunRow, run: Run, margin: timedelta) -> bool:
    """Return whether `row` may have started since our POST, or at most `margin` before it."""
    return row.created_at is None or row.created_at >= _sent_at(run) - margin


def _is_older(row: RunRow, run: Run) -> bool:
    """Return whether `row` clearly started before our POST; False if the clocks are too uncertain to tell."""
    return _is_clock_known(run) and row.created_at is not None and row.created_at < _sent_at(run) - OLDER


def _is_clock_known(run: Run) -> bool:
    return run.sent_at is not None and status.is_clock_known(run.sent_at)


def _sent_at(run: Run) -> datetime:
    """Return the time of our POST by Lamina's clock, as far as we know it."""
    assert run.sent_at is not None  # noqa: S101 - a doubtful start was sent
    return run.sent_at + timedelta(seconds=status.lamina_status().clock_ahead_seconds)


def _age(run: Run, now: datetime) -> timedelta:
    """Return how long ago our POST was. Never negative, so that we don't have to wait if our clock was set back."""
    assert run.sent_at is not None  # noqa: S101 - a doubtful start was sent
    return abs(now - run.sent_at)


def _look_later(run: Run, after: timedelta) -> None:
    _ours(run).update(due_at=timezone.now() + after)


def _ours(run: Run) -> QuerySet[Run]:
    """Return a queryset with the run if this check still owns it; an empty one if a newer check has taken over."""
    return Run.objects.filter(pk=run.pk, status="checking", due_at=run.due_at)
