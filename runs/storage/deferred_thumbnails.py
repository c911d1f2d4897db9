"""Create thumbnails for files that were saved before there was time to inspect them.

A web thread waits at most five seconds for the picture process. If that isn't long enough, the thread saves the file
without thumbnails, and a worker creates them later, one at a time (`background.due_work`). Each attempt is recorded
before it starts, so a file that kills its worker is retried less and less often. After `MAX_ATTEMPTS`, the file is left
without thumbnails.
"""

import logging
from datetime import timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from runs import events
from runs.background.due_work import ClaimLost, DueWork, Slot, claim_first
from runs.models import OutputFile, StoredFile, Upload
from runs.models.messages import Message
from runs.storage import media, store
from runs.storage.media import Media, NotMedia

logger = logging.getLogger("runs.pictures")

# Delays before the next attempt; the shortest is longer than one attempt takes
AGAIN = tuple(timedelta(minutes=m) for m in (3, 10, 60))
MAX_ATTEMPTS = len(AGAIN)


def _due() -> QuerySet[StoredFile]:
    return StoredFile.objects.filter(picture_due_at__lte=timezone.now())


def _claim_next() -> StoredFile | None:
    """Claim the file that has waited longest among those with the fewest attempts; files from example runs come last.
    If the worker dies, the file becomes due again later; after `MAX_ATTEMPTS`, it doesn't."""
    _due().filter(picture_attempts__gte=MAX_ATTEMPTS).update(picture_due_at=None)
    of_examples = OutputFile.objects.filter(file=OuterRef("pk"), output__run__is_example=True)
    waiting = _due().alias(is_example=Exists(of_examples))
    pk = claim_first(
        waiting.order_by("is_example", "picture_attempts", "picture_due_at", "pk"),
        _due(),
        "picture_attempts",
        lambda number: {"picture_due_at": Now() + AGAIN[number - 1]},
    )
    return StoredFile.objects.get(pk=pk) if pk else None


def _make(stored: StoredFile, slot: Slot) -> None:
    """Try to create one file's thumbnails. If that fails and a retry may work, the file becomes due again at the time
    set by the claim, or right away if we just had to stop early."""
    try:
        with store.local_copy(stored) as path:
            info = media.inspect(path, on_wait=slot.renewer().look)
        if not info.follows:
            _settle(stored, info)
    except ClaimLost:
        again = {"picture_due_at": Now(), "picture_attempts": F("picture_attempts") - 1}
        StoredFile.objects.filter(pk=stored.pk).update(**again)
    except NotMedia as error:
        _refuse(stored, error.message)
    except Exception:
        logger.exception("could not make small pictures of file %s", stored.pk)


def _settle(stored: StoredFile, info: Media) -> None:
    """Save the results of the inspection, and update the pages that show the file."""
    store.keep_small(stored, info.small)
    fields: dict[str, Any] = {"kind": info.kind, "media_type": info.media_type, "colour": info.colour}
    fields |= {"width": info.width, "height": info.height, "duration_seconds": info.duration_seconds}
    thumbs = {f"thumb_{width}": getattr(stored, f"thumb_{width}").name for width in info.small}
    waiting = StoredFile.objects.filter(pk=stored.pk)
    if not waiting.update(**fields, **thumbs, picture_due_at=None):
        store.discard(stored)  # the file has been deleted in the meantime
    events.file_inspected.send(stored)


def _refuse(stored: StoredFile, message: Message) -> None:
    """Record that the file is unusable after all: an upload is refused, but a result can still be downloaded."""
    StoredFile.objects.filter(pk=stored.pk).update(picture_due_at=None)
    uploads = Upload.objects.filter(file=stored, status=Upload.Status.READY, asset_url="")
    uploads.update(status=Upload.Status.FAILED, error=message, used_at=timezone.now())
    events.file_inspected.send(stored)


PICTURES = DueWork("make_small_pictures", lambda: _due().exists(), _claim_next, _make)
