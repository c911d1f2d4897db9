"""The rules for deciding (D1, D2, D4): each person has one current verdict, the strictest one counts, and every verdict
stays readable."""

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from runs.engine import apply_outputs
from runs.lamina.types import RunSnapshot
from runs.models import Decision, GuestLink, Member, Output, OutputFile, ReviewRules, Run
from runs.review import content_hash
from runs.review.deciders import Reviewer
from runs.review.errors import (
    DecisionError,
    NotAllowedError,
    NoteTooLongError,
    NotSavedError,
    ReasonNeededError,
    StaleDecisionError,
    SupersededError,
)
from runs.review.guest_answers import on_deciders_changed
from runs.review.verdicts import choose, decide, decide_many, set_aside, undo, withdraw
from runs.sharing.links import make_link
from runs.sharing.visibility import share_with_team
from tests.support.factories import make_app, make_kept, make_run, make_stored
from tests.support.guest_links import guest_of

pytestmark = pytest.mark.django_db


def verdict_now(output: Output) -> tuple[str, int]:
    return Output.objects.values_list("verdict", "decided_in").get(pk=output.pk)


def counts(run: Run) -> tuple[str, int, int, int]:
    return Run.objects.values_list("verdicts", "outputs_approved", "outputs_changes", "outputs_rejected").get(pk=run.pk)


def standing(output: Output) -> list[str]:
    return list(Decision.objects.standing().filter(output=output).values_list("verdict", flat=True))


def next_version(output: Output, maker: Member, **fields: Any) -> Output:
    """Make version 2 of a result."""
    run = make_run(maker, output.run.app, status="completed")
    made = make_kept(run, make_stored((50, 50))).output
    first = output.line or output
    Output.objects.filter(pk=made.pk).update(line=first, number=output.number + 1, **fields)
    share_with_team(run)
    return Output.objects.get(pk=made.pk)


def test_a_verdict_is_recorded_and_counted_on_the_run(run: Run, result: Output, sam: Member) -> None:
    assert counts(run) == (" none ", 0, 0, 0)
    decision = decide(result, "changes", " Warmer light\r\nplease ", Reviewer(sam), 0)
    assert (decision.verdict, decision.note, decision.content_hash) == (
        "changes",
        "Warmer light\nplease",
        result.content_hash,
    )
    assert (result.verdict, result.decided_in) == verdict_now(result) == ("changes", 1)
    assert counts(run) == (" changes none ", 0, 1, 0)


def test_the_same_verdict_again_is_the_one_that_stands(result: Output, sam: Member) -> None:
    first = decide(result, "approved", "", Reviewer(sam), 0)
    assert decide(result, "approved", "", Reviewer(sam), 0) == first
    assert Decision.objects.count() == 1


def test_a_stale_page_is_told_the_new_state(result: Output, sam: Member, ruth: Member) -> None:
    decide(result, "approved", "", Reviewer(sam), 0)
    with pytest.raises(StaleDecisionError) as raised:
        decide(result, "rejected", "Wrong bag", Reviewer(ruth), 0)
    assert (raised.value.output.verdict, raised.value.output.decided_in) == ("approved", 1)
    assert verdict_now(result) == ("approved", 1)


def test_the_strictest_standing_verdict_counts(result: Output, run: Run, sam: Member, ruth: Member) -> None:
    decide(result, "approved", "", Reviewer(sam), 0)
    decide(result, "rejected", "Wrong bag", Reviewer(ruth), 1)
    assert verdict_now(result) == ("rejected", 2)
    decide(result, "changes", "Another bag", Reviewer(ruth), 2)
    assert verdict_now(result) == ("changes", 3)
    withdraw(result, Reviewer(ruth))
    assert verdict_now(result) == ("approved", 4)
    assert counts(run) == (" approved none ", 1, 0, 0)
    acts = list(Decision.objects.values_list("act", "verdict", "note"))
    assert acts == [
        ("decide", "approved", ""),
        ("decide", "rejected", "Wrong bag"),
        ("decide", "changes", "Another bag"),
        ("withdraw", "", ""),
    ]


