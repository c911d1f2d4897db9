"""Every failure has an explanation and a next step."""

from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from runs.connection import status
from runs.engine import progress
from runs.models import Lease, Member, Run
from runs.words.run_failures import FAILURES
from tests.support.factories import make_app, make_run
from tests.support.page import Page
from tests.support.sandbox_door import SandboxDoor

pytestmark = pytest.mark.django_db


def failed_page(client: Client, member: Member, cause: str, **fields: object) -> tuple[Run, str]:
    run = make_run(member, status="starting")
    progress.fail(run, cause, timezone.now(), **fields)  # type: ignore[arg-type]
    cache.clear()
    return run, client.get(run.get_absolute_url()).content.decode()


@pytest.mark.parametrize("cause", sorted(FAILURES))
@pytest.mark.usefixtures("admin_member")
def test_each_cause_has_a_sentence_a_button_and_a_reference(as_alice: Client, alice: Member, cause: str) -> None:
    _, body = failed_page(as_alice, alice, cause, text="Their own <b>words</b>", request_id="req-7")

    sentence, label, _ = FAILURES[cause]
    assert escape(str(sentence)) in body
    assert escape(str(label)) in body
    assert "Their own &lt;b&gt;words&lt;/b&gt;" in body
    assert "req-7" in body


def test_too_few_credits_says_how_many(as_alice: Client, alice: Member, admin_member: Member) -> None:
    status.record_status(balance=Decimal(4))
    run = make_run(alice, status="starting", credits_estimated=Decimal(12))
    progress.fail(run, "credits", timezone.now())
    cache.clear()

    body = as_alice.get(run.get_absolute_url()).content.decode()

    assert "There are 4 credits left, but this run needs about 12 credits." in body
    assert f"mailto:{admin_member.email}" in body
    assert "Change and run again" in body


def test_refused_inputs_lead_back_to_their_fields(as_alice: Client, alice: Member) -> None:
    errors = [{"field": "Style", "code": "invalid_option", "message": "Manga is not one of them."}]
    run, body = failed_page(as_alice, alice, "inputs", field_errors=errors)

    assert "Style: Manga is not one of them." in body
    form = as_alice.get(f"{run.app.get_absolute_url()}?from={run.public_id}").content.decode()
    assert "Manga is not one of them." in form
    assert 'aria-invalid="true"' in form or "field-error" in form


NOTHING_PAID = "Nothing was charged: Lamina never started this run."
MAY_CHARGE = "This run may have cost credits, but no more than the estimate: about 12 credits."
MAY_CHARGE_ALL = "Cost: up to the full estimate, about 12 credits."


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": "cancelled", "remote_id": ""}, NOTHING_PAID),
        ({"status": "failed", "failure": "inputs", "remote_id": ""}, NOTHING_PAID),
        ({"status": "failed", "failure": "left", "remote_id": ""}, "This run may have cost about 12 credits."),
        ({"status": "failed", "failure": "remote"}, MAY_CHARGE),
        ({"status": "cancelled"}, MAY_CHARGE),
        ({"status": "completed", "outputs_failed": 1}, MAY_CHARGE_ALL),
        ({"status": "failed", "failure": "remote", "credits_estimated": None}, "Lamina doesn't say how many."),
    ],
)
def test_what_did_not_fully_succeed_says_what_it_cost(
    as_alice: Client, alice: Member, fields: dict[str, Any], words: str
) -> None:
    run = make_run(alice, **({"credits_estimated": Decimal(12)} | fields))

    body = unescape(as_alice.get(run.get_absolute_url()).text)

    assert Page(body).first(css="run-sentence").words.endswith(words)  # these words come first, right after the state
    if run.status == "failed":  # for failed runs, the reason follows
        assert body.index(words) < body.index(str(FAILURES[run.failure][0]))


@pytest.mark.parametrize("status", ["running", "completed"])
def test_a_good_run_says_what_it_cost_once_it_is_ready(as_alice: Client, alice: Member, status: str) -> None:
    run = make_run(alice, status=status, credits_estimated=Decimal(12))

    page = Page(as_alice.get(run.get_absolute_url()).text)

    assert "may have cost" not in page.words
    told = page.first(css="run-note").words
    assert ("Cost: about 12 credits (estimate)." in told) == (status == "completed")
    assert "An estimate: Lamina doesn't report the exact cost." in page.first(css="went-in").words


