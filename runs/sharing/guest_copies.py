"""Copies, without prompts or other metadata, that guests get instead of the original files.

Thumbnails have no metadata, so copies are only needed for files that are played or offered for download. The worker
creates each copy (`make_guest_copies`) and records it in a `GuestCopy`; a file without one is still waiting for the
worker. Files that can't be copied aren't shared, with one exception: without ffmpeg, guests who may download get the
original video and some audio, and the link's options say so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import batched

from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from runs.background.due_work import unclaimed, wake
from runs.models import GuestCopy, GuestLink, GuestLinkOutput, Output, OutputFile, StoredFile
from runs.models.sharing import GuestLinkQuerySet
from runs.storage import ffmpeg, sounds
from runs.words.messages import say

MOVING = ("image/gif", "image/apng")  # types that may be animated; our thumbnails never are
PLAYED = (StoredFile.Kind.VIDEO, StoredFile.Kind.AUDIO)
TASK = "copy_for_guests"
AT_ONCE = 500
YOUNG = timedelta(minutes=2)


class CopyState(StrEnum):
    """The state of a file that a link shows to guests."""

    NOT_NEEDED = "not-needed"  # guests only need thumbnails
    READY = "ready"
    PREPARING = "preparing"
    LATE = "late"  # copying failed, and we'll try again
    NOT_OFFERED = "not-offered"  # the file can't be copied
    NOT_PLAYED = "not-played"  # ffmpeg is missing, and guests aren't allowed to download the original


@dataclass(frozen=True)
class FileToSend:
    """The version of a file that guests get. `stored` is the file they are sent; None if they get no file, or if its
    copy doesn't exist yet."""

    state: CopyState
    stored: StoredFile | None = None
    since: datetime | None = None  # when the copy was first requested
    error: str = ""  # why the copy is late, shown to members
    is_as_it_is: bool = False  # `stored` is the original, with its metadata


def needs_itself(stored: StoredFile, *, may_download: bool) -> bool:
    """Return whether guests need the file itself and not just thumbnails: to download it, to play it, or because it has
    no thumbnails.

    `_shared_files` applies the same rule in the database.
    """
    if stored.kind == StoredFile.Kind.IMAGE:
        return may_download or not stored.thumb_1200 or stored.media_type in MOVING
    return may_download or stored.kind in PLAYED


def file_to_send(link: GuestLink, stored: StoredFile) -> FileToSend:
    """Return the version of `stored` that guests of `link` get. `stored` should be loaded with `guest_copy__file`."""
    if not needs_itself(stored, may_download=link.may_download):
        return FileToSend(CopyState.NOT_NEEDED)
    copy: GuestCopy | None = getattr(stored, "guest_copy", None)
    if copy is None:
        return FileToSend(CopyState.PREPARING)
    if copy.status == GuestCopy.Status.READY:
        return FileToSend(CopyState.READY, copy.file)
    if copy.status == GuestCopy.Status.NO_TOOL:
        if link.may_download:
            return FileToSend(CopyState.READY, stored, is_as_it_is=True)
        return FileToSend(CopyState.NOT_PLAYED)
    if copy.status == GuestCopy.Status.IMPOSSIBLE:
        return FileToSend(CopyState.NOT_OFFERED)
    state = CopyState.LATE if copy.error else CopyState.PREPARING
    return FileToSend(state, since=copy.created_at, error=say(copy.error))


def has_films_as_they_are(outputs: list[Output]) -> bool:
    """Return whether `outputs` include video or audio that can't be copied, because ffmpeg is missing here or on the
    worker's host."""
    files = [output_file.file for output in outputs for output_file in output.files.all()]
    films = [stored for stored in files if stored is not None and stored.kind in PLAYED]
    waiting = GuestCopy.objects.filter(source__in=films, status=GuestCopy.Status.NO_TOOL)
    is_ffmpeg_needed = any(stored.media_type not in sounds.STRIPPERS for stored in films)
    return (is_ffmpeg_needed and not ffmpeg.is_there()) or (bool(films) and waiting.exists())


