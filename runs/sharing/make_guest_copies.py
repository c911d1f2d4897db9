"""Create the copies for guests, in the worker.

Only one worker does this at a time (`background.due_work`). It renews its claim while it copies; if it dies, the claim
expires within a minute. Each copy ends up ready or impossible, or gets an error message and is tried again later. No
single file can stop the task: pictures and sounds are copied in the picture process, which ends a copy that takes too
long.
"""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from runs.background.due_work import CLAIM, ClaimLost, DueWork, Renewer, Slot, back_off, claim_first
from runs.background.queue import stop_requested
from runs.models import GuestCopy, GuestLink, StoredFile
from runs.models.messages import Message
from runs.sharing import guest_copies
from runs.storage import ffmpeg, file_types, orphans, picture_client, sounds, store
from runs.storage.disk import disk_message
from runs.storage.ffmpeg import CopyFailed
from runs.storage.metadata import CannotStrip
from runs.storage.picture_client import ProcessLost

logger = logging.getLogger("runs.guest_copies")

BACK_OFF = tuple(timedelta(seconds=s) for s in (30, 120, 600, 3600))  # the last delay repeats
# Failures before we give up. A killed worker isn't one, and after disk and storage problems, we always try again.
MOST_FAILURES = 3
UNUSED_AFTER = timedelta(days=7)  # how long to keep unused copies, in case a link was revoked by mistake

NOT_THERE = Message("copy_source_lost")
FAILED = Message("copy_failed")


class NoTool(Exception):
    """ffmpeg isn't installed."""


def _record_wanted() -> None:
    """Create missing rows for files that guests should get, and queue copies that were waiting for ffmpeg."""
    guest_copies.waiting_for_ffmpeg().update(status=GuestCopy.Status.PREPARING, due_at=Now(), attempts=0)
    missing = guest_copies.missing(GuestLink.objects.all())
    rows = [GuestCopy(source_id=pk, sha256=sha256) for pk, sha256 in missing.items()]
    GuestCopy.objects.bulk_create(rows, batch_size=guest_copies.AT_ONCE, ignore_conflicts=True)


def _claim_next() -> GuestCopy | None:
    """Claim and return the next copy; None if none is due or missing."""
    if (copy := _claim()) is None:
        _record_wanted()
        copy = _claim()
    return copy


def _claim() -> GuestCopy | None:
    """Claim and return the copy that has been due the longest, among those with the fewest attempts."""
    pk = claim_first(
        guest_copies.due().order_by("attempts", "due_at", "pk"),
        guest_copies.due(),
        "attempts",
        lambda number: {"claimed_until": Now() + CLAIM, "due_at": Now() + back_off(BACK_OFF, number)},
    )
    return GuestCopy.objects.select_related("source").get(pk=pk) if pk else None


def _make(copy: GuestCopy, slot: Slot) -> None:
    """Create one claimed copy and save the outcome."""
    status = GuestCopy.Status
    try:
        _copy(copy, slot.renewer(_open(copy)))
    except ClaimLost:
        if stop_requested():  # otherwise, another worker has claimed it, so leave it alone
            _open(copy).update(claimed_until=None, attempts=F("attempts") - 1, due_at=Now())
    except CannotStrip:
        _settle(copy, status.IMPOSSIBLE)
    except NoTool:
        _settle(copy, status.NO_TOOL)
    except FileNotFoundError:
        _try_later(copy, NOT_THERE)
    except ProcessLost:
        _try_later(copy, FAILED)
    except OSError as error:
        logger.warning("could not copy file %s for guests: %s", copy.source_id, error)
        _try_later(copy, disk_message(error))
    except Exception as error:  # an unexpected error with one file must not stop the others
        if isinstance(error, CopyFailed):
            logger.warning("could not copy file %s for guests: %s", copy.source_id, error)
        else:
            logger.exception("could not copy file %s for guests", copy.source_id)
        if copy.failures + 1 < MOST_FAILURES:
            _try_later(copy, FAILED, failures=F("failures") + 1)
        else:
            _settle(copy, status.IMPOSSIBLE)


def _copy(copy: GuestCopy, renewer: Renewer) -> None:
    same = GuestCopy.objects.filter(sha256=copy.sha256, status=GuestCopy.Status.READY).first()
    if same is not None:
        _settle(copy, GuestCopy.Status.READY, same.file)
        return
    new_path = store.new_waiting_path()
    try:
        with store.local_copy(copy.source, renewer) as path:
            _write_copy(path, new_path, renewer)
        renewer.renew()
        stored = store.place_copy(copy.source, new_path, renewer)
    finally:
        new_path.unlink(missing_ok=True)
    with store.discarding_on_error(stored), transaction.atomic():
        stored.save()
        if not _settle(copy, GuestCopy.Status.READY, stored):
            raise ClaimLost


def _write_copy(source: Path, target: Path, renewer: Renewer) -> None:
    """Write a copy of `source` without metadata. The file type is detected from the content, just as it was when
    `source` was saved."""
    with source.open("rb") as file:
        sniffed = file_types.sniff(file.read(file_types.HEAD_BYTES))
    if sniffed.kind not in guest_copies.PLAYED or sniffed.media_type in sounds.STRIPPERS:
        picture_client.copy_without_metadata(source, target, sniffed.media_type, renewer.look)
    elif ffmpeg.is_there():
        ffmpeg.copy_without_metadata(source, target, sniffed.reader, sniffed.extension, renewer.look)
        if sniffed == file_types.OGG:
            picture_client.demand_plain_ogg(target, renewer.look)
    else:
        raise NoTool


def _open(copy: GuestCopy) -> QuerySet[GuestCopy]:
    return GuestCopy.objects.filter(pk=copy.pk, status=GuestCopy.Status.PREPARING, attempts=copy.attempts)


def _settle(copy: GuestCopy, status: GuestCopy.Status, file: StoredFile | None = None) -> bool:
    """Save the outcome for `copy`; return False if the row no longer exists or another worker has claimed it."""
    ended = {"file": file, "error": Message(), "due_at": None, "claimed_until": None}
    return bool(_open(copy).update(status=status, **ended))


def _try_later(copy: GuestCopy, message: Message, **counted: Any) -> None:
    """Release the claim. The time of the next attempt was already set when the copy was claimed."""
    _open(copy).update(claimed_until=None, error=message, **counted)


COPIES = DueWork(guest_copies.TASK, guest_copies.is_any_due, _claim_next, _make)


# --- Once a day -------------------------------------------------------------------------------------------------------
def tidy() -> None:
    """Delete copies over a week old that no open link needs, and request replacements for copies whose files are
    missing."""
    old = GuestCopy.objects.filter(created_at__lt=timezone.now() - UNUSED_AFTER)
    file_ids = guest_copies.shared_file_ids(GuestLink.objects.all())
    for copy in [copy for copy in old.select_related("file") if copy.source_id not in file_ids]:
        copy.delete()
        if copy.file is not None:
            orphans.remove_files(StoredFile.objects.filter(pk=copy.file.pk))
    ready = GuestCopy.objects.filter(status=GuestCopy.Status.READY)
    for file in StoredFile.objects.filter(pk__in=ready.values("file")).iterator(chunk_size=guest_copies.AT_ONCE):
        if stop_requested():
            return
        try:
            is_there = file.file.storage.exists(file.file.name or "")
        except OSError:
            return  # the storage is down; try again tomorrow
        if not is_there:
            guest_copies.record_lost(file)
