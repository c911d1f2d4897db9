"""Requests for decisions: who a result is waiting for, and when it stops waiting."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from runs import events
from runs.display.verdicts import verdict_of
from runs.history import bin
from runs.models import Decision, GuestLink, Member, Output, ReviewRequest, ReviewRules, Run
from runs.review import requests, review_queries
from runs.review.deciders import Reviewer
from runs.sharing import links, visibility
from tests.support.clients import client_of
from tests.support.factories import make_app, make_run
from tests.support.guest_links import guest_of

pytestmark = pytest.mark.django_db
EXTRA = {"index": 2, "label": "Side", "type": "image"}


@pytest.fixture
def sam(make_member: Callable[..., Member]) -> Member:
    return make_member("sam", role="approver")


@pytest.fixture
def tess(make_member: Callable[..., Member]) -> Member:
    return make_member("tess", role="approver")


@pytest.fixture
def run(alice: Member) -> Run:
    return make_run(alice, status="completed", shared_at=timezone.now())


def outputs(run: Run) -> list[Output]:
    return list(run.outputs.all())


def queue(member: Member) -> list[str]:
    """Return the labels of the results waiting for a decision from `member`."""
    return [item.output.label for item in review_queries.waiting_for(member).select_related("output")]


def judge(output: Output, by: Member, verdict: str = "approved") -> Decision:
    """Decide as `review.verdicts` does."""
    Decision.objects.filter(output=output, member=by, is_standing=True).update(is_standing=False)
    decision = Decision.objects.create(
        output=output, content_hash=output.content_hash, member=by, verdict=verdict, is_standing=True
    )
    events.decision_made.send(decision)
    return decision


def judge_as_guest(output: Output, link: GuestLink) -> None:
    """Approve as Kim, a guest of `link`."""
    given = {"content_hash": output.content_hash, "verdict": "approved", "is_standing": True}
    events.decision_made.send(Decision.objects.create(output=output, **given, **Reviewer(guest=guest_of(link)).fields))


def take_back(decision: Decision) -> None:
    """Withdraw a verdict the way `review.verdicts` does."""
    Decision.objects.filter(pk=decision.pk).update(is_standing=False)
    events.decision_made.send(
        Decision.objects.create(
            output=decision.output,
            content_hash=decision.content_hash,
            member=decision.member,
            act=Decision.Act.WITHDRAW,
            target=decision,
        )
    )


def test_one_verdict_settles_what_anyone_was_asked(alice: Member, run: Run, sam: Member, tess: Member) -> None:
    request = requests.ask(alice, outputs(run), message="For Friday")
    assert queue(sam) == queue(tess) == ["Front", "Back"]
    assert queue(alice) == [], "makers don't decide by default"
    judge(outputs(run)[0], sam)
    assert queue(sam) == queue(tess) == ["Back"]
    assert (mine := review_queries.asked_by(alice).get()) == request
    assert (mine.settled, mine.total) == (1, 2)  # type: ignore[attr-defined]
    assert review_queries.waiting_count(tess) == 1


def test_everybody_named_owes_a_verdict(
    alice: Member, run: Run, sam: Member, tess: Member, admin_member: Member
) -> None:
    request = requests.ask(alice, outputs(run)[:1], members=[sam, tess])
    judge(outputs(run)[0], sam, "rejected")
    assert (queue(sam), queue(tess), queue(admin_member)) == ([], ["Front"], [])
    assert request.items.get().settled_at is None
    Member.objects.filter(pk=tess.pk).update(is_active=False)
    judge(outputs(run)[0], sam)
    assert request.items.get().settled_at is not None, "who has left holds nobody up"


def test_only_members_who_may_decide_can_be_named(alice: Member, bob: Member, run: Run) -> None:
    with pytest.raises(requests.AskError, match="Bob isn't allowed to decide"):
        requests.ask(alice, outputs(run), members=[bob])
    ReviewRules.objects.create(deciders="maker")
    requests.ask(alice, outputs(run), members=[bob])
    assert queue(bob) == ["Front", "Back"]
    assert not ReviewRequest.objects.exclude(members=bob).exists(), "what was refused left nothing"


def test_viewers_and_empty_choices_are_refused(
    alice: Member, run: Run, make_member: Callable[..., Member], sam: Member
) -> None:
    with pytest.raises(PermissionDenied):
        requests.ask(make_member("vera", role="viewer"), outputs(run))
    with pytest.raises(requests.AskError, match="at least one result"):
        requests.ask(alice, [])
    assert not ReviewRequest.objects.exists()


def test_asking_shares_what_only_its_maker_sees(alice: Member, sam: Member) -> None:
    private = make_run(alice, status="completed")
    assert private.shared_at is None
    requests.ask(alice, outputs(private)[:1])
    private.refresh_from_db()
    assert private.is_visible_to(sam)
    assert queue(sam) == ["Front"]


def test_a_client_is_asked_without_sharing(alice: Member, sam: Member) -> None:
    private = make_run(alice, status="completed")
    link = links.make_link(alice, outputs(private))
    request = requests.ask(alice, outputs(private)[:1], link=link)
    private.refresh_from_db()
    assert private.shared_at is None
    assert queue(sam) == []
    judge_as_guest(outputs(private)[0], link)
    assert request.items.get().settled_at is not None


def test_a_client_who_decides_counts_like_a_member(alice: Member, run: Run, sam: Member) -> None:
    requests.ask(alice, outputs(run)[:1])
    link = links.make_link(alice, outputs(run))
    for lets_decide, waits in ((False, ["Front"]), (True, [])):
        GuestLink.objects.filter(pk=link.pk).update(lets_decide=lets_decide)
        Decision.objects.all().delete()
        judge_as_guest(outputs(run)[0], link)
        assert queue(sam) == waits


def test_results_join_when_they_are_ready(alice: Member, sam: Member) -> None:
    run = make_run(alice, status="running")
    requests.ask(alice, outputs(run))
    assert queue(sam) == []
    Output.objects.filter(run=run, position=1).update(status="completed")
    assert queue(sam) == ["Back"]
    assert review_queries.waiting_count(sam) == 1


def test_runs_in_the_bin_drop_out(alice: Member, run: Run, sam: Member) -> None:
    requests.ask(alice, outputs(run))
    bin.move_to_bin(Run.objects.filter(pk=run.pk), alice, timezone.now())
    assert queue(sam) == []
    assert review_queries.asked_by(alice).get().total == 0  # type: ignore[attr-defined]
    bin.bring_back(Run.objects.filter(pk=run.pk))
    assert queue(sam) == ["Front", "Back"]


def test_private_runs_of_others_never_appear(alice: Member, run: Run, sam: Member, admin_member: Member) -> None:
    requests.ask(alice, outputs(run))
    judge(outputs(run)[0], admin_member)
    visibility.stop_sharing_with_team(run)
    assert queue(sam) == []
    assert review_queries.waiting_count(sam) == 0
    assert not review_queries.decided_lately(sam).exists()
    assert review_queries.decided_lately(alice).exists()


def test_a_request_can_be_closed(alice: Member, bob: Member, run: Run, sam: Member, admin_member: Member) -> None:
    request = requests.ask(alice, outputs(run))
    with pytest.raises(PermissionDenied):
        requests.close(request, bob)
    requests.close(request, alice)
    assert queue(sam) == []
    requests.close(request, admin_member)
    request.refresh_from_db()
    assert request.closed_by == alice, "closing twice changes nothing"
    assert not requests.remind(request, alice)


def test_reminding_works_once_an_hour(alice: Member, bob: Member, run: Run, sam: Member) -> None:
    told: list[ReviewRequest] = []
    request = requests.ask(alice, outputs(run)[:1])
    events.review_asked.listen(told.append)
    try:
        with pytest.raises(PermissionDenied):
            requests.remind(request, bob)
        assert requests.remind(request, alice)
        assert not requests.remind(request, alice)
        with time_machine.travel(timezone.now() + timedelta(minutes=61)):
            assert requests.remind(request, alice)
        assert told == [request, request]
        judge(outputs(run)[0], sam)
        with time_machine.travel(timezone.now() + timedelta(hours=3)):
            assert not requests.remind(request, alice), "nobody owes anything"
    finally:
        events.review_asked._listeners.remove(told.append)


def test_taking_a_verdict_back_reopens(alice: Member, run: Run, sam: Member, tess: Member) -> None:
    requests.ask(alice, outputs(run)[:1])
    decision = judge(outputs(run)[0], sam)
    assert queue(tess) == []
    take_back(decision)
    assert queue(tess) == queue(sam) == ["Front"]


def test_new_content_waits_again(alice: Member, run: Run, sam: Member) -> None:
    requests.ask(alice, outputs(run)[:1])
    judge(outputs(run)[0], sam)
    Output.objects.filter(run=run, position=0).update(text="Another one")
    events.content_changed.send(outputs(run)[0])
    assert queue(sam) == ["Front"]


def next_version(first: Output, by: Member, number: int, *, label: str, status: str = "completed") -> Output:
    """Make version `number` of the result `first`, in a run that only its maker can see."""
    run = make_run(by, first.run.app, status=status)
    new = outputs(run)[0]
    Output.objects.filter(pk=new.pk).update(line=first, number=number, label=label)
    new.refresh_from_db()
    return new


def test_the_next_version_takes_the_place_of_the_last(alice: Member, run: Run, sam: Member) -> None:
    other = make_run(alice, status="completed", shared_at=timezone.now())
    first = outputs(run)[0]
    request = requests.ask(alice, [first])
    requests.ask(alice, outputs(other), due_on=timezone.localdate())
    judge(first, sam, "changes")
    assert queue(sam) == ["Front", "Back"]
    events.version_made.send(next_version(first, alice, 4, label="failed", status="failed"), first)
    assert queue(sam) == ["Front", "Back"], "a failed version displaces nothing"
    third = next_version(first, alice, 3, label="version 3")
    events.version_made.send(third, first)
    assert queue(sam) == ["version 3", "Front", "Back"], "first, though others are due"
    third.run.refresh_from_db()
    assert third.run.shared_at is not None, "who is asked can see it"
    events.version_made.send(next_version(first, alice, 2, label="version 2"), first)
    assert queue(sam)[0] == "version 3", "an earlier version that is ready later changes nothing"
    assert [item.output_id for item in request.items.all()] == [third.pk]


def test_closed_requests_stay_as_they_are(alice: Member, run: Run, sam: Member) -> None:
    first = outputs(run)[0]
    request = requests.ask(alice, [first])
    requests.close(request, alice)
    second = next_version(first, alice, 2, label="version 2")
    events.version_made.send(second, first)
    assert request.items.get().output == first
    second.run.refresh_from_db()
    assert second.run.shared_at is None


def test_a_version_that_was_asked_about_itself_stands_once(alice: Member, run: Run, sam: Member) -> None:
    first = outputs(run)[0]
    second = next_version(first, alice, 2, label="version 2")
    requests.ask(alice, [first, second])
    events.version_made.send(second, first)
    assert queue(sam) == ["version 2"]


def test_due_first_then_the_oldest(alice: Member, sam: Member) -> None:
    runs = [make_run(alice, status="completed") for _ in range(4)]
    for label, run in zip("abcd", runs, strict=True):
        Output.objects.filter(run=run).update(label=label)
    today = timezone.localdate()
    for run, due_on in zip(runs, (None, today + timedelta(days=2), None, today - timedelta(days=1)), strict=True):
        requests.ask(alice, outputs(run)[:1], due_on=due_on)
    assert queue(sam) == ["d", "b", "a", "c"]


def test_apps_can_ask_by_themselves(alice: Member, sam: Member) -> None:
    run = make_run(alice, make_app(asks_review=True), status="completed")
    requests.ask(alice, outputs(run)[:1])  # this shares the run
    assert sorted(queue(sam)) == ["Back", "Front"]
    automatic = ReviewRequest.objects.get(is_automatic=True)
    assert (automatic.asker, automatic.items.get().output.label) == (alice, "Back")
    visibility.stop_sharing_with_team(run)
    visibility.share_with_team(run)
    assert ReviewRequest.objects.count() == 2, "sharing it again asks for nothing new"
    Output.objects.create(run=run, position=2, label="Side", kind="image", status="completed")
    events.run_ended.send(run)
    assert sorted(queue(sam)) == ["Back", "Front", "Side"], "what Lamina made besides is asked about, too"


def test_other_apps_ask_for_nothing(alice: Member, sam: Member) -> None:
    visibility.share_with_team(make_run(alice, status="completed"))
    assert queue(sam) == []


def test_with_four_eyes_a_makers_results_wait_for_others(alice: Member, sam: Member, tess: Member) -> None:
    run = make_run(sam, status="completed", shared_at=timezone.now())
    requests.ask(alice, outputs(run)[:1])
    assert queue(sam) == queue(tess) == ["Front"]
    ReviewRules.objects.create(four_eyes=True)
    assert (queue(sam), queue(tess)) == ([], ["Front"])


def test_what_someone_asked_others_about_does_not_wait_for_them(sam: Member, tess: Member, run: Run) -> None:
    requests.ask(tess, outputs(run)[:1])
    assert (queue(tess), queue(sam)) == ([], ["Front"])
    assert review_queries.waiting_count(tess) == 0
    as_tess = client_of(tess)
    assert "Waiting for you" not in as_tess.get("/").content.decode()
    assert "Nothing is waiting for you" in as_tess.get("/review/").content.decode()

    requests.ask(sam, outputs(run)[:1])
    assert queue(tess) == ["Front"], "Sam is asking for it as well"
    assert "Waiting for you" in as_tess.get("/").content.decode()


def test_one_may_ask_oneself_and_an_app_that_always_asks_asks_its_maker_too(sam: Member, run: Run) -> None:
    requests.ask(sam, outputs(run)[:1], members=[sam])
    assert queue(sam) == ["Front"]

    own = make_run(sam, make_app(outputs=[EXTRA], asks_review=True), status="completed")
    visibility.share_with_team(own)
    assert queue(sam) == ["Front", "Side"]


def test_with_four_eyes_the_next_version_waits_for_who_made_none_since_approval(
    alice: Member, sam: Member, tess: Member, run: Run
) -> None:
    ReviewRules.objects.create(four_eyes=True)
    first = outputs(make_run(sam, status="completed"))[0]
    second = outputs(run)[0]
    Output.objects.filter(pk=second.pk).update(line=first, number=2)
    requests.ask(alice, [second])
    assert (queue(sam), queue(tess)) == ([], ["Front"])
    assert (review_queries.waiting_count(sam), review_queries.waiting_count(tess)) == (0, 1)
    assert verdict_of(second, sam).approve_refusal
    Output.objects.filter(pk=first.pk).update(verdict="approved")
    assert (queue(sam), queue(tess)) == (["Front"], ["Front"])
    assert verdict_of(second, sam).may_approve


def test_the_count_takes_one_query_and_ends_at_a_hundred(
    alice: Member, run: Run, sam: Member, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    many = [Output(run=run, position=n, label=str(n), kind="image", status="completed") for n in range(2, 130)]
    Output.objects.bulk_create(many)
    requests.ask(alice, outputs(run))
    requests.ask(alice, outputs(run)[:3])
    with django_assert_num_queries(1):
        assert review_queries.waiting_count(sam) == 100
    for output in outputs(run)[5:]:
        judge(output, sam)
    assert review_queries.waiting_count(sam) == 5, "a result that stands in two requests counts once"


def test_home_learns_what_others_decided_on_mine(alice: Member, bob: Member, sam: Member, run: Run) -> None:
    shared = make_run(bob, status="completed", shared_at=timezone.now())
    judge(outputs(run)[0], sam)
    judge(outputs(shared)[0], sam)
    assert [decision.output.run for decision in review_queries.decided_on_mine(alice, timezone.now())] == [run]
    assert not review_queries.decided_on_mine(alice, timezone.now() + timedelta(days=15)).exists()
    last = review_queries.last_decision(sam, timezone.now() - timedelta(minutes=10))
    assert last is not None
    assert last.output.run == shared
