"""The review queue: one result at a time, decided on the spot."""

import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from runs import events
from runs.models import Decision, GuestLink, Member, Notice, Output, ReviewRequest, ReviewRules, Run, StoredFile
from runs.notices.notice_text import path_of
from runs.review import requests
from runs.review.deciders import Actor
from runs.review.verdicts import decide
from runs.sharing import links
from runs.sharing.links import share_with_team
from tests.support.clients import HTMX, client_of
from tests.support.factories import make_kept, make_run
from tests.support.html import flat
from tests.support.page import Page
from tests.support.queue_page import form_of, heading, queries_of

pytestmark = pytest.mark.django_db
EIGHT_AND_THE_BELL = 9  # the bell lists what the member hasn't read yet


@pytest.fixture
def sam(make_member: Callable[..., Member]) -> Member:
    return make_member("sofia", role="approver")


@pytest.fixture
def as_sam(sam: Member) -> Client:
    return client_of(sam)


@pytest.fixture
def run(alice: Member) -> Run:
    """Two ready results: the first has a picture, the second a text."""
    run = make_run(alice, status="completed", title="Autumn")
    make_kept(run)
    Output.objects.filter(run=run, position=0).update(content_hash="a" * 64)
    Output.objects.filter(run=run, position=1).update(kind="text", text="A lake", content_hash="b" * 64)
    return run


def outputs(run: Run) -> list[Output]:
    return list(run.outputs.all())


def page_of(client: Client, url: str = "/review/") -> Page:
    answer = client.get(url)
    assert answer.status_code == 200
    return Page(answer.content.decode())


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
    assert page.first("h1").attributes["data-said"] == "Approved: Front. 1 left."
    assert "A lake" in page.words
    answer = as_sam.post("/review/", form_of(page, verdict="changes", note="Darker, please"))
    page = page_of(as_sam, answer.headers["Location"])
    assert heading(page) == "Nothing is waiting for you."
    assert page.first("h1").attributes["data-said"] == "Needs changes: Back. Nothing left."
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
    assert "needed unless you approve" not in page.words
    assert as_sam.post("/review/", form_of(page, verdict="rejected")).status_code == 303


def test_what_changed_meanwhile_is_said_and_nothing_typed_is_lost(
    as_sam: Client, alice: Member, admin_member: Member, run: Run
) -> None:
    requests.ask(alice, outputs(run))
    page = page_of(as_sam)
    decide(outputs(run)[0], "rejected", "No", Actor(admin_member), None)
    answer = as_sam.post("/review/", form_of(page, verdict="changes", note="Warmer"))
    page = Page(answer.content.decode())
    assert answer.status_code == 422
    assert "has changed in the meantime" in page.first(css="queue-failed").words
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
    assert page.first("h1").attributes["data-said"] == "Undone. The result is waiting for a decision again."
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
    assert len(page_of(as_alice, "/review/asked/").find(css="asked-line")) == 20
    requests.waiting_for(Member.objects.get(name="Sofia")).update(settled_at=timezone.now())
    assert len(queries_of(as_sam, "/review/")) <= EIGHT_AND_THE_BELL
    assert heading(page_of(as_sam)) == "Nothing is waiting for you."


def test_requests_are_followed_closed_and_reminded_of(
    as_alice: Client, as_bob: Client, as_sam: Client, alice: Member, sam: Member, run: Run
) -> None:
    request = requests.ask(alice, outputs(run), message="Spring <b>", members=[sam], due_on=timezone.localdate())
    decide(outputs(run)[0], "approved", "", Actor(sam), None)
    page = page_of(as_alice, "/review/asked/")
    line = page.first(css="asked-line").words
    assert "Spring <b>" in line
    assert "1 of 2 decided" in line
    assert "due today" in line
    assert "Sofia" in line
    assert "Front: Approved" in line
    assert "Back: Not reviewed" in line
    remind, close = (form.attributes["action"] for form in page.first(css="asked-line").find("form"))
    for action in (remind, close):
        assert as_bob.post(action).status_code == 404
    assert "Reminder sent." in as_alice.post(remind, follow=True).content.decode()
    assert "once an hour" in as_alice.post(remind, follow=True).content.decode()
    assert "The request is closed" in as_alice.post(close, follow=True).content.decode()
    request.refresh_from_db()
    assert request.closed_by == alice
    page = page_of(as_alice, "/review/asked/")
    assert "closed" in page.first(css="asked-state").words
    assert not page.first(css="asked-line").find("form")
    assert heading(page_of(as_sam)) == "Nothing is waiting for you."


