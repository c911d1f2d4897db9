"""Many results in one zip, streamed as it's written.

This needs no temporary file, and a thousand files take no more memory than one. Media files hardly compress, so they
are stored uncompressed, which also lets us tell the browser the size in advance.
"""

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext
from zipstream import ZipStream

from runs.audit.record import FEW_FILES, record
from runs.display.provenance_sheet import NAME, Origin, sheet
from runs.display.result_boxes import result_labels
from runs.history.selection import FILES_AT_MOST, ZIP_BYTES_AT_MOST
from runs.models import Member, Output, OutputFile, Run, Verb, for_page
from runs.storage import store
from runs.words import file_names
from runs.words.errors import UserFacingError
from runs.words.file_names import Stem
from runs.words.numbers import number_words
from runs.words.sizes import size_words

logger = logging.getLogger("runs.downloads")

MAX_RESULTS = FILES_AT_MOST
MAX_BYTES = ZIP_BYTES_AT_MOST
NOT_SAVED = gettext_noop("The portal has no copy of this file.")
GONE = gettext_noop("The file is no longer in the portal's storage.")


class TooMuch(UserFacingError):
    """The selection is too large for one download."""


@dataclass(frozen=True)
class ZipDownload:
    """A zip ready to be sent: its file name, its size in bytes, its content, and the number of files in it."""

    name: str
    size: int
    blocks: ZipStream
    files: int


def record_download(parcel: ZipDownload) -> None:
    """Record a download in the log, but only if it has more than a few files."""
    if parcel.files > FEW_FILES:
        record(Verb.RESULTS_DOWNLOADED, None, label=parcel.name, changes={"files": (0, parcel.files)})


def outputs_of(member: Member, result_ids: list[str], run_ids: list[str]) -> QuerySet[Output]:
    """Return the results in `result_ids` and all results of the runs in `run_ids`, leaving out any that `member` may
    not see.

    Raises `TooMuch` if there are more ids than fit into one download.
    """
    count = max(len(set(result_ids)), len(set(run_ids)))
    if count > MAX_RESULTS:
        words = ngettext(
            "You selected %(count)s item, but a download can hold at most %(most)s. Select fewer.",
            "You selected %(count)s items, but a download can hold at most %(most)s. Select fewer.",
            count,
        )
        raise TooMuch(words % {"count": number_words(count), "most": number_words(MAX_RESULTS)})
    condition = Q(public_id__in=result_ids) | Q(run__public_id__in=run_ids)
    return Output.objects.visible_to(member).filter(condition)


def pack(outputs: QuerySet[Output]) -> ZipDownload | None:
    """Return a zip of the `outputs` results, all of which the member may see; None if there are none. Raises
    `TooMuch`."""
    sums = outputs.aggregate(results=Count("pk", distinct=True), bytes=Sum("files__file__size_bytes"))
    if not sums["results"]:
        return None
    if sums["results"] > MAX_RESULTS or (sums["bytes"] or 0) > MAX_BYTES:
        words = ngettext(
            "You selected %(count)s result (%(size)s). A download can hold at most %(most)s results and %(limit)s. "
            "Select fewer.",
            "You selected %(count)s results (%(size)s). A download can hold at most %(most)s results and %(limit)s. "
            "Select fewer.",
            sums["results"],
        )
        values = {
            "size": size_words(sums["bytes"] or 0),
            "most": number_words(MAX_RESULTS),
            "limit": size_words(MAX_BYTES),
        }
        raise TooMuch(words % {"count": number_words(sums["results"]), **values})
    ids = set(outputs.values_list("pk", flat=True))
    runs = list(for_page(Run.objects.filter(pk__in=outputs.values("run_id")).newest_first()))
    return _parcel(runs, ids)


def _parcel(runs: list[Run], ids: set[int]) -> ZipDownload:
    archive = ZipStream(sized=True)
    origins: list[Origin] = []
    used_names = file_names.UsedNames()
    for run in runs:
        outputs = list(run.outputs.all())
        rows = zip(outputs, result_labels(outputs), file_names.run_stems(run, outputs), strict=True)
        for output, label, stems in rows:
            if output.pk in ids and output.status == Output.Status.COMPLETED:
                origins += _add_result(archive, run, output, label, [used_names.free(stem) for stem in stems])
    archive.add(sheet(origins), NAME)
    return ZipDownload(_archive_name(runs), len(archive), archive, sum(bool(origin.name) for origin in origins))


def _add_result(archive: ZipStream, run: Run, output: Output, label: str, stems: list[Stem]) -> Iterator[Origin]:
    for output_file in output.files.all():
        file, name, note = output_file.file, "", ""
        if output_file.status != OutputFile.Status.SAVED or file is None:
            note = _(NOT_SAVED)
        elif not file.file.storage.exists(file.file.name or ""):
            note = _(GONE)
        else:
            name = stems[output_file.position].named(file_names.ending_of(file))
            archive.add(store.blocks_of(file), name, size=file.size_bytes)
        yield Origin(name, run, output, label, file, file.sha256 if file else "", note)
    if output.text:
        content = output.text.encode("utf-8", "replace")
        name = stems[0].named(output.text_ending)
        archive.add(content, name)
        yield Origin(name, run, output, label, None, hashlib.sha256(content).hexdigest())


def _archive_name(runs: list[Run]) -> str:
    if len(runs) == 1:
        return file_names.archive_name(file_names.title_of(runs[0]), runs[0].created_at)
    return file_names.archive_name("", timezone.now())
