"""The boxes that show a run's results, as plain values for templates."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from runs.display.json_results import FileNames, Tree, tree_of
from runs.display.verdicts import VerdictPanel
from runs.engine.apply_outputs import FILES_PER_OUTPUT
from runs.engine.input_summary import input_text, open_inputs
from runs.engine.match_outputs import OUTPUTS_PER_RUN
from runs.history.rejected import removal_times
from runs.lamina.web_links import addresses_in
from runs.models import Output, OutputFile, Run, StoredFile
from runs.models.messages import Message
from runs.storage.fetch import FetchRefused, check_url
from runs.words.file_names import Stem, ending_of, run_stems
from runs.words.messages import say
from runs.words.numbers import number_words

LONG_TEXT, LONG_LINES = 900, 12  # text is long if it exceeds either limit (characters, lines)
KNOWN_KINDS = ("image", "video", "audio", "text")


@dataclass(frozen=True)
class OutputBox:
    """The box for one expected result, shown at its final size from the start."""

    dom_id: str
    public_id: str  # public id of the result
    label: str
    kind: str
    look: str  # the kind if we have styles for it, otherwise "other"
    state: str  # pending, saving, ready, error, cancelled, unsaved, removed
    box_width: int
    box_height: int
    is_reshaped: bool  # whether the picture has a different shape from the box that was waiting for it
    colour: str  # the picture's main colour; "" if it would be visible around the picture
    files: list[StoredFile]
    links: list[str]  # URLs of originals that couldn't be saved
    refused: list[tuple[str, str]]  # URLs that the portal refuses, and why: shown as text, never as links
    text: str
    tree: Tree | None  # only for structured results; `text` is then the same value as plain text
    text_url: str  # URL for downloading the text
    error: str
    version: int
    position: int
    alt: str
    description: str
    url: str  # URL of the result page
    use_url: str  # URL for using the result in another app; empty unless it has text or exactly one file
    unsaved: int  # number of files that couldn't be saved; the result's other files may have been saved
    notes: list[str]  # why several files are one result, and whether some are missing
    fetch_again_url: str  # URL for retrying the files that couldn't be saved
    walk: str  # query string of the History list that Previous and Next follow
    goes_at: datetime | None  # when the retention rules will remove the result
    removed_at: datetime | None
    keep_url: str  # URL for keeping the result
    verdict: VerdictPanel | None = None  # only set on the run page

    @property
    def is_long(self) -> bool:
        """Whether the page collapses the text at first."""
        return len(self.text) > LONG_TEXT or self.text.count("\n") >= LONG_LINES

    @property
    def page_url(self) -> str:
        """URL of the result page, including the query string of the History list."""
        return with_query(self.url, self.walk)

    @property
    def files_and_pages(self) -> list[tuple[StoredFile, str]]:
        """Each file, paired with the URL of its page."""
        numbers = ["", *(f"n={number}" for number in range(2, len(self.files) + 1))]
        return [(f, with_query(self.url, n, self.walk)) for f, n in zip(self.files, numbers, strict=False)]


def output_boxes(run: Run, *, is_swap: bool, walk: str = "") -> list[OutputBox]:
    """Return the boxes for all results of `run`. With `is_swap`, the boxes keep the shape they have on the open page
    until the run ends, so that nothing moves when a result arrives."""
    is_swap = is_swap and run.is_active
    outputs = list(run.outputs.all())
    rows = zip(outputs, result_labels(outputs), run_stems(run, outputs), strict=True)
    goes_at = removal_times(outputs)
    return [
        _box(run, output, label, stems, is_swap=is_swap, walk=walk, goes_at=goes_at.get(output.pk))
        for output, label, stems in rows
    ]


def result_labels(outputs: list[Output]) -> list[str]:
    """Return the labels of all `outputs` of a run, with duplicates numbered."""
    counts = Counter(output.label for output in outputs)
    numbers: Counter[str] = Counter()
    labels = []
    for output in outputs:
        numbers[output.label] += 1
        label = output.label or _("Result %(number)s") % {"number": output.position + 1}
        if counts[output.label] > 1 and output.label:
            values = {"label": label, "number": numbers[output.label], "count": counts[output.label]}
            label = pgettext("one of several results", "%(label)s %(number)s of %(count)s") % values
        labels.append(label)
    return labels


def _box(
    run: Run,
    output: Output,
    label: str,
    stems: list[Stem],
    *,
    is_swap: bool,
    walk: str,
    goes_at: datetime | None,
) -> OutputBox:
    output_files = list(output.files.all())
    _name_files(output_files, stems)
    files = [f.file for f in output_files if f.status == OutputFile.Status.SAVED and f.file is not None]
    given_up = [f for f in output_files if f.status == OutputFile.Status.FAILED]
    state, error = _state_of(output, output_files, has_files=bool(files))
    missing = [f for f in output_files if f.file is None] if state == "unsaved" else given_up
    expected, shape = (output.box_width, output.box_height), _shape_of(output, files)
    is_reshaped = shape[0] * expected[1] != shape[1] * expected[0]
    box_width, box_height = expected if is_swap else shape
    tree = tree_of(output, FileNames({f.source_url: f.file.name for f in output_files if f.file is not None}))
    return OutputBox(
        dom_id=f"box-{output.public_id}",
        public_id=output.public_id,
        label=label,
        kind=output.kind,
        look="text" if tree and not files else output.kind if output.kind in KNOWN_KINDS else "other",
        state=state,
        box_width=box_width,
        box_height=box_height,
        is_reshaped=is_reshaped,
        colour=files[0].colour if len(files) == 1 and not (is_swap and is_reshaped) else "",
        files=files,
        links=[f.source_url for f in missing if not refusal_of(f)],
        refused=[(f.source_url, sentence) for f in missing if (sentence := refusal_of(f))],
        text=tree.plain if tree else output.text,
        tree=tree,
        text_url=reverse("runs:result-text", args=[output.public_id]) if output.text else "",
        error=say(error),
        version=output.changed_in,
        position=output.position,
        alt=output.description if output.kind == "image" and output.description else _alt(run, label),
        description=output.description,
        url=output.get_absolute_url(),
        use_url=reverse("runs:result-use", args=[output.public_id]) if output.text or len(files) == 1 else "",
        unsaved=len(given_up),
        notes=_notes_of(run, output, len(output_files)),
        fetch_again_url=reverse("runs:result-fetch-again", args=[output.public_id]) if given_up else "",
        walk=walk,
        goes_at=goes_at,
        removed_at=output.removed_at,
        keep_url=reverse("runs:result-keep", args=[output.public_id]),
    )


def _notes_of(run: Run, output: Output, count: int) -> list[str]:
    """Return sentences about a list of `count` files that is so long that it stayed one result."""
    notes = []
    if count + run.outputs_total - 1 > OUTPUTS_PER_RUN:
        values = {"count": number_words(count), "most": number_words(OUTPUTS_PER_RUN)}
        notes.append(_("These %(count)s files stay one result: a run has at most %(most)s.") % values)
    if count == FILES_PER_OUTPUT and (total := len(addresses_in(output.raw_value))) > count:
        values = {"count": number_words(count), "made": number_words(total)}
        notes.append(_("Lamina made %(made)s files. The portal has the first %(count)s.") % values)
    return notes


def _name_files(output_files: list[OutputFile], stems: list[Stem]) -> None:
    """Set the current names on these file objects for display, without saving the objects."""
    for output_file in output_files:
        if output_file.file is not None:
            output_file.file.name = stems[output_file.position].named(ending_of(output_file.file))


def _state_of(output: Output, output_files: list[OutputFile], *, has_files: bool) -> tuple[str, Message]:
    """Return the state of the box, and the error to show in it."""
    state = {"completed": "ready"}.get(output.status, output.status)
    error = output.error
    if state == "ready" and output_files and not has_files:
        is_saving = any(f.status == OutputFile.Status.SAVING for f in output_files)
        state = "saving" if is_saving else "unsaved"
        error = next((f.error for f in output_files if f.error), Message())
    return ("removed" if output.removed_at is not None else state), error


def _shape_of(output: Output, files: list[StoredFile]) -> tuple[int, int]:
    """Return the picture's size if there's exactly one picture, otherwise the expected size."""
    if len(files) == 1 and files[0].width and files[0].height:
        return files[0].width, files[0].height
    return output.box_width, output.box_height


def _alt(run: Run, label: str) -> str:
    """Return what a picture is called while nobody has described it, and a player always: the result's label and the
    run's first two visible inputs."""
    input_texts = [text for text in (input_text(g) for g in open_inputs(run)) if text][:2]
    return " · ".join([label, *input_texts])[:200]


def file_label(words: str, number: int, count: int) -> str:
    """Return `words` (a description of a result), adding the file's number if the result has several files."""
    if count <= 1:
        return words
    values = {"result": words, "number": number, "count": count}
    return _("%(result)s, %(number)s of %(count)s") % values


def with_files(words: str, output: Output) -> str:
    """Return `words` (a description of a result), adding how many files the result has if there are several."""
    count = len(output.files.all())
    return _("%(result)s (%(count)s files)") % {"result": words, "count": number_words(count)} if count > 1 else words


def refusal_of(output_file: OutputFile) -> str:
    """Return why the portal refuses to fetch the file's URL, whether it noticed the problem before or during the
    download; "" if it doesn't refuse."""
    if output_file.is_refused:
        return say(output_file.error)
    try:
        check_url(output_file.source_url, settings.TRUSTED_FILE_ORIGINS)
    except FetchRefused as error:
        return error.sentence
    return ""


def with_query(url: str, *parts: str) -> str:
    """Return `url` with the non-empty `parts` as its query string."""
    query = "&".join(filter(None, parts))
    return f"{url}?{query}" if query else url
