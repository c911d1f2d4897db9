"""The cost depends on which results are ticked: on the form, when Run is pressed, and on the run's page."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from runs.connection import balance
from runs.connection.status import record_status
from runs.models import App, Draft, Member, Run
from runs.spending.estimates import CostEstimate
from tests.support.app_forms import fields
from tests.support.factories import PROMPT, STYLE, make_app, make_run
from tests.support.page import Page
from tests.support.sandbox_door import SandboxDoor

pytestmark = pytest.mark.django_db
OUTPUTS = [{"index": n, "label": label, "type": "image"} for n, label in enumerate(("Front", "Back", "Side"))]


@pytest.fixture
def app() -> App:
    costs: dict[str, Any] = {"credits_expected": Decimal(12), "credits_min": Decimal(9), "estimated_at": timezone.now()}
    return make_app(parameters=[STYLE, PROMPT], outputs=OUTPUTS, **costs)


def launch_words(page: str) -> str:
    """Return the text beside the Run button, including the reason if the button is blocked."""
    return Page(page).first(css="launch").words


@pytest.mark.parametrize(
    ("credits", "made", "total", "share"),
    [("12", 1, 3, "4"), ("10", 1, 3, "3.33"), ("12", 3, 3, "12"), ("12", 0, 0, "12"), ("0.05", 1, 2, "0.03")],
)
def test_a_part_costs_its_even_share(credits: str, made: int, total: int, share: str) -> None:
    assert CostEstimate(Decimal(credits), None, made, total).expected == Decimal(share)


def test_the_form_tells_what_the_ticked_results_cost(as_alice: Client, alice: Member, app: App) -> None:
    whole = launch_words(as_alice.get(app.get_absolute_url()).text)
    assert "About 12 credits" in whole
    assert "equal share" not in whole

    Draft.objects.create(member=alice, app=app, wanted_outputs=[1])
    part = launch_words(as_alice.get(app.get_absolute_url()).text)
    assert "About 4 of 12 credits for 1 of 3 results" in part
    assert "An equal share: Lamina only gives the total cost." in part


def test_the_cost_follows_the_ticks_of_an_open_form(as_alice: Client, app: App) -> None:
    url = f"/apps/{app.public_id}/cost/"

    body = as_alice.get(url, {"outputs": ["0", "2"]}, headers={"HX-Request": "true"}).text

    assert "About 8 of 12 credits for 2 of 3 results" in body
    assert 'id="launch-go" hx-swap-oob="true"' in body


def test_without_scripts_a_button_updates_the_cost_and_keeps_the_form(
    as_alice: Client, alice: Member, app: App
) -> None:
    page = as_alice.get(app.get_absolute_url()).text
    assert Page(page).first("button", css="results-cost").words == "Update the cost"

    answer = as_alice.post(app.get_absolute_url(), fields(app, alice, act="cost", outputs=["2"]))

    assert answer.status_code == 200
    assert "About 4 of 12 credits" in launch_words(answer.text)
    assert "at sea" in answer.text
    assert not Run.objects.exists()


def test_a_part_that_is_affordable_is_not_blocked(as_alice: Client, alice: Member, app: App) -> None:
    record_status(balance=Decimal(5))
    whole = launch_words(as_alice.get(app.get_absolute_url()).text)
    assert "This needs about 12 credits; the balance is 5. Choose fewer results, or ask an admin" in whole
    assert as_alice.post(app.get_absolute_url(), fields(app, alice, outputs=["0", "1"])).status_code == 422

    answer = as_alice.post(app.get_absolute_url(), fields(app, alice, outputs=["0"]))

    run = Run.objects.get()
    assert answer.headers["Location"] == run.get_absolute_url()
    assert run.credits_estimated == 4
    assert "about 4 credits" in as_alice.get(run.get_absolute_url()).text


@pytest.mark.parametrize("door", ["open", "press", "ticks", "again", "retry"])
def test_a_balance_that_would_block_a_run_is_looked_up_first(
    as_alice: Client, alice: Member, app: App, sandbox: SandboxDoor, door: str
) -> None:
    run = make_run(alice, app, status="completed", outputs_failed=1)
    run.outputs.filter(position=0).update(status="error")
    paths = {
        "again": f"/runs/{run.public_id}/again/",
        "ticks": f"/apps/{app.public_id}/cost/",
        "retry": f"/runs/{run.public_id}/",
    }
    record_status(balance=Decimal("0.5"), balance_at=timezone.now(), balance_asked_at=timezone.now())
    sandbox.control("balance", balance=340)  # topped up a second ago

    if door == "press":
        answer = as_alice.post(app.get_absolute_url(), fields(app, alice, outputs=["0", "1"]))
        assert answer.headers["Location"] == Run.objects.exclude(pk=run.pk).get().get_absolute_url()
    else:
        headers = {"HX-Request": "true"} if door == "ticks" else {}
        page = Page(as_alice.get(paths.get(door, app.get_absolute_url()), headers=headers).text)
        assert "the balance is" not in page.words
        assert "340 left" in page.words


def test_pages_that_are_blocked_one_after_another_ask_lamina_once(
    as_alice: Client, alice: Member, app: App, sandbox: SandboxDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(balance, "LOOK_UP_SECONDS", 600)
    record_status(balance=Decimal("0.5"), balance_at=timezone.now(), balance_asked_at=timezone.now())
    sandbox.control("balance", balance=1)
    for _ in range(3):
        assert as_alice.post(app.get_absolute_url(), fields(app, alice)).status_code == 422
    assert len(sandbox.requests_to("usage")) == 1


def test_a_blocked_form_offers_to_look_up_the_balance_again(as_alice: Client, app: App) -> None:
    record_status(balance=Decimal(2))

    reason = Page(as_alice.get(app.get_absolute_url()).text).first(id="launch-reason")

    button = reason.first("button")
    assert button.words == "Check the balance again"
    answer = as_alice.get(button.attributes["hx-get"], headers={"HX-Request": "true"})
    assert Page(answer.text).first(id="launch-left").words == "2 left"


def test_a_shortage_names_the_balance_that_is_shown(as_alice: Client, app: App) -> None:
    record_status(balance=Decimal(8), spent_since=Decimal(6))

    words = launch_words(as_alice.get(app.get_absolute_url()).text)

    assert "about 2 credits left" in words
    assert "This needs about 12 credits; the balance is about 2 credits. To have credits added, ask an admin" in words


def test_running_a_part_again_costs_that_part(as_alice: Client, alice: Member, app: App) -> None:
    run = make_run(alice, app, status="completed", wanted_outputs=[1])

    assert "About 4 of 12 credits for 1 of 3 results" in as_alice.get(f"/runs/{run.public_id}/again/").text
