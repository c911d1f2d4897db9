"""The life of a run. This module is the only code that changes `Run.status`.

    person presses Run
      │
      ▼
    starting ──sent_at committed, then one POST──202──► queued ─► running ─► completed
      │  ▲                       │                                       ├─► failed
      │  └─ it didn't start:     ├─ refused by Lamina ─► failed          └─► cancelled
      │     hold() and wait      └─ no clear response ─► checking ─┬─ found ─► queued, running, …
      └─ cancelled before sent_at: cancelled at once               ├─ not found in two checks ─► starting
                                                                   └─ several: a person decides ─► starting or failed

Each step is one conditional UPDATE of a locked row. If two processes report the same change, one of them wins, and late
or repeated reports never change a final run. `Run.attempts` counts how often the start was claimed; decisions made
under an earlier claim are ignored. Every change that a page could show increments `Run.version`.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone

from runs import events
from runs.audit.record import record
from runs.engine import apply_outputs, wakeups
from runs.engine.changed_by_rules import RulesRefuseError, against_rules
from runs.engine.synced_commit import synced
from runs.lamina.types import RunRow, RunSnapshot
from runs.models import AT_LAMINA, FINAL, App, Member, Output, Run, Verb
from runs.models.messages import Message
from runs.spending import charges
from runs.words.run_states import state_key

logger = logging.getLogger("runs.progress")

LOST_AFTER = 3  # this many "no such run" responses in a row mean that the run is lost
NO_NEWS = {"seen_at", "asked_at", "running_at"}  # changes to these columns alone don't show on any page
# Only responses at least this far apart count, because Lamina may briefly respond this way during a deployment.
LOST_EVERY = timedelta(seconds=30)
INTERRUPTED = Message("interrupted")  # the worker died between the POST and the response


def claim_start(run: Run, now: datetime, until: datetime) -> bool:
    """Claim this start; return False if it isn't due, was cancelled, or another worker got there first.

    The claim lasts until `due_at`. If the worker dies, the sweep picks up the run again.
    """
    claim = run.attempts + 1
    waiting = Run.objects.filter(pk=run.pk, status="starting", sent_at=None, due_at__lte=now, attempts=run.attempts)
    if not waiting.update(due_at=until, attempts=claim, wait=""):
        return False
    run.refresh_from_db()
    if run.attempts != claim:  # we stalled for so long that another worker claimed the start
        return False
    return not (run.cancel_asked_at and _end_unsent(run, now))


def is_app_busy(run: Run, *, is_alone: bool) -> bool:
    """Return whether this start must wait for another start of the same app.

    It must wait for a start that is being checked, because we could mistake one for the other. With `is_alone`
    (webhooks are off), it also waits for a start that is being sent, because we could only tell the two apart by their
    order.
    """
    first = Q(status="checking", due_at__isnull=False)
    if is_alone:
        first |= Q(status="starting", sent_at__isnull=False)
    return Run.objects.filter(first, app=run.app_id).exclude(pk=run.pk).exists()


def mark_sent(run: Run, now: datetime, *, is_alone: bool) -> bool:
    """Record that the one POST is about to be sent, in a commit that survives a power cut.

    Returns False if the claim was lost, the run was cancelled, or another start of its app comes first.
    """
    with synced(), transaction.atomic():
        App.objects.select_for_update().get(pk=run.app_id)  # only one worker decides at a time
        if is_app_busy(run, is_alone=is_alone):
            return False
        mine = Run.objects.filter(status="starting", sent_at=None, attempts=run.attempts, cancel_asked_at=None)
        return mine.filter(pk=run.pk).update(sent_at=now, version=F("version") + 1) == 1


def accept(run: Run, remote_id: str, snapshot_status: str, now: datetime) -> bool:
    """Record that Lamina accepted the run. From now on, we poll it."""
    status = "running" if snapshot_status == "running" else "queued"
    verb = Verb.RUN_FOUND if run.status == "checking" else Verb.RUN_SENT
    try:
        with transaction.atomic():
            changed = _change(
                run,
                ("starting", "checking"),
                is_certain=True,
                status=status,
                remote_id=remote_id,
                remote_status=snapshot_status[:50],
                started_at=now,
                seen_at=now,
                due_at=None,
                wait="",
                missing_reads=0,
                failure_text="",
            )
            if changed:
                record(verb, run)
                charges.keep(run)
    except IntegrityError:
        # The id belongs to another of our runs. Check what happened, and ask a person if that fails.
        return doubt(run, Message("another_run"))
    if changed and Run.objects.filter(pk=run.pk, cancel_asked_at__isnull=False).exists():
        wakeups.queue_cancel(run.pk)
    return changed


def hold(run: Run, reason: Run.Wait, until: datetime, **fields: Any) -> bool:
    """Delay the start until `until`, which is safe because nothing has been started yet. If somebody has asked to
    cancel the run, cancel it instead."""
    changed = _change(run, ("starting",), sent_at=None, wait=reason, due_at=until, **fields)
    if changed and run.cancel_asked_at:
        _end_unsent(run, timezone.now())
    return changed


def doubt(run: Run, text: Message | str = "", request_id: str = "") -> bool:
    """Have the worker check whether this run has started (status `checking`), because there was no clear response. The
    run mustn't simply be sent again."""
    changed = _change(
        run,
        ("starting",),
        status="checking",
        due_at=timezone.now(),
        wait="",
        candidates=[],
        failure_text=text,
        request_id=request_id[:100],
    )
    if changed:
        wakeups.queue_check(run.pk)
    return changed


