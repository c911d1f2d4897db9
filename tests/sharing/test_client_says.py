"""Guests' answers that are the client's word only: they are shown, and the team still has to decide."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from runs.models import Decision, GuestLink, Member, Notice, Output, ReviewItem, ReviewRequest, ReviewRules, Run
from runs.review import requests
from runs.review.deciders import Reviewer
from runs.review.guest_answers import on_deciders_changed
from runs.review.verdicts import decide, undo, withdraw
from runs.sharing import links
from runs.team import members
from runs.team.transfers import transfer
from tests.sharing.guest_visit import visit
from tests.support.clients import client_of
from tests.support.factories import make_kept, make_run
from tests.support.guest_links import body
from tests.support.page import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(alice: Member) -> Run:
    run = make_run(alice, status="completed", title="Spring shoes")
    make_kept(run)
    make_kept(run, position=1)
    return run


@pytest.fixture
def front(run: Run) -> Output:
    return run.outputs.all()[0]


@pytest.fixture
def ruth(make_member: Callable[..., Member]) -> Member:
    return make_member("ruth", role="approver")


def asking(member: Member, *outputs: Output) -> GuestLink:
    """Return a link by `member` whose guests may decide, and have been asked to."""
    link = links.make_link(member, list(outputs))
    GuestLink.objects.filter(pk=link.pk).update(lets_decide=True)
    link.refresh_from_db()
    requests.ask(member, list(outputs), link=link)
    return link


def answer(link: GuestLink, verdict: str, note: str = "") -> Any:
    """Give an answer as a new guest called Kim, who is signed out, on the link's first result."""
    guest = visit(link)
    if note:
        guest.type("r1", note)
    return guest.press("approve" if verdict == "approved" else "changes", "r1").press("", name="Kim")


def now(output: Output) -> tuple[str, bool]:
    """Return the result's verdict, and whether the last guest's answer counted."""
    last = (
        Decision.objects.filter(act="decide", link__isnull=False).order_by("-pk").values_list("is_counted", flat=True)
    )
    return Output.objects.get(pk=output.pk).verdict, last[0]


def shown(client: Client, path: str) -> str:
    return Page(client.get(path).text).root.words


def waiting(member: Member) -> list[Output]:
    return [item.output for item in ReviewItem.objects.waiting_for(member)]


def test_a_maker_cannot_approve_own_work_through_a_guest_link(
    alice: Member, ruth: Member, run: Run, front: Output
) -> None:
    ReviewRules.objects.create(four_eyes=True, deciders="maker")
    link = asking(alice, front)

    kim = answer(link, "approved")

    assert "You approved this" in kim.words
    assert now(front) == ("", False)
    assert Run.objects.get().outputs_approved == 0
    assert (waiting(ruth), waiting(alice)) == ([front], [])
    run.refresh_from_db()
    assert run.shared_at, "otherwise, nobody could decide on it"
    assert ReviewItem.objects.get(request__link=link).settled_at, "what the client was asked is settled"
    assert [notice.kind for notice in Notice.objects.filter(member=ruth)] == ["asked"]


def test_a_guests_needs_changes_counts_as_ever(alice: Member, ruth: Member, front: Output) -> None:
    ReviewRules.objects.create(four_eyes=True)
    answer(asking(alice, front), "changes", "Our red, please")
    assert now(front) == ("changes", True)
    assert waiting(ruth) == []


def test_without_the_rules_a_clients_answer_counts(alice: Member, ruth: Member, run: Run, front: Output) -> None:
    answer(asking(alice, front), "approved")
    assert now(front) == ("approved", True)
    assert waiting(ruth) == []
    run.refresh_from_db()
    assert run.shared_at is None


def test_own_work_includes_a_colleagues_next_version_but_not_what_others_made(
    alice: Member, admin_member: Member, bob: Member, front: Output
) -> None:
    ReviewRules.objects.create(four_eyes=True)
    others = make_run(bob, status="completed")
    make_kept(others)
    second = others.outputs.all()[0]
    answer(asking(admin_member, second), "approved")
    assert now(second) == ("approved", True), "the admin made the link, but not the result"

    withdrawn = Decision.objects.get()
    withdraw(second, Reviewer(guest=withdrawn.guest))
    Output.objects.filter(pk=second.pk).update(line=front, number=2)
    Run.objects.filter(pk=others.pk).update(member=alice)
    answer(asking(alice, second), "approved")
    assert now(second) == ("", False), "Bob made version 2, but Alice made version 1"


def test_a_run_that_was_handed_over_is_still_its_makers_own_work(alice: Member, bob: Member, front: Output) -> None:
    ReviewRules.objects.create(four_eyes=True)
    link = asking(alice, front)
    Run.objects.update(member=bob)
    answer(link, "approved")
    assert now(front) == ("", False)
    answer(asking(bob, front), "approved")
    assert now(front) == ("approved", True)


