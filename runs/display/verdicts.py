"""Verdicts on results: the current ones, who gave them and when, and what the viewer may do.

The verdict panel has the same parts on every page that shows it: the result page, the run page, the comparison and the
review queue.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from runs.display.passed_over import PassedOver, passed_over
from runs.display.provenance import verdict_words
from runs.models import Decision, Member, Output, OutputFile, ReviewItem, ReviewRules
from runs.models.addresses import path_to
from runs.models.decisions import UNDO_FOR, DecisionQuerySet
from runs.review import overall_verdict
from runs.review.deciders import Reviewer, approval_refusal, member_refusal, set_aside_refusal
from runs.review.review_queries import waiting_for
from runs.review.versions import newer_of_each, own_work
from runs.words.due_dates import due_words, is_urgent
from runs.words.time_spans import age_words

VERDICT_ICONS = {"approved": "good", "changes": "edit", "rejected": "bad"}


@dataclass(frozen=True)
class VerdictLine:
    """One action: someone gave a verdict, or undid, withdrew or set aside one."""

    decision: Decision
    word: str  # the verdict, or what happened to it, such as "Approved" or "Withdrawn"
    icon: str
    who: str
    is_mine: bool
    is_guest: bool
    is_standing: bool  # whether the verdict is in force and applies to the current content
    counts: bool  # False if a guest's answer is the client's word only
    note: str
    at: datetime
    age: str  # "2 min ago"
    chosen: PassedOver | None = None  # the result that was chosen instead
    about: str = ""  # the person whose verdict was set aside
    set_aside_url: str = ""  # empty if the viewer may not set the verdict aside

    @property
    def verdict(self) -> str:
        return self.decision.verdict

    @property
    def tone(self) -> str:
        """The verdict that colours the action; "none" if it doesn't count, "ended" if it isn't a verdict."""
        return "ended" if not self.verdict else self.verdict if self.counts else "none"


def decision_icon(decision: Decision) -> str:
    is_word_only = decision.verdict and not overall_verdict.counts(decision)
    return "comment" if is_word_only else VERDICT_ICONS.get(decision.verdict, "refresh")


@dataclass(frozen=True)
class VerdictPanel:
    """The verdict on one result, as one member sees it."""

    output: Output
    # "ready", "saving", "unsaved" (its files could not be saved), "removed" (by the retention rules), or "none" if
    # there is no result
    state: str
    # The verdict that counts: the strictest one. If several are equally strict, this is the viewer's own or, if theirs
    # isn't among them, the newest.
    first: VerdictLine | None
    others: list[VerdictLine]  # other verdicts in force
    mine: VerdictLine | None
    may_decide: bool
    approve_refusal: str  # why the viewer may decide but not approve
    needs_reason: bool
    undo_batch: str  # the batch that the viewer's own verdict belongs to, if they can still undo it
    newer: Output | None
    newer_url: str  # empty if the viewer can't see the newer version
    # The whole history, newest first; empty on pages that don't show it
    acts: list[VerdictLine] = field(default_factory=list)
    # The request that waits for the viewer's verdict; None on pages without history
    waiting_item: ReviewItem | None = None

    @property
    def verdict(self) -> str:
        return self.output.verdict

    @property
    def word(self) -> str:
        return verdict_words(self.verdict, self.files)

    @property
    def files(self) -> int:
        """The number of files that the verdict is for."""
        return len(self.output.files.all())

    @property
    def icon(self) -> str:
        return VERDICT_ICONS.get(self.verdict, "eye")

    @property
    def decided_in(self) -> int:
        """The value that forms submit so that we can tell whether the page was out of date."""
        return self.output.decided_in

    @property
    def dom_id(self) -> str:
        return f"verdict-{self.output.public_id}"

    @property
    def may_approve(self) -> bool:
        return self.may_decide and self.state == "ready" and not self.approve_refusal

    @property
    def is_mine_beside(self) -> bool:
        """Whether the viewer has a verdict in force that isn't the one shown first."""
        return self.mine is not None and self.first is not None and self.mine is not self.first

    @property
    def is_shown(self) -> bool:
        """Whether the brief panel has anything to show."""
        return bool(self.first or self.others or self.may_decide)

    @property
    def standing(self) -> list[VerdictLine]:
        """The verdicts in force on the current content, oldest first."""
        return [act for act in reversed(self.acts) if act.is_standing]

    @property
    def has_history(self) -> bool:
        """Whether the full history shows or offers more than the brief panel."""
        return any(not act.is_standing or act.set_aside_url for act in self.acts)

    @property
    def due_words(self) -> str:
        """When the viewer's verdict is due; "" if they weren't asked, or for no particular day."""
        return due_words(self.waiting_item.due_day) if self.waiting_item and self.waiting_item.due_day else ""

    @property
    def is_urgent(self) -> bool:
        return bool(self.waiting_item and self.waiting_item.due_day and is_urgent(self.waiting_item.due_day))

    @property
    def decide_url(self) -> str:
        return path_to("result-decide", self.output.public_id)

    @property
    def withdraw_url(self) -> str:
        return path_to("result-withdraw", self.output.public_id)

    @property
    def undo_url(self) -> str:
        return path_to("decision-undo", self.undo_batch) if self.undo_batch else ""


def verdict_of(output: Output, member: Member, preloaded: "Around | None" = None) -> VerdictPanel:
    """Return the panel for one result, with its full history, and who is waiting for the member's verdict. Pass
    `preloaded` if you've already read what panels need besides decisions."""
    rows = list(_rows().filter(output=output).order_by("-created_at", "-pk")) if output.decided_in else []
    around = preloaded or Around.of([output], member)
    panel = _panels([output], member, rows, around, has_acts=True)[output.pk]
    if not panel.may_decide:
        return panel
    waiting = waiting_for(member).filter(output=output).select_related("request__asker")
    return replace(panel, waiting_item=waiting.first())