def test_undo_sets_the_previous_verdict_standing_for_ten_minutes(result: Output, sam: Member, ruth: Member) -> None:
    first = decide(result, "changes", "Too dark", Reviewer(sam), None)
    second = decide(result, "approved", "", Reviewer(sam), None)
    assert undo(second.batch, Reviewer(ruth)) == 0  # Ruth can't undo somebody else's decision
    assert undo(second.batch, Reviewer(sam)) == 1
    assert verdict_now(result) == ("changes", 3)
    assert undo(second.batch, Reviewer(sam)) == 0
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert undo(first.batch, Reviewer(sam)) == 0
    assert standing(result) == ["changes"]


def test_an_approver_sets_the_verdict_of_somebody_else_aside(
    result: Output, sam: Member, ruth: Member, alice: Member
) -> None:
    decision = decide(result, "rejected", "Not my taste", Reviewer(sam), 0)
    with pytest.raises(NotAllowedError):
        set_aside(decision, "I like it", Reviewer(alice))
    with pytest.raises(NotAllowedError):
        set_aside(decision, "Never mind", Reviewer(sam))
    with pytest.raises(ReasonNeededError):
        set_aside(decision, "  ", Reviewer(ruth))
    set_aside(decision, "Sam has left", Reviewer(ruth))
    assert verdict_now(result) == ("", 2)
    with pytest.raises(StaleDecisionError):
        set_aside(decision, "Sam has left", Reviewer(ruth))
    last = Decision.objects.last()
    assert last is not None
    assert (last.act, last.note, last.target) == ("set-aside", "Sam has left", decision)


@pytest.mark.parametrize(("role", "deciders", "may"), [
    ("viewer", "maker", False), ("maker", "approver", False), ("maker", "maker", True), ("admin", "approver", True),
])  # fmt: skip
def test_who_decides(result: Output, make_member: Callable[..., Member], role: str, deciders: str, may: bool) -> None:
    ReviewRules.objects.create(deciders=deciders)
    kim = make_member("kim", role=role)
    if may:
        decide(result, "approved", "", Reviewer(kim), 0)
    else:
        with pytest.raises(NotAllowedError):
            decide(result, "approved", "", Reviewer(kim), 0)


def test_nobody_decides_on_what_they_do_not_see(result: Output, sam: Member) -> None:
    Run.objects.update(shared_at=None)
    with pytest.raises(NotAllowedError):
        decide(result, "approved", "", Reviewer(sam), 0)


def test_only_approving_needs_no_reason(result: Output, sam: Member) -> None:
    with pytest.raises(ReasonNeededError):
        decide(result, "rejected", " \x00 ", Reviewer(sam), 0)
    with pytest.raises(NoteTooLongError):
        decide(result, "rejected", "x" * 501, Reviewer(sam), 0)
    ReviewRules.objects.create(needs_reason=False)
    decide(result, "rejected", "", Reviewer(sam), 0)
    assert verdict_now(result) == ("rejected", 1)


def test_what_could_not_be_saved_can_be_sent_back_but_not_approved(result: Output, sam: Member) -> None:
    OutputFile.objects.update(status="saving", file=None)
    Output.objects.update(content_hash="")
    with pytest.raises(NotSavedError, match="isn't saved yet"):
        decide(result, "changes", "Blurred", Reviewer(sam), 0)
    OutputFile.objects.update(status="failed")
    with pytest.raises(NotSavedError, match="couldn't be saved"):
        decide(result, "approved", "", Reviewer(sam), 0)
    decide(result, "changes", "Make it again", Reviewer(sam), 0)
    assert verdict_now(result) == ("changes", 1)


def test_other_bytes_start_without_a_review(result: Output, run: Run, sam: Member) -> None:
    """D2: a verdict applies only to the content it was given on. If the same bytes come back, it applies again."""
    decide(result, "approved", "", Reviewer(sam), 0)
    file = result.files.get()
    before, other = file.file, make_stored((60, 20))
    OutputFile.objects.filter(pk=file.pk).update(file=other)
    content_hash.on_content_changed(result)
    assert verdict_now(result) == ("", 2)
    assert counts(run)[0] == " none "
    with pytest.raises(StaleDecisionError):
        decide(result, "rejected", "It was better", Reviewer(sam), 1)
    OutputFile.objects.filter(pk=file.pk).update(file=before)
    content_hash.on_content_changed(result)
    assert verdict_now(result) == ("approved", 3)


