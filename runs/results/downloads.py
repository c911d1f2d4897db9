"""Many results in one zip, streamed as it is written.

It needs no temporary file, and no more memory for a thousand files than for one. Media files hardly compress, so they
are stored as they are, and the browser is told the size in advance.
"""

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext
from zipstream import ZipStream

from runs.display.provenance_sheet import NAME, Origin, sheet
from runs.display.run_page import OutputBox, output_boxes
from runs.models import Member, Output, OutputFile, Run, for_page
from runs.storage import store
from runs.words import file_names
from runs.words.errors import UserFacingError
from runs.words.numbers import number_words
from runs.words.sizes import size_words

logger = logging.getLogger("runs.downloads")

MAX_RESULTS = 1000
MAX_BYTES = 20_000_000_000
NOT_SAVED = gettext_noop("The portal has no copy of this file.")
GONE = gettext_noop("The file is no longer in the portal's storage.")


class TooMuch(UserFacingError):
    """The selection is too large for one download."""


@dataclass(frozen=True)
class Parcel:
    """A download ready to be sent: its name, its size in bytes, and the bytes."""

    name: str
    size: int
    blocks: ZipStream
    files: int


def wanted(member: Member, result_ids: list[str], run_ids: list[str]) -> QuerySet[Output]:
    """Return the results with these ids, and those of the runs with these ids, that `member` may see."""
    named = Q(public_id__in=result_ids) | Q(run__public_id__in=run_ids)
    return Output.objects.visible_to(member).filter(named)


def pack(member: Member, result_ids: list[str], run_ids: list[str]) -> Parcel | None:
    """Pack all of these results; return None if `member` may not see any of them. Raises `TooMuch`."""
    asked = max(len(set(result_ids)), len(set(run_ids)))
    if asked > MAX_RESULTS:
        words = ngettext(
            "You selected %(count)s item; one download holds at most %(most)s. Select fewer.",
            "You selected %(count)s items; one download holds at most %(most)s. Select fewer.",
            asked,
        )
        raise TooMuch(words % {"count": number_words(asked), "most": number_words(MAX_RESULTS)})
    chosen = wanted(member, result_ids, run_ids)
    found = chosen.aggregate(results=Count("pk", distinct=True), bytes=Sum("files__file__size_bytes"))
    if not found["results"]:
        return None
    if found["results"] > MAX_RESULTS or (found["bytes"] or 0) > MAX_BYTES:
        words = ngettext(
            "You selected %(count)s result (%(size)s). One download holds at most %(most)s results and %(limit)s. "
            "Select fewer.",
            "You selected %(count)s results (%(size)s). One download holds at most %(most)s results and %(limit)s. "
            "Select fewer.",
            found["results"],
        )
        values = {
            "size": size_words(found["bytes"] or 0),
            "most": number_words(MAX_RESULTS),
            "limit": size_words(MAX_BYTES),
        }
        raise TooMuch(words % {"count": number_words(found["results"]), **values})
    ids = set(chosen.values_list("pk", flat=True))
    runs = list(for_page(Run.objects.filter(pk__in=chosen.values("run_id")).newest_first()))
    return _parcel(runs, ids)


def _parcel(runs: list[Run], ids: set[int]) -> Parcel:
    archive = ZipStream(sized=True)
    origins: list[Origin] = []
    taken = {NAME}
    for run in runs:
        for output, box in zip(run.outputs.all(), output_boxes(run, is_swap=False), strict=True):
            if output.pk in ids and output.status == Output.Status.COMPLETED:
                origins += _add_result(archive, run, output, box, taken)
    archive.add(sheet(origins), NAME)
    return Parcel(_archive_name(runs), len(archive), archive, sum(bool(origin.name) for origin in origins))


def _add_result(archive: ZipStream, run: Run, output: Output, box: OutputBox, taken: set[str]) -> Iterator[Origin]:
    for kept in output.files.all():
        file, name, note = kept.file, "", ""
        if kept.status != OutputFile.Status.SAVED or file is None:
            note = _(NOT_SAVED)
        elif not file.file.storage.exists(file.file.name or ""):
            note = _(GONE)
        else:
            ending = PurePosixPath(file.file.name or "").suffix
            name = file_names.unique(f"{file_names.result_stem(run, box.label, kept.position + 1)}{ending}", taken)
            archive.add(store.blocks_of(file), name, size=file.size_bytes)
        yield Origin(name, run, output, box.label, file, file.sha256 if file else "", note)
    if output.text:
        content = output.text.encode("utf-8", "replace")
        name = file_names.unique(f"{file_names.result_stem(run, box.label)}.txt", taken)
        archive.add(content, name)
        yield Origin(name, run, output, box.label, None, hashlib.sha256(content).hexdigest())


def _archive_name(runs: list[Run]) -> str:
    if len(runs) == 1:
        return f"{file_names.result_stem(runs[0], '')}.zip"
    return f"lamina-portal_{timezone.localdate():%Y-%m-%d}.zip"
