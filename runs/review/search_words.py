"""Lets search find runs by the comments on them, by the notes on decisions, and by who decided."""

import time

from django.db import transaction
from django.db.models import Exists, OuterRef

from runs.background import leases
from runs.models import Comment, Decision, IndexState, Run
from runs.words.fold import fold
from runs.words.known_words import forget_unused
from runs.words.run_index import index_runs
from runs.words.terms import split

VERSION = 1  # increase this when more of the words in runs with decisions become searchable
LEASE, LEASE_SECONDS = "index-decided", 30.0
SECONDS = 0.2  # time limit for one pass
SLICE = 50  # decisions


def index_decided() -> None:
    """Reindex runs that have decisions and were last indexed with an earlier `VERSION`, for at most 0.2 s at a time.

    The worker calls this in every sweep. Once all runs are done, each call costs one query.
    """
    if _state().version == VERSION:
        return
    with leases.held(LEASE, LEASE_SECONDS) as may_go_on:
        if may_go_on is not None:
            _index_some(_state(), time.monotonic() + SECONDS)


def _state() -> IndexState:
    return IndexState.objects.first() or IndexState(pk=1)


def _index_some(state: IndexState, ends_at: float) -> None:
    """Continue after the last decision processed, until none are left or the monotonic clock reaches `ends_at`."""
    while decisions := _next_decisions(state.reached):
        for pk, run_id, is_known in decisions:
            if not is_known:
                with transaction.atomic():
                    _index(run_id)
            state.reached = pk
            # Checked only after some work, so that we make progress even if the database is slow.
            if time.monotonic() > ends_at:
                state.save()
                return
    state.version, state.reached = VERSION, 0
    state.save()


def _next_decisions(reached: int) -> list[tuple[int, int, bool]]:
    """Return the next decisions: for each, its key, the key of its run, and whether that run has an earlier
    decision."""
    earlier = Decision.objects.filter(output__run=OuterRef("output__run"), pk__lt=OuterRef("pk")).exclude(verdict="")
    found = Decision.objects.filter(pk__gt=reached).exclude(verdict="").order_by("pk")
    return list(found.values_list("pk", "output__run", Exists(earlier))[:SLICE])


def on_comment_posted(comment: Comment) -> None:
    _index(comment.run_id)


def on_comment_changed(comment: Comment, text_before: str) -> None:
    """Reindex the run, and forget words that only occurred in the edited or removed comment."""
    _index(comment.run_id)
    forget_unused(split(fold(text_before)))


def on_comments_carried(source: Run, target: Run) -> None:
    """Reindex both runs, in the order of their primary keys, to avoid deadlocks."""
    for run_id in sorted({source.pk, target.pk}):
        _index(run_id)


def on_decision_made(decision: Decision) -> None:
    """Reindex the run if this decision adds a note or a name to search for."""
    run_id = decision.output.run_id
    before = Decision.objects.filter(output__run=run_id, pk__lt=decision.pk).exclude(verdict="")
    same = before.filter(batch=decision.batch, note=decision.note) if decision.note else before
    whose = {"member": decision.member, "guest": decision.guest}
    if not same.filter(**whose).exists():
        _index(run_id)


def _index(run_id: int) -> None:
    """Lock the run and reindex it. Because of the lock, if two people comment at the same time, the second request
    indexes both comments."""
    index_runs(Run.objects.select_for_update(no_key=True).only("search_text").filter(pk=run_id))
