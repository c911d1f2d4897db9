"""Deciding on results: decide, undo, withdraw, set aside.

Every action adds a row (`models.Decision`) that is never deleted. The verdict on a result (`Output.verdict`) is updated
in the same transaction, with a conditional UPDATE that takes effect only if nothing has changed since the person's page
was loaded (`Output.decided_in`). If someone repeats their own verdict, no new one is recorded.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from runs import events
from runs.audit.record import record_each
from runs.models import Decision, Output, OutputFile, ReviewRules, Verb
from runs.models.decisions import NOTE_LENGTH, UNDO_FOR
from runs.models.ids import new_public_id
from runs.review import overall_verdict
from runs.review.deciders import APPROVED, REJECTED, Reviewer, check_may_decide, is_word_only, set_aside_refusal
from runs.review.errors import (
    DecisionError,
    NotAllowedError,
    NoteTooLongError,
    NotSavedError,
    ReasonNeededError,
    StaleDecisionError,
    SupersededError,
)
from runs.review.versions import newer_of_each, own_work

ENDS = {
    Decision.Act.UNDO: Verb.RESULT_UNDONE,
    Decision.Act.WITHDRAW: Verb.RESULT_WITHDRAWN,
    Decision.Act.SET_ASIDE: Verb.RESULT_SET_ASIDE,
}
AT_ONCE = 200  # results per transaction when deciding on many, so that other people don't have to wait long


@dataclass(frozen=True)
class NewVerdict:
    """A verdict that someone is giving. `decided_in` is the state they saw the result in (`Output.decided_in`); None
    accepts any state."""

    output: Output
    decided_in: int | None
    verdict: str
    note: str = ""
    chosen: Output | None = None  # the result chosen instead of this one


@dataclass(frozen=True)
class Bulk:
    """The outcome of deciding on many results. `skipped` is how many had changed or couldn't be decided on."""

    batch: str
    done: int = 0
    skipped: int = 0
    # `DecisionError.code` → number of results skipped for this reason
    reasons: Mapping[str, int] = field(default_factory=dict)


def decide(
    output: Output,
    verdict: str,
    note: str,
    by: Reviewer,
    decided_in: int | None,
    *,
    batch: str = "",
    chosen: Output | None = None,
) -> Decision:
    """Record a verdict. If the same person repeats the same verdict, return the existing one.

    `decided_in` is `Output.decided_in` as the page showed it; None accepts any state. Raises a `DecisionError`.
    """
    new = NewVerdict(output, decided_in, verdict, clean_note(note), chosen)
    return _record([new], by, batch or new_public_id(), is_strict=True)[0][0]


def decide_many(outputs: Sequence[tuple[Output, int | None]], verdict: str, note: str, by: Reviewer) -> Bulk:
    """Give the same verdict on many results; `outputs` pairs each result with the state that the page showed. Results
    that have changed or can't be decided on are skipped and counted. Raises `ReasonNeededError` or `NoteTooLongError`
    before doing anything."""
    batch, note = new_public_id(), clean_note(note)
    check_reason(verdict, note)
    unique = {output.pk: (output, decided_in) for output, decided_in in outputs}.values()
    verdicts = [NewVerdict(output, decided_in, verdict, note) for output, decided_in in unique]
    done, reasons = 0, Counter[str]()
    for some in batched(verdicts, AT_ONCE):
        decisions, errors = _record(some, by, batch, is_strict=False)
        done += len(decisions)
        reasons.update(error.code for error in errors)
    return Bulk(batch, done, reasons.total(), reasons)


def choose(output: Output, others: Sequence[Output], by: Reviewer, decided_in: Mapping[int, int]) -> str:
    """Approve one result and reject the others, without requiring reasons. If one of these verdicts is refused, nothing
    is saved. Returns the batch, for Undo; "" if all of them stood already.

    `decided_in` maps primary keys to the states that the page showed (`Output.decided_in`). Raises a `DecisionError`.
    """
    batch = new_public_id()
    rejected = [
        NewVerdict(other, decided_in.get(other.pk), REJECTED, chosen=output)
        for other in others
        if other.pk != output.pk
    ]
    verdicts = [NewVerdict(output, decided_in.get(output.pk), APPROVED), *rejected]
    decisions, _errors = _record(verdicts, by, batch, is_strict=True)
    return batch if any(decision.batch == batch for decision in decisions) else ""


def clean_note(note: str) -> str:
    """Return a note as we store it. Raises `NoteTooLongError`."""
    note = note.replace("\x00", " ").replace("\r\n", "\n").strip()
    if len(note) > NOTE_LENGTH:
        raise NoteTooLongError(len(note))
    return note


