"""Retention of uploads: files are deleted some time after the last run that used them. The runs still show the files'
names.

Uploads are kept if they belong to a preset, a draft, or a run that is on hold, starred or unfinished; if guests can see
them; or if they are results used as inputs. Uploads that no run uses follow another rule (`storage.orphans`).
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from runs.audit.record import record
from runs.background.queue import stop_requested
from runs.models import ACTIVE, GuestLink, GuestLinkOutput, OutputFile, Preset, Run, StoredFile, Upload, Verb
from runs.models.run import RunInputUpload
from runs.storage import orphans

SLICE = 200
LATELY = timedelta(hours=1)  # drafts changed this recently are checked again just before an upload is removed


def overdue(days: int, now: datetime) -> QuerySet[Upload]:
    """Return the uploads that a retention period of `days` days would remove now, including those that drafts still
    use."""
    since = now - timedelta(days=days)
    used = RunInputUpload.objects.filter(upload=OuterRef("pk"))
    is_wanted = Q(input__run__held_at__isnull=False) | Q(input__run__has_star=True) | Q(input__run__status__in=ACTIVE)
    links = GuestLink.objects.alive().filter(shows_inputs=True)  # even if guest links are turned off for a while
    is_shown = Q(input__run__in=GuestLinkOutput.objects.filter(link__in=links).values("output__run"))
    still_used = used.filter(is_wanted | is_shown | Q(input__run__created_at__gte=since))
    in_presets = Preset.uploads.through.objects.filter(upload=OuterRef("pk"))
    is_result = OutputFile.objects.filter(file=OuterRef("file"))
    old = Upload.objects.filter(status=Upload.Status.READY, created_at__lt=since)
    return old.filter(Exists(used), ~Exists(still_used), ~Exists(in_presets), ~Exists(is_result))


def going(days: int, now: datetime) -> QuerySet[Upload]:
    """Return the uploads that a retention period of `days` days would remove now, except those that drafts still
    use."""
    return overdue(days, now).exclude(public_id__in=orphans.named_in_drafts())


def files_of(uploads: QuerySet[Upload]) -> QuerySet[StoredFile]:
    """Return the files to delete with `uploads`: those not needed by any other upload or any app's rules."""
    others = Upload.objects.filter(file=OuterRef("pk")).exclude(pk__in=uploads.values("pk"))
    files = StoredFile.objects.filter(pk__in=uploads.values("file")).exclude(is_catalog=True)
    return files.filter(~Exists(others), field_rules=None)


def remove(days: int, now: datetime) -> int:
    """Remove the files of overdue uploads in batches; return how many uploads lost their file."""
    count, last, named = 0, 0, orphans.named_in_drafts()
    while not stop_requested():
        pairs = list(overdue(days, now).filter(pk__gt=last).order_by("pk")[:SLICE].values_list("pk", "public_id"))
        if not pairs:
            break
        last = pairs[-1][0]
        count += sum(_remove(pk, days, now) for pk, public_id in pairs if public_id not in named)
    return count


def _remove(pk: int, days: int, now: datetime) -> bool:
    with transaction.atomic():
        _lock(pk)
        upload = overdue(days, now).filter(pk=pk).first()
        if upload is None or upload.file_id is None or upload.public_id in orphans.named_in_drafts(now - LATELY):
            return False
        file = upload.file_id
        Upload.objects.filter(pk=pk).update(status=Upload.Status.REMOVED, file=None, asset_url="")
        Run.objects.filter(input_picture=file, inputs__uploads=upload).update(input_picture=None)
        record(Verb.UPLOAD_PURGED, upload)
    orphans.remove_files(StoredFile.objects.filter(pk=file))
    return True


def _lock(pk: int) -> None:
    """Wait for transactions that are putting one of the upload's runs on hold, or that have locked the upload.

    Code that starts a run locks its uploads itself, because on PostgreSQL, foreign keys are checked only on commit.
    """
    runs = Run.objects.filter(pk__in=RunInputUpload.objects.filter(upload=pk).values("input__run"))
    list(runs.order_by("pk").select_for_update().values_list("pk"))  # always in the same order, to avoid deadlocks
    list(Upload.objects.filter(pk=pk).select_for_update().values_list("pk"))
