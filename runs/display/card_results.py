"""Results as shown on cards, read as plain values in one query.

A page of 24 cards can have a hundred results. Creating model objects for them took a quarter of the page's time.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Exists, Func, OuterRef, QuerySet, TextField, Value
from django.db.models.functions import Left
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone

from runs.display.found_in import FoundText, texts_of
from runs.display.json_results import excerpt
from runs.models import Decision, GuestLink, GuestLinkOutput, Output, OutputFile, Run
from runs.models.file import thumb_path

PICTURES_PER_CARD = 4
EXCERPT = 300  # maximum length of the text on a card, in characters


@dataclass(frozen=True, slots=True)
class CardPicture:
    """A saved file with thumbnails. `width` and `height` are the original's, in pixels."""

    public_id: str
    sha256: str
    kind: str
    colour: str
    width: int | None
    height: int | None
    duration_seconds: float | None
    has_large: bool  # there is a 400 px thumbnail in addition to the 200 px one

    @property
    def small_url(self) -> str:
        return thumb_path(self.public_id, self.sha256, 200)

    @property
    def card_url(self) -> str:
        return thumb_path(self.public_id, self.sha256, 400) if self.has_large else ""


@dataclass(frozen=True)
class CardResults:
    """What a card shows about its run's results.

    `kind` is the kind of the first result, `text` the start of the first text, and `duration_seconds` the length of the
    first video or audio file.
    """

    kind: str = ""
    text: str = ""
    pictures: list[CardPicture] = field(default_factory=list)
    duration_seconds: float | None = None
    is_saving: bool = False
    has_guests: bool = False  # an active guest link shows at least one result
    kinds: frozenset[str] = frozenset()
    texts: list[FoundText] = field(default_factory=list)  # all the text that a search matches; only if requested


class _Row(NamedTuple):
    """One of a result's files, or a result without files."""

    run_id: int
    kind: str
    excerpt: str
    status: str | None
    duration_seconds: float | None
    thumb_200: str | None
    thumb_400: str | None
    public_id: str
    sha256: str
    file_kind: str
    colour: str
    width: int | None
    height: int | None
    has_guests: bool
    value_type: str | None
    verdict: str
    position: int
    file_position: int | None

    @property
    def words(self) -> str:
        """The start of the text in readable form."""
        return excerpt(self.excerpt) if self.value_type in ("object", "array") else self.excerpt


class JsonType(Func):
    """Database function: the type of a JSON value, such as "object" or "array"."""

    function = "json_type"
    output_field = TextField()

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        return self.as_sql(compiler, connection, function="jsonb_typeof", **context)


FILE_COLUMNS = (
    "duration_seconds",
    "thumb_200",
    "thumb_400",
    "public_id",
    "sha256",
    "kind",
    "colour",
    "width",
    "height",
)


COLUMNS = ("run_id", "kind", "excerpt", "files__status", *(f"files__file__{name}" for name in FILE_COLUMNS))
COLUMNS += ("has_guests", "value_type", "verdict", "position", "files__position")
PLACE = COLUMNS.index("position")
TEXT = len(COLUMNS)  # where the text fields start, in rows that have them
NO_TEXT = [f"no_{name}" for name in FoundText._fields]


def results_of(
    runs: Iterable[Run], with_texts: Collection[int] = (), *, approved_first: bool = False
) -> dict[int, CardResults]:
    """Return each run's results, keyed by the run's primary key. For runs whose primary keys are in `with_texts`, the
    same query also reads the text that a search matches against. Runs with neither are left out. With `approved_first`,
    approved results come before a run's other results."""
    results = _results_at(timezone.now(), {run.pk for run in runs})
    if with_texts:
        rows = sorted(_with_texts(results, with_texts), key=lambda row: (row[0], row[PLACE], row[PLACE + 1] or 0))
    else:
        rows = list(results.order_by("run", "position", "files__position").values_list(*COLUMNS))
    by_run = groupby(rows, key=itemgetter(0))
    return {pk: _results(list(group), approved_first=approved_first) for pk, group in by_run}


def _with_texts(results: "QuerySet[Output]", keys: Collection[int]) -> "QuerySet[Any, tuple[Any, ...]]":
    """Return `results` and the searchable text of the runs in `keys`."""
    results = results.annotate(**dict.fromkeys(NO_TEXT, Value("", TextField())))
    blanks = [Value(None, TextField())] * (PLACE - 1)
    texts = texts_of(list(keys), *blanks, Value(0), Value(0))
    return results.order_by().values_list(*COLUMNS, *NO_TEXT).union(*texts, all=True)


def _results_at(now: datetime, keys: Collection[int]) -> "QuerySet[Output]":
    return Output.objects.filter(run__in=keys).annotate(
        excerpt=Left("text", EXCERPT), has_guests=_has_guests(now), value_type=JsonType("raw_value")
    )


def _has_guests(now: datetime) -> Exists:
    return Exists(GuestLinkOutput.objects.filter(output=OuterRef("pk"), link__in=GuestLink.objects.open(now)))


def _results(found: list[tuple[Any, ...]], *, approved_first: bool) -> CardResults:
    """Return the results of one run from its rows in `found`. Each row is either a result or some searchable text; the
    text fields come after the result's."""
    texts = [FoundText(*row[TEXT:]) for row in found if any(row[TEXT:])]
    rows = [_Row(*row[:TEXT]) for row in found if not any(row[TEXT:])]
    if approved_first:
        rows.sort(key=lambda row: row.verdict != Decision.Verdict.APPROVED)
    saved = [row for row in rows if row.status == OutputFile.Status.SAVED and row.thumb_200]
    return CardResults(
        kind=rows[0].kind if rows else "",
        text=next((row.words for row in rows if row.excerpt), ""),
        pictures=[_picture(row) for row in saved[:PICTURES_PER_CARD]],
        duration_seconds=next((row.duration_seconds for row in rows if row.duration_seconds), None),
        is_saving=any(row.status == OutputFile.Status.SAVING for row in rows),
        has_guests=any(row.has_guests for row in rows),
        kinds=frozenset(row.kind for row in rows),
        texts=texts,
    )


def _picture(row: _Row) -> CardPicture:
    return CardPicture(
        public_id=row.public_id,
        sha256=row.sha256,
        kind=row.file_kind,
        colour=row.colour,
        width=row.width,
        height=row.height,
        duration_seconds=row.duration_seconds,
        has_large=bool(row.thumb_400),
    )
