"""The inputs of compared results, as rows across all columns."""

from collections import Counter
from dataclasses import dataclass

from django.utils.translation import gettext as _

from runs.display.differences import Piece, side_by_side
from runs.display.run_page import wanted_words
from runs.engine.input_summary import input_files, input_text, open_inputs, whole_text
from runs.models import Run, RunInput, StoredFile
from runs.schema_forms.questions import shortened


@dataclass(frozen=True)
class Cell:
    """One input of one run: its text, possibly with differences highlighted, and its files."""

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


def rows_of(runs: list[Run]) -> list[Row]:
    """Return rows that compare all `runs`: one for the app, one for each input in the form's order, and one for the
    requested results."""
    rows = [
        plain_row(_("App"), [run.app_name for run in runs]),
        *_inputrows_of(runs),
        plain_row(_("Requested"), [wanted_words(run) for run in runs]),
    ]
    return [row for row in rows if any(cell.pieces or cell.files for cell in row.cells)]


def plain_row(label: str, words: list[str]) -> Row:
    return Row(label, [Cell([Piece(text)] if text else [], []) for text in words], len(set(words)) > 1)


def _inputrows_of(runs: list[Run]) -> list[Row]:
    is_one_app = len({run.app_id for run in runs}) == 1
    inputs_of_runs = [_by_handle(run, is_one_app=is_one_app) for run in runs]
    handles = dict.fromkeys(handle for of_run in inputs_of_runs for handle in of_run)
    rows = []
    for handle in handles:
        answers = [of_run.get(handle) for of_run in inputs_of_runs]
        label = next(shortened(answer.name) for answer in answers if answer is not None)
        rows.append(_input_row(label, answers))
    return rows


def _by_handle(run: Run, *, is_one_app: bool) -> dict[tuple[str, int], RunInput]:
    """Return the inputs of `run`, keyed so that a field has the same key in every run.

    If all runs use the same app, the key is the field's most stable id; otherwise, it is the field's name. Repeated
    keys are numbered.
    """
    counts: Counter[str] = Counter()
    by_handle = {}
    for run_input in open_inputs(run):
        handle = run_input.name.strip().casefold()
        if is_one_app:
            handle = run_input.parameter_id or run_input.key or handle
        by_handle[handle, counts[handle]] = run_input
        counts[handle] += 1
    return by_handle


def _input_row(label: str, answers: list[RunInput | None]) -> Row:
    texts = ["" if run_input is None else _words(run_input) for run_input in answers]
    cells = [
        Cell(
            pieces=pieces,
            files=[] if run_input is None else input_files(run_input),
            is_default=run_input is not None and run_input.is_default,
            is_asked=run_input is not None,
        )
        for run_input, pieces in zip(answers, _pieces_of(texts), strict=True)
    ]
    return Row(label, cells, len({_identity(run_input) for run_input in answers}) > 1)


def _words(run_input: RunInput) -> str:
    if run_input.type == "url" and any(file.kind == "image" for file in input_files(run_input)):
        return ""  # the page shows the picture itself
    return whole_text(run_input)


def _pieces_of(texts: list[str]) -> list[list[Piece]]:
    """Return `texts` as pieces. Differences are only marked if there are two long texts; in short ones, they're easy to
    see."""
    plain = [[Piece(text)] if text else [] for text in texts]
    if len(set(texts)) == 1 or len(texts) != 2 or min(len(text.split()) for text in texts) < 4:
        return plain
    both = side_by_side(*texts)
    return plain if both is None else list(both)


def _identity(run_input: RunInput | None) -> tuple[str, ...]:
    """Return a value for comparing answers; files are compared by content."""
    if run_input is None:
        return ("not asked",)
    files = input_files(run_input)
    if files:
        return ("files", *(file.sha256 for file in files))
    return ("words", input_text(run_input), str(run_input.value))