def test_the_number_in_the_bar_ends_at_99(as_sam: Client, as_bob: Client, alice: Member, run: Run) -> None:
    many = [Output(run=run, position=n, label=str(n), kind="image", status="completed") for n in range(2, 130)]
    Output.objects.bulk_create(many)
    requests.ask(alice, outputs(run))
    assert page_of(as_sam, "/history/?tab=team").first(css="bar-count").words == "99+"
    assert not page_of(as_bob, "/history/").find(css="bar-count")


def test_asking_from_a_run(as_alice: Client, as_sam: Client, sam: Member, run: Run) -> None:
    page = page_of(as_alice, f"/review/ask/?run={run.public_id}")
    assert "2 results" in page.words
    assert "Asking your team also shares it" in page.words
    given = {"run": run.public_id, "who": "named"}
    answer = as_alice.post("/review/ask/", given | {"message": "Which one?", "due_on": "2020-01-01"})
    page = Page(answer.content.decode())
    assert answer.status_code == 422
    assert [e.words for e in page.find(css="field-error")] == [
        "Choose at least one person.",
        "Choose today or a later day.",
    ]
    assert page.first("input", id="ask-message").attributes["value"] == "Which one?"
    answer = as_alice.post("/review/ask/", given | {"members": [sam.public_id]}, follow=True)
    assert "Asked for decisions on 2 results." in answer.content.decode()
    run.refresh_from_db()
    assert run.shared_at is not None
    assert heading(page_of(as_sam)) == "Front"


def test_asking_in_a_sheet_loads_the_page_under_it_again(as_alice: Client, run: Run) -> None:
    url = f"/review/ask/?run={run.public_id}"
    page = page_of(as_alice, run.get_absolute_url())
    assert page.first(id="run-ask").attributes["hx-get"] == url
    assert page.first(id=page.first(id="run-ask").attributes["popovertarget"]).attributes["role"] == "dialog"
    sheet = as_alice.get(url, headers=HTMX).text
    assert "<main" not in sheet
    form = Page(sheet).first("form")
    assert form.attributes["hx-post"] == "/review/ask/"
    under = HTMX | {"HX-Current-URL": f"http://testserver{run.get_absolute_url()}?in=tab#talk"}
    given = {"run": run.public_id}
    assert as_alice.post("/review/ask/", given | {"due_on": "2020-01-01"}, headers=under).status_code == 422
    answer = as_alice.post("/review/ask/", given, headers=under)
    assert answer.headers["HX-Redirect"] == f"{run.get_absolute_url()}?in=tab"
    assert "Asked for decisions on 2 results." in page_of(as_alice, run.get_absolute_url()).words


def test_asking_about_one_result_or_a_client(as_alice: Client, as_bob: Client, run: Run) -> None:
    given = {"f": outputs(run)[0].public_id}
    assert "1 result" in page_of(as_alice, f"/review/ask/?f={given['f']}").words
    for method in (as_bob.get, as_bob.post):
        assert method("/review/ask/", given).status_code == 404
    answer = as_alice.post("/review/ask/", given | {"who": "guests", "audience": "Kim at Acme", "message": "Hello"})
    request = ReviewRequest.objects.get()
    assert request.link is not None
    assert "left out" not in as_alice.get(answer.headers["Location"]).content.decode()
    assert answer.headers["Location"] == f"/shares/{request.link.public_id}/?made=1"
    assert (request.link.audience, request.link.lets_decide, request.link.message) == ("Kim at Acme", True, "Hello")
    run.refresh_from_db()
    assert run.shared_at is None, "a client is asked without telling the team"


def test_a_client_is_asked_without_what_the_link_cannot_show(as_alice: Client, bob: Member, run: Run) -> None:
    theirs = make_run(bob, status="completed", shared_at=timezone.now())
    Output.objects.create(run=run, position=2, label="Side", kind="image")  # not ready yet
    given = {"f": [output.public_id for output in [*outputs(run), outputs(theirs)[0]]]}
    page = page_of(as_alice, f"/review/ask/?{urlencode(given, doseq=True)}")
    left_out = (
        "1 result isn't ready yet, so it's left out of the link. "
        "1 result belongs to someone else, so it's left out of the link: only they may share it."
    )
    told = page.first("p", css="ask-for-guests").words
    assert told == f"The link shows only these results. Nothing is shared with your team. {left_out}"
    answer = as_alice.post("/review/ask/", given | {"who": "guests"}, follow=True)
    assert f"Copy the address and send it to your client. {left_out}" in Page(answer.content.decode()).words
    assert ReviewRequest.objects.get().items.count() == 2


