"""A worker's clock was almost a day ahead for a while. Once it is correct, nothing has to wait until tomorrow."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from runs import catalog
from runs.catalog import in_use
from runs.models import App, LaminaStatus
from runs.tasks import pulse
from tests.support.sandbox_door import SandboxDoor
from tests.support.work import work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def corrected(sandbox: SandboxDoor, settings: Settings) -> SandboxDoor:
    """Let the portal read everything while its clock is almost a day ahead, then correct the clock."""
    settings.LAMINA_REQUESTS_PER_MINUTE = 100_000
    sandbox.control("limit", per_minute=None)
    sandbox.control("list", most=8)
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=23), tick=True):
        catalog.request_refresh()
        work()
        App.objects.filter(position=0).update(schema_fetched_at=None)
        pulse()  # begins the round
        work()
    status = LaminaStatus.objects.get()
    assert status.catalog_at is not None
    assert status.catalog_at > timezone.now()
    assert status.app_asked_at is not None
    assert App.objects.filter(schema_fetched_at__gt=timezone.now(), estimated_at__gt=timezone.now()).exists()
    return sandbox


def test_the_list_and_the_balance_are_requested(corrected: SandboxDoor, as_alice: Client) -> None:
    as_alice.get("/apps/")
    work()
    status = LaminaStatus.objects.get()
    assert status.catalog_at is not None
    assert status.balance_at is not None
    assert max(status.catalog_at, status.balance_at) <= timezone.now()


def test_an_idle_portal_requests_the_list(corrected: SandboxDoor) -> None:
    before = len(corrected.requests_to("apps"))
    catalog.request_regular_refresh()
    work()
    assert len(corrected.requests_to("apps")) == before + 1


def test_forms_and_prices_are_read(corrected: SandboxDoor) -> None:
    now = timezone.now()
    assert in_use.incomplete(now, is_one_there=True)
    assert in_use.incomplete(now, is_one_there=False)
    catalog.complete_catalog()
    in_time = App.objects.filter(schema_fetched_at__lte=timezone.now(), estimated_at__lte=timezone.now())
    assert set(in_time.values_list("pk", flat=True)) == set(in_use.apps_in_use())


def test_the_round_goes_on(corrected: SandboxDoor) -> None:
    App.objects.update(estimated_at=timezone.now(), schema_asked_at=timezone.now())  # no app is read for being in use
    pulse()
    assert "check_app" in work()


def test_an_opened_form_is_read(corrected: SandboxDoor, as_alice: Client) -> None:
    app = App.objects.filter(schema_fetched_at__gt=timezone.now())[0]
    as_alice.get(app.get_absolute_url())
    work()
    app.refresh_from_db()
    assert app.schema_fetched_at is not None
    assert app.schema_fetched_at <= timezone.now()
    assert app.estimated_at is not None
    assert app.estimated_at <= timezone.now()


def test_apps_refused_in_a_row_still_count(corrected: SandboxDoor) -> None:
    """The last app that was sent, according to that clock, must not make all refusals look older."""
    App.objects.filter(pk=App.objects.all()[0].pk).update(schema_fetched_at=timezone.now() - timedelta(minutes=1))
    corrected.control("faults", endpoint="app", fault="status", status=404, body={"error": "Not Found"}, times=None)
    for app in App.objects.all():
        catalog.check_app(app.pk)
    assert App.objects.exclude(gone_at=None).count() == 3
