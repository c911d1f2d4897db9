"""A run's results, as its card and its row in the bin show them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Exists, Func, OuterRef, Prefetch, TextField, prefetch_related_objects
from django.db.models.functions import Left
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone

from runs.display.json_results import excerpt
from runs.models import Decision, GuestLink, GuestLinkOutput, Output, OutputFile, Run, StoredFile
from runs.models.file import PICTURE_COLUMNS
from runs.words.time_spans import clock_words

PICTURES_PER_CARD = 4
KIND_ICONS = ("image", "video", "audio", "text")
EXCERPT = 300  # maximum length of the text on a card, in characters
OUTPUT_COLUMNS = ("run", "public_id", "position", "label", "kind", "status", "number", "verdict", "removed_at")
FILE_COLUMNS = ("output", "position", "status", *(f"file__{name}" for name in PICTURE_COLUMNS))


class JsonType(Func):
    """Database function: the type of a JSON value, such as "object" or "array"."""

    function = "json_type"
    output_field = TextField()

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        return self.as_sql(compiler, connection, function="jsonb_typeof", **context)


@dataclass(frozen=True)
class CardResults:
    """What a card shows about its run's results.

    `kind` is the kind of the first result, `text` the start of the first text, and `duration_seconds` the length of the
    first video or audio file.
    """

    kind: str = ""
    text: str = ""
    pictures: list[StoredFile] = field(default_factory=list)
    duration_seconds: float | None = None
    is_saving: bool = False
    has_guests: bool = False  # an active guest link shows at least one result
    kinds: frozenset[str] = frozenset()

    @property
    def icon(self) -> str:
        """The icon for `kind`. Lamina may send other kinds, under any name."""
        return self.kind if self.kind in KIND_ICONS else "other"

    @property
    def length_words(self) -> str:
        return clock_words(timedelta(seconds=self.duration_seconds)) if self.duration_seconds else ""


def fetch_results(runs: Sequence[Run]) -> None:
    """Fetch what cards show about the results of `runs`, in two queries: each run's `card_outputs`, each with its
    `card_files`. Long texts aren't fetched, only their start (see `text_start`)."""
    guests = GuestLinkOutput.objects.filter(output=OuterRef("pk"), link__in=GuestLink.objects.open(timezone.now()))
    outputs = Output.objects.only(*OUTPUT_COLUMNS).annotate(
        excerpt=Left("text", EXCERPT), value_type=JsonType("raw_value"), has_guests=Exists(guests)
    )
    files = OutputFile.objects.select_related("file").only(*FILE_COLUMNS)
    outputs = outputs.prefetch_related(Prefetch("files", files, to_attr="card_files"))
    prefetch_related_objects(runs, Prefetch("outputs", outputs, to_attr="card_outputs"))


def text_start(output: Any) -> str:
    """Return the start of the text of a result fetched with `fetch_results`, in readable form."""
    start: str = output.excerpt
    return excerpt(start) if output.value_type in ("object", "array") else start


def picture_files(output: Any) -> list[StoredFile]:
    """Return the saved files of a result that have thumbnails."""
    stored_files = (row.file for row in output.card_files if row.status == OutputFile.Status.SAVED)
    return [file for file in stored_files if file is not None and file.thumb_200]


def pictures_of(run: Any, only: Output | None = None) -> list[StoredFile]:
    """Return the first pictures of `run`, whose results were fetched with `fetch_results`: all, or those of `only`."""
    outputs = [output for output in run.card_outputs if only is None or output.pk == only.pk]
    return [file for output in outputs for file in picture_files(output)][:PICTURES_PER_CARD]


def results_of(run: Any, *, approved_first: bool = False) -> CardResults:
    """Return what to show about the results of `run`, which were fetched with `fetch_results`. With `approved_first`,
    approved results come before the others."""
    outputs: list[Any] = list(run.card_outputs)
    if approved_first:
        outputs.sort(key=lambda output: output.verdict != Decision.Verdict.APPROVED)
    files = [row for output in outputs for row in output.card_files]
    lengths = (row.file.duration_seconds for row in files if row.file is not None)
    return CardResults(
        kind=outputs[0].kind if outputs else "",
        text=next((text_start(output) for output in outputs if output.excerpt), ""),
        pictures=[file for output in outputs for file in picture_files(output)][:PICTURES_PER_CARD],
        duration_seconds=next((seconds for seconds in lengths if seconds), None),
        is_saving=any(row.status == OutputFile.Status.SAVING for row in files),
        has_guests=any(output.has_guests for output in outputs),
        kinds=frozenset(output.kind for output in outputs),
    )
