"""The review queue: one result at a time, decided on the spot."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from runs import events
from runs.models import Decision, Member, Notice, Output, ReviewRules, Run, StoredFile
from runs.notices.notice_text import path_of
from runs.review import requests, review_queries
from runs.review.deciders import Reviewer
from runs.review.verdicts import decide
from runs.sharing.visibility import share_with_team
from tests.support.clients import client_of
from tests.support.factories import make_run
from tests.support.guest_links import guest_of
from tests.support.html import flat
from tests.support.page import Page
from tests.support.queue_page import deciding_link, form_of, heading, make_waiting, outputs, page_of, queries_of

pytestmark = pytest.mark.django_db
EIGHT_AND_THE_BELL = 9  # the ninth query lists what the member hasn't read yet


@pytest.fixture
def sam(make_member: Callable[..., Member]) -> Member:
    return make_member("sofia", role="approver")


@pytest.fixture
def as_sam(sam: Member) -> Client:
    return client_of(sam)


@pytest.fixture
def run(alice: Member) -> Run:
    return make_waiting(alice)


def test_results_are_decided_one_after_the_other(as_sam: Client, sam: Member, alice: Member, run: Run) -> None:
    requests.ask(alice, outputs(run), message="For the shop", due_on=timezone.localdate() + timedelta(days=1))
    page = page_of(as_sam)
    assert (heading(page), page.first(css="stage-place").words) == ("Front", "1 of 2")
    assert "due tomorrow" in page.words
    assert "Alice is asking for a decision." in page.words
    assert "For the shop" in page.words
    assert page.first(id="review-nav").words == "Review 2 2 waiting for you"
    answer = as_sam.post("/review/", form_of(page, verdict="approved"))
    assert answer.status_code == 303
    page = page_of(as_sam, answer.headers["Location"])
    assert heading(page) == "Back"
    assert page.first("h1").attributes["data-announcement"] == "Approved: Front. 1 left."
    assert "A lake" in page.words
    answer = as_sam.post("/review/", form_of(page, verdict="changes", note="Darker, please"))
    page = page_of(as_sam, answer.headers["Location"])
    assert heading(page) == "Nothing is waiting for you."
    assert page.first("h1").attributes["data-announcement"] == "Needs changes: Back. Nothing left."
    assert [line.words for line in page.find(css="decided-note")] == ["Darker, please"]
    assert page.first(id="review-nav").words == "Review"
    verdicts = list(Decision.objects.values_list("output__label", "verdict", "note", "member"))
    assert verdicts == [("Front", "approved", "", sam.pk), ("Back", "changes", "Darker, please", sam.pk)]


def test_the_next_result_is_loaded_before_it_is_needed(as_sam: Client, alice: Member, run: Run) -> None:
    requests.ask(alice, list(reversed(outputs(run))))
    html = flat(as_sam.get("/review/").content)
    file = outputs(run)[0].files.get().file
    assert file is not None
    assert f'<link rel="prefetch" as="image" href="{file.large_url or file.original_url}">' in html
    StoredFile.objects.filter(pk=file.pk).update(kind="video")
    assert page_of(as_sam).first(id="next").attributes["data-media"] == file.original_url


def test_one_can_step_through_the_queue(as_sam: Client, alice: Member, run: Run) -> None:
    requests.ask(alice, outputs(run))
    page = page_of(as_sam, page_of(as_sam).first(id="next").attributes["href"])
    assert (heading(page), page.first(css="stage-place").words) == ("Back", "2 of 2")
    assert not page.find(id="next")
    page = page_of(as_sam, page.first(id="previous").attributes["href"])
    assert heading(page) == "Front"
    page = page_of(as_sam, "/review/?at=nosuchresult")
    assert heading(page) == "Front", "an old address leads to what waits first"


def test_deciding_on_the_last_one_leads_back_to_the_first(as_sam: Client, alice: Member, run: Run) -> None:
    requests.ask(alice, outputs(run))
    page = page_of(as_sam, f"/review/?at={outputs(run)[1].public_id}")
    answer = as_sam.post("/review/", form_of(page, verdict="approved"))
    assert heading(page_of(as_sam, answer.headers["Location"])) == "Front"


def test_a_decision_without_a_reason_stays_on_screen(as_sam: Client, alice: Member, run: Run) -> None:
    requests.ask(alice, outputs(run))
    answer = as_sam.post("/review/", form_of(page_of(as_sam), verdict="rejected"))
    page = Page(answer.content.decode())
    assert answer.status_code == 422
    assert page.first(id="decide-error").words == "Give a reason, so the maker knows what to do."
    assert page.first(id="decide").attributes["data-pending"] == "rejected"
    ReviewRules.objects.create(needs_reason=False)
    page = page_of(as_sam)
    assert "required unless you approve" not in page.words
    assert as_sam.post("/review/", form_of(page, verdict="rejected")).status_code == 303


def test_what_changed_meanwhile_is_said_and_nothing_typed_is_lost(
    as_sam: Client, alice: Member, admin_member: Member, run: Run
) -> None:
    requests.ask(alice, outputs(run))
    page = page_of(as_sam)
    decide(outputs(run)[0], "rejected", "No", Reviewer(admin_member), None)
    answer = as_sam.post("/review/", form_of(page, verdict="changes", note="Warmer"))
    page = Page(answer.content.decode())
    assert answer.status_code == 422
    assert "has changed since you opened the page" in page.first(css="queue-failed").words
    assert heading(page) == "Front"
    assert re.search(r"Rejected by Ada · .+ No", page.first("ul", css="queue-verdicts").words)
    assert page.first("textarea").text == "Warmer"
    again = page.first(css="queue-failed").first("button")
    assert (again.words, again.attributes["value"]) == ("Try again", "changes")
    assert as_sam.post("/review/", form_of(page, verdict="changes")).status_code == 303
    assert Decision.objects.filter(note="Warmer", is_standing=True).exists()


def test_a_verdict_on_an_older_version_leads_to_the_newer_one(as_sam: Client, alice: Member, run: Run) -> None:
    """Promise D2 (see `tests.review`)."""
    first, second = outputs(run)
    requests.ask(alice, [first])
    page = page_of(as_sam)
    second.line, second.number = first, 2
    second.save()
    events.version_made.send(second, first)
    refused = as_sam.post("/review/", form_of(page, verdict="approved"))
    link = Page(refused.content.decode()).first(css="queue-failed").first("a")
    assert (refused.status_code, link.words) == (422, "Go to version 2")
    assert heading(page_of(as_sam, link.attributes["href"])) == "Back version 2"

    given = {"chosen": first.public_id, "on": [f"{first.public_id}:0"], "next": "/review/"}
    said = as_sam.post("/results/choose/", given, follow=True).content.decode()
    assert f'<a href="{second.get_absolute_url()}">Version 2</a>' in said


def test_the_last_decision_can_be_undone_for_ten_minutes(as_sam: Client, alice: Member, run: Run) -> None:
    requests.ask(alice, outputs(run))
    answer = as_sam.post("/review/", form_of(page_of(as_sam), verdict="approved"))
    page = page_of(as_sam, answer.headers["Location"])
    undo = page.first("form", id="queue-undo")
    assert undo.words.startswith("Approved: Front Undo")
    fields = {e.attributes["name"]: e.attributes["value"] for e in undo.find("input")}
    answer = as_sam.post(undo.attributes["action"], fields)
    page = page_of(as_sam, answer.headers["Location"])
    assert heading(page) == "Front"
    assert page.first("h1").attributes["data-announcement"] == "Undone. The result is waiting for a decision again."
    assert not page.find(id="queue-undo")
    assert not Decision.objects.filter(is_standing=True).exists()
    answer = as_sam.post("/review/undo/", fields, follow=True)
    assert "too late to undo" in answer.content.decode()
    as_sam.post("/review/", form_of(page, verdict="approved"))
    Decision.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    assert not page_of(as_sam).find(id="queue-undo")


def test_private_results_of_others_cannot_be_decided_here(as_sam: Client, as_bob: Client, run: Run) -> None:
    given = {"result": outputs(run)[0].public_id, "seen": "0", "verdict": "approved"}
    assert as_sam.post("/review/", given).status_code == 404
    Run.objects.update(shared_at=timezone.now())
    answer = as_bob.post("/review/", given)
    assert answer.status_code == 403
    assert "Only approvers and admins can decide" in answer.content.decode()
    assert as_sam.post("/review/", given | {"verdict": "forged"}).status_code == 422
    assert as_sam.post("/review/", given | {"seen": "x"}).status_code == 422
    assert not Decision.objects.exists()


def test_each_page_takes_at_most_eight_queries_besides_the_list_of_the_bell(
    as_sam: Client, alice: Member, run: Run
) -> None:
    other = make_run(alice, status="completed")
    for _ in range(30):
        requests.ask(alice, [*outputs(run), *outputs(other)], due_on=timezone.localdate())
    as_sam.post("/review/", form_of(page_of(as_sam), verdict="approved"))
    for url in ("/review/", "/review/asked/", "/review/decided/"):
        assert len(queries_of(as_sam, url)) <= EIGHT_AND_THE_BELL
    as_alice = client_of(alice)
    assert len(queries_of(as_alice, "/review/asked/")) <= EIGHT_AND_THE_BELL
    assert len(page_of(as_alice, "/review/asked/").find(css="request-line")) == 20
    review_queries.waiting_for(Member.objects.get(name="Sofia")).update(settled_at=timezone.now())
    assert len(queries_of(as_sam, "/review/")) <= EIGHT_AND_THE_BELL
    assert heading(page_of(as_sam)) == "Nothing is waiting for you."


def test_the_number_in_the_bar_ends_at_99(as_sam: Client, as_bob: Client, alice: Member, run: Run) -> None:
    many = [Output(run=run, position=n, label=str(n), kind="image", status="completed") for n in range(2, 130)]
    Output.objects.bulk_create(many)
    requests.ask(alice, outputs(run))
    assert page_of(as_sam, "/history/?tab=team").first(css="bar-count").words == "99+"
    assert not page_of(as_bob, "/history/").find(css="bar-count")


def test_home_shows_what_waits_and_what_others_decided(
    as_sam: Client, as_alice: Client, sam: Member, alice: Member, run: Run
) -> None:
    assert "Waiting for you" not in page_of(as_sam, "/").words
    requests.ask(alice, outputs(run), due_on=timezone.localdate() - timedelta(days=2))
    page = page_of(as_sam, "/")
    assert page.first(css="home-waiting").words == (
        "Waiting for you Review 2 Front Autumn 2 days overdue Back Autumn 2 days overdue"
    )
    first = page.first(css="wait-row").first("a").attributes["href"]
    assert heading(page_of(as_sam, first)) == "Front"
    assert "Decisions on your results" not in page_of(as_alice, "/").words
    decide(outputs(run)[0], "changes", "Warmer", Reviewer(sam), None)
    words = page_of(as_alice, "/").words
    assert "Decisions on your results Asked by me Front Autumn Needs changes by Sofia" in words
    assert "Warmer" in words


def test_those_who_may_not_decide_get_no_form(as_alice: Client, as_sam: Client, alice: Member, run: Run) -> None:
    requests.ask(alice, outputs(run))
    kept = f"/review/?at={outputs(run)[0].public_id}&kept=1"
    page = page_of(as_alice, kept)
    assert page.find("form", id="decide") == []
    assert "Only approvers and admins can decide." in page.words
    assert page_of(as_sam, kept).find("form", id="decide")


def test_a_result_that_no_longer_waits_heeds_the_rule_about_reasons(as_sam: Client, sam: Member, run: Run) -> None:
    share_with_team(run)
    kept = f"/review/?at={outputs(run)[0].public_id}&kept=1"
    assert "data-needs-reason" in page_of(as_sam, kept).first("form", id="decide").attributes
    ReviewRules.objects.create(needs_reason=False)
    assert "data-needs-reason" not in page_of(as_sam, kept).first("form", id="decide").attributes


def test_decisions_so_far_say_when_and_that_a_guest_decided(
    as_sam: Client, sam: Member, alice: Member, run: Run
) -> None:
    result = outputs(run)[0]
    requests.ask(alice, [result])
    link = deciding_link(alice, result)
    decide(result, "changes", "Warmer", Reviewer(guest=guest_of(link, "Sam")), None)
    line = page_of(as_sam, f"/review/?at={result.public_id}&kept=1").first("ul", css="queue-verdicts").words
    assert "by Sam (guest, link by Alice) · " in line


def test_a_notice_opens_what_was_asked_for_and_not_what_is_due_first(
    as_sam: Client, sam: Member, alice: Member, run: Run
) -> None:
    front, back = outputs(run)
    requests.ask(alice, [front], due_on=timezone.localdate())
    requests.ask(alice, [back])
    notice = Notice.objects.get(member=sam, request__items__output=back)

    assert heading(page_of(as_sam)) == "Front"
    assert heading(page_of(as_sam, path_of(notice))) == "Back"

    decide(back, "approved", "", Reviewer(sam), None)
    assert heading(page_of(as_sam, path_of(notice))) == "Front"
