"""The bin: deleted runs can be restored for 30 days. Then they are permanently deleted, with their files.

Rows are deleted before files, so that a crash in between can leave files without a row, which the daily sweep finds,
but never a row without its file. Files used elsewhere (an upload in a preset, a result in another form) are kept.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from runs.background.queue import stop_requested
from runs.models import FINAL, Member, Run, StoredFile, Upload
from runs.models.run import RunQuerySet
from runs.storage import orphans

KEPT_FOR = timedelta(days=30)


def move_to_bin(runs: RunQuerySet, member: Member | None, now: datetime) -> int:
    """Move the finished runs among `runs` to the bin and return how many.

    Active runs stay, so that people see what they cost and make. The caller checks that `member` may change the runs;
    None means the retention rules.
    """
    ended = runs.filter(status__in=FINAL, deleted_at=None)
    return ended.update(deleted_at=now, deleted_by=member, version=F("version") + 1)


def bring_back(runs: RunQuerySet) -> int:
    """Restore `runs` from the bin, including their shares and stars; return how many."""
    binned = runs.filter(deleted_at__isnull=False)
    return binned.update(deleted_at=None, deleted_by=None, brought_back_at=timezone.now(), version=F("version") + 1)


def delete_for_good(run: Run) -> bool:
    """Permanently delete `run` and the files only it used. Return False if somebody has restored it meanwhile."""
    files = set(StoredFile.objects.filter(results__output__run=run).values_list("pk", flat=True))
    uploads = set(Upload.objects.filter(inputs__run=run).values_list("pk", flat=True))
    with transaction.atomic():
        still_there = Run.objects.select_for_update().filter(pk=run.pk, deleted_at__isnull=False).first()
        if still_there is None:
            return False
        still_there.delete()
    orphans.remove_uploads(Upload.objects.filter(pk__in=uploads))
    orphans.remove_files(StoredFile.objects.filter(pk__in=files))
    return True


def empty_overdue(now: datetime | None = None) -> int:
    """Permanently delete runs that have been in the bin for 30 days; return how many."""
    overdue = Run.objects.filter(deleted_at__lt=(now or timezone.now()) - KEPT_FOR)
    count = 0
    for run in overdue.order_by("deleted_at").iterator(chunk_size=200):
        if stop_requested():
            break
        count += delete_for_good(run)
    return count


def gone_at(run: Run) -> datetime | None:
    """Return when a run in the bin will be permanently deleted."""
    return run.deleted_at + KEPT_FOR if run.deleted_at else None
