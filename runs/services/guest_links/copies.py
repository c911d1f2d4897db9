"""What guests get in place of a file itself: a copy without prompts and other metadata.

Small pictures hold no metadata, so a copy is needed only where the file itself is played or offered for download. Its
bytes are made by the worker (`copying`) and stand in a `GuestCopy`; no row means that nobody has come to it yet. A file
that no copy can be made of is not given at all. The one exception are films and sounds where ffmpeg is missing: with
leave to download guests get them as they are, and the tick box says so.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from runs.models import GuestCopy, GuestLink, Output, OutputFile, StoredFile
from runs.queue import enqueue_long
from runs.services.files import ffmpeg

MOVING = ("image/gif", "image/apng")  # their small pictures stand still
PLAYED = (StoredFile.Kind.VIDEO, StoredFile.Kind.AUDIO)
TASK_SECONDS = 900
YOUNG = timedelta(minutes=2)


class State(StrEnum):
    """How it stands with a file that guests should get."""

    NOT_NEEDED = "not-needed"  # its small pictures are all they get
    READY = "ready"
    PREPARING = "preparing"
    LATE = "late"  # it went wrong, and is tried again
    NOT_OFFERED = "not-offered"  # no copy can be made
    NOT_PLAYED = "not-played"  # ffmpeg is missing, and they may not have the file as it is


@dataclass(frozen=True)
class Given:
    """What guests get for one file: STORED in its place, None while or because there is nothing to give."""

    state: State
    stored: StoredFile | None = None
    since: datetime | None = None  # when the worker was first told of it
    error: str = ""  # why it is late, for members
    is_as_it_is: bool = False  # with all that is in it


def needs_itself(link: GuestLink, stored: StoredFile) -> bool:
    """Whether guests of LINK get the file itself: to download, to play, or because there is no still picture of it.

    `_wanted` asks the same of the database.
    """
    if stored.kind == StoredFile.Kind.IMAGE:
        return link.may_download or not stored.thumb_1200 or stored.media_type in MOVING
    return link.may_download or stored.kind in PLAYED


def given(link: GuestLink, stored: StoredFile) -> Given:
    """What guests of LINK get for STORED, fetched with `guest_copy__file`."""
    if not needs_itself(link, stored):
        return Given(State.NOT_NEEDED)
    copy: GuestCopy | None = getattr(stored, "guest_copy", None)
    if copy is None:
        return Given(State.PREPARING)
    if copy.status == GuestCopy.Status.READY:
        return Given(State.READY, copy.file)
    if copy.status == GuestCopy.Status.NO_TOOL:
        return Given(State.READY, stored, is_as_it_is=True) if link.may_download else Given(State.NOT_PLAYED)
    if copy.status == GuestCopy.Status.IMPOSSIBLE:
        return Given(State.NOT_OFFERED)
    return Given(State.LATE if copy.error else State.PREPARING, since=copy.created_at, error=copy.error)


def has_films_as_they_are(outputs: list[Output]) -> bool:
    """Whether OUTPUTS hold films or sounds that ffmpeg is missing for: on this host, or on the worker's."""
    kept = [output_file.file for output in outputs for output_file in output.files.all()]
    films = [stored.pk for stored in kept if stored is not None and stored.kind in PLAYED]
    waiting = GuestCopy.objects.filter(source__in=films, status=GuestCopy.Status.NO_TOOL)
    return bool(films) and (not ffmpeg.is_there() or waiting.exists())


# --- The bell ---------------------------------------------------------------------------------------------------------
def request_copies() -> None:
    """Ask the worker for copies, if any are to be made. Cheap: two queries, or three."""
    if due().exists() or missing().exists() or waiting_for_ffmpeg().exists():
        enqueue_long("runs.tasks.copy_for_guests", timeout_seconds=TASK_SECONDS, is_saved=False)


def request_copies_of(output: Output) -> None:
    """The same when a file of OUTPUT has just arrived."""
    if output.guest_links.alive().exists():
        request_copies()


def due() -> QuerySet[GuestCopy]:
    """Copies to make now that nobody is at."""
    unclaimed = Q(claimed_until=None) | Q(claimed_until__lt=Now())
    return GuestCopy.objects.filter(unclaimed, status=GuestCopy.Status.PREPARING, due_at__lte=timezone.now())


def wanted() -> QuerySet[StoredFile]:
    """Files that an open link gives to guests."""
    links = GuestLink.objects.alive()
    shown = OutputFile.objects.filter(
        status=OutputFile.Status.SAVED, output__status=Output.Status.COMPLETED, output__run__deleted_at=None
    )
    no_still = Q(file__kind=StoredFile.Kind.IMAGE) & (Q(file__thumb_1200="") | Q(file__media_type__in=MOVING))
    offered = shown.filter(output__guest_links__in=links.filter(may_download=True))
    played = shown.filter(no_still | Q(file__kind__in=PLAYED), output__guest_links__in=links)
    return StoredFile.objects.filter(Q(pk__in=offered.values("file")) | Q(pk__in=played.values("file")))


def missing() -> QuerySet[StoredFile]:
    """Those of them that no row stands for yet: of links that are older than copies, for instance."""
    return wanted().filter(guest_copy=None)


def waiting_for_ffmpeg() -> QuerySet[GuestCopy]:
    """Copies that can be made since ffmpeg is there."""
    waiting = GuestCopy.objects.filter(status=GuestCopy.Status.NO_TOOL)
    return waiting if ffmpeg.is_there() else waiting.none()


def note_lost(file: StoredFile) -> None:
    """FILE, the bytes of one copy or several, is no longer in the storage: make it anew."""
    fresh = {"status": GuestCopy.Status.PREPARING, "file": None, "due_at": Now(), "attempts": 0, "error": ""}
    if GuestCopy.objects.filter(file=file, status=GuestCopy.Status.READY).update(claimed_until=None, **fresh):
        request_copies()
