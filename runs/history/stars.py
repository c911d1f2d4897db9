"""Stars on runs, results and apps, shared by the whole team.

A run counts as starred (`Run.has_star`, for History's tab) while the run or one of its results has a star. The run's
row is locked first, so that if two people star and unstar at once, the later one sees all stars.
"""

from datetime import datetime

from django.db import transaction

from runs.models import App, Member, Output, Run


def star_run(run: Run, member: Member, now: datetime, *, is_on: bool) -> None:
    """Star `run` as `member`, or remove its star, no matter who gave it. An existing star isn't replaced."""
    with transaction.atomic():
        locked = Run.objects.select_for_update().get(pk=run.pk)
        if (locked.starred_at is not None) != is_on:
            locked.starred_at, locked.starred_by = (now, member) if is_on else (None, None)
        _save(locked)
    run.starred_at, run.starred_by, run.has_star = locked.starred_at, locked.starred_by, locked.has_star


def star_output(output: Output, member: Member, now: datetime, *, is_on: bool) -> None:
    """Star or unstar one result, as `star_run` does for a run."""
    with transaction.atomic():
        run = Run.objects.select_for_update().get(pk=output.run_id)
        locked = Output.objects.get(pk=output.pk)
        if (locked.starred_at is not None) != is_on:
            locked.starred_at, locked.starred_by = (now, member) if is_on else (None, None)
            locked.save(update_fields=["starred_at", "starred_by"])
        _save(run)
    output.starred_at, output.starred_by = locked.starred_at, locked.starred_by


def star_app(app: App, member: Member, now: datetime, *, is_on: bool) -> None:
    """Star or unstar an app. An app that was only found by search is listed for everyone while it has a star."""
    other = App.objects.filter(pk=app.pk, starred_at__isnull=is_on)
    other.update(starred_at=now if is_on else None, starred_by=member if is_on else None)
    app.refresh_from_db(fields=["starred_at", "starred_by"])


def _save(run: Run) -> None:
    """Save the run's star and `has_star`. The caller has locked the run's row."""
    run.has_star = run.starred_at is not None or run.outputs.filter(starred_at__isnull=False).exists()
    run.save(update_fields=["starred_at", "starred_by", "has_star"])
