"""Deciding on everything selected, and asking others to decide on it."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from runs.models import Decision, Member, Output, ReviewRequest, ReviewRules, Run
from runs.review.deciders import Reviewer
from runs.review.verdicts import decide
from tests.support.clients import HTMX, client_of
from tests.support.factories import make_run
from tests.support.page import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def sofia(make_member: Callable[..., Member]) -> Member:
    return make_member("sofia", role="approver")


@pytest.fixture
def as_sofia(sofia: Member) -> Client:
    return client_of(sofia)


@pytest.fixture
def runs(alice: Member) -> list[Run]:
    """Three shared runs with two results each; one of the results isn't ready."""
    made = [make_run(alice, status="completed", shared_at=timezone.now()) for _ in range(3)]
    Output.objects.update(text="A lake", content_hash="a" * 64)
    Output.objects.filter(run=made[2], position=1).update(status="error")
    return made


def bulk(client: Client, act: str, runs: list[Run], **given: object) -> str:
    """Press a button in History's bar with these runs selected; return the address it redirects to."""
    data = {"do": act, "place": "team", "query": "tab=team", "r": [run.public_id for run in runs], **given}
    answer = client.post("/history/act/", data)
    assert answer.status_code == 302
    return answer.headers["Location"]


def page_of(client: Client, url: str) -> Page:
    return Page(client.get(url).content.decode())


def test_one_press_decides_on_everything_selected(as_sofia: Client, sofia: Member, runs: list[Run]) -> None:
    url = bulk(as_sofia, "decide", runs)
    assert url == "/review/many/?selected=team"
    page = page_of(as_sofia, url)
    assert page.first(css="ask-count").words == "5 results"
    shown = page.first("input", id="").attributes  # the page's first input, whatever it is; the form's are read below
    assert shown
    fields = {e.attributes["name"]: e.attributes["value"] for e in page.first("form", css="ask-form").find("input")}
    decide(runs[0].outputs.all()[0], "changes", "Warmer", Reviewer(sofia), None)
    answer = as_sofia.post("/review/many/", fields | {"verdict": "rejected", "note": ""})
    assert answer.status_code == 422
    assert "Give a reason" in answer.content.decode()
    page = Page(as_sofia.post("/review/many/", fields | {"verdict": "approved"}, follow=True).content.decode())
    told = "4 results were approved. 1 result was skipped because it had changed in the meantime."
    assert page.first(id="messages").words == told
    assert Output.objects.filter(verdict="approved").count() == 4
    undo = page.first("form", id="queue-undo")
    assert undo.words.startswith("Approved: Back and 3 more Undo") or "and 3 more Undo" in undo.words
    fields = {e.attributes["name"]: e.attributes["value"] for e in undo.find("input")}
    page = Page(as_sofia.post("/review/undo/", fields, follow=True).content.decode())
    assert page.first(id="messages").words == "4 decisions were undone."
    assert not Output.objects.filter(verdict="approved").exists()
    assert Decision.objects.filter(is_standing=True).count() == 1


def test_asking_for_everything_selected(as_alice: Client, runs: list[Run]) -> None:
    url = bulk(as_alice, "ask", runs)
    assert url == "/review/ask/?selected=team"
    assert "5 results" in page_of(as_alice, url).words
    bar = page_of(as_alice, "/history/?tab=team").first(id="selection")
    assert [act.words for act in bar.find("button") if "hx-post" in act.attributes] == ["Ask for a decision…"]
    given = {"do": "ask", "place": "team", "r": [run.public_id for run in runs]}
    sheet = as_alice.post("/history/act/", given, headers=HTMX, follow=True).text
    assert "<main" not in sheet
    assert "5 results" in sheet
    answer = as_alice.post("/review/ask/", {"selected": "team"}, follow=True)
    assert "You asked for decisions on 5 results." in answer.content.decode()
    assert ReviewRequest.objects.get().items.count() == 5


def test_what_changed_meanwhile_is_not_asked_about(as_alice: Client, runs: list[Run]) -> None:
    url = bulk(as_alice, "ask", runs)
    Run.objects.filter(pk=runs[0].pk).update(deleted_at=timezone.now())
    runs[1].outputs.filter(position=0).update(status="error")
    page = page_of(as_alice, url)
    assert page.first(css="ask-count").words.startswith("2 results")
    answer = as_alice.post("/review/ask/", {"selected": "team"}, follow=True)
    assert "You asked for decisions on 2 results." in answer.text
    asked = ReviewRequest.objects.get().items.values_list("output__run", "output__position")
    assert set(asked) == {(runs[1].pk, 1), (runs[2].pk, 0)}


def test_ticked_results_of_runs(as_sofia: Client, runs: list[Run]) -> None:
    ticked = [output.public_id for output in runs[1].outputs.all()]
    url = bulk(as_sofia, "decide", [], place="results", f=ticked)
    assert page_of(as_sofia, url).first(css="ask-count").words == "2 results"


def test_only_who_may_decide_is_offered_to(
    as_alice: Client, as_sofia: Client, make_member: Callable[..., Member], runs: list[Run]
) -> None:
    def offers(client: Client) -> list[str]:
        page = page_of(client, "/history/?tab=team")
        buttons = page.first(css="selection-acts").find("button")
        return [
            b.attributes["value"]
            for b in buttons
            if b.attributes.get("value") in ("ask", "decide") and "name" in b.attributes
        ]

    make_run(make_member("bert"), status="completed", shared_at=timezone.now())
    assert offers(as_alice) == ["ask"]
    assert offers(as_sofia) == ["decide", "ask"]
    as_vera = client_of(make_member("vera", role="viewer"))
    assert offers(as_vera) == []
    for act in ("decide", "ask"):
        data = {"do": act, "place": "team", "r": [runs[0].public_id]}
        assert as_vera.post("/history/act/", data).status_code == 403
    assert as_alice.get("/review/many/?selected=team").status_code == 403


def test_results_that_are_no_longer_visible_are_skipped(as_sofia: Client, runs: list[Run]) -> None:
    ids = [output.public_id for run in runs[:2] for output in run.outputs.all()]
    Run.objects.filter(pk=runs[0].pk).update(shared_at=None)
    given = {"shown": " ".join(f"{one}.0" for one in ids), "verdict": "approved"}
    answer = as_sofia.post("/review/many/", given, follow=True)
    assert "2 results were skipped because you can&#x27;t decide on them." in answer.content.decode()
    assert set(Output.objects.filter(verdict="approved").values_list("run", flat=True)) == {runs[1].pk}


def test_nothing_ready_is_said(as_sofia: Client, alice: Member) -> None:
    run = make_run(alice, shared_at=timezone.now())
    assert bulk(as_sofia, "decide", [run]) == "/history/?tab=team"
    assert "Nothing you selected is ready" in as_sofia.get("/history/?tab=team").content.decode()


def test_a_reason_is_asked_for_only_if_the_rules_ask_for_it(as_sofia: Client, runs: list[Run]) -> None:
    url = bulk(as_sofia, "decide", runs)
    assert "required unless you approve" in page_of(as_sofia, url).words
    ReviewRules.objects.create(needs_reason=False)
    assert "required unless you approve" not in page_of(as_sofia, url).words
