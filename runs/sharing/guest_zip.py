"""A streamed zip of everything a guest link shows. It doesn't say where results came from, since that would reveal the
inputs."""

from collections.abc import Iterator

from django.db.models.fields.files import FieldFile
from django.utils.translation import gettext as _
from zipstream import ZipStream

from runs.models import GuestLink, StoredFile
from runs.sharing import guest_copies, guests
from runs.sharing.guest_copies import State
from runs.sharing.guest_names import file_name, labels_of, still_name, text_name
from runs.storage import store
from runs.words import file_names


class StillPreparing(Exception):
    """Some copies are not ready yet."""


def pack(link: GuestLink) -> ZipStream:
    """Return the results of `link` as a zip of known length, under the names guests see.

    Raises `StillPreparing` or `StorageAway`.
    """
    archive = ZipStream(sized=True)
    taken: set[str] = set()
    notes: list[str] = []
    outputs = guests.outputs_of(link)
    for output, label in zip(outputs, labels_of(outputs), strict=True):
        for kept in output.files.all():
            if kept.file is not None:
                notes += _add(archive, link, kept.file, (label, kept.position), taken)
        if output.text:
            archive.add(output.text.encode("utf-8", "replace"), file_names.unique(text_name(label), taken))
    if notes:
        note = _("These couldn't be shared as they are: they have hidden details that can't be removed.")
        note_name = f"{_('Missing files')}.txt"
        archive.add("\n".join([note, *notes, ""]).encode("utf-8", "replace"), file_names.unique(note_name, taken))
    return archive


def _add(
    archive: ZipStream, link: GuestLink, stored: StoredFile, place: tuple[str, int], taken: set[str]
) -> Iterator[str]:
    """Add the guest version of `stored` to `archive`; yield a note if that isn't the whole file."""
    given = guest_copies.given(link, stored)
    if given.state in (State.PREPARING, State.LATE):
        raise StillPreparing
    name = file_name(*place, stored)
    if given.stored is not None:
        if _exists(given.stored.file):
            archive.add(store.blocks_of(given.stored), file_names.unique(name, taken), size=given.stored.size_bytes)
        elif not given.is_as_it_is:
            guest_copies.record_lost(given.stored)
            raise StillPreparing
    elif stored.thumb_1200 and _exists(stored.thumb_1200):
        with stored.thumb_1200.open("rb") as small:
            archive.add(small.read(), file_names.unique(still_name(*place), taken))
        yield _("- %(name)s: a smaller picture is included") % {"name": name}
    else:
        yield _("- %(name)s: not included") % {"name": name}


def _exists(field: FieldFile) -> bool:
    return field.storage.exists(field.name or "")
