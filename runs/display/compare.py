"""Two to four results side by side, with the inputs that differ."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from runs.display.differences import Piece, inline, side_by_side
from runs.display.run_page import OutputBox, output_boxes, wanted_words
from runs.engine.input_summary import input_files, input_text, whole_text
from runs.models import Member, Output, Run, RunInput, StoredFile, for_page
from runs.schema_forms.questions import shortened
from runs.words.fold import fold_words

AT_MOST = 4
ASKED_AT_MOST = 50  # ids in one address
TEXT_SHOWN = 20_000  # characters per text; the result's own page shows all of it
TALLEST, WIDEST = 0.7, 16 / 9  # aspect ratio limits of the common box


@dataclass
class Column:
    """One result in the comparison."""

    output: Output
    run: Run
    box: OutputBox
    number: int
    file: StoredFile | None
    pieces: list[Piece] = field(default_factory=list)
    is_cut: bool = False
    lead_label: str = ""
    lead: str = ""  # the first input that differs between the columns, shown first in the caption

    @property
    def title(self) -> str:
        """The run's title, without the input if the lead already shows it."""
        told = self.run.told_input
        is_said = told is not None and told["name"] == self.lead_label[:100]
        return self.run.app_name if is_said else self.run.display_title

    @property
    def kind(self) -> str:
        """What is shown: image, video, audio, other, text, or "" if there is nothing to show."""
        if self.file is not None:
            return str(self.file.kind)
        return "text" if self.box.text else ""

    @property
    def stage_class(self) -> str:
        """CSS class for what is shown; pictures and videos need none."""
        return {"image": "", "video": "", "text": "is-text"}.get(self.kind, "is-plain")

    @property
    def missing_words(self) -> str:
        """Why there is nothing to show."""
        words = {
            "pending": _("Not ready yet"),
            "saving": _("Being saved"),
            "error": _("This result failed"),
            "cancelled": _("Not made"),
        }
        return words.get(self.box.state, _("Could not be saved"))


@dataclass(frozen=True)
class Cell:
    """One input of one run: text, possibly with marks, and files."""

    pieces: list[Piece]
    files: list[StoredFile]
    is_default: bool = False
    is_asked: bool = True


@dataclass(frozen=True)
class Row:
    """One input across all columns."""

    label: str
    cells: list[Cell]
    differs: bool


@dataclass(frozen=True)
class Comparison:
    """The whole compare page."""

    columns: list[Column]
    rows: list[Row]
    kind: str  # of all columns, "" if they differ
    box_width: int
    box_height: int
    sentences: list[str]
    is_one_run: bool

    @property
    def differing(self) -> list[Row]:
        return [row for row in self.rows if row.differs]

    @property
    def ids(self) -> list[str]:
        return [column.output.public_id for column in self.columns]


@dataclass(frozen=True)
class Pick:
    """A result that can be chosen for a comparison."""

    output: Output
    run: Run
    label: str
    file: StoredFile | None
    excerpt: str
    created_at: datetime
    is_ticked: bool


def asked_ids(values: Iterable[str]) -> list[str]:
    """Return the ids in an address such as `?f=a,b&f=c`, in order, without duplicates."""
    ids = [part.strip()[:16] for value in values for part in value.split(",")]
    return list(dict.fromkeys(filter(None, ids)))[:ASKED_AT_MOST]


def found_outputs(member: Member, ids: Sequence[str]) -> list[Column]:
    """Return the results with these `ids` that `member` may see, in the same order."""
    pks = Output.objects.visible_to(member).filter(public_id__in=ids).values_list("run_id", flat=True)
    runs = for_page(Run.objects.visible_to(member).filter(pk__in=list(pks)))
    known = {column.output.public_id: column for run in runs for column in _columns_of(run)}
    return [known[public_id] for public_id in ids if public_id in known]


def compare(found: list[Column], asked: int) -> Comparison:
    """Compare the first four of `found`; `asked` is how many results the address named."""
    columns = found[:AT_MOST]
    for number, column in enumerate(columns, 1):
        column.number = number
    sentences = []
    if missing := asked - len(found):
        sentences.append(gone_words(missing))
    if len(found) > AT_MOST:
        sentences.append(
            _("Only four fit side by side. These are the first four of %(count)s.") % {"count": len(found)}
        )
    kinds = {column.kind for column in columns}
    kind = kinds.pop() if len(kinds) == 1 else ""
    if kind == "text" and not _mark_texts(columns):
        sentences.append(_("These texts are too long, so differences aren't marked."))
    width, height = _common_box(columns)
    is_one_run = len({column.run.pk for column in columns}) == 1
    rows = _rows([c.run for c in columns])
    _lead(columns, rows[1:])  # skip the first row, the app: the titles already name it
    return Comparison(columns, rows, kind, width, height, sentences, is_one_run)


def gone_words(count: int) -> str:
    """Return the sentence for `count` requested results that the member can't see."""
    words = ngettext(
        "%(count)s result is no longer available: it was deleted or isn't shared with you.",
        "%(count)s results are no longer available: they were deleted or aren't shared with you.",
        count,
    )
    return words % {"count": count}


def _lead(columns: list[Column], rows: list[Row]) -> None:
    """Set the leads of `columns` from the first of `rows` that differs and has text in every column."""
    for row in rows:
        if row.differs and all(cell.pieces for cell in row.cells):
            for column, cell in zip(columns, row.cells, strict=True):
                column.lead_label, column.lead = row.label, "".join(piece.text for piece in cell.pieces)
            return


