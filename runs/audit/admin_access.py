"""Records when an admin opens something that another member keeps private."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from runs.audit.record import record_each
from runs.models import Entry, Member, OutputFile, Run, StoredFile, Upload, Verb
from runs.models.run import RunInputUpload

ONCE_IN = timedelta(hours=1)


def record_openings(request: HttpRequest, runs: Iterable[Run]) -> None:
    """Record that an admin opened any of `runs` that they can only see because they're an admin, at most once an hour
    for each run.

    Browsers never prefetch these pages (portal.speculationrules), so a request means that someone really opened the
    page.
    """
    member = request.user
    if not isinstance(member, Member) or not member.is_admin:
        return
    private = {run.public_id: run for run in runs if run.is_seen_only_as_admin(member)}
    if private:
        known = _opened_lately(member, list(private))
        record_each(Verb.RUN_OPENED, [run for public_id, run in private.items() if public_id not in known])


def record_opening_of(request: HttpRequest, file: StoredFile) -> None:
    """Record that an admin opened the runs that `file` belongs to, unless they may also see the file for another
    reason, such as having uploaded it."""
    member = request.user
    if not isinstance(member, Member) or file.is_catalog or not member.is_admin:
        return
    if Upload.objects.filter(file=file, member=member).exists():
        return
    runs = list(Run.objects.visible_to(member).filter(pk__in=_runs_with(file)))
    if all(run.is_seen_only_as_admin(member) for run in runs):
        record_openings(request, runs)


def _runs_with(file: StoredFile) -> "QuerySet[Any, Any]":
    """Return the primary keys of the runs that `file` is a result or an input of. With OR, both databases would go
    through all runs."""
    results = OutputFile.objects.filter(file=file).order_by().values("output__run")
    return results.union(RunInputUpload.objects.filter(upload__file=file).order_by().values("input__run"))


def _opened_lately(member: Member, ids: list[str]) -> set[str]:
    lately = Entry.objects.by(member).filter(verb=Verb.RUN_OPENED, at__gt=timezone.now() - ONCE_IN)
    return set(lately.filter(object_kind="run", object_id__in=ids).values_list("object_id", flat=True))