@pytest.mark.parametrize("verdict", ["approved", "changes"])
def test_admins_can_count_only_answers_through_links_of_people_who_may_decide(
    alice: Member, ruth: Member, front: Output, make_member: Callable[..., Member], verdict: str
) -> None:
    ReviewRules.objects.create(only_deciders_links=True)
    answer(asking(alice, front), verdict, "Note")
    assert now(front) == ("", False)
    assert waiting(ruth) == [front]
    Member.objects.filter(pk=alice.pk).update(role="approver")
    alice.refresh_from_db()
    answer(asking(alice, front), verdict, "Note")
    assert now(front) == (verdict, True)
    assert waiting(ruth) == []


def test_whether_an_answer_counts_depends_on_the_rules_when_it_was_given(
    alice: Member, run: Run, front: Output
) -> None:
    link = asking(alice, *run.outputs.all())
    answer(link, "approved")
    ReviewRules.objects.create(four_eyes=True)
    on_deciders_changed(link)
    assert now(front) == ("approved", True)

    back = run.outputs.all()[1]
    visit(link).press("approve", "r2").press("", name="Lee")
    assert now(back) == ("", False)
    ReviewRules.objects.update(four_eyes=False)
    on_deciders_changed(link)
    assert now(back) == ("", False)


def test_the_team_is_asked_once_and_not_about_what_it_decided(alice: Member, ruth: Member, run: Run) -> None:
    ReviewRules.objects.create(four_eyes=True)
    front, back = run.outputs.all()
    link = asking(alice, front, back)
    answer(link, "approved")
    visit(link).press("approve", "r1").press("", name="Lee")
    assert ReviewItem.objects.filter(request__link=None).count() == 1

    visit(link).press("approve", "r2").press("", name="Lee")
    assert waiting(ruth) == [front, back]
    assert Notice.objects.filter(member=ruth).count() == 1

    decision = decide(front, "approved", "", Reviewer(ruth), None)
    assert now(front) == ("approved", False)
    visit(link).press("approve", "r1").press("", name="Mo")
    assert waiting(ruth) == [back]
    undo(decision.batch, Reviewer(ruth))
    assert now(front) == ("", False)
    assert waiting(ruth) == [front, back], "the guests' answers still don't count"


def test_the_same_answer_again_does_not_ask_the_team_again(alice: Member, ruth: Member, front: Output) -> None:
    ReviewRules.objects.create(four_eyes=True)
    kim = answer(asking(alice, front), "approved")
    assert waiting(ruth) == [front]
    requests.close(ReviewRequest.objects.get(link=None), alice)

    kim.press("approve", "r1")

    assert Decision.objects.count() == 1
    assert waiting(ruth) == []
    assert Notice.objects.filter(member=ruth).count() == 1


def test_pages_tell_what_the_client_says_and_who_made_the_link(
    alice: Member, ruth: Member, as_alice: Client, run: Run, front: Output
) -> None:
    ReviewRules.objects.create(four_eyes=True)
    link = asking(alice, front)
    answer(link, "approved")
    as_ruth = client_of(ruth)

    for path in (front.get_absolute_url(), "/review/", f"/shares/{link.public_id}/", "/review/decided/"):
        client = as_alice if path.startswith("/shares") else as_ruth
        assert "Client says approved" in shown(client, path)
        assert "by Kim (guest, link by Alice)" in shown(client, path)
    assert "A client has answered. Now it's up to the team." in shown(as_ruth, "/review/")
    steps = shown(as_ruth, run.get_absolute_url())
    assert "Client says approved: Kim, Front" in steps
    assert "link by Alice" in steps
    assert "Kim (guest) says “Front” from Spring shoes is approved" in shown(as_alice, "/inbox/")
    packed = zipfile.ZipFile(io.BytesIO(body(as_ruth.get(f"/download/?r={run.public_id}"))))
    assert "Kim (guest, link by Alice): Client says approved" in packed.read("provenance.csv").decode()


def test_a_link_that_was_transferred_still_names_its_maker(alice: Member, bob: Member, run: Run, front: Output) -> None:
    answer(asking(alice, front), "approved")
    members.deactivate(alice)
    transfer(alice, bob)

    for path in (front.get_absolute_url(), "/review/decided/"):
        assert "by Kim (guest, link by Alice)" in shown(client_of(bob), path)
    assert "link by Alice" in shown(client_of(bob), run.get_absolute_url())


def test_the_pages_of_rules_and_links_say_what_counts(
    alice: Member, as_alice: Client, as_admin: Client, front: Output
) -> None:
    link = asking(alice, front)
    path = f"/shares/{link.public_id}/"
    assert "Guests' decisions count the same as your team's." in shown(as_alice, path)
    rules = shown(as_admin, "/manage/review/")
    assert "Client says approved" in rules
    assert rules.index("count only through links of people who can decide") > rules.index("approve their own results")

    as_admin.post("/manage/review/", {"deciders": "approver", "four_eyes": "on"})
    assert "if a guest approves something that Alice made, the team is asked" in shown(as_alice, path)
    as_admin.post("/manage/review/", {"deciders": "approver", "only_deciders_links": "on"})
    assert ReviewRules.objects.get().only_deciders_links
    assert "Guests' decisions are only shown" in shown(as_alice, path)