def _columns_of(run: Run) -> list[Column]:
    columns = []
    for output, box in zip(run.outputs.all(), output_boxes(run, is_swap=False), strict=True):
        text = box.text[:TEXT_SHOWN]
        pieces = [Piece(text)] if text else []
        file = box.files[0] if box.files else None
        columns.append(Column(output, run, box, 0, file, pieces, len(box.text) > TEXT_SHOWN))
    return columns


def _mark_texts(columns: list[Column]) -> bool:
    """Mark differences between two texts, or from the first to each of the others. Return False if any is too long."""
    texts = ["".join(piece.text for piece in column.pieces) for column in columns]
    if len(columns) == 2:
        if (both := side_by_side(*texts)) is None:
            return False
        columns[0].pieces, columns[1].pieces = both
        return True
    marked = [inline(texts[0], text) for text in texts[1:]]
    for column, pieces in zip(columns[1:], marked, strict=True):
        column.pieces = pieces if pieces is not None else column.pieces
    return None not in marked


def _common_box(columns: list[Column]) -> tuple[int, int]:
    """Return the width and height of the box for all pictures: the shape of the tallest, within limits."""
    files = [c.file for c in columns if c.file is not None and c.file.width and c.file.height]
    ratios = [file.width / file.height for file in files if file.width and file.height]
    return round(1000 * min(max(min(ratios, default=1.0), TALLEST), WIDEST)), 1000


# --- inputs ---


def _rows(runs: list[Run]) -> list[Row]:
    """Return rows for the app, every input in form order, and the requested results, across all `runs`."""
    rows = [
        _plain_row(_("App"), [run.app_name for run in runs]),
        *_input_rows(runs),
        _plain_row(_("Asked for"), [wanted_words(run) for run in runs]),
    ]
    return [row for row in rows if any(cell.pieces or cell.files for cell in row.cells)]


def _plain_row(label: str, words: list[str]) -> Row:
    return Row(label, [Cell([Piece(text)] if text else [], []) for text in words], len(set(words)) > 1)


def _input_rows(runs: list[Run]) -> list[Row]:
    is_one_app = len({run.app_id for run in runs}) == 1
    given = [_by_handle(run, is_one_app=is_one_app) for run in runs]
    handles = dict.fromkeys(handle for of_run in given for handle in of_run)
    rows = []
    for handle in handles:
        answers = [of_run.get(handle) for of_run in given]
        label = next(shortened(answer.name) for answer in answers if answer is not None)
        rows.append(_input_row(label, answers))
    return rows


def _by_handle(run: Run, *, is_one_app: bool) -> dict[tuple[str, int], RunInput]:
    """Return inputs by question: within one app, by the id its author changes least, otherwise by name."""
    seen: Counter[str] = Counter()
    found = {}
    for given in run.inputs.all():
        handle = given.name.strip().casefold()
        if is_one_app:
            handle = given.parameter_id or given.key or handle
        found[handle, seen[handle]] = given
        seen[handle] += 1
    return found


def _input_row(label: str, answers: list[RunInput | None]) -> Row:
    texts = ["" if given is None else _words(given) for given in answers]
    cells = [
        Cell(
            pieces=pieces,
            files=[] if given is None else input_files(given),
            is_default=given is not None and given.is_default,
            is_asked=given is not None,
        )
        for given, pieces in zip(answers, _marked(texts), strict=True)
    ]
    return Row(label, cells, len({_identity(given) for given in answers}) > 1)


def _words(given: RunInput) -> str:
    if given.type == "url" and any(file.kind == "image" for file in input_files(given)):
        return ""  # the picture shows it
    return whole_text(given)


def _marked(texts: list[str]) -> list[list[Piece]]:
    """Return `texts`, with marks only if they are long: in short answers, the difference is easy to see."""
    plain = [[Piece(text)] if text else [] for text in texts]
    if len(set(texts)) == 1 or len(texts) != 2 or min(len(text.split()) for text in texts) < 4:
        return plain
    both = side_by_side(*texts)
    return plain if both is None else list(both)


def _identity(given: RunInput | None) -> tuple[str, ...]:
    """Return a value that is equal for equal answers; files are compared by their bytes."""
    if given is None:
        return ("not asked",)
    files = input_files(given)
    return ("files", *(file.sha256 for file in files)) if files else ("words", input_text(given), str(given.value))


# --- choosing ---

RUNS_OFFERED = 18
PICKS_OFFERED = 24
EXCERPT = 200


def picks_of(run: Run, ticked: Sequence[str]) -> list[Pick]:
    """Return the results of a run (fetched with `for_page()`) that can be compared."""
    return [
        Pick(
            output=column.output,
            run=run,
            label=column.box.label,
            file=column.file,
            excerpt=column.box.text[:EXCERPT],
            created_at=run.created_at,
            is_ticked=column.output.public_id in ticked,
        )
        for column in _columns_of(run)
        if column.kind
    ]


def latest_picks(member: Member, words: str, ticked: Sequence[str], without: Iterable[Run]) -> list[Pick]:
    """Return the newest results of `member` and of teammates' shared runs, except for the runs in `without`."""
    left_out = {run.pk for run in without}
    found: list[Run] = []
    for runs in (Run.objects.owned_by(member), Run.objects.shared_by_others(member)):
        matching = runs.matching(fold_words(words)) if words else runs
        found += for_page(matching.filter(status="completed").newest_first())[:RUNS_OFFERED]
    found.sort(key=lambda run: run.created_at, reverse=True)
    return [pick for run in found if run.pk not in left_out for pick in picks_of(run, ticked)][:PICKS_OFFERED]
