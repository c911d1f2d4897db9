"""Lets search find runs by the comments on them, by the notes on decisions, and by who decided."""

from runs.models import Comment, Decision, Run
from runs.words.fold import fold
from runs.words.known_words import forget_unused
from runs.words.run_index import index_runs
from runs.words.terms import split


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