# --- Waking the worker ------------------------------------------------------------------------------------------------
def is_any_due() -> bool:
    """Return whether a worker can make copies now, or copies for links that are alive are missing."""
    return due().exists() or waiting_for_ffmpeg().exists() or bool(missing(GuestLink.objects.all()))


def request_copies_for(links: GuestLinkQuerySet) -> None:
    """Queue the copying task for the worker if copies are missing for `links`, which have just been created or changed,
    or show a new file."""
    if missing(links):
        wake(TASK)


def on_output_saved(output_file: OutputFile) -> None:
    """Request copies of a newly saved file for the guest links that show its result."""
    request_copies_for(GuestLink.objects.filter(outputs=output_file.output_id))


def due() -> QuerySet[GuestCopy]:
    """Return the copies that are due and that no worker has claimed."""
    return GuestCopy.objects.filter(unclaimed(), status=GuestCopy.Status.PREPARING, due_at__lte=timezone.now())


def shared_file_ids(links: GuestLinkQuerySet) -> set[int]:
    """Return the primary keys of the files that guests get from those of `links` that are alive."""
    return {pk for shared_files in _shared_files(links) for pk in shared_files.values_list("file", flat=True) if pk}


def missing(links: GuestLinkQuerySet) -> dict[int, str]:
    """Return the SHA-256 hashes, keyed by primary key, of files that guests should get but that have no `GuestCopy`
    yet, such as files in older links."""
    unnoted = (shared_files.filter(file__guest_copy=None) for shared_files in _shared_files(links))
    return {pk: sha256 for some in unnoted for pk, sha256 in some.values_list("file", "file__sha256") if pk}


def are_prepared(links: GuestLinkQuerySet) -> bool:
    """Return whether all copies for those of `links` that are alive have been prepared."""
    is_waited_for = Q(file__guest_copy=None) | Q(file__guest_copy__status=GuestCopy.Status.PREPARING)
    return not any(shared_files.filter(is_waited_for).exists() for shared_files in _shared_files(links))


def _shared_files(links: GuestLinkQuerySet) -> Iterator[QuerySet[OutputFile]]:
    """Yield, in batches, the result files that guests get as files, not just as thumbnails, from those of `links` that
    are alive. `needs_itself` applies the same rule to one file.

    With a single query, the database might scan all files instead of starting from the few links.
    """
    rows = GuestLinkOutput.objects.filter(link__in=links.alive().order_by()).order_by("link__may_download")
    # If several links show a result, the most permissive link counts
    outputs = dict(rows.values_list("output", "link__may_download"))
    no_still = Q(file__kind=StoredFile.Kind.IMAGE) & (Q(file__thumb_1200="") | Q(file__media_type__in=MOVING))
    for some in batched(outputs, AT_ONCE):
        is_offered = Q(output__in=[output for output in some if outputs[output]])
        yield OutputFile.objects.filter(
            is_offered | no_still | Q(file__kind__in=PLAYED),
            output__in=some,
            output__status=Output.Status.COMPLETED,
            output__run__deleted_at=None,
            status=OutputFile.Status.SAVED,
        ).order_by()


def waiting_for_ffmpeg() -> QuerySet[GuestCopy]:
    """Return the copies that had to wait for ffmpeg and can be made now: all if it is installed; otherwise only those
    of sounds that no longer need it."""
    waiting = GuestCopy.objects.filter(status=GuestCopy.Status.NO_TOOL)
    return waiting if ffmpeg.is_there() else waiting.filter(source__media_type__in=sounds.STRIPPERS)


def record_lost(file: StoredFile) -> None:
    """Request new copies to replace those stored as `file`, which is missing from storage."""
    fresh = {
        "status": GuestCopy.Status.PREPARING,
        "file": None,
        "due_at": Now(),
        "attempts": 0,
        "failures": 0,
        "error": "",
    }
    if GuestCopy.objects.filter(file=file, status=GuestCopy.Status.READY).update(claimed_until=None, **fresh):
        wake(TASK)