def ask_person(run: Run, candidates: list[str], **fields: Any) -> bool:
    """Have the page ask a person, because our checks couldn't tell whether the run started."""
    return _change(run, ("checking",), due_at=None, candidates=candidates[:20], **fields)


def start_again(run: Run, now: datetime, *, after: timedelta = timedelta(), empty_looks: int = 0) -> bool:
    """Resend a doubtful start after a delay of `after`, because a check found that it didn't happen, or because a
    person decided to (see `press_start_again`)."""
    wait = Run.Wait.LAMINA if after else Run.Wait.NONE
    news: dict[str, Any] = {"wait": wait, "due_at": now + after, "empty_looks": empty_looks, "failure_text": ""}
    changed = _change(run, ("checking",), status="starting", sent_at=None, candidates=[], **news)
    if changed and run.cancel_asked_at:
        _end_unsent(run, now)
    elif changed and not after:
        wakeups.queue_start(run.pk)
    return changed


@transaction.atomic
def press_start_again(run: Run, by: Member, now: datetime) -> bool:
    """Resend a doubtful start because `by` decided to. Returns False if someone has already decided. Raises
    `limits.LimitReached`, or `RulesRefuseError` if the admin's rules don't allow these inputs now."""
    locked = Run.objects.select_for_update().get(pk=run.pk)
    if not locked.needs_confirmation:
        return False
    if words := against_rules(run, by):
        raise RulesRefuseError(words)
    charges.press_again(locked, by, now)
    is_started = start_again(locked, now)
    if is_started:
        record(Verb.RUN_STARTED_AGAIN, run)
    return is_started


def _end_unsent(run: Run, now: datetime, **fields: Any) -> bool:
    """Cancel a run at once, because nothing was started on Lamina."""
    return _end(run, ("starting",), status="cancelled", finished_at=now, **fields)


@transaction.atomic
def _end(run: Run, from_statuses: tuple[str, ...], **fields: Any) -> bool:
    """End a run without Lamina's final response. Listeners are called last, once the run's results and charge are
    final."""
    before = run.status
    if not _change(run, from_statuses, due_at=None, wait="", **fields):
        return False
    _apply_waiting(run)
    apply_outputs.close_open_boxes(run, Output.Status.CANCELLED)
    settle = _settle_unstarted if from_statuses == ("starting",) else charges.keep
    settle(run)
    record(_end_of(fields), run, changes={"status": (before, state_key(run))})
    events.run_ended.send(run)
    return True


def _settle_unstarted(run: Run) -> None:
    """Release the charge for a start that didn't happen. Keep the charge if the start was resent because a check found
    nothing: the earlier POST may have started a run after all."""
    if run.empty_looks:
        charges.keep(run)
    else:
        charges.release(run)


def leave_it(run: Run, now: datetime) -> bool:
    """Give up, at somebody's request, on a run that may not have started or that is still active after a day."""
    if run.needs_confirmation:
        return fail(run, "left", now, from_statuses=("checking",))
    if run.is_silent(now):
        return fail(run, "silent", now, from_statuses=AT_LAMINA)
    return False


def record_late_start(run: Run, remote_id: str) -> bool:
    """Record that Lamina did start a run that had already ended here because nobody knew whether it started.

    The run stays ended, since people may have acted on that. Returns False if we already know a run with this id.
    """
    if Run.objects.filter(remote_id=remote_id).exists():
        return False
    cause = Case(When(failure="left", then=Value("late")), default=F("failure"))
    ended = Run.objects.filter(pk=run.pk, remote_id="", status__in=FINAL)
    return ended.update(remote_id=remote_id, failure=cause, version=F("version") + 1) == 1


