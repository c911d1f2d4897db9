"""Ids are opaque: an app is found under the id as it was pasted, and saved under Lamina's own."""

from typing import Any

import pytest
from django.test import Client

from runs import catalog
from runs.catalog import details
from runs.catalog.pasted_ids import ids_in, own_app
from runs.connection.lamina_api import lamina
from runs.connection.rate_limit import Priority
from runs.lamina.errors import LaminaUnavailable
from runs.models import App, AppRule
from tests.catalog.lamina_search import BEYOND, UUID, lamina_part, problem_of
from tests.support import factories
from tests.support.sandbox_door import SandboxDoor

UPPER = UUID.upper()
OTHER = "11111111-2222-3333-4444-555555555555"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def door(sandbox: SandboxDoor) -> SandboxDoor:
    sandbox.control("limit", per_minute=None)
    return sandbox


def send_for_every_id(door: SandboxDoor, app_id: str, **fields: Any) -> None:
    """Send the same app for every id, as a Lamina that ignores case or a wrong cache does."""
    body = {"data": {"appId": app_id, "name": "Dental advert", "parameters": [], "outputs": [], **fields}}
    door.control("faults", endpoint="app", fault="status", status=200, body=body, times=None)


def asked_ids(door: SandboxDoor) -> list[str]:
    return [request["path"].rpartition("/")[2] for request in door.requests_to("app")]


# --- At Lamina --------------------------------------------------------------------------------------------------------
def test_lamina_is_asked_for_the_id_as_pasted(as_alice: Client, door: SandboxDoor) -> None:
    door.control("apps", app=BEYOND | {"appId": UPPER}, listed=False)

    assert "Found on Lamina and added" in lamina_part(as_alice, f"https://lamina.test/{UPPER}")

    assert App.objects.get().remote_id == UPPER
    assert asked_ids(door) == [UPPER]


def test_if_lamina_does_not_know_it_the_id_is_tried_in_lower_case(as_alice: Client, beyond: str) -> None:
    assert "Found on Lamina and added" in lamina_part(as_alice, UPPER)
    assert App.objects.get().remote_id == beyond


def test_no_more_than_three_ids_are_tried(as_alice: Client, door: SandboxDoor) -> None:
    lamina_part(as_alice, " ".join(f"{n}ABCDEF0-2222-3333-4444-555555555555" for n in range(5)))
    assert [app_id[0] for app_id in asked_ids(door)] == ["4", "3", "2"]


def test_a_new_app_is_saved_under_laminas_own_id(as_alice: Client, door: SandboxDoor) -> None:
    send_for_every_id(door, UUID)

    assert "Found on Lamina and added" in lamina_part(as_alice, UPPER)

    assert App.objects.get().remote_id == UUID


# --- Known apps -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("own", "pasted"), [(UUID, UPPER), (UPPER, UUID), (UPPER, UPPER), ("app_3xQ-9", "APP_3xq-9")])
def test_a_known_app_opens_however_its_id_is_spelled(
    as_alice: Client, door: SandboxDoor, own: str, pasted: str
) -> None:
    app = factories.make_app(remote_id=own)

    page = as_alice.get("/apps/", {"q": f"https://lamina.test/{pasted}", "ask": "1"})

    assert page.headers["Location"] == app.get_absolute_url()
    assert door.requests_to("app") == []


def test_a_hidden_app_stays_hidden_however_its_id_is_spelled(as_alice: Client, door: SandboxDoor) -> None:
    app = factories.make_app(remote_id=UUID)
    AppRule.objects.create(app=app, is_hidden=True)
    send_for_every_id(door, UUID)

    assert problem_of(lamina_part(as_alice, UPPER)) == "hidden"
    assert list(App.objects.all()) == [app]
    assert as_alice.get("/apps/", {"q": UPPER}).status_code == 200


def test_an_alias_of_a_hidden_app_does_not_open_it(as_alice: Client, door: SandboxDoor) -> None:
    app = factories.make_app(remote_id=UPPER)
    AppRule.objects.create(app=app, is_hidden=True)
    send_for_every_id(door, UUID)

    assert problem_of(lamina_part(as_alice, "app_alias")) == "hidden"
    assert list(App.objects.all()) == [app]


def test_the_exact_id_comes_before_one_in_another_case() -> None:
    lower, upper = factories.make_app(remote_id="app_abc"), factories.make_app(remote_id="app_Abc")

    assert own_app(ids_in("app_abc")) == lower
    assert own_app(ids_in("app_Abc")) == upper
    assert own_app(ids_in("app_ABCD")) is None
    assert own_app([]) is None


# --- Another app's details --------------------------------------------------------------------------------------------
def test_another_apps_details_are_refused(door: SandboxDoor) -> None:
    app = factories.make_app("Cartoonify!", remote_id=UUID)
    before = app.schema
    send_for_every_id(door, OTHER)

    with pytest.raises(LaminaUnavailable):
        details.read_detail(app, lamina(Priority.CATALOG))
    catalog.refresh_app(app.pk)

    app.refresh_from_db()
    assert (app.name, app.schema) == ("Cartoonify!", before)
    assert app.schema_asked_at is not None


def test_details_whose_id_differs_only_in_case_are_saved(door: SandboxDoor) -> None:
    app = factories.make_app("Cartoonify!", remote_id=UUID)
    send_for_every_id(door, UPPER)

    assert details.read_detail(app, lamina(Priority.CATALOG))

    app.refresh_from_db()
    assert (app.name, app.remote_id) == ("Dental advert", UUID)


def test_another_app_sent_for_a_pasted_id_of_ours_is_refused(as_alice: Client, door: SandboxDoor) -> None:
    app = factories.make_app("Cartoonify!", remote_id=UUID)
    AppRule.objects.create(app=app, is_hidden=True)
    send_for_every_id(door, OTHER)

    assert problem_of(lamina_part(as_alice, UUID)) == "broken"
    assert App.objects.get().name == "Cartoonify!"
