"""Asking teammates or a client for decisions on a run or on single results, and what becomes of a request."""

from collections.abc import Callable
from datetime import date
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from runs.models import Decision, GuestLink, Member, Output, ReviewRequest, Run
from runs.review import requests
from runs.review.deciders import Reviewer
from runs.review.verdicts import decide
from tests.support.clients import HTMX, client_of
from tests.support.factories import make_run
from tests.support.page import Page
from tests.support.queue_page import deciding_link, heading, make_waiting, outputs, page_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def sam(make_member: Callable[..., Member]) -> Member:
    return make_member("sofia", role="approver")


@pytest.fixture
def as_sam(sam: Member) -> Client:
    return client_of(sam)


@pytest.fixture
def run(alice: Member) -> Run:
    return make_waiting(alice)


def test_requests_are_followed_closed_and_reminded_of(
    as_alice: Client, as_bob: Client, as_sam: Client, alice: Member, sam: Member, run: Run
) -> None:
    request = requests.ask(alice, outputs(run), message="Spring <b>", members=[sam], due_on=timezone.localdate())
    decide(outputs(run)[0], "approved", "", Reviewer(sam), None)
    page = page_of(as_alice, "/review/asked/")
    line = page.first(css="request-line").words
    assert "Spring <b>" in line
    assert "1 of 2 decided" in line
    assert "due today" in line
    assert "Sofia" in line
    assert "Front: Approved" in line
    assert "Back: Not reviewed" in line
    remind, close = (form.attributes["action"] for form in page.first(css="request-line").find("form"))
    for action in (remind, close):
        assert as_bob.post(action).status_code == 404
    assert "Reminder sent." in as_alice.post(remind, follow=True).content.decode()
    assert "once an hour" in as_alice.post(remind, follow=True).content.decode()
    assert "The request is closed" in as_alice.post(close, follow=True).content.decode()
    request.refresh_from_db()
    assert request.closed_by == alice
    page = page_of(as_alice, "/review/asked/")
    assert "closed" in page.first(css="request-state").words
    assert not page.first(css="request-line").find("form")
    assert heading(page_of(as_sam)) == "Nothing is waiting for you."


def test_a_runs_timeline_tells_who_was_asked_for_decisions_until_when(
    as_bob: Client, alice: Member, sam: Member, make_member: Callable[..., Member], run: Run
) -> None:
    front, back = outputs(run)
    ruth = make_member("ruth", role="approver")
    requests.ask(alice, [front], members=[sam, ruth], due_on=date(timezone.localdate().year, 12, 24))
    requests.ask(alice, [front, back])
    link = deciding_link(alice, front)
    GuestLink.objects.filter(pk=link.pk).update(audience="Secret client")
    requests.ask(alice, [front], link=link)
    ReviewRequest.objects.filter(audience="guests").update(asker=sam)
    automatic = requests.ask(alice, [back])
    ReviewRequest.objects.filter(pk=automatic.pk).update(is_automatic=True)

    timeline = page_of(as_bob, run.get_absolute_url()).first(id="run-timeline")

    steps = [step.first("span").words for step in timeline.find("li") if "asked for" in step.words]
    assert steps == [
        "Alice asked for a decision on Front Asked: Sofia and Ruth, by 24 Dec",
        "Alice asked for decisions on 2 results Asked: Anyone who can decide",
        "Sofia asked for a decision on Front Asked: A client, via guest link",
        "A decision on 1 result was asked for automatically Asked: Anyone who can decide",
    ]
    assert front.get_absolute_url() in [link.attributes["href"] for link in timeline.find("a")]


def test_the_page_of_a_result_tells_that_one_is_asked(
    as_sam: Client, as_bob: Client, alice: Member, sam: Member, make_member: Callable[..., Member], run: Run
) -> None:
    front, back = outputs(run)
    requests.ask(alice, [front], message="For <the> fair", members=[sam], due_on=timezone.localdate())
    asked = "Alice is asking for your decision. Due today. For <the> fair"

    def told(client: Client, output: Output) -> list[str]:
        return [line.words for line in page_of(client, output.get_absolute_url()).find(css="verdict-request")]

    assert told(as_sam, front) == [asked]
    assert (
        told(as_sam, back) == told(as_bob, front) == told(client_of(make_member("ruth", role="approver")), front) == []
    )
    assert not page_of(as_sam, run.get_absolute_url()).find(css="verdict-request")

    press = {"verdict": "approved", "seen": "0", "look": "page"}
    panel = as_sam.post(f"{front.get_absolute_url()}decide/", press, headers=HTMX)
    assert "is asking" not in panel.text
    assert told(as_sam, front) == []
    undone = as_sam.post(
        f"/decisions/undo/{Decision.objects.get().batch}/", {"result": front.public_id} | press, headers=HTMX
    )
    assert asked in Page(undone.text).root.words

    ReviewRequest.objects.update(is_automatic=True, message="", due_on=None)
    assert told(as_sam, front) == ["This result is waiting for your decision."]


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
    assert "You asked for decisions on 2 results." in answer.content.decode()
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
    under = HTMX | {"HX-Current-URL": f"http://testserver{run.get_absolute_url()}?in=tab#comments"}
    given = {"run": run.public_id}
    assert as_alice.post("/review/ask/", given | {"due_on": "2020-01-01"}, headers=under).status_code == 422
    answer = as_alice.post("/review/ask/", given, headers=under)
    assert answer.headers["HX-Redirect"] == f"{run.get_absolute_url()}?in=tab"
    assert "You asked for decisions on 2 results." in page_of(as_alice, run.get_absolute_url()).words


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
    Output.objects.create(run=run, position=2, label="Side", kind="image")  # this result isn't ready yet
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
    decide(front, "approved", "", Reviewer(sam), None)
    Output.objects.create(run=run, position=2, label="Side", kind="image", status="completed")
    answer = as_alice.post("/review/ask/", given, follow=True)
    said = "You asked for a decision on 1 result. 1 result was skipped because it had changed in the meantime."
    assert said in Page(answer.content.decode()).words
    assert [item.output for item in ReviewRequest.objects.get().items.all()] == [back]


def test_if_all_has_changed_the_page_shows_what_there_is_now(as_alice: Client, sam: Member, run: Run) -> None:
    front, _back = outputs(run)
    given = {"f": front.public_id, "shown": f"{front.public_id}.{front.decided_in}"}
    Run.objects.update(shared_at=timezone.now())
    decide(front, "approved", "", Reviewer(sam), None)

    answer = as_alice.post("/review/ask/", given)
    page = Page(answer.content.decode())

    assert answer.status_code == 422
    assert "1 result was skipped because it had changed in the meantime." in page.words
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


def test_nobody_can_remind_guests(as_alice: Client, alice: Member, run: Run) -> None:
    result = outputs(run)[0]
    link = deciding_link(alice, result)
    requests.ask(alice, [result], link=link)
    lines = page_of(as_alice, "/review/asked/").find(css="request-line")
    assert [len(line.find("form")) for line in lines] == [1]  # the only form closes the request
