"""Two to four results side by side, with the inputs that differ."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from runs.display.compare_inputs import Row, plain_row, rows_of
from runs.display.differences import Piece, inline, side_by_side
from runs.display.result_boxes import OutputBox, file_label, output_boxes
from runs.display.verdicts import VerdictPanel, verdicts_of
from runs.models import Decision, Member, Output, Run, StoredFile, for_page
from runs.models.addresses import path_to

AT_MOST = 4
ASKED_AT_MOST = 50  # maximum number of ids in one URL
ID_LENGTH = 20  # maximum length of an id in the URL: a result's id, perhaps with a file number
TEXT_SHOWN = 20_000  # how many characters of text to show; the result page shows all of it
TALLEST, WIDEST = 0.7, 16 / 9  # limits on the aspect ratio of the box that all columns share


@dataclass
class Column:
    """One result in the comparison."""

    output: Output
    run: Run
    box: OutputBox
    number: int
    file: StoredFile | None
    place: int = 1  # number of the file within its result
    pieces: list[Piece] = field(default_factory=list)
    is_cut: bool = False
    lead_label: str = ""
    lead: str = ""  # the first input that differs between the columns; comes first in the caption
    verdict: VerdictPanel | None = None  # if several columns show files from one result, only the first has its verdict
    is_choosable: bool = False  # whether to offer "Approve this, reject the others"

    @property
    def key(self) -> str:
        """The result's id in a URL, followed by the file number unless it is the first file."""
        return self.output.public_id if self.place == 1 else f"{self.output.public_id}.{self.place}"

    @property
    def label(self) -> str:
        return file_label(self.box.label, self.place, len(self.box.files))

    @property
    def alt(self) -> str:
        return file_label(self.box.alt, self.place, len(self.box.files))

    @property
    def url(self) -> str:
        """URL of the page that shows this file or result."""
        return self.box.files_and_pages[self.place - 1][1] if self.file else self.box.url

    @property
    def comment_url(self) -> str:
        """URL of the form for a comment on the result, or on a spot in this file."""
        return f"{path_to('result-comment', self.output.public_id)}?n={self.place}"

    @property
    def title(self) -> str:
        """The title of the run, without its input if the lead already shows it."""
        title_input = self.run.told_input
        is_said = title_input is not None and title_input["name"] == self.lead_label[:100]
        return self.run.app_name if is_said else self.run.display_title

    @property
    def kind(self) -> str:
        """The kind of content: image, video, audio, other, text, or "" if there is nothing to show."""
        if self.file is not None:
            return str(self.file.kind)
        return "text" if self.box.text else ""

    @property
    def stage_class(self) -> str:
        """CSS class for the content; pictures and videos don't need one."""
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
class Comparison:
    """Everything that the compare page shows, as one member sees it."""

    columns: list[Column]
    rows: list[Row]
    kind: str  # the kind shared by all columns; "" if they differ
    box_width: int
    box_height: int
    sentences: list[str]
    is_one_run: bool

    @property
    def differing(self) -> list[Row]:
        return [row for row in self.rows if row.differs]

    @property
    def ids(self) -> list[str]:
        return [column.key for column in self.columns]


def asked_ids(values: Iterable[str]) -> list[str]:
    """Return the ids from a URL such as `?f=a,b.2&f=c`, in order, without duplicates.

    `b.2` is the second file of the result `b`.
    """
    ids = [part.strip()[:ID_LENGTH].removesuffix(".1") for value in values for part in value.split(",")]
    return list(dict.fromkeys(filter(None, ids)))[:ASKED_AT_MOST]


def found_outputs(member: Member, ids: Sequence[str]) -> list[Column]:
    """Return the results with these ids that `member` may see, in the order of `ids`."""
    outputs = {key.partition(".")[0] for key in ids}
    pks = Output.objects.visible_to(member).filter(public_id__in=outputs).values_list("run_id", flat=True)
    runs = for_page(Run.objects.visible_to(member).filter(pk__in=list(pks)))
    by_key = {column.key: column for run in runs for column in columns_of(run)}
    return [by_key[key] for key in ids if key in by_key]


