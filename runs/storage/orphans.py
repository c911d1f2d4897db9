"""Remove everything that is no longer referenced: uploads, file rows, and files in the storage without a row.

The daily sweep only removes old things: a form may be open for days, a worker may have saved the bytes but not the row
yet, and a database restored from a backup doesn't know about newer files.
"""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any

from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import CASCADE, Exists, ForeignObjectRel, Max, Min, OuterRef, QuerySet
from django.utils import timezone

from runs.background import incidents
from runs.background.queue import stop_requested
from runs.models import App, Draft, GuestCopy, Member, Preset, StoredFile, Upload
from runs.models.file import THUMBNAIL_WIDTHS
from runs.models.messages import Message
from runs.models.run import RunInputUpload
from runs.schema_forms.answers import upload_ids
from runs.storage import store

logger = logging.getLogger("runs.orphans")

UNUSED_AFTER = timedelta(days=7)
STRAY_AFTER = timedelta(days=7)
FEW = 100  # up to this many files without a row are always removed
SLICE = 20_000  # how many primary keys to go through at a time
FIELDS = ("file", *(f"thumb_{width}" for width in THUMBNAIL_WIDTHS))


def unused_uploads(member: Member | None = None) -> QuerySet[Upload]:
    """Return the uploads that no run or preset uses. Drafts aren't checked here (see `named_in_drafts`)."""
    used = RunInputUpload.objects.filter(upload=OuterRef("pk"))
    in_presets = Preset.uploads.through.objects.filter(upload=OuterRef("pk"))
    uploads = Upload.objects.filter(~Exists(used), ~Exists(in_presets))
    return uploads.filter(member=member) if member else uploads


def named_in_drafts(since: datetime | None = None) -> set[str]:
    """Return the public ids of uploads in people's drafts; with `since`, only in drafts that have changed since
    then."""
    ids: set[str] = set()
    drafts = Draft.objects.filter(updated_at__gte=since) if since else Draft.objects.all()
    for answers in drafts.values_list("answers", flat=True).iterator():
        ids.update(upload_ids(answers))
    return ids


def remove_uploads(uploads: QuerySet[Upload]) -> int:
    """Delete any of the `uploads` that are unused, and any files that nothing else needs. Return how many uploads were
    deleted."""
    unused = list(uploads.filter(pk__in=unused_uploads()))
    ids = named_in_drafts() if unused else set()
    count = 0
    for upload in unused:
        if upload.public_id in ids:
            continue
        try:
            with transaction.atomic():
                upload.delete()
        except IntegrityError:  # a run has just started using it
            continue
        count += 1
        if upload.file_id:
            remove_files(StoredFile.objects.filter(pk=upload.file_id))
    return count


def unreferenced(files: QuerySet[StoredFile]) -> QuerySet[StoredFile]:
    """Return the `files` that no row of any model refers to, including models added in the future. Rows that are
    deleted along with a file (CASCADE) don't count."""
    for relation in StoredFile._meta.get_fields(include_hidden=True):  # including those with related_name="+"
        if isinstance(relation, ForeignObjectRel) and getattr(relation, "on_delete", None) is not CASCADE:
            pointing: Any = relation.related_model
            files = files.filter(~Exists(pointing._base_manager.filter(**{relation.field.name: OuterRef("pk")})))
    return files


def remove_files(files: QuerySet[StoredFile]) -> int:
    """Delete the `files` that nothing refers to: first the row, then the bytes. Return how many were deleted."""
    return sum(_remove(stored) for stored in unreferenced(files.exclude(is_catalog=True)))


def _remove(stored: StoredFile) -> bool:
    copies = list(GuestCopy.objects.filter(source=stored, file__isnull=False).values_list("file", flat=True))
    try:
        with transaction.atomic():
            StoredFile.objects.filter(pk=stored.pk).delete()
    except IntegrityError:  # something has just started using it; ProtectedError is also an IntegrityError
        return False
    store.discard(stored)
    remove_files(StoredFile.objects.filter(pk__in=copies))  # its guest copies, unless an identical file uses them too
    return True


def sweep() -> None:
    """Remove everything that is no longer needed. Runs once a day."""
    young = timezone.now() - UNUSED_AFTER
    counts = {
        "uploads": sum(map(remove_uploads, _slices(Upload.objects.filter(created_at__lt=young)))),
        "catalogue pictures": _remove_catalogue_pictures(),
        "files": sum(map(remove_files, _slices(StoredFile.objects.filter(created_at__lt=young)))),
        "stray names": _remove_strays(),
        "interrupted uploads": store.drop_interrupted(timezone.now() - STRAY_AFTER),
    }
    if any(counts.values()):
        logger.info("removed: %s", ", ".join(f"{count} {what}" for what, count in counts.items()))


def _slices[Rows: QuerySet[Any]](rows: Rows) -> Iterator[Rows]:
    """Yield `rows` in batches by primary key until the worker stops, so that no query has to go through millions of
    rows."""
    ends = rows.model._default_manager.aggregate(first=Min("pk"), last=Max("pk"))
    for start in range(ends["first"] or 0, (ends["last"] or -1) + 1, SLICE):
        if stop_requested():
            return
        yield rows.filter(pk__gte=start, pk__lt=start + SLICE)


def _remove_catalogue_pictures() -> int:
    """Remove catalogue pictures that no app uses as its picture or sample any more."""
    samples: set[str] = set()
    for named in App.objects.values_list("samples", flat=True).iterator():
        samples.update(str(public_id) for public_id in (named or {}).values())
    old = StoredFile.objects.filter(is_catalog=True, created_at__lt=timezone.now() - UNUSED_AFTER)
    return sum(_remove(stored) for stored in unreferenced(old) if stored.public_id not in samples)


def _remove_strays() -> int:
    """Delete files in the storage that have no row. If they outnumber the files that have one, this is probably the
    wrong database: delete nothing and record an incident."""
    before = timezone.now() - STRAY_AFTER
    strays: list[str] = []
    row_count = 0
    for folder, entries in groupby(store.all_names(), key=lambda entry: PurePosixPath(entry[0]).parts[:2]):
        if stop_requested():
            return 0
        names = [name for name, changed_at in entries if changed_at < before]
        rows = _names_in_rows("/".join(folder)) if names else set()
        strays += [name for name in names if name not in rows]
        row_count += len(rows)
    if len(strays) > max(FEW, row_count):
        incidents.record_incident("storage", Message("many_strays", {"strays": len(strays), "known": row_count}))
        return 0
    for name in strays:
        default_storage.delete(name)
    return len(strays)


def _names_in_rows(folder: str) -> set[str]:
    rows = StoredFile.objects.filter(file__startswith=f"{folder}/").values_list(*FIELDS)
    return {name for row in rows for name in row if name}
