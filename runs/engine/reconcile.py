"""Did it start? A start without a clear answer is looked for in Lamina's run list, never simply repeated.

The list knows no inputs, so what tells is time and place: runs of this app since just before the POST, minus those that
are ours already. One left over is ours. None in two looks twenty seconds apart, and it never started: it is sent again,
later each time, and after some rounds of unclear answers a person decides. So it is with several, with one that was
there before our POST (somebody else's, as far as clocks can tell), or with no list to look into. A delivery on the
run's own webhook path settles it at once (`deliveries`).
"""

import logging
from datetime import datetime, timedelta

from django.db.models import F, QuerySet
from django.utils import timezone

from runs.connection import status
from runs.connection.lamina_api import lamina
from runs.connection.rate_limit import Priority, RateLimitWait
from runs.engine import poller_wakeups, progress
from runs.lamina.errors import LaminaError, LaminaRejected
from runs.lamina.types import RunRow
from runs.models import Run

logger = logging.getLogger("runs.checking")

MARGIN = timedelta(seconds=60)  # clocks differ, and the POST took its time
OLDER = timedelta(seconds=5)  # begun that long before our POST: not ours, where Lamina's clock is known well enough
LOOKS = 2
LOOK_AGAIN = timedelta(seconds=20)
# How long a start is put off that was looked for in vain, the first time, the second, and so on: Lamina answers each of
# them with an error, and each one sent is one more that could have started after all.
AGAIN_AFTER = tuple(timedelta(seconds=s) for s in (0, 60, 300, 600))
LATER = timedelta(seconds=10)
SOON = timedelta(seconds=3)
CLAIM = timedelta(seconds=30)
PAGE, PAGES = 100, 5


def check_run(run_id: int) -> None:
    """One look for a doubtful start; what it found decides what happens next."""
    now = timezone.now()
    waiting = Run.objects.filter(pk=run_id, status="checking", due_at__lte=now)
    if not waiting.update(due_at=now + CLAIM):  # whoever comes meanwhile, or dies in the middle, does no harm
        return
    run = Run.objects.select_related("app").get(pk=run_id)
    try:
        found = _look(run)
    except RateLimitWait as wait:
        _look_later(run, timedelta(seconds=wait.seconds))
    except LaminaRejected as error:
        if error.is_key_refused:
            _look_later(run, MARGIN)
        else:
            progress.ask_person(run, [])  # this key may not read the list
    except LaminaError:
        _look_later(run, LATER)
    else:
        _decide(run, found, now)


def _decide(run: Run, found: list[RunRow], now: datetime) -> None:
    others = Run.objects.filter(app=run.app).exclude(pk=run.pk)
    could_be = [row for row in found if not _is_older(row, run)]
    is_first_look = (run.empty_looks + 1) % LOOKS != 0
    if found and others.filter(status="starting", sent_at__isnull=False).exists():
        _look_later(run, SOON)  # what was found may be theirs: their answer is on its way
    elif len(found) == len(could_be) == 1 and not others.filter(status="checking").exists():
        logger.info("run %s found again", run.public_id)
        progress.accept(run, found[0].run_id, found[0].status, timezone.now())
        poller_wakeups.ensure_poller()
    elif could_be or (found and not is_first_look):
        progress.ask_person(run, [row.run_id for row in found])
    elif is_first_look:
        _ours(run).update(empty_looks=F("empty_looks") + 1, due_at=now + LOOK_AGAIN)
    else:
        _send_again(run)


def _send_again(run: Run) -> None:
    """Looked for in vain: it may be sent once more, unless that was done often enough."""
    looks = run.empty_looks + 1
    rounds = looks // LOOKS
    if rounds <= len(AGAIN_AFTER):
        progress.start_again(run, timezone.now(), after=AGAIN_AFTER[rounds - 1], empty_looks=looks)
    else:
        progress.ask_person(run, [], empty_looks=looks)


def tries_of(run: Run) -> int:
    """How often a start was sent of which nothing was found, when a person is asked for that; else 0."""
    return run.empty_looks // LOOKS if run.empty_looks > LOOKS * len(AGAIN_AFTER) and not run.candidates else 0


def _look(run: Run) -> list[RunRow]:
    """Runs of this app that Lamina began since just before our POST and that are nobody's here."""
    since = _sent_at(run) - MARGIN
    rows: dict[str, RunRow] = {}
    for number in range(PAGES):
        page = lamina(Priority.FINAL).list_runs(app_id=run.app.remote_id, since=since, limit=PAGE, offset=number * PAGE)
        rows |= {row.run_id: row for row in page.rows if _may_be(row, run)}
        if len(page.rows) + page.skipped < PAGE:
            break
    known = set(Run.objects.filter(remote_id__in=rows).values_list("remote_id", flat=True))
    return [row for row in rows.values() if row.run_id not in known]


def _may_be(row: RunRow, run: Run) -> bool:
    """A list that ignores our filters must not make us adopt a stranger; its answer may have told us Lamina's time."""
    is_our_app = row.workflow_id in ("", run.app.remote_id)
    return is_our_app and (row.created_at is None or row.created_at >= _sent_at(run) - MARGIN)


def _is_older(row: RunRow, run: Run) -> bool:
    """Whether Lamina began it clearly before we sent ours; False where the clocks do not tell."""
    is_known = run.sent_at is not None and status.is_clock_known(run.sent_at)
    return is_known and row.created_at is not None and row.created_at < _sent_at(run) - OLDER


def _sent_at(run: Run) -> datetime:
    """The moment of our POST by Lamina's clock, as far as we know that."""
    assert run.sent_at is not None  # noqa: S101 - a doubtful start was sent
    return run.sent_at + timedelta(seconds=status.lamina_status().clock_ahead_seconds)


def _look_later(run: Run, after: timedelta) -> None:
    _ours(run).update(due_at=timezone.now() + after)


def _ours(run: Run) -> QuerySet[Run]:
    """The run while it is still this look's: of two looks at once only the later one counts."""
    return Run.objects.filter(pk=run.pk, status="checking", due_at=run.due_at)