def verdicts_of(outputs: Sequence[Output], member: Member) -> dict[int, VerdictPanel]:
    """Return the panels for many results, without their history, keyed by the result's primary key. The number of
    queries doesn't depend on how many results there are.

    The results' runs should already be loaded.
    """
    decided_pks = [output.pk for output in outputs if output.decided_in]
    rows = list(_rows().standing().filter(output__in=decided_pks).order_by("-created_at", "-pk")) if decided_pks else []
    return _panels(outputs, member, rows, Around.of(outputs, member), has_acts=False)


@dataclass(frozen=True)
class Around:
    """What panels need besides decisions: the rules, the newest later version of each result (by primary key), and
    which results are the viewer's own work."""

    rules: ReviewRules
    newer: Mapping[int, Output]
    own: Collection[int]

    @classmethod
    def of(cls, outputs: Sequence[Output], member: Member) -> "Around":
        completed = [output for output in outputs if output.status == Output.Status.COMPLETED]
        rules = ReviewRules.current()
        return cls(rules, newer_of_each(completed), own_work(completed, member, rules))


def _rows() -> DecisionQuerySet:
    return Decision.objects.select_related("member", "link__member", "link__made_by", "chosen__run", "target__member")


def _panels(
    outputs: Sequence[Output],
    member: Member,
    rows: Sequence[Decision],
    around: Around,
    *,
    has_acts: bool,
) -> dict[int, VerdictPanel]:
    by_output: dict[int, list[Decision]] = {}
    for row in rows:
        by_output.setdefault(row.output_id, []).append(row)
    completed = (output for output in outputs if output.status == Output.Status.COMPLETED)
    unhashed = [output.pk for output in completed if not output.content_hash]
    saving = OutputFile.objects.filter(output__in=unhashed, status=OutputFile.Status.SAVING)
    kept_back = set(saving.values_list("output_id", flat=True)) if unhashed else set[int]()
    panels = {}
    for output in outputs:
        builder = _PanelBuilder(output, member, around.rules, output.pk in around.own)
        acts = [builder.line(row) for row in by_output.get(output.pk, [])]
        panels[output.pk] = builder.panel(acts, around.newer.get(output.pk), output.pk in kept_back, has_acts=has_acts)
    return panels


@dataclass(frozen=True)
class _PanelBuilder:
    """Builds the panel of one result for one member."""

    output: Output
    member: Member
    rules: ReviewRules
    is_own: bool

    def panel(self, acts: list[VerdictLine], newer: Output | None, is_saving: bool, *, has_acts: bool) -> VerdictPanel:
        standing = [act for act in acts if act.is_standing]
        verdict = self.output.verdict
        counting = [act for act in standing if act.counts and act.decision.verdict == verdict]
        mine = next((act for act in standing if act.is_mine), None)
        first = mine if mine in counting else next(iter(counting), None)
        state = self._state(is_saving)
        is_open = state in ("ready", "unsaved") and newer is None
        may_decide = is_open and not member_refusal(self.member, self.output, self.rules)
        undo = mine.decision.batch if mine and mine.at > timezone.now() - UNDO_FOR else ""
        return VerdictPanel(
            output=self.output,
            state=state,
            first=first,
            others=[act for act in standing if act is not first],
            mine=mine,
            may_decide=may_decide,
            approve_refusal=approval_refusal(self.rules, is_own=self.is_own) if may_decide else "",
            needs_reason=self.rules.needs_reason,
            undo_batch=undo,
            newer=newer,
            newer_url=newer.get_absolute_url() if newer and newer.run.is_visible_to(self.member) else "",
            acts=acts if has_acts else [],
        )

    def _state(self, is_saving: bool) -> str:
        if self.output.status != Output.Status.COMPLETED:
            return "none"
        if self.output.removed_at is not None:
            return "removed"
        if is_saving:
            return "saving"
        return "ready" if self.output.content_hash else "unsaved"

    def line(self, row: Decision) -> VerdictLine:
        """Return the action as it is shown. This includes whose verdict was set aside, if any, and which result was
        chosen instead, if there is one that the member can see."""
        row.output = self.output
        is_standing = row.is_standing and row.content_hash == self.output.content_hash
        actor = Reviewer(self.member)
        may_set_aside = is_standing and not set_aside_refusal(actor, row, self.rules, is_own=self.is_own)
        return VerdictLine(
            decision=row,
            word=self._word(row),
            icon=decision_icon(row),
            who=row.who,
            is_mine=actor.owns(row),
            is_guest=row.is_guest,
            is_standing=is_standing,
            counts=overall_verdict.counts(row),
            note=row.note,
            at=row.created_at,
            age=age_words(row.created_at),
            chosen=passed_over(row, self.member),
            about=row.target.who if row.target and row.act == Decision.Act.SET_ASIDE else "",
            set_aside_url=path_to("decision-set-aside", row.public_id) if may_set_aside else "",
        )

    def _word(self, row: Decision) -> str:
        if row.act == Decision.Act.DECIDE:
            if not overall_verdict.counts(row):
                return overall_verdict.words_of(row)
            return verdict_words(row.verdict, len(self.output.files.all()))
        words = {Decision.Act.UNDO: _("Undone"), Decision.Act.WITHDRAW: _("Withdrawn")}
        return words.get(Decision.Act(row.act), pgettext("state of a decision", "Set aside"))