def test_an_older_version_is_not_decided_on_any_more(result: Output, sam: Member, alice: Member) -> None:
    decide(result, "changes", "Too dark", Reviewer(sam), 0)
    newer = next_version(result, alice)
    with pytest.raises(SupersededError) as raised:
        decide(result, "approved", "", Reviewer(sam), 1)
    assert raised.value.output == newer
    withdraw(result, Reviewer(sam))
    assert verdict_now(result) == ("", 2)


def test_a_newer_version_that_failed_displaces_nothing(result: Output, sam: Member, alice: Member) -> None:
    next_version(result, alice, status="error")
    decide(result, "approved", "", Reviewer(sam), 0)


def test_four_eyes_lets_the_maker_object_but_not_approve(result: Output, sam: Member, ruth: Member) -> None:
    """D4: anyone who made an earlier version since the last approved one also counts as a maker."""
    ReviewRules.objects.create(four_eyes=True)
    Run.objects.update(made_by=sam)
    decide(result, "changes", "I can do better", Reviewer(sam), 0)
    with pytest.raises(NotAllowedError):
        decide(result, "approved", "", Reviewer(sam), 1)
    with pytest.raises(NotAllowedError):
        choose(result, [], Reviewer(sam), {})
    withdraw(result, Reviewer(sam))
    second = next_version(result, ruth)
    for person in (sam, ruth):
        with pytest.raises(NotAllowedError):
            decide(second, "approved", "", Reviewer(person), 0)
    Output.objects.filter(pk=result.pk).update(verdict="approved")
    decide(second, "approved", "", Reviewer(sam), 0)


def test_a_maker_does_not_set_objections_to_their_own_work_aside(result: Output, sam: Member, ruth: Member) -> None:
    ReviewRules.objects.create(four_eyes=True)
    Run.objects.update(made_by=ruth)
    decision = decide(result, "rejected", "Wrong bag", Reviewer(sam), 0)
    with pytest.raises(NotAllowedError):
        set_aside(decision, "It's right", Reviewer(ruth))


def test_choosing_approves_one_and_rejects_the_others(run: Run, sam: Member, ruth: Member) -> None:
    front, back = run.outputs.all()
    with pytest.raises(StaleDecisionError):
        choose(front, [back], Reviewer(sam), {front.pk: 0, back.pk: 3})
    assert Decision.objects.count() == 0
    batch = choose(front, [back, front], Reviewer(sam), {front.pk: 0, back.pk: 0})
    assert counts(run) == (" approved rejected ", 1, 0, 1)
    assert Decision.objects.get(output=back).chosen == front
    decide(back, "approved", "", Reviewer(ruth), 1)
    assert undo(batch, Reviewer(sam)) == 2
    assert counts(run) == (" approved none ", 1, 0, 0)


def test_many_are_decided_at_once_and_changed_ones_skipped(run: Run, sam: Member, ruth: Member, alice: Member) -> None:
    front, back = run.outputs.all()
    other = make_kept(make_run(alice, status="completed")).output  # not shared, so Sam can't see it
    decide(back, "approved", "", Reviewer(ruth), 0)
    bulk = decide_many([(front, 0), (back, 0), (other, 0), (front, 0)], "rejected", "All wrong", Reviewer(sam))
    assert (bulk.done, bulk.skipped, dict(bulk.reasons)) == (1, 2, {"stale": 1, "not-allowed": 1})
    assert counts(run) == (" approved rejected ", 1, 0, 1)
    assert undo(bulk.batch, Reviewer(sam)) == 1
    with pytest.raises(ReasonNeededError):
        decide_many([(front, 2)], "rejected", "", Reviewer(sam))


def guest_link(member: Member, outputs: Iterable[Output], **fields: Any) -> GuestLink:
    link = make_link(member, list(outputs))
    GuestLink.objects.filter(pk=link.pk).update(**fields)
    return GuestLink.objects.get(pk=link.pk)


