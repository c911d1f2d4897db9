"""Stars on runs, results and apps, shared by the whole team.

A run counts as starred (`Run.has_star`, for the Starred tab) while it or one of its results has a star. We lock the
run's row first, so that if two people change stars at the same time, the second change sees the first.
"""

from datetime import datetime

from django.db import transaction

from runs.audit.record import record, record_each
from runs.models import App, Member, Output, Run, Verb
from runs.models.run import RunQuerySet


def star_run(run: Run, member: Member, now: datetime, *, is_on: bool) -> None:
    """Star `run` as `member`, or remove its star, no matter who set it. An existing star isn't replaced."""
    with transaction.atomic():
        locked = Run.objects.select_for_update().get(pk=run.pk)
        if (locked.starred_at is not None) != is_on:
            locked.starred_at, locked.starred_by = (now, member) if is_on else (None, None)
            record(Verb.RUN_STARRED if is_on else Verb.RUN_UNSTARRED, locked)
        _save(locked)
    run.starred_at, run.starred_by, run.has_star = locked.starred_at, locked.starred_by, locked.has_star


@transaction.atomic
def star_runs(runs: RunQuerySet, member: Member, now: datetime) -> None:
    """Star all of `runs` as `member`. Existing stars aren't replaced."""
    locked = Run.objects.select_for_update().filter(pk__in=list(runs.values_list("pk", flat=True))).order_by("pk")
    fresh = [run for run in locked if run.starred_at is None]  # always locked in the same order, to avoid deadlocks
    record_each(Verb.RUN_STARRED, fresh)
    locked.order_by().filter(starred_at=None).update(starred_at=now, starred_by=member, has_star=True)


def star_output(output: Output, member: Member, now: datetime, *, is_on: bool) -> None:
    """Star or unstar one result, as `star_run` does for a run."""
    with transaction.atomic():
        run = Run.objects.select_for_update().get(pk=output.run_id)
        locked = Output.objects.get(pk=output.pk)
        if (locked.starred_at is not None) != is_on:
            locked.starred_at, locked.starred_by = (now, member) if is_on else (None, None)
            locked.save(update_fields=["starred_at", "starred_by"])
            record(Verb.RESULT_STARRED if is_on else Verb.RESULT_UNSTARRED, output)
        _save(run)
    output.starred_at, output.starred_by = locked.starred_at, locked.starred_by


@transaction.atomic
def star_app(app: App, member: Member, now: datetime, *, is_on: bool) -> None:
    """Star or unstar an app. While it's starred, even an app that people could otherwise only find by searching is on
    everyone's list."""
    other = App.objects.filter(pk=app.pk, starred_at__isnull=is_on)
    if other.update(starred_at=now if is_on else None, starred_by=member if is_on else None):
        record(Verb.APP_STARRED if is_on else Verb.APP_UNSTARRED, app)
    app.refresh_from_db(fields=["starred_at", "starred_by"])


def _save(run: Run) -> None:
    """Save the star of `run` and update `has_star`. The caller must have locked the row."""
    run.has_star = run.starred_at is not None or run.outputs.filter(starred_at__isnull=False).exists()
    run.save(update_fields=["starred_at", "starred_by", "has_star"])