def test_nobody_is_asked_about_an_older_version(as_alice: Client, run: Run) -> None:
    first, second = outputs(run)
    Output.objects.filter(pk=second.pk).update(line=first, number=2)
    told = "1 result has a newer version, so it's left out."
    assert f"1 result {told}" in page_of(as_alice, f"/review/ask/?run={run.public_id}").words
    as_alice.post("/review/ask/", {"run": run.public_id})
    assert ReviewRequest.objects.get().items.get().output == second
    assert f"0 results {told}" in page_of(as_alice, f"/review/ask/?f={first.public_id}").words


def test_what_changed_since_the_page_was_shown_is_not_asked_about(
    as_alice: Client, as_sam: Client, sam: Member, run: Run
) -> None:
    Run.objects.update(shared_at=timezone.now())
    front, back = outputs(run)
    page = page_of(as_alice, f"/review/ask/?run={run.public_id}")
    hidden = [field.attributes for field in page.first("form", css="ask-form").find("input")]
    given = {field["name"]: field["value"] for field in hidden if field.get("type") == "hidden"}
    decide(front, "approved", "", Actor(sam), None)
    Output.objects.create(run=run, position=2, label="Side", kind="image", status="completed")
    answer = as_alice.post("/review/ask/", given, follow=True)
    said = "Asked for a decision on 1 result. 1 result was skipped because it has changed in the meantime."
    assert said in Page(answer.content.decode()).words
    assert [item.output for item in ReviewRequest.objects.get().items.all()] == [back]


def test_if_all_has_changed_the_page_shows_what_there_is_now(as_alice: Client, sam: Member, run: Run) -> None:
    front, _back = outputs(run)
    given = {"f": front.public_id, "shown": f"{front.public_id}.{front.decided_in}"}
    Run.objects.update(shared_at=timezone.now())
    decide(front, "approved", "", Actor(sam), None)

    answer = as_alice.post("/review/ask/", given)
    page = Page(answer.content.decode())

    assert answer.status_code == 422
    assert "1 result was skipped because it has changed in the meantime." in page.words
    front.refresh_from_db()
    [shown] = [one.attributes["value"] for one in page.find("input") if one.attributes.get("name") == "shown"]
    assert shown == f"{front.public_id}.{front.decided_in}"
    assert as_alice.post("/review/ask/", given | {"shown": shown}).status_code == 302
    too_long = as_alice.post("/review/ask/", given | {"shown": f"{front.public_id}.{'9' * 5000}"})
    assert too_long.status_code == 302, "what nobody can have seen is left out"


def test_viewers_cannot_ask(run: Run, make_member: Callable[..., Member]) -> None:
    Run.objects.update(shared_at=timezone.now())
    as_vera = client_of(make_member("vera", role="viewer"))
    assert as_vera.get(f"/review/ask/?run={run.public_id}").status_code == 403
    assert as_vera.post("/review/ask/", {"run": run.public_id}).status_code == 403


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
    decide(outputs(run)[0], "changes", "Warmer", Actor(sam), None)
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


def deciding_link(member: Member, result: Output) -> GuestLink:
    link = links.make_link(member, [result])
    link.lets_decide = True
    link.save()
    return link


def test_decisions_so_far_say_when_and_that_a_guest_decided(
    as_sam: Client, sam: Member, alice: Member, run: Run
) -> None:
    result = outputs(run)[0]
    requests.ask(alice, [result])
    link = deciding_link(alice, result)
    decide(result, "changes", "Warmer", Actor(link=link, name="Sam"), None)
    line = page_of(as_sam, f"/review/?at={result.public_id}&kept=1").first("ul", css="queue-verdicts").words
    assert "by Sam (guest) · " in line


def test_nobody_can_remind_guests(as_alice: Client, alice: Member, run: Run) -> None:
    result = outputs(run)[0]
    link = deciding_link(alice, result)
    requests.ask(alice, [result], link=link)
    lines = page_of(as_alice, "/review/asked/").find(css="asked-line")
    assert [len(line.find("form")) for line in lines] == [1]  # only to close it


def test_a_notice_opens_what_was_asked_for_and_not_what_is_due_first(
    as_sam: Client, sam: Member, alice: Member, run: Run
) -> None:
    front, back = outputs(run)
    requests.ask(alice, [front], due_on=timezone.localdate())
    requests.ask(alice, [back])
    notice = Notice.objects.get(member=sam, request__items__output=back)

    assert heading(page_of(as_sam)) == "Front"
    assert heading(page_of(as_sam, path_of(notice))) == "Back"

    decide(back, "approved", "", Actor(sam), None)
    assert heading(page_of(as_sam, path_of(notice))) == "Front"