def test_a_guest_counts_if_the_link_says_so(run: Run, result: Output, alice: Member, sam: Member) -> None:
    link = guest_link(alice, run.outputs.all(), lets_decide=True)
    decide(result, "approved", "", Reviewer(sam), 0)
    kim = Reviewer(guest=guest_of(link))
    decide(result, "changes", "Our red, please", kim, 1)
    assert verdict_now(result) == ("changes", 2)
    decide(result, "approved", "", kim, None)
    assert verdict_now(result) == ("approved", 3)
    assert sorted(standing(result)) == ["approved", "approved"]
    with pytest.raises(NotAllowedError):
        decide(result, "rejected", "No", kim, None)
    decide(result, "changes", "No, red", kim, None)
    GuestLink.objects.update(lets_decide=False)
    with pytest.raises(NotAllowedError):
        decide(result, "approved", "", Reviewer(guest=guest_of(GuestLink.objects.get())), None)
    on_deciders_changed(link)
    assert verdict_now(result)[0] == "approved"  # Kim's verdict no longer counts, but Sam's still does
    withdraw(result, Reviewer(sam))
    assert verdict_now(result)[0] == ""


def test_a_guest_decides_only_on_what_an_open_link_shows(run: Run, alice: Member) -> None:
    front, back = run.outputs.all()
    link = guest_link(alice, [front], lets_decide=True)
    with pytest.raises(NotAllowedError):
        decide(back, "approved", "", Reviewer(guest=guest_of(link, "Kim")), 0)
    link.revoked_at = timezone.now()
    with pytest.raises(NotAllowedError):
        decide(front, "approved", "", Reviewer(guest=guest_of(link, "Kim")), 0)


def test_a_text_can_be_decided_on_once_it_arrives(alice: Member) -> None:
    run = make_run(alice, make_app(outputs=[{"index": 0, "label": "Text", "type": "text"}]), status="running")
    told = {"id": "o", "label": "Text", "type": "text", "value": "Hello", "status": "completed"}
    snapshot = RunSnapshot.model_validate({"runId": run.remote_id, "status": "running", "outputs": [told]})
    apply_outputs.apply_outputs(run, snapshot, 2)
    assert run.outputs.get().content_hash == content_hash.hash_of_text("Hello")
    assert counts(run)[0] == " none "


def at_once(posts: Sequence[Callable[[], object]]) -> list[object]:
    """Call all `posts` at the same moment, each on its own database connection; return results and errors."""
    gate, answers = threading.Barrier(len(posts)), list[object]()

    def post(act: Callable[[], object]) -> None:
        try:
            gate.wait()
            answers.append(act())
        except DecisionError as error:
            answers.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=post, args=[act]) for act in posts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.django_db(transaction=True)
def test_equal_posts_at_once_leave_one_decision(result: Output, run: Run, sam: Member) -> None:
    """Promise D1 (see `tests.review`)."""

    def approve() -> Decision:
        return decide(Output.objects.get(pk=result.pk), "approved", "", Reviewer(sam), 0)

    answers = at_once([approve] * 20)
    assert len(set(answers)) == 1
    assert Decision.objects.count() == 1
    assert verdict_now(result) == ("approved", 1)
    assert counts(run) == (" approved none ", 1, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_two_verdicts_of_one_person_at_once_leave_the_first(result: Output, sam: Member) -> None:
    """Promise D1 (see `tests.review`)."""

    def press(verdict: str) -> Callable[[], object]:
        return lambda: decide(Output.objects.get(pk=result.pk), verdict, "Because", Reviewer(sam), 0)

    answers = at_once([press("approved"), press("rejected")])
    [decision] = [answer for answer in answers if isinstance(answer, Decision)]
    [stale] = [answer for answer in answers if isinstance(answer, StaleDecisionError)]
    assert (stale.output.verdict, stale.output.decided_in) == (decision.verdict, 1)
    assert standing(result) == [decision.verdict]


@pytest.mark.django_db(transaction=True)
def test_results_of_one_run_decided_at_once_are_all_counted(alice: Member, sam: Member) -> None:
    outputs = [{"index": n, "label": f"Picture {n}", "type": "image"} for n in range(8)]
    run = make_run(alice, make_app(outputs=outputs), status="completed")
    share_with_team(run)
    posts = [partial(decide, output, "approved", "", Reviewer(sam), 0) for output in run.outputs.all()]
    at_once(posts)
    assert counts(run) == (" approved ", 8, 0, 0)
