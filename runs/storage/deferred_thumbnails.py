"""Create thumbnails for files that were saved before there was time to inspect them.

A web thread waits at most five seconds for the picture process. If that isn't long enough, the thread saves the file
without thumbnails, and a worker creates them later. The database says which files are due. Each attempt is recorded
before it starts, so a file that kills its worker is retried less and less often. After `MAX_ATTEMPTS`, the file is left
without thumbnails.
"""

import logging
import time
from datetime import timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from runs import events
from runs.background.queue import enqueue_long, stop_requested
from runs.models import OutputFile, StoredFile, Upload
from runs.models.messages import Message
from runs.storage import media, store
from runs.storage.claimed_fetch import ClaimLost
from runs.storage.media import Media, NotMedia
from runs.storage.transfer_slots import PICTURES, FileSlot, file_slot

logger = logging.getLogger("runs.pictures")

TASK_SECONDS = 900
WINDOW_SECONDS = 240.0
KEEP_SLOT_SECONDS = 15.0  # how often to renew the slot: it lasts 60 s, and a large file may take longer
# Delays before the next attempt; the shortest is longer than one attempt takes
AGAIN = tuple(timedelta(minutes=m) for m in (3, 10, 60))
MAX_ATTEMPTS = len(AGAIN)


def request_small_pictures() -> None:
    """Queue a task if any thumbnails are due. This takes only one query."""
    if _due().exists():
        enqueue_long("make_small_pictures", timeout_seconds=TASK_SECONDS, is_saved=False)


def make_due_pictures() -> None:
    """Create thumbnails until none are due, the time is up or the worker stops. Only one worker does this at a time."""
    with file_slot(PICTURES) as slot:
        if slot is None:
            return
        ends_at = time.monotonic() + WINDOW_SECONDS
        while slot.is_kept() and time.monotonic() < ends_at and (stored := _claim_next()) is not None:
            _make(stored, slot)
    if not stop_requested():
        request_small_pictures()  # for files that arrived while we held the slot


def _due() -> QuerySet[StoredFile]:
    return StoredFile.objects.filter(picture_due_at__lte=timezone.now())


def _claim_next() -> StoredFile | None:
    """Claim the file that has waited longest among those with the fewest attempts; files from example runs come last.
    If the worker dies, the file becomes due again later."""
    of_examples = OutputFile.objects.filter(file=OuterRef("pk"), output__run__is_example=True)
    waiting = _due().alias(is_example=Exists(of_examples))
    for stored in waiting.order_by("is_example", "picture_attempts", "picture_due_at", "pk")[:20]:
        number = stored.picture_attempts
        again_at = Now() + AGAIN[number] if number < MAX_ATTEMPTS else None
        mine = _due().filter(pk=stored.pk, picture_attempts=number)
        if mine.update(picture_due_at=again_at, picture_attempts=F("picture_attempts") + 1) and again_at is not None:
            return stored
    return None


def _make(stored: StoredFile, slot: FileSlot) -> None:
    """Try to create one file's thumbnails. If that fails and a retry may work, the file becomes due again at the time
    set by the claim, or right away if we just had to stop early."""
    kept_at = time.monotonic()

    def on_wait() -> None:
        nonlocal kept_at
        is_due = time.monotonic() - kept_at > KEEP_SLOT_SECONDS
        if stop_requested() or (is_due and not slot.is_kept()):
            raise ClaimLost
        kept_at = time.monotonic() if is_due else kept_at

    try:
        with store.local_copy(stored) as path:
            found = media.inspect(path, on_wait=on_wait)
        if not found.follows:
            _settle(stored, found)
    except ClaimLost:
        again = {"picture_due_at": Now(), "picture_attempts": stored.picture_attempts}
        StoredFile.objects.filter(pk=stored.pk).update(**again)
    except NotMedia as error:
        _refuse(stored, error.message)
    except Exception:
        logger.exception("could not make small pictures of file %s", stored.pk)


def _settle(stored: StoredFile, found: Media) -> None:
    """Save the results of the inspection, and update the pages that show the file."""
    store.keep_small(stored, found.small)
    known: dict[str, Any] = {"kind": found.kind, "media_type": found.media_type, "colour": found.colour}
    known |= {"width": found.width, "height": found.height, "duration_seconds": found.duration_seconds}
    thumbs = {f"thumb_{width}": getattr(stored, f"thumb_{width}").name for width in found.small}
    waiting = StoredFile.objects.filter(pk=stored.pk)
    if not waiting.update(**known, **thumbs, picture_due_at=None):
        store.discard(stored)  # the file has been deleted in the meantime
    events.file_inspected.send(stored)


def _refuse(stored: StoredFile, message: Message) -> None:
    """Record that the file is unusable after all: an upload is refused, but a result can still be downloaded."""
    StoredFile.objects.filter(pk=stored.pk).update(picture_due_at=None)
    uploads = Upload.objects.filter(file=stored, status=Upload.Status.READY, asset_url="")
    uploads.update(status=Upload.Status.FAILED, error=message, used_at=timezone.now())
    events.file_inspected.send(stored)