def fail(
    run: Run,
    cause: str,
    now: datetime,
    *,
    text: Message | str = "",
    request_id: str = "",
    field_errors: list[dict[str, str]] | None = None,
    from_statuses: tuple[str, ...] = ("starting",),
) -> bool:
    """Mark a run without results as failed. `cause` is a key of `words.run_failures.FAILURES`; `text` is the reason
    that was reported, if any. A run that fails while it is starting costs nothing, unless it had been sent before
    (`_settle_unstarted`)."""
    return _end(
        run,
        from_statuses,
        status="failed",
        failure=cause,
        failure_text=text,
        request_id=request_id[:100],
        field_errors=field_errors or [],
        finished_at=now,
    )


def _apply_waiting(run: Run) -> None:
    """Save the outputs that were waiting for Lamina's final response, because it won't come."""
    if apply_outputs.apply_waiting(run, run.version):
        run.outputs_ready, run.outputs_failed, run.outputs_total = apply_outputs.count(run)
        run.save(update_fields=["outputs_ready", "outputs_failed", "outputs_total"])


def ask_cancel(run: Run, member: Member, now: datetime) -> str:
    """Cancel the run or ask for it to be cancelled. Returns "cancelled" (nothing had been sent), "sent before" (it was
    waiting to be sent again, so an earlier try may have started it), "asked", or "too late"."""
    with transaction.atomic():
        locked = Run.objects.select_for_update().get(pk=run.pk)
        if locked.is_final:
            return "too late"
        if locked.status == "starting" and locked.sent_at is None:
            _end_unsent(locked, now, cancelled_by=member)
            return "sent before" if charges.is_kept(locked) else "cancelled"
        if locked.cancel_asked_at is None:
            _change(locked, (locked.status,), cancel_asked_at=now, cancelled_by=member)
            record(Verb.RUN_CANCELLED, locked)
        if locked.remote_id:
            wakeups.queue_cancel(run.pk)
    return "asked"


def record_cancel_sent(run: Run, now: datetime, answer: str) -> None:
    """Record Lamina's response to our cancel request; we have to read the run again later to see whether it stopped."""
    Run.objects.filter(pk=run.pk).exclude(status__in=FINAL).update(
        cancel_sent_at=now, cancel_answer=answer[:50], version=F("version") + 1
    )
    logger.info("run=%s from=%s to=%s remote=%s cancel=sent", run.public_id, run.status, run.status, run.remote_id)


def record_row(run: Run, row: RunRow, now: datetime) -> bool:
    """Apply a row of the run list to a run that hasn't ended; only `apply_snapshot` ends a run."""
    if run.ended_at is not None:  # an earlier read of the list said that the run had ended, but it hasn't
        _change(run, AT_LAMINA, is_certain=True, ended_at=None)
    if row.state == run.status:
        return False
    news: dict[str, Any] = {"status": "running", "remote_status": row.status[:50], "seen_at": now}
    return _change(run, ("queued",), running_at=_running_at(run, row, now), **news)


def _running_at(run: Run, remote: RunRow | RunSnapshot, now: datetime) -> datetime | None:
    """Return when `run` left Lamina's queue, by our clock: worked out from Lamina's times if possible, otherwise the
    time when we noticed."""
    if run.started_at and remote.queued_seconds is not None:
        return min(now, run.started_at + timedelta(seconds=remote.queued_seconds))
    return run.running_at or (now if remote.state == "running" else None)


def record_ended(runs: list[Run], now: datetime, *, wait: Run.Wait = Run.Wait.NONE) -> None:
    """Mark these runs as ended because Lamina says so. Their results are read when the budget allows it; `wait` is
    `Run.Wait.LAMINA` if they couldn't be read."""
    for run in runs:
        if run.ended_at is None or wait not in (run.wait, Run.Wait.NONE):
            _change(run, AT_LAMINA, is_certain=True, ended_at=run.ended_at or now, seen_at=now, wait=wait)


