"""Everything the run page shows, as plain values for its template."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from runs.display.cards import ask_often_of, version_token
from runs.display.result_boxes import OutputBox, output_boxes, with_query
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
from runs.display.verdicts import verdicts_of
from runs.engine.durations import slow_level
from runs.engine.input_summary import InputLine, input_lines
from runs.models import Member, Output, OutputFile, Preset, Run
from runs.notices.choices import MailOffer, mail_offer
from runs.schema_forms.questions import shortened
from runs.words.run_failures import Failure
from runs.words.run_states import RunState, state_of
from runs.words.time_spans import clock_words, usual_words

CHILDREN_SHOWN = 12
FAMILY = ("public_id", "title", "app_name", "summary", "created_at", "parent", "member", "shared_at")
JUST_NOW = timedelta(seconds=15)


@dataclass(frozen=True)
class Onward:
    """The buttons that lead from a run to its app's form."""

    run: Run
    next_url: str  # URL of the form for new versions of the results that need changes; "" if none do
    offers_change: bool  # whether the row of buttons has a link to the form; False if the failure message has one
    is_change_primary: bool


@dataclass(frozen=True)
class Money:
    """What the page says about the run's cost."""

    words: str
    cost_words: str
    cancel_words: str
    ended_words: str  # what the run cost, for people who were about to cancel it
    fact: tuple[str, str]  # what the run costs, and how certain that is


@dataclass(frozen=True)
class Clock:
    """How long the run has been going (or took), and how long runs of its app usually take."""

    since: str | None  # only while the clock is running
    words: str
    ask_often: str  # see `cards.ask_often_of`
    usual_words: str


@dataclass(frozen=True)
class RunPage:
    """Everything that the run page shows, as one member sees it."""

    run: Run
    state: RunState
    sentence: str
    boxes: list[OutputBox]
    inputs: list[InputLine]
    failure: Failure | None
    can_cancel: bool
    cancel_pending: bool
    was_just_cancelled: bool  # whether somebody has just pressed Cancel; if so, the panel says so and gets the focus
    can_open_form: bool  # whether the app's form can be opened with this run's inputs
    onward: Onward
    can_change: bool  # whether the viewer may cancel, rename, share and delete the run
    may_run: bool
    ready_count: int
    cancel_words: str
    money: Money
    clock: Clock
    wait_words: str
    wanted_words: str
    slow_words: str
    note: str
    needs_confirmation: bool
    decide_words: str
    asks_to_give_up: bool
    is_live: bool
    version: str
    preset: Preset | None
    parent: Run | None
    before_url: str  # URL that compares a result with the same result of `parent`; "" if there is none
    children: list[Run]
    url: str  # URL of this page, including the query string of the list that Previous and Next follow
    mail_offer: MailOffer  # whether the page offers an email when the run is ready

    @property
    def has_results(self) -> bool:
        return self.ready_count > 0

    @property
    def named_runs(self) -> list[Run]:
        """The run, and the runs that the page names because one was started from the other."""
        return [run for run in (self.run, self.parent, *self.children) if run is not None]


def is_live(run: Run) -> bool:
    """Return whether a page should keep polling this run (fetched with `for_page()`)."""
    files = [output_file for output in run.outputs.all() for output_file in output.files.all()]
    is_saving = any(output_file.status == OutputFile.Status.SAVING for output_file in files)
    return run.is_active or is_saving or any(f.file.picture_follows for f in files if f.file is not None)


def run_page(run: Run, member: Member, *, is_swap: bool = False, walk: str = "") -> RunPage:
    """Return the page of a run fetched with `for_page()`, as `member` sees it.

    `is_swap` means that the page is already open and parts of it are being replaced. `walk` is the query string of the
    History list that Previous and Next follow.
    """
    now = timezone.now()
    can_change = run.is_changeable_by(member)
    boxes = _with_verdicts(run, member, output_boxes(run, is_swap=is_swap, walk=walk))
    failure = failure_of(run, member)
    # Show only one of these sentences: on a phone, a second sentence would push the pictures down, and they'd jump back
    # up later.
    sentences = (cancel_words(run), wait_words(run), slow_words(slow_level(run, now)))
    money = _money_of(run)
    parent = _parent_of(run, member)
    has_note = not (run.needs_confirmation or money.words or any(sentences)) and run.belongs_to(member)
    return RunPage(
        run=run,
        state=state_of(run),
        sentence=sentence_of(run),
        boxes=boxes,
        inputs=input_lines(run, member),
        failure=failure,
        can_cancel=run.is_active and run.cancel_asked_at is None and can_change,
        cancel_words=sentences[0],
        money=money,
        can_open_form=_can_open_form(run, member),
        onward=onward_of(run, member, failure),
        can_change=can_change,
        may_run=member.can_run,
        ready_count=sum(bool(box.files or box.text) for box in boxes),
        cancel_pending=run.is_active and run.cancel_asked_at is not None,
        was_just_cancelled=run.cancel_asked_at is not None and now - run.cancel_asked_at < JUST_NOW,
        clock=_clock_of(run, now),
        wait_words=sentences[1],
        wanted_words=wanted_words(run),
        slow_words=sentences[2],
        note=note_of(run, is_live=is_live(run)) if has_note else "",
        asks_to_give_up=run.is_silent(now) and can_change,
        needs_confirmation=run.needs_confirmation,
        decide_words=decide_words(run),
        is_live=is_live(run),
        version=version_token(run),
        preset=_preset_for(run, member),
        parent=parent,
        before_url=_before_url(run, parent),
        url=with_query(run.get_absolute_url(), walk),
        mail_offer=mail_offer(member, run),
        children=list(_family(member).filter(parent=run).order_by("created_at")[:CHILDREN_SHOWN]),
    )


