"""An open form polls for a missing estimate: less and less often, and not forever. Lamina is only asked for the
estimate, and less often too."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from runs.models import App, Incident
from tests.support.cartoonify import known_app
from tests.support.factories import make_app
from tests.support.sandbox_door import SandboxDoor
from tests.support.work import queued, work

pytestmark = pytest.mark.django_db(transaction=True)
POLL = re.compile(r'hx-get="([^"]+/cost/[^"]*)"[^>]*?hx-trigger="change from:#outputs(?:, every (\d+)s)?"')


def next_poll(page: str) -> tuple[str, int]:
    """Return the URL of the next poll for the cost, and after how many seconds it is sent (0 for never)."""
    found = POLL.search(page)
    assert found
    return found[1].replace("&amp;", "&"), int(found[2] or 0)


def poll(client: Client, url: str) -> str:
    answer = client.get(url, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return answer.text


@pytest.fixture
def app() -> App:
    """An app whose form was read, but whose estimate failed."""
    return make_app(estimated_at=None, credits_expected=None)


def test_an_open_form_learns_what_the_app_costs(as_alice: Client, app: App) -> None:
    url, seconds = next_poll(as_alice.get(app.get_absolute_url()).text)
    assert 1 <= seconds <= 3

    waiting = poll(as_alice, url)
    assert "Cost unknown" in waiting
    assert "announcer" not in waiting, "nothing has changed, so nothing is read aloud"
    assert "runs.tasks.read_estimate" in [task["func"] for task in queued()]

    App.objects.filter(pk=app.pk).update(estimated_at=timezone.now(), credits_expected=12)
    told = poll(as_alice, next_poll(waiting)[0])
    assert "About 12 credits" in told
    assert next_poll(told) == (f"/apps/{app.public_id}/cost/", 0)


def test_the_page_polls_less_and_less_often_and_then_stops(as_alice: Client, app: App) -> None:
    url, seconds = next_poll(as_alice.get(app.get_absolute_url()).text)
    pauses: list[int] = []
    while seconds and len(pauses) < 50:
        pauses.append(seconds)
        url, seconds = next_poll(poll(as_alice, url))

    assert pauses == sorted(pauses)
    assert len(pauses) <= 10
    assert 120 < sum(pauses) < 600
    assert "auto=1" not in url, "what a person ticks from now on counts as use"
    assert next_poll(poll(as_alice, url))[1], "someone who ticks a result is there, so the page polls again"


@pytest.mark.parametrize("number", ["", "-1", "x", "99999999999", "٣"])
def test_odd_numbers_of_polls_are_harmless(as_alice: Client, app: App, number: str) -> None:
    assert next_poll(poll(as_alice, f"/apps/{app.public_id}/cost/?auto={number}"))[1] < 600


def test_while_estimates_fail_forms_that_stay_open_cost_little(as_alice: Client, sandbox: SandboxDoor) -> None:
    app = known_app()
    long_ago = timezone.now() - timedelta(seconds=30)
    App.objects.filter(pk=app.pk).update(estimated_at=None, schema_fetched_at=long_ago, schema_asked_at=long_ago)
    sandbox.control("faults", endpoint="estimate", fault="status", status=500, times=None)
    before = len(sandbox.requests_to("app")), len(sandbox.requests_to("estimate")), Incident.objects.count()

    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(200):  # ten minutes of a page that never learns to poll less often
            as_alice.get(f"/apps/{app.public_id}/cost/?auto=1", headers={"HX-Request": "true"})
            work()
            clock.shift(timedelta(seconds=3))

    assert len(sandbox.requests_to("app")) == before[0], "the form is known"
    assert 4 <= len(sandbox.requests_to("estimate")) - before[1] <= 8
    assert Incident.objects.count() - before[2] <= 1


def test_once_lamina_gives_an_estimate_the_form_shows_it(as_alice: Client, sandbox: SandboxDoor) -> None:
    app = known_app()
    long_ago = timezone.now() - timedelta(seconds=30)
    App.objects.filter(pk=app.pk).update(estimated_at=None, credits_expected=None, schema_asked_at=long_ago)

    poll(as_alice, f"/apps/{app.public_id}/cost/?auto=1")
    assert work() == ["read_estimate"]

    assert "About 12 credits" in poll(as_alice, f"/apps/{app.public_id}/cost/?auto=1")
