"""Everything the run page shows, as plain values for its template."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from runs.display.cards import usual_end_of, version_token
from runs.display.json_results import FileNames, Tree, tree_of
from runs.display.run_sentences import (
    cancel_money_words,
    cancel_words,
    cost_fact,
    cost_words,
    decide_words,
    ended_money_words,
    failure_of,
    money_words,
    note_of,
    sentence_of,
    slow_words,
    wait_words,
)
from runs.display.verdicts import VerdictPanel, verdicts_of
from runs.engine.durations import slow_level
from runs.engine.input_summary import InputLine, input_lines, input_text, open_inputs
from runs.models import Member, Output, OutputFile, Preset, Run, StoredFile
from runs.models.messages import Message
from runs.notices.choices import Wish, wish_of
from runs.schema_forms.questions import shortened
from runs.storage.fetch import FetchRefused, check_url
from runs.words.file_names import Stem, ending_of, run_stems
from runs.words.messages import say
from runs.words.run_failures import Failure
from runs.words.run_states import State, state_of
from runs.words.time_spans import clock_words, usual_words

CHILDREN_SHOWN = 12
JUST_NOW = timedelta(seconds=15)
LONG_TEXT, LONG_LINES = 900, 12  # a text that exceeds either limit (characters, lines) is long
KNOWN_KINDS = ("image", "video", "audio", "text")


@dataclass(frozen=True)
class OutputBox:
    """The box for one expected result, shown at its final size from the start."""

    dom_id: str
    public_id: str  # public id of the result
    label: str
    kind: str
    look: str  # the kind, if there are styles for that kind; otherwise "other"
    state: str  # pending, saving, ready, error, cancelled, unsaved, removed
    box_width: int
    box_height: int
    is_reshaped: bool  # the picture turned out to have another shape than the box had before it arrived
    colour: str  # the picture's; "" if the box would show it beside the picture
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
    url: str  # URL of the result page
    use_url: str  # URL for using the result in another app; empty if it has several files, or neither file nor text
    unsaved: int  # number of files that couldn't be saved; the others may have been saved
    fetch_again_url: str  # URL for another try to fetch the files that couldn't be saved
    walk: str  # query string of the History list for Previous and Next
    goes_at: datetime | None  # when the retention rules will remove the result
    removed_at: datetime | None
    keep_url: str  # URL for keeping it
    verdict: VerdictPanel | None = None  # only set on the run page

    @property
    def is_long(self) -> bool:
        """Whether the page collapses the text at first."""
        return len(self.text) > LONG_TEXT or self.text.count("\n") >= LONG_LINES

    @property
    def page_url(self) -> str:
        """URL of the result page, including the query string of the list."""
        return _with_query(self.url, self.walk)

    @property
    def files_and_pages(self) -> list[tuple[StoredFile, str]]:
        """Each file, paired with the URL of its page."""
        numbers = ["", *(f"n={number}" for number in range(2, len(self.files) + 1))]
        return [(f, _with_query(self.url, n, self.walk)) for f, n in zip(self.files, numbers, strict=False)]


@dataclass(frozen=True)
class Onward:
    """Buttons that lead from a run to its form."""

    run: Run
    next_url: str  # URL of the form for the next versions of results that need changes; "" if no result needs any
    offers_change: bool  # whether the row of buttons offers the form; False if the failure message does
    is_change_primary: bool


@dataclass(frozen=True)
class RunPage:
    """The whole run page."""

    run: Run
    state: State
    sentence: str
    boxes: list[OutputBox]
    inputs: list[InputLine]
    failure: Failure | None
    can_cancel: bool
    cancel_pending: bool
    was_just_cancelled: bool  # whether somebody has just pressed Cancel: the panel, which says so, then gets the focus
    can_change: bool  # whether the app's form can be opened with this run's inputs
    onward: Onward
    is_mine_to_change: bool  # whether the viewer may cancel, rename, share and delete the run
    may_run: bool
    has_results: bool
    ready_count: int
    cancel_words: str
    cancel_money_words: str
    ended_money_words: str  # what the run cost, for people who were about to cancel it
    money_words: str
    cost_words: str
    elapsed_since: str | None
    elapsed_words: str
    usual_end: str  # see `cards.usual_end_of`
    wait_words: str
    wanted_words: str
    cost_fact: tuple[str, str]  # what the run costs, and how sure that is
    usual_words: str
    slow_words: str
    note: str
    needs_confirmation: bool
    decide_words: str
    asks_to_give_up: bool
    is_live: bool
    version: str
    preset: Preset | None
    parent: Run | None
    children: list[Run]
    url: str  # URL of this page, including the list for Previous and Next
    mail_wish: Wish  # whether the viewer has asked for an email when the run is ready


def is_live(run: Run) -> bool:
    """Return whether a page should keep polling this run (fetched with `for_page()`)."""
    files = [output_file for output in run.outputs.all() for output_file in output.files.all()]
    is_saving = any(output_file.status == OutputFile.Status.SAVING for output_file in files)
    return run.is_active or is_saving or any(f.file.picture_follows for f in files if f.file is not None)


def run_page(run: Run, member: Member, *, is_swap: bool = False, walk: str = "") -> RunPage:
    """Return the page of a run fetched with `for_page()`, as `member` sees it.

    With `is_swap`, the page is already open and parts of it are being replaced. `walk` is the query string of the
    History list that Previous and Next follow.
    """
    now = timezone.now()
    is_watched = run.status in ("queued", "running", "starting", "checking")
    since = run.started_at or run.created_at
    may_change = run.is_changeable_by(member)
    boxes = _with_verdicts(run, member, output_boxes(run, is_swap=is_swap, walk=walk))
    failure = failure_of(run, member)
    # Show only one of these sentences: on a phone, a second sentence would push the pictures down, and they'd jump back
    # up later.
    told = (cancel_words(run), wait_words(run), slow_words(slow_level(run, now)))
    money = money_words(run)
    has_note = not (run.needs_confirmation or money or any(told)) and run.belongs_to(member)
    can_change = _can_change(run, member)
    return RunPage(
        run=run,
        state=state_of(run),
        sentence=sentence_of(run),
        boxes=boxes,
        inputs=input_lines(run, member),
        failure=failure,
        can_cancel=run.is_active and run.cancel_asked_at is None and may_change,
        cancel_words=told[0],
        cancel_money_words=cancel_money_words(run),
        ended_money_words=ended_money_words(run),
        money_words=money,
        cost_words=cost_words(run),
        can_change=can_change,
        onward=onward_of(run, member, failure),
        is_mine_to_change=may_change,
        may_run=member.can_run,
        has_results=any(box.files or box.text for box in boxes),
        ready_count=sum(bool(box.files or box.text) for box in boxes),
        cancel_pending=run.is_active and run.cancel_asked_at is not None,
        was_just_cancelled=run.cancel_asked_at is not None and now - run.cancel_asked_at < JUST_NOW,
        elapsed_since=since.isoformat() if is_watched else None,
        elapsed_words=clock_words((run.finished_at or now) - since),
        usual_end=usual_end_of(run, now),
        wait_words=told[1],
        wanted_words=wanted_words(run),
        cost_fact=cost_fact(run),
        usual_words=usual_words(run.app.usual_seconds, run.app.slow_seconds) if is_watched else "",
        slow_words=told[2],
        note=note_of(run, is_live=is_live(run)) if has_note else "",
        asks_to_give_up=run.is_silent(now) and may_change,
        needs_confirmation=run.needs_confirmation,
        decide_words=decide_words(run),
        is_live=is_live(run),
        version=version_token(run),
        preset=_preset_for(run, member),
        parent=next(iter(_family(member).filter(pk=run.parent_id)), None) if run.parent_id else None,
        url=_with_query(run.get_absolute_url(), walk),
        mail_wish=wish_of(member, run),
        children=list(_family(member).filter(parent=run).order_by("created_at")[:CHILDREN_SHOWN]),
    )


def _family(member: Member) -> QuerySet[Run]:
    """Return the runs that `member` may see, with only the fields that the timeline needs."""
    return Run.objects.visible_to(member).only("public_id", "title", "app_name", "summary", "created_at", "parent")


def _preset_for(run: Run, member: Member) -> Preset | None:
    """Return the preset the run was started from, if `member` may see it."""
    preset = run.preset
    return preset if preset and preset.is_visible_to(member) else None


def output_boxes(run: Run, *, is_swap: bool, walk: str = "") -> list[OutputBox]:
    """Return the boxes for all results of `run`. With `is_swap`, they keep the shape they have on the open page until
    the run ends, so that nothing moves with every result."""
    is_swap = is_swap and run.is_active
    outputs = list(run.outputs.all())
    told = zip(outputs, result_labels(outputs), run_stems(run, outputs), strict=True)
    return [_box(run, output, label, stems, is_swap=is_swap, walk=walk) for output, label, stems in told]


def _with_verdicts(run: Run, member: Member, boxes: list[OutputBox]) -> list[OutputBox]:
    outputs = list(run.outputs.all())
    panels = verdicts_of(outputs, member)
    return [replace(box, verdict=panels[output.pk]) for box, output in zip(boxes, outputs, strict=True)]


def result_labels(outputs: list[Output]) -> list[str]:
    """Return the labels of all `outputs` of a run, with duplicates numbered."""
    counts = Counter(output.label for output in outputs)
    seen: Counter[str] = Counter()
    labels = []
    for output in outputs:
        seen[output.label] += 1
        label = output.label or _("Result %(number)s") % {"number": output.position + 1}
        if counts[output.label] > 1 and output.label:
            values = {"label": label, "number": seen[output.label], "count": counts[output.label]}
            label = pgettext("one of several results", "%(label)s %(number)s of %(count)s") % values
        labels.append(label)
    return labels


def _box(run: Run, output: Output, label: str, stems: list[Stem], *, is_swap: bool, walk: str) -> OutputBox:
    kept = list(output.files.all())
    files = [f.file for f in kept if f.status == OutputFile.Status.SAVED and f.file is not None]
    for output_file in kept:
        if output_file.file is not None:  # show the current file name, only on this page
            output_file.file.name = stems[output_file.position].named(ending_of(output_file.file))
    given_up = [f for f in kept if f.status == OutputFile.Status.FAILED]
    state = {"completed": "ready"}.get(output.status, output.status)
    error = output.error
    if state == "ready" and kept and not files:
        is_saving = any(f.status == OutputFile.Status.SAVING for f in kept)
        state = "saving" if is_saving else "unsaved"
        error = next((f.error for f in kept if f.error), Message())
    if output.removed_at is not None:
        state = "removed"
    told = [text for text in (input_text(g) for g in open_inputs(run)) if text][:2]
    expected = shape = (output.box_width, output.box_height)
    if len(files) == 1 and files[0].width and files[0].height:
        shape = (files[0].width, files[0].height)
    is_reshaped = shape[0] * expected[1] != shape[1] * expected[0]
    names = {f.source_url: f.file.name for f in kept if f.file is not None}
    tree = tree_of(output, FileNames(names))
    told_of = [f for f in kept if f.file is None] if state == "unsaved" else given_up
    return OutputBox(
        dom_id=f"box-{run.public_id}-{output.position}",
        public_id=output.public_id,
        label=label,
        kind=output.kind,
        look="text" if tree and not files else output.kind if output.kind in KNOWN_KINDS else "other",
        state=state,
        box_width=(expected if is_swap else shape)[0],
        box_height=(expected if is_swap else shape)[1],
        is_reshaped=is_reshaped,
        colour=files[0].colour if len(files) == 1 and not (is_swap and is_reshaped) else "",
        files=files,
        links=[f.source_url for f in told_of if not refusal_of(f)],
        refused=[(f.source_url, sentence) for f in told_of if (sentence := refusal_of(f))],
        text=tree.plain if tree else output.text,
        tree=tree,
        text_url=reverse("runs:result-text", args=[output.public_id]) if output.text else "",
        error=say(error),
        version=output.changed_in,
        position=output.position,
        alt=" · ".join([label, *told])[:200],
        url=output.get_absolute_url(),
        use_url=reverse("runs:result-use", args=[output.public_id]) if output.text or len(files) == 1 else "",
        unsaved=len(given_up),
        fetch_again_url=reverse("runs:result-fetch-again", args=[output.public_id]) if given_up else "",
        walk=walk,
        goes_at=output.goes_at if output.removal_at else None,
        removed_at=output.removed_at,
        keep_url=reverse("runs:result-keep", args=[output.public_id]),
    )


def file_label(words: str, number: int, count: int) -> str:
    """Return `words`, which describe a result, with the file number added if the result has several files."""
    if count <= 1:
        return words
    values = {"result": words, "number": number, "count": count}
    return _("%(result)s, %(number)s of %(count)s") % values


def onward_of(run: Run, member: Member, failure: Failure | None = None) -> Onward:
    """Return the buttons that lead `member` from the run to its form. `failure` says why the run failed, if it has."""
    can_change = _can_change(run, member)
    next_url = _next_url(run) if can_change else ""
    return Onward(
        run=run,
        next_url=next_url,
        offers_change=can_change and not (failure and failure.leads_to_form),
        is_change_primary=not (failure or next_url),
    )


def _can_change(run: Run, member: Member) -> bool:
    return run.is_final and run.app.is_runnable_by(member)


def _next_url(run: Run) -> str:
    """Return the URL of the form that makes the next versions of results that need changes; "" if no result needs
    any."""
    if not run.outputs_changes:
        return ""
    waiting = Output.objects.filter(run=run, verdict="changes", later_versions=None).exclude(
        line__later_versions__number__gt=F("number")
    )
    first = waiting.order_by("position").first()
    return f"{run.app.get_absolute_url()}?next={first.public_id}" if first else ""


def _with_query(url: str, *parts: str) -> str:
    query = "&".join(filter(None, parts))
    return f"{url}?{query}" if query else url


def refusal_of(output_file: OutputFile) -> str:
    """Return why the portal refuses to fetch the file's URL, whether it noticed before or during the download; "" if it
    doesn't refuse."""
    if output_file.is_refused:
        return say(output_file.error)
    try:
        check_url(output_file.source_url, settings.TRUSTED_FILE_ORIGINS)
    except FetchRefused as error:
        return error.sentence
    return ""


def wanted_words(run: Run) -> str:
    """Return a list of the requested results, in words; "" if the app declares none."""
    outputs = run.schema.outputs
    if not outputs:
        return ""
    if not run.wanted_outputs or len(run.wanted_outputs) == len(outputs):
        return _("Everything the app makes")
    return ", ".join(shortened(o["label"]) for o in outputs if o["index"] in run.wanted_outputs)