@pytest.mark.parametrize(("remote_id", "fact"), [("r-1", "At most about 12 credits"), ("", "Nothing")])
def test_the_facts_of_a_cancelled_run_say_what_its_note_says(
    as_alice: Client, alice: Member, remote_id: str, fact: str
) -> None:
    run = make_run(alice, status="cancelled", credits_estimated=Decimal(12))
    Run.objects.filter(pk=run.pk).update(remote_id=remote_id)

    page = Page(as_alice.get(run.get_absolute_url()).text)

    facts = page.first(css="went-in").words
    assert f"Cost {fact}" in facts
    assert ("Spending counts the full estimate" in facts) == bool(remote_id)
    assert (MAY_CHARGE in page.words) == bool(remote_id)


def test_a_cancelled_run_is_not_still_being_stopped(as_alice: Client, alice: Member) -> None:
    """The page keeps updating, so no message above the run may say something that was only true at the moment Cancel
    was pressed."""
    run = make_run(alice)

    asked = as_alice.post(f"/runs/{run.public_id}/cancel/", follow=True).text
    Run.objects.filter(pk=run.pk).update(status="cancelled", finished_at=timezone.now())
    ended = as_alice.get(run.get_absolute_url()).text

    assert "Cancellation requested at" in asked
    assert Page(asked).first(css="run-wait").first(css="moment").find("time")
    assert "This run may still cost credits" in asked
    assert "autofocus" in Page(asked).first(id="run-panel").attributes  # the panel has the focus and says what happened
    assert 'class="notice' not in asked
    assert "Cancelled" in ended
    assert "Cancellation requested at" not in ended


def test_a_run_that_was_never_sent_is_cancelled_at_once(as_alice: Client, alice: Member) -> None:
    run = make_run(alice, status="starting", due_at=timezone.now() + timedelta(minutes=1))
    answer = as_alice.post(f"/runs/{run.public_id}/cancel/", follow=True)
    told = Page(answer.text).first(css="notice")
    assert told.words == "The run was cancelled before it was sent to Lamina, so nothing was charged."
    assert "autofocus" in told.attributes


def short_of_credits(member: Member, **fields: Any) -> Run:
    """A run of an app that costs 12 credits for its two results, refused for lack of credits."""
    app = make_app(credits_expected=Decimal(12), credits_min=Decimal(12), estimated_at=timezone.now())
    run = make_run(member, app, status="starting", credits_estimated=Decimal(12), **fields)
    progress.fail(run, "credits", timezone.now())
    return run


@pytest.mark.parametrize(
    ("left", "fits"), [(7, "The balance is enough for 1 of its 2 results: choose fewer with"), (4, "")]
)
def test_too_few_credits_says_whom_to_ask_and_what_would_fit(
    as_alice: Client, as_admin: Client, alice: Member, sandbox: SandboxDoor, left: int, fits: str
) -> None:
    sandbox.control("balance", balance=left)
    run = short_of_credits(alice, shared_at=timezone.now())

    words = Page(as_alice.get(run.get_absolute_url()).text).first(css="run-failure").words

    assert f"There are {left} credits left, but this run needs about 12 credits." in words
    assert "To have credits added, ask an admin: Ada." in words
    assert ("The balance is enough" in words) == bool(fits)
    assert fits in words
    assert "Add credits on Lamina." in Page(as_admin.get(run.get_absolute_url()).text).first(css="run-failure").words


def test_the_balance_is_looked_up_again_on_the_page_of_a_run_that_lacked_credits(
    as_alice: Client, alice: Member, sandbox: SandboxDoor
) -> None:
    sandbox.control("balance", balance=4)
    run = short_of_credits(alice)
    page = Page(as_alice.get(run.get_absolute_url()).text)
    again = next(link for link in page.find("a") if link.words == "Check the balance again")

    sandbox.control("balance", balance=340)
    Lease.objects.all().delete()  # three seconds later; the database's clock can't be set
    page = Page(as_alice.get(again.attributes["href"]).text)

    assert "There are enough now: 340 left." in page.first(css="run-failure").words
    button = page.first(id="run-action")
    assert (button.words, button.attributes["href"]) == ("Run the same again", f"/runs/{run.public_id}/again/")