def check_reason(verdict: str, note: str, rules: ReviewRules | None = None) -> None:
    """Raise `ReasonNeededError` if the verdict needs a reason and `note` is empty. Without `rules`, the current ones
    apply; they are read only if they matter."""
    if verdict != APPROVED and not note and (rules or ReviewRules.current()).needs_reason:
        raise ReasonNeededError


class _Decider:
    """Checks and applies one person's verdicts on results whose runs are locked."""

    def __init__(self, outputs: Sequence[Output], by: Reviewer, batch: str) -> None:
        self.by, self.batch, self.rules = by, batch, ReviewRules.current()
        self.fresh = Output.objects.select_related("run").in_bulk([output.pk for output in outputs])
        self.newer = newer_of_each(self.fresh.values())
        self.own = own_work(self.fresh.values(), by.link.member if by.link else by.member, self.rules)
        unsaved = OutputFile.objects.filter(output__in=self.fresh, status=OutputFile.Status.SAVING)
        self.saving = set(unsaved.values_list("output_id", flat=True))
        self.standing: dict[int, list[Decision]] = {}
        rows = Decision.objects.standing().on_current_content().filter(output__in=self.fresh).select_related("link")
        for row in rows:
            self.standing.setdefault(row.output_id, []).append(row)
        self.made: list[Decision] = []

    def answer(self, new: NewVerdict) -> Decision:
        """Return the new decision, or the person's existing one if it says the same. Raises a `DecisionError`."""
        output = self.fresh.get(new.output.pk)
        if output is None:
            raise NotAllowedError(_("This result doesn't exist any more."))
        check_may_decide(self.by, output, new.verdict, self.rules, is_own=output.pk in self.own)
        rows = self.standing.get(output.pk, [])
        mine = next((row for row in rows if self.by.owns(row)), None)
        if mine is not None and _says(mine, new):
            return mine
        if (newer := self.newer.get(output.pk)) is not None:
            raise SupersededError(newer)
        self._check_content(output, new.verdict)
        if new.chosen is None:
            check_reason(new.verdict, new.note, self.rules)
        return self._apply(new, output, mine, [row for row in rows if row is not mine])

    def _check_content(self, output: Output, verdict: str) -> None:
        if output.status != Output.Status.COMPLETED or output.pk in self.saving:
            raise NotSavedError(_("This result isn't saved yet. You can decide once it is."))
        if output.removed_at is not None:
            raise NotSavedError(_("This result was removed, so nobody can decide on it any more."))
        if verdict == APPROVED and not output.content_hash:
            raise NotSavedError(_("This result couldn't be saved, so it can't be approved."))

    def _apply(self, new: NewVerdict, output: Output, mine: Decision | None, others: list[Decision]) -> Decision:
        """Update the result's verdict and return the new decision. Raises `StaleDecisionError` if the result is no
        longer in the state that the page showed."""
        decision = Decision(
            output=output,
            content_hash=output.content_hash,
            verdict=new.verdict,
            note=new.note,
            chosen=new.chosen,
            target=mine,
            batch=self.batch,
            is_standing=True,
            is_counted=self._is_counted(new, output),
            **self.by.fields,
        )
        verdict = overall_verdict.strictest({row.verdict for row in [*others, decision] if overall_verdict.counts(row)})
        decided_in = output.decided_in if new.decided_in is None else new.decided_in
        same = Output.objects.filter(pk=output.pk, decided_in=decided_in, content_hash=output.content_hash)
        if not same.update(verdict=verdict, decided_in=F("decided_in") + 1):
            raise StaleDecisionError(output)
        output.verdict, output.decided_in = verdict, decided_in + 1
        self.made.append(decision)
        return decision

    def _is_counted(self, new: NewVerdict, output: Output) -> bool:
        link = self.by.link
        return link is None or not is_word_only(link, new.verdict, self.rules, is_own=output.pk in self.own)

    def save(self) -> None:
        """Save the decisions, end those they replace, and update the counts."""
        replaced = [row.target_id for row in self.made if row.target_id]
        Decision.objects.filter(pk__in=replaced).update(is_standing=False)
        Decision.objects.bulk_create(self.made)
        overall_verdict.count({row.output.run_id for row in self.made})


def _says(standing: Decision, new: NewVerdict) -> bool:
    """Return whether `new` only repeats `standing`. An empty note counts as the same note."""
    is_same = standing.verdict == new.verdict and new.note in ("", standing.note)
    return is_same and (new.chosen is None or standing.chosen_id == new.chosen.pk)