def compare(candidates: list[Column], requested: int, member: Member) -> Comparison:
    """Compare the first four of `candidates` for `member`. `requested` is the number of results that the URL names."""
    columns = candidates[:AT_MOST]
    _add_verdicts(columns, member)
    for number, column in enumerate(columns, 1):
        column.number = number
    sentences = []
    if missing := requested - len(candidates):
        sentences.append(gone_words(missing))
    if len(candidates) > AT_MOST:
        sentences.append(
            _("Only four results fit side by side. These are the first four of %(count)s.") % {"count": len(candidates)}
        )
    kinds = {column.kind for column in columns}
    kind = kinds.pop() if len(kinds) == 1 else ""
    if kind == "text" and not _mark_texts(columns):
        sentences.append(_("The differences aren't highlighted because these texts are too long."))
    width, height = _common_box(columns)
    is_one_run = len({column.run.pk for column in columns}) == 1
    rows = rows_of([c.run for c in columns])
    _lead(columns, rows[1:])  # skip the first row (the app), because titles already name the app
    rows += _asked_changes(columns)
    return Comparison(columns, rows, kind, width, height, sentences, is_one_run)


def _add_verdicts(columns: list[Column], member: Member) -> None:
    """Set the verdicts. A column can only be chosen over the others if there are others to decide on."""
    first = {column.output.pk: column for column in reversed(columns)}
    panels = verdicts_of([column.output for column in first.values()], member)
    decidable = sum(panel.may_decide for panel in panels.values())
    for pk, column in first.items():
        column.verdict = panels[pk]
        column.is_choosable = panels[pk].may_approve and decidable > 1


def gone_words(count: int) -> str:
    """Return a sentence saying that `count` of the requested results are no longer available."""
    words = ngettext(
        "%(count)s result is no longer available: it was deleted or isn't shared with you.",
        "%(count)s results are no longer available: they were deleted or aren't shared with you.",
        count,
    )
    return words % {"count": count}


def _lead(columns: list[Column], rows: list[Row]) -> None:
    """Take each column's lead from the first row that has text in every column, but not the same text everywhere."""
    for row in rows:
        if row.differs and all(cell.pieces for cell in row.cells):
            for column, cell in zip(columns, row.cells, strict=True):
                column.lead_label, column.lead = row.label, "".join(piece.text for piece in cell.pieces)
            return


def columns_of(run: Run) -> list[Column]:
    columns = []
    for output, box in zip(run.outputs.all(), output_boxes(run, is_swap=False), strict=True):
        text = box.text[:TEXT_SHOWN]
        for place, file in enumerate(box.files or [None], 1):
            pieces = [Piece(text)] if text else []
            columns.append(Column(output, run, box, 0, file, place, pieces, len(box.text) > TEXT_SHOWN))
    return columns


def _mark_texts(columns: list[Column]) -> bool:
    """Mark the differences between two texts or, if there are more, between the first text and each of the others.
    Return False if the texts are too long."""
    texts = ["".join(piece.text for piece in column.pieces) for column in columns]
    if len(columns) == 2:
        if (both := side_by_side(*texts)) is None:
            return False
        columns[0].pieces, columns[1].pieces = both
        return True
    differences = [inline(texts[0], text) for text in texts[1:]]
    for column, pieces in zip(columns[1:], differences, strict=True):
        column.pieces = pieces if pieces is not None else column.pieces
    return None not in differences


def _common_box(columns: list[Column]) -> tuple[int, int]:
    """Return the width and height of the box that all columns share. It's the same shape as the tallest picture, within
    limits."""
    files = [c.file for c in columns if c.file is not None and c.file.width and c.file.height]
    ratios = [file.width / file.height for file in files if file.width and file.height]
    return round(1000 * min(max(min(ratios, default=1.0), TALLEST), WIDEST)), 1000


def _asked_changes(columns: list[Column]) -> list[Row]:
    """If the columns are versions of one result, return a row with the changes that reviewers asked for."""
    outputs = [column.output for column in columns]
    if len({output.pk for output in outputs}) == 1 or len({output.first_id for output in outputs}) > 1:
        return []
    decisions = Decision.objects.standing().on_current_content().filter(output__in=outputs).exclude(note="")
    notes: dict[int, list[str]] = {output.pk: [] for output in outputs}
    for decision in decisions:
        notes[decision.output_id].append(decision.note)
    words = ["\n".join(notes[output.pk]) for output in outputs]
    return [plain_row(_("Requested changes"), words)] if any(words) else []