def record_missing(run: Run, now: datetime, *, is_list_missing: bool = False) -> bool:
    """Count a "no such run" response; after three in a row, fail the run as lost. If the run list isn't found either,
    the response probably comes from a gateway and says nothing about the run, so counting starts over."""
    if is_list_missing:
        Run.objects.filter(pk=run.pk).update(missing_reads=1, asked_at=now)
        return False
    counts = Q(missing_reads=0) | Q(asked_at=None) | Q(asked_at__lte=now - LOST_EVERY) | Q(asked_at__gt=now)
    counted = Run.objects.filter(counts, pk=run.pk).update(missing_reads=F("missing_reads") + 1, asked_at=now)
    if not counted or run.missing_reads + 1 < LOST_AFTER:
        return False
    return fail(run, "lost", now, from_statuses=AT_LAMINA)


def apply_snapshot(run: Run, snapshot: RunSnapshot, now: datetime, *, is_pushed: bool = False) -> bool:
    """Record Lamina's report on a run and its results; return True if this changed anything that a page shows.

    With `is_pushed`, the report came from a stream or a webhook. A pushed report that says "completed" but has no
    outputs only tells us that the run has ended: the poller then reads the run by its id, and relies on that response.
    """
    with transaction.atomic():
        locked = Run.objects.select_for_update().get(pk=run.pk)
        if locked.status not in AT_LAMINA:
            return False
        if is_pushed and snapshot.state == "completed" and not snapshot.outputs:
            is_first = locked.ended_at is None
            record_ended([locked], now)
            return is_first
        version = locked.version + 1
        boxes_changed = apply_outputs.apply_outputs(locked, snapshot, version)
        fields = _fields_from(locked, snapshot, now)
        is_news = boxes_changed or any(
            getattr(locked, name) != value for name, value in fields.items() if name not in NO_NEWS
        )
        if is_news:
            fields["version"] = version
        Run.objects.filter(pk=run.pk, status=locked.status).update(**fields)
        if fields["status"] != locked.status:
            _log(locked, fields)
            before, locked.status = locked.status, fields["status"]
            if locked.status in FINAL:
                locked.outputs_failed = fields["outputs_failed"]
                record(Verb.RUN_ENDED, locked, changes={"status": (before, state_key(locked))})
                events.run_ended.send(locked)
    return is_news


def _fields_from(run: Run, snapshot: RunSnapshot, now: datetime) -> dict[str, Any]:
    ready, failed, total = apply_outputs.count(run)
    fields: dict[str, Any] = {
        "status": "running" if run.status == "running" and snapshot.state == "queued" else snapshot.state,
        "remote_status": snapshot.status[:50],
        "seen_at": now,
        "asked_at": now,
        "missing_reads": 0,
        "running_at": _running_at(run, snapshot, now),
        "outputs_ready": ready,
        "outputs_failed": failed,
        "outputs_total": total,
    }
    if not snapshot.is_final:
        fields["ended_at"] = None
    else:
        fields["finished_at"] = now
        fields["wait"] = Run.Wait.NONE
        fields["work_seconds"] = snapshot.work_seconds
        fields |= apply_outputs.ending(snapshot, ready)
    return fields


def _change(run: Run, from_statuses: tuple[str, ...], *, is_certain: bool = False, **fields: Any) -> bool:
    """Change a run if our claim on it is still current. With `is_certain` (Lamina named the run), change it
    regardless."""
    of_this_claim = {} if is_certain else {"attempts": run.attempts}
    rows = Run.objects.filter(pk=run.pk, status__in=from_statuses, **of_this_claim)
    with transaction.atomic():
        if not rows.update(version=F("version") + 1, **fields):
            return False
        _log(run, fields)
        run.refresh_from_db()
    return True


def _end_of(fields: dict[str, Any]) -> Verb:
    """Return the verb for the record entry about a run's end: somebody cancelled it or gave up on it, or it simply
    ended."""
    if "cancelled_by" in fields:
        return Verb.RUN_CANCELLED
    return Verb.RUN_LEFT if fields.get("failure") in ("left", "silent") else Verb.RUN_ENDED


def _log(run: Run, fields: dict[str, Any]) -> None:
    """Log a change if it affects what people see. `run` is the run before the change; `fields` has the new values."""
    status = fields.get("status", run.status)
    details = [f" {name}={fields[name]}" for name in ("wait", "failure") if fields.get(name)]
    if "cancel_asked_at" in fields:
        details.append(" cancel=asked")
    if fields.get("ended_at"):
        details.append(" ended=yes results=later")
    if "candidates" in fields and not fields.get("due_at"):
        details.append(" asks=person")
    if status != run.status or details:
        words = (run.public_id, run.status, status, run.remote_id or "-", "".join(details))
        logger.info("run=%s from=%s to=%s remote=%s%s", *words)