def _record(
    verdicts: Sequence[NewVerdict], by: Reviewer, batch: str, *, is_strict: bool
) -> tuple[list[Decision], list[DecisionError]]:
    """Apply verdicts in one transaction; return the decisions and the errors. If `is_strict`, raise the first error and
    save nothing."""
    decisions, errors = list[Decision](), list[DecisionError]()
    with transaction.atomic():
        overall_verdict.lock_runs(new.output for new in verdicts)
        decider = _Decider([new.output for new in verdicts], by, batch)
        for new in verdicts:
            try:
                decisions.append(decider.answer(new))
            except DecisionError as error:
                if is_strict:
                    raise
                errors.append(error)
        decider.save()
        _enter(Verb.RESULT_DECIDED, ((row.output, row.target, row) for row in decider.made), by)
        for decision in decider.made:
            events.decision_made.send(decision)
    for new in verdicts:
        _show(new.output, decider.fresh.get(new.output.pk))
    return decisions, errors


def _enter(verb: Verb, acts: Iterable[tuple[Output, Decision | None, Decision | None]], by: Reviewer) -> None:
    """Add decisions to the audit record, each with the person's verdict before and after."""
    groups = dict[tuple[str, str], list[Output]]()
    for output, before, after in acts:
        groups.setdefault((before.verdict if before else "", after.verdict if after else ""), []).append(output)
    for verdicts, outputs in groups.items():
        record_each(verb, outputs, changes={"verdict": verdicts}, actor=by.on_record)


def _show(output: Output, fresh: Output | None) -> None:
    """Bring the caller's object up to date."""
    if fresh is not None:
        output.verdict, output.decided_in, output.content_hash = fresh.verdict, fresh.decided_in, fresh.content_hash


def undo(batch: str, by: Reviewer) -> int:
    """Undo a batch of decisions that this person made together, if it is at most 10 minutes old. Their previous
    verdicts take effect again.

    Returns how many decisions were undone: 0 if there are none, or if they are too old or no longer in force.
    """
    since = timezone.now() - UNDO_FOR
    of_press = Decision.objects.filter(
        batch=batch, act=Decision.Act.DECIDE, created_at__gte=since, is_standing=True, **by.owned
    )
    with transaction.atomic():
        overall_verdict.lock_runs(row.output for row in of_press.select_related("output"))
        ended = list(of_press.select_related("output__run"))
        Decision.objects.filter(pk__in=[row.pk for row in ended]).update(is_standing=False)
        again = [row.target_id for row in ended if row.target_id]
        Decision.objects.filter(pk__in=again).update(is_standing=True)
        _record_ends(ended, Decision.Act.UNDO, by)
    return len(ended)


def withdraw(output: Output, by: Reviewer) -> None:
    """Withdraw this person's verdict on the result. Does nothing if they have none."""
    own = Decision.objects.standing().on_current_content().filter(output=output, **by.owned)
    with transaction.atomic():
        overall_verdict.lock_runs([output])
        ended = list(own.select_related("output__run"))
        Decision.objects.filter(pk__in=[row.pk for row in ended]).update(is_standing=False)
        _record_ends(ended, Decision.Act.WITHDRAW, by)
    for row in ended:
        _show(output, row.output)


def set_aside(decision: Decision, reason: str, by: Reviewer) -> None:
    """Set someone else's verdict aside; a reason is required. Raises a `DecisionError`."""
    reason = clean_note(reason)
    if not reason:
        raise ReasonNeededError
    with transaction.atomic():
        overall_verdict.lock_runs([decision.output])
        standing = Decision.objects.standing().on_current_content().select_related("output__run")
        row = standing.filter(pk=decision.pk).first()
        if row is None:
            raise StaleDecisionError(Output.objects.get(pk=decision.output_id))
        rules = ReviewRules.current()
        is_own = bool(own_work([row.output], by.member, rules))
        if words := set_aside_refusal(by, row, rules, is_own=is_own):
            raise NotAllowedError(words)
        Decision.objects.filter(pk=row.pk).update(is_standing=False)
        _record_ends([row], Decision.Act.SET_ASIDE, by, reason)


def _record_ends(ended: Sequence[Decision], act: Decision.Act, by: Reviewer, note: str = "") -> None:
    """Add a row for each decision that ends, and update the results' verdicts."""
    batch = new_public_id()
    acts = [
        Decision(
            output=row.output,
            content_hash=row.content_hash,
            act=act,
            note=note,
            target=row,
            batch=batch,
            **by.fields,
        )
        for row in ended
    ]
    Decision.objects.bulk_create(acts)
    _enter(ENDS[act], ((row.output, row, None) for row in ended), by)
    overall_verdict.settle([row.output for row in ended])
    for row in acts:
        events.decision_made.send(row)
