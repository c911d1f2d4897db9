"""Records when an admin looks at something that another member keeps private.

Whatever hands out something of a run calls `record_openings`: a page, a part of a page, a file, a zip. A test requests
every URL as an admin and checks that each look at something private is recorded.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, time

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from runs.audit.record import record_each
from runs.models import Entry, Member, OutputFile, Run, StoredFile, Verb, files_with_small_picture_for
from runs.models.run import RunInputUpload
from runs.words.moments import portal_day

LOOKED_THROUGH = 200  # an upload may be in thousands of runs; only the newest of them are considered


def record_openings(request: HttpRequest, runs: Iterable[Run]) -> None:
    """Record that an admin saw something of any of `runs` that they can only see because they're an admin, once a day
    for each run."""
    member = request.user
    if not isinstance(member, Member) or not member.is_admin:
        return
    private = {run.public_id: run for run in runs if run.is_seen_only_as_admin(member)}
    if private.keys() <= _opened_today(member, private):
        return
    with transaction.atomic():
        # A page's pictures are requested at the same time, so their requests wait here for each other.
        Member.objects.select_for_update(no_key=True).filter(pk=member.pk).first()
        recorded = _opened_today(member, private)
        record_each(Verb.RUN_OPENED, [run for public_id, run in private.items() if public_id not in recorded])


def record_opening_of(request: HttpRequest, file: StoredFile) -> None:
    """Record that an admin saw `file`, unless they may also see it for another reason, such as having uploaded it.

    The entry is about one of the file's runs: none if any of them has an entry today, since their page shows the file;
    otherwise the run that made it, or the newest that used it.
    """
    member = request.user
    if file.is_catalog or not (isinstance(member, Member) and member.is_admin):
        return
    if files_with_small_picture_for(Member(pk=member.pk)).filter(pk=file.pk).exists():
        return
    producers = Run.objects.filter(pk__in=OutputFile.objects.filter(file=file).values("output__run"))
    consumers = Run.objects.filter(pk__in=RunInputUpload.objects.filter(upload__file=file).values("input__run"))
    candidates = [*producers.newest_first()[:LOOKED_THROUGH], *consumers.newest_first()[:LOOKED_THROUGH]]
    private = {run.public_id: run for run in candidates if run.is_seen_only_as_admin(member)}
    if private and not _opened_today(member, private):
        record_openings(request, list(private.values())[:1])


def _opened_today(member: Member, ids: Collection[str]) -> set[str]:
    """Return those of `ids` that have an entry today, in the portal's time zone."""
    if not ids:
        return set()
    start = datetime.combine(portal_day(), time.min, timezone.get_default_timezone())
    today = Entry.objects.by(member).filter(verb=Verb.RUN_OPENED, at__gte=start, object_kind="run")
    return set(today.filter(object_id__in=ids).values_list("object_id", flat=True))
