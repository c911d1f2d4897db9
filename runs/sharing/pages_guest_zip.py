"""A streamed zip of everything a guest link shows, with a CSV list of its files.

The list reveals no more than the page and what the link's maker ticked: the app and the inputs only if the link shows
them, and who made a result, what it cost and what was decided only if the link lists them. Of decisions, guests always
get their own. The list contains no ids from Lamina, and never names other guests.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from django.db.models import prefetch_related_objects
from django.db.models.fields.files import FieldFile
from django.utils.translation import gettext as _
from zipstream import ZipStream

from runs.display.provenance import decisions_on, kind_words, maker_words, verdict_words
from runs.display.provenance_sheet import cost_words, moment_words, named_apart
from runs.engine.input_summary import input_files, whole_text
from runs.models import Decision, Guest, GuestLink, Output, Run, StoredFile
from runs.review import overall_verdict
from runs.review.guest_answers import given_by
from runs.schema_forms.questions import shortened
from runs.sharing import guest_copies, guests
from runs.sharing.guest_copies import CopyState
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
    output: Output
    size_bytes: int
    sha256: str


@dataclass
class GuestZip:
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
        self.packed.append(Packed(name, label, kind, output, size_bytes, sha256))


def pack(link: GuestLink, guest: Guest | None = None) -> ZipStream:
    """Return the results of `link` as a zip of known length, with the file names that guests see. The zip is empty if
    there are no results. The zip's CSV list includes the decisions of `guest`.

    Raises `StillPreparing` or `StorageAway`.
    """
    parcel = GuestZip()
    outputs = guests.outputs_of(link)
    for output, label, stems in zip(outputs, labels_of(outputs), stems_of(link, outputs), strict=True):
        for output_file in output.files.all():
            if output_file.file is not None:
                _add_file(parcel, link, output_file.file, output, label, stems[output_file.position])
        if output.text:
            parcel.add(text_bytes(output, stems), text_name(stems), label, _("Text"), output)
    if parcel.packed:
        parcel.archive.add(_sheet(link, outputs, parcel.packed, guest), SHEET)
    if parcel.notes:
        note = _("The originals of these files couldn't be shared: they have hidden details that can't be removed.")
        words = "\n".join([note, *parcel.notes, ""])
        parcel.archive.add(words.encode("utf-8", "replace"), f"{_('Missing files')}.txt")
    return parcel.archive


def _add_file(parcel: GuestZip, link: GuestLink, stored: StoredFile, output: Output, label: str, stem: Stem) -> None:
    """Add to `parcel` the version of `stored` that guests get. If that's only a smaller picture or nothing at all, add
    a note."""
    copy = guest_copies.file_to_send(link, stored)
    if copy.state in (CopyState.PREPARING, CopyState.LATE):
        raise StillPreparing
    name = stem.named(ending_of(stored))
    if copy.stored is not None:
        if _exists(copy.stored.file):
            parcel.add_stored(copy.stored, name, label, output)
        elif not copy.is_as_it_is:
            guest_copies.record_lost(copy.stored)
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
    runs = guests.runs_with_inputs(outputs) if link.shows_inputs else []
    inputs_of = {run.pk: dict(named_apart(_inputs(run))) for run in runs}
    names = list(dict.fromkeys(name for inputs in inputs_of.values() for name in inputs))
    headings = [_("File"), _("Result"), _("Kind"), _("Day"), _("Size in bytes"), "SHA-256"]
    has_description = any(output.description for output in outputs)
    headings += [_("Description")] if has_description else []
    headings += [_("App")] if link.shows_app else []
    headings += [_("Made by")] if link.lists_maker else []
    headings += [_("Credits for the whole run (estimate)")] if link.lists_cost else []
    headings += [_("Decision"), _("Decided by"), _("Decision made")] if link.lists_decision else []
    decisions = decisions_on(outputs) if link.lists_decision else {}
    if link.lists_maker:
        prefetch_related_objects(outputs, "run__made_by")
    answers = given_by(guest, outputs) if link.lets_decide else {}
    headings += [_("Your decision"), _("Decided"), _("Your note")] if answers else []
    rows = [[*headings, *(_("Input: %(name)s") % {"name": name} for name in names)]]
    for one in packed:
        output, day = one.output, day_of(one.output.run.created_at)
        origin = _origin(link, output, decisions.get(output.pk, []))
        lines = _decision_cells(answers.get(output.pk)) if answers else []
        inputs = (inputs_of[output.run_id].get(name, "") for name in names)
        described = [output.description] if has_description else []
        file = [one.name, one.label, one.kind, day, str(one.size_bytes), one.sha256]
        rows.append([*file, *described, *origin, *lines, *inputs])
    return csv_bytes(rows)


def _origin(link: GuestLink, output: Output, decisions: list[Decision]) -> Iterator[str]:
    """Yield what `link` tells about where a result came from. Decisions that don't count are left out."""
    if link.shows_app:
        yield output.run.app_name
    if link.lists_maker:
        yield maker_words(output.run)
    if link.lists_cost:
        yield cost_words(output.run)
    if link.lists_decision:
        valid = [decision for decision in decisions if overall_verdict.counts(decision)]
        yield verdict_words(output.verdict)
        yield ", ".join(_decider(link, decision) for decision in valid)
        yield moment_words(max((decision.created_at for decision in valid), default=None))


def _decider(link: GuestLink, decision: Decision) -> str:
    """Return who decided what: "Ruth: Approved"."""
    if decision.member is None:
        name = _("A guest")
    else:
        name = _("The team") if link.hides_names else decision.member.display_name
    return f"{name}: {verdict_words(decision.verdict)}"


def _decision_cells(decision: Decision | None) -> list[str]:
    """Return the guest's decision on a result, the time of the decision, and their note."""
    if decision is None:
        return ["", "", ""]
    return [str(decision.get_verdict_display()), moment_words(decision.created_at), decision.note]


def _inputs(run: Run) -> Iterator[tuple[str, str]]:
    """Yield the name of each input with its text or, if it has files, with the file names that guests see."""
    for run_input in run.inputs.all():
        files = input_files(run_input)
        names = ", ".join(input_name(run_input, position, file) for position, file in enumerate(files))
        yield shortened(run_input.name), names or whole_text(run_input)