def _money_of(run: Run) -> Money:
    return Money(
        words=money_words(run),
        cost_words=cost_words(run),
        cancel_words=cancel_money_words(run),
        ended_words=ended_money_words(run),
        fact=cost_fact(run),
    )


def _clock_of(run: Run, now: datetime) -> Clock:
    since = run.started_at or run.created_at
    return Clock(
        since=since.isoformat() if run.is_active else None,
        words=clock_words((run.finished_at or now) - since),
        ask_often=ask_often_of(run, now, is_saving=is_live(run) and not run.is_active),
        usual_words=usual_words(run.app.usual_seconds, run.app.slow_seconds) if run.is_active else "",
    )


def _family(member: Member) -> QuerySet[Run]:
    """Return the runs that `member` may see, with only the fields that the timeline and `record_openings` need."""
    return Run.objects.visible_to(member).only(*FAMILY)


def _first_ready(run: Run) -> Output | None:
    return next((output for output in run.outputs.all() if output.status == Output.Status.COMPLETED), None)


def _parent_of(run: Run, member: Member) -> Run | None:
    """Return the run that `run` was made from, if `member` may see it, with the id of its result that has the name of
    the first one of `run` (`before`)."""
    if run.parent_id is None:
        return None
    first = _first_ready(run)
    same = Output.objects.filter(
        run=OuterRef("pk"), label=first.label if first else None, status=Output.Status.COMPLETED, removed_at=None
    )
    before = Subquery(same.order_by("position").values("public_id")[:1])
    return _family(member).filter(pk=run.parent_id).annotate(before=before).first()


def _before_url(run: Run, parent: Any) -> str:
    """Return the URL that compares a result of `run` with the one of `parent` (see `_parent_of`), the older one first.
    "" if there is nothing to compare."""
    first = _first_ready(run)
    if first is None or parent is None or not parent.before:
        return ""
    return f"{reverse('runs:compare')}?f={parent.before},{first.public_id}"


def _preset_for(run: Run, member: Member) -> Preset | None:
    """Return the preset the run was started from, if `member` may see it."""
    preset = run.preset
    return preset if preset and preset.is_visible_to(member) else None


def _with_verdicts(run: Run, member: Member, boxes: list[OutputBox]) -> list[OutputBox]:
    outputs = list(run.outputs.all())
    panels = verdicts_of(outputs, member)
    return [replace(box, verdict=panels[output.pk]) for box, output in zip(boxes, outputs, strict=True)]


def onward_of(run: Run, member: Member, failure: Failure | None = None) -> Onward:
    """Return the buttons that lead `member` from the run to its app's form. `failure` says why the run failed; None if
    it didn't."""
    can_open_form = _can_open_form(run, member)
    next_url = _next_url(run) if can_open_form else ""
    return Onward(
        run=run,
        next_url=next_url,
        offers_change=can_open_form and not (failure and failure.leads_to_form),
        is_change_primary=not (failure or next_url),
    )


def _can_open_form(run: Run, member: Member) -> bool:
    return run.is_final and run.app.is_runnable_by(member)


def _next_url(run: Run) -> str:
    """Return the URL of the form for making new versions of the results that need changes; "" if none do."""
    if not run.outputs_changes:
        return ""
    waiting = Output.objects.filter(run=run, verdict="changes", later_versions=None).exclude(
        line__later_versions__number__gt=F("number")
    )
    first = waiting.order_by("position").first()
    return f"{run.app.get_absolute_url()}?next={first.public_id}" if first else ""


def wanted_words(run: Run) -> str:
    """List the requested results in words; return "" if the app doesn't declare its results."""
    outputs = run.schema.outputs
    if not outputs:
        return ""
    if not run.wanted_outputs or len(run.wanted_outputs) == len(outputs):
        return _("Everything the app makes")
    return ", ".join(shortened(o["label"]) for o in outputs if o["index"] in run.wanted_outputs)
