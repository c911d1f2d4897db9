"""A streamed zip of everything a guest link shows, with a CSV list of its files.

The list reveals no more than the page: the app and the inputs only if the link shows them, and only the guest's own
decisions. The list never says who made a result or what it cost, and contains no ids from Lamina.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from django.db.models.fields.files import FieldFile
from django.utils.translation import gettext as _
from zipstream import ZipStream

from runs.display.provenance import kind_words
from runs.display.provenance_sheet import moment_words, named_apart
from runs.engine.input_summary import input_files, whole_text
from runs.models import Decision, Guest, GuestLink, Output, Run, StoredFile
from runs.review.guest_answers import given_by
from runs.schema_forms.questions import shortened
from runs.sharing import guest_copies, guests
from runs.sharing.guest_copies import State
from runs.sharing.guest_names import input_name, labels_of, stems_of, text_name
from runs.sharing.pages_guest import text_bytes
from runs.storage import store
from runs.words.csv_cells import csv_bytes
from runs.words.file_names import Stem, day_of, ending_of

SHEET = "files.csv"


class StillPreparing(Exception):
    """Some copies aren't ready yet."""


@dataclass(frozen=True)
class Packed:
    """One file in the zip, with its details for the CSV list."""

    name: str
    label: str
    kind: str
    output_id: int
    run_id: int
    day: str
    size_bytes: int
    sha256: str


@dataclass
class Parcel:
    """The zip, the files added so far, and notes about missing files."""

    archive: ZipStream = field(default_factory=lambda: ZipStream(sized=True))
    packed: list[Packed] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, content: bytes, name: str, label: str, kind: str, output: Output) -> None:
        self.archive.add(content, name)
        digest = hashlib.sha256(content).hexdigest()
        self._list(name, label, kind, output, len(content), digest)

    def add_stored(self, stored: StoredFile, name: str, label: str, output: Output) -> None:
        self.archive.add(store.blocks_of(stored), name, size=stored.size_bytes)
        kind = kind_words(stored.kind, PurePosixPath(name).suffix)
        self._list(name, label, kind, output, stored.size_bytes, stored.sha256)

    def _list(self, name: str, label: str, kind: str, output: Output, size_bytes: int, sha256: str) -> None:
        day = day_of(output.run.created_at)
        self.packed.append(Packed(name, label, kind, output.pk, output.run_id, day, size_bytes, sha256))


def pack(link: GuestLink, guest: Guest | None = None) -> ZipStream:
    """Return the results of `link` as a zip of known length, with the file names that guests see. The zip is empty if
    there are no results. The zip's CSV list includes the decisions of `guest`.

    Raises `StillPreparing` or `StorageAway`.
    """
    parcel = Parcel()
    outputs = guests.outputs_of(link)
    for output, label, stems in zip(outputs, labels_of(outputs), stems_of(link, outputs), strict=True):
        for kept in output.files.all():
            if kept.file is not None:
                _add_file(parcel, link, kept.file, output, label, stems[kept.position])
        if output.text:
            parcel.add(text_bytes(output, stems), text_name(stems), label, _("Text"), output)
    if parcel.packed:
        parcel.archive.add(_sheet(link, outputs, parcel.packed, guest), SHEET)
    if parcel.notes:
        note = _("The originals of these files couldn't be shared: they have hidden details that can't be removed.")
        words = "\n".join([note, *parcel.notes, ""])
        parcel.archive.add(words.encode("utf-8", "replace"), f"{_('Missing files')}.txt")
    return parcel.archive


def _add_file(parcel: Parcel, link: GuestLink, stored: StoredFile, output: Output, label: str, stem: Stem) -> None:
    """Add to `parcel` the version of `stored` that guests get. If that's only a smaller picture or nothing at all, add
    a note."""
    given = guest_copies.given(link, stored)
    if given.state in (State.PREPARING, State.LATE):
        raise StillPreparing
    name = stem.named(ending_of(stored))
    if given.stored is not None:
        if _exists(given.stored.file):
            parcel.add_stored(given.stored, name, label, output)
        elif not given.is_as_it_is:
            guest_copies.record_lost(given.stored)
            raise StillPreparing
    elif stored.thumb_1200 and _exists(stored.thumb_1200):
        with stored.thumb_1200.open("rb") as small:
            parcel.add(small.read(), stem.named("webp"), label, kind_words("image", ".webp"), output)
        parcel.notes.append(_("- %(name)s: a smaller version is included") % {"name": name})
    else:
        parcel.notes.append(_("- %(name)s: not included") % {"name": name})


def _exists(file: FieldFile) -> bool:
    return file.storage.exists(file.name or "")


def _sheet(link: GuestLink, outputs: list[Output], packed: list[Packed], guest: Guest | None) -> bytes:
    """Return the CSV list, with one row for each file."""
    runs = {run.pk: run for run in guests.runs_with_inputs(outputs)} if link.shows_app or link.shows_inputs else {}
    given = {pk: dict(named_apart(_inputs(run))) for pk, run in runs.items()} if link.shows_inputs else {}
    asked = list(dict.fromkeys(name for inputs in given.values() for name in inputs))
    headings = [_("File"), _("Result"), _("Kind"), _("Day"), _("Size in bytes"), "SHA-256"]
    headings += [_("App")] if link.shows_app else []
    answers = given_by(guest, outputs) if link.lets_decide else {}
    headings += [_("Your decision"), _("Decided"), _("Your note")] if answers else []
    rows = [[*headings, *(_("Input: %(name)s") % {"name": name} for name in asked)]]
    for one in packed:
        app = [runs[one.run_id].app_name] if link.shows_app else []
        answered = _answered(answers.get(one.output_id)) if answers else []
        inputs = (given[one.run_id].get(name, "") for name in asked)
        rows.append([one.name, one.label, one.kind, one.day, str(one.size_bytes), one.sha256, *app, *answered, *inputs])
    return csv_bytes(rows)


def _answered(decision: Decision | None) -> list[str]:
    """Return the guest's decision on a result, the time of the decision, and their note."""
    if decision is None:
        return ["", "", ""]
    return [str(decision.get_verdict_display()), moment_words(decision.created_at), decision.note]


def _inputs(run: Run) -> Iterator[tuple[str, str]]:
    """Yield the name of each input with its text or, if it has files, with the file names that guests see."""
    for given in run.inputs.all():
        files = input_files(given)
        names = ", ".join(input_name(given, position, file) for position, file in enumerate(files))
        yield shortened(given.name), names or whole_text(given)
