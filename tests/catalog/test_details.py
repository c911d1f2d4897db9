"""Answers about one app: what a refusal, or an error in the shape of an answer, does to what we know about the app."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from runs import catalog
from runs.connection import balance
from runs.models import App, AppChange, LaminaStatus
from tests.catalog.lamina_search import BEYOND, UUID
from tests.support.sandbox_door import SandboxDoor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def known(sandbox: SandboxDoor, settings: Settings) -> App:
    """Return an app with one field, whose form and price the portal has read."""
    settings.LAMINA_REQUESTS_PER_MINUTE = 100_000
    sandbox.control("limit", per_minute=None)
    parameters = [{"id": "p1", "name": "Note", "type": "text", "default": "Hi"}]
    sandbox.control("apps", app=BEYOND | {"parameters": parameters, "outputs": [{"label": "A", "type": "image"}]})
    app = App.objects.create(remote_id=UUID, name="not read yet")
    catalog.refresh_app(app.pk)
    balance.refresh_balance()
    return App.objects.get(pk=app.pk)


def age(app: App) -> None:
    """Make the form and the price of `app` due again, as if a day had passed."""
    day_ago = timezone.now() - timedelta(hours=25)
    App.objects.filter(pk=app.pk).update(schema_fetched_at=day_ago, schema_asked_at=day_ago, estimated_at=day_ago)


ERROR = {"error": "Internal error", "code": "INTERNAL_ERROR"}


@pytest.mark.parametrize("body", [ERROR, {"message": "Upstream is away"}, {"data": {"appId": UUID, "parameters": {}}}])
def test_an_error_with_status_200_leaves_the_form_as_it_was(known: App, sandbox: SandboxDoor, body: Any) -> None:
    assert known.schema is not None
    sandbox.control("faults", endpoint="app", fault="status", status=200, body=body, times=None)

    age(known)
    catalog.refresh_app(known.pk)

    app = App.objects.get(pk=known.pk)
    assert (app.name, app.schema) == (known.name, known.schema)
    assert not AppChange.objects.exists()


def test_an_error_with_status_200_leaves_price_and_balance_as_they_were(known: App, sandbox: SandboxDoor) -> None:
    before = LaminaStatus.objects.get().balance
    assert known.credits_expected
    assert before
    for endpoint in ("estimate", "usage"):
        sandbox.control("faults", endpoint=endpoint, fault="status", status=200, body=ERROR, times=None)

    age(known)
    catalog.refresh_app(known.pk)
    balance.refresh_balance()

    assert App.objects.get(pk=known.pk).credits_expected == known.credits_expected
    assert LaminaStatus.objects.get().balance == before
