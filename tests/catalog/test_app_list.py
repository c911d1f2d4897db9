"""However Lamina cuts, reorders or delays its list of apps, no app is lost."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from runs import catalog
from runs.background import leases
from runs.connection.lamina_api import lamina
from runs.lamina import client
from runs.lamina.transport import Timeouts
from runs.models import App, Incident, LaminaStatus, Member, Run
from runs.spending.estimates import cost_line
from runs.tasks import pulse
from tests.bench.app_list_scenes import SCENES, limits, list_fact, prepare
from tests.support.processes import wait_until
from tests.support.sandbox_door import SandboxDoor
from tests.support.work import work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def door(sandbox: SandboxDoor, settings: Settings) -> SandboxDoor:
    settings.LAMINA_REQUESTS_PER_MINUTE = 100_000
    prepare(sandbox)
    return sandbox


@pytest.fixture
def moving() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime.now(UTC), tick=True) as traveller:
        yield traveller


@pytest.mark.parametrize("title", SCENES)
def test_the_bench_table_has_no_failures(door: SandboxDoor, alice: Member, title: str) -> None:
    rows = SCENES[title](door, alice)

    assert rows
    assert [row.as_line() for row in rows if not row.met] == []


def test_a_list_asked_for_during_another_refresh_is_read_soon_after(
    door: SandboxDoor, moving: time_machine.Traveller
) -> None:
    catalog.refresh_catalog()
    first = LaminaStatus.objects.get().catalog_at
    moving.shift(timedelta(minutes=11))
    leases.acquire("catalog", "another refresh", 60)
    catalog.request_refresh_if_stale()
    work()
    assert LaminaStatus.objects.get().catalog_at == first

    leases.release("catalog", "another refresh")
    pulse()
    work()

    assert LaminaStatus.objects.get().catalog_at != first


def test_a_refused_number_is_tried_again_the_next_day(door: SandboxDoor, moving: time_machine.Traveller) -> None:
    door.control("list", most=60, beyond="refuse")
    catalog.refresh_catalog()
    assert list_fact().words.startswith("50 apps, read ")
    assert list_fact().advice.startswith("Requested 50 apps at a time")

    door.control("list", most=None, beyond="clamp")
    moving.shift(timedelta(hours=23))
    catalog.refresh_catalog()
    moving.shift(timedelta(hours=2))
    catalog.refresh_catalog()

    assert limits(door) == [200, 100, 50, 50, 200]
    assert App.objects.listed().count() == 60
    assert list_fact().words.startswith("60 apps, read ")


def test_a_list_refused_at_any_size_is_reported(door: SandboxDoor, as_admin: Client) -> None:
    door.control("faults", endpoint="apps", fault="status", status=400, body={"error": "Not today"}, times=None)
    catalog.refresh_catalog()

    assert limits(door) == [200, 100, 50, 25, None]
    page = as_admin.get("/manage/").content.decode()
    assert "refused by Lamina since" in page
    assert "“Not today”" in page
    assert "No apps can be shown until then. The portal retries automatically" in page
    assert LaminaStatus.objects.get().balance is not None, "everything else continues"

    door.clear_faults()
    catalog.refresh_catalog()
    assert limits(door)[5:] == [200]
    assert list_fact().state == "good"


def test_a_late_list_is_retried_with_fewer_apps(
    door: SandboxDoor, moving: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog.refresh_catalog()
    monkeypatch.setattr(client, "APP_LIST", Timeouts(read=0.5, total=1))
    door.control("faults", endpoint="apps", fault="delay", seconds=3, times=2)
    catalog.refresh_catalog()

    fact = list_fact()
    assert (fact.state, fact.words.split(" since")[0]) == ("warn", "timing out")
    assert fact.advice.startswith("Known apps still work. Lamina has up to 45 s to respond")
    incidents = Incident.objects.values_list("text", flat=True)
    assert [message.code for message in incidents] == ["list_late"], "Lamina isn't reported as down"

    catalog.refresh_catalog()
    assert list_fact().words.startswith("60 apps, read ")
    assert list_fact().advice.startswith("Requested without a limit")
    wait_until(lambda: len(limits(door)) == 4, "the sandbox to record the late lists")
    assert sorted(limit or 0 for limit in limits(door)) == [0, 50, 200, 200]
    moving.shift(timedelta(hours=3))
    catalog.refresh_catalog()
    assert limits(door)[4:] == [200]


def test_an_app_is_gone_only_when_its_id_is_not_found(door: SandboxDoor, as_alice: Client) -> None:
    catalog.refresh_catalog()
    app = App.objects.get(remote_id="odd-plain-7")
    door.control("apps/odd-plain-7", gone=True)
    catalog.refresh_catalog()
    app.refresh_from_db()
    assert not app.is_gone, "missing from the list proves nothing"
    as_alice.get(app.get_absolute_url())
    work()
    assert not App.objects.get(pk=app.pk).is_gone, "its form was read a moment ago"

    App.objects.update(schema_fetched_at=timezone.now() - timedelta(hours=1), schema_asked_at=None)
    as_alice.get(app.get_absolute_url())
    work()
    page = as_alice.get(app.get_absolute_url()).content.decode()
    assert "Lamina no longer offers this app." in page

    door.control("apps/odd-plain-7", gone=False)
    catalog.refresh_catalog()
    assert App.objects.get(pk=app.pk).is_gone, "being on the list proves nothing, but the app is requested next"
    as_alice.get(app.get_absolute_url())
    work()
    assert not App.objects.get(pk=app.pk).is_gone


def test_an_error_page_of_a_proxy_changes_no_app(door: SandboxDoor, as_alice: Client) -> None:
    catalog.refresh_catalog()
    app = App.objects.get(remote_id="odd-plain-7")
    for status in (403, 404):
        door.control("faults", endpoint="app", fault="status", status=status, body="<h1>Not here</h1>", times=None)
        App.objects.update(schema_fetched_at=timezone.now() - timedelta(hours=1), schema_asked_at=None)
        as_alice.get(app.get_absolute_url())
        work()
        app.refresh_from_db()
        assert app.schema_asked_at is not None
        assert not app.is_gone
        assert not app.is_forbidden


def test_the_round_asks_for_the_app_checked_longest_ago(door: SandboxDoor, moving: time_machine.Traveller) -> None:
    catalog.refresh_catalog()
    old = timezone.now() - timedelta(days=3)
    App.objects.update(is_listed=False, schema_asked_at=timezone.now())  # no app is in use
    App.objects.filter(remote_id__in=["odd-plain-8", "odd-plain-9"]).update(schema_fetched_at=old, schema_asked_at=old)
    App.objects.filter(remote_id="odd-plain-9").update(schema_asked_at=old - timedelta(days=1))
    door.control("apps/odd-plain-9", gone=True)
    before = len(door.requests_to("app"))

    for _ in range(3):
        pulse()
        work()
    assert [request["path"] for request in door.requests_to("app")[before:]] == ["/v1/apps/odd-plain-9"]
    assert App.objects.get(remote_id="odd-plain-9").is_gone

    moving.shift(timedelta(minutes=16))
    pulse()
    work()
    assert [request["path"] for request in door.requests_to("app")[before + 1 :]] == ["/v1/apps/odd-plain-8"]


def test_an_app_of_another_workspace_keeps_its_form_and_run_says_why(
    door: SandboxDoor, as_alice: Client, alice: Member
) -> None:
    catalog.refresh_catalog()
    app = App.objects.get(remote_id="odd-plain-7")
    door.control("apps/odd-plain-7", workspace="other")
    catalog.refresh_app(app.pk)

    app.refresh_from_db()
    assert app.is_forbidden
    assert not app.is_gone
    page = as_alice.get(app.get_absolute_url()).content.decode()
    assert 'id="app-form"' in page
    assert page.count("This workspace can") == 2
    assert cost_line(app, alice).is_blocked

    door.control("apps/odd-plain-7", workspace="own")
    catalog.refresh_app(app.pk)
    app.refresh_from_db()
    assert not cost_line(app, alice).is_blocked


def test_a_found_app_is_listed_once_it_is_run(door: SandboxDoor, as_alice: Client) -> None:
    found = catalog.record_found(lamina().list_apps(limit=3))

    assert [app.remote_id for app in found] == ["odd-plain", "odd-plain-2", "odd-plain-3"]
    assert not App.objects.listed().exists()
    catalog.refresh_app(found[1].pk)
    page = as_alice.get(found[1].get_absolute_url())
    fields = {"token": page.context["token"], "schema": page.context["schema_version"], "p0": "words", "outputs": "0"}
    as_alice.post(found[1].get_absolute_url(), fields)
    assert Run.objects.get().app == found[1]
    assert [app.remote_id for app in App.objects.listed()] == ["odd-plain-2"]

    catalog.refresh_catalog()
    assert App.objects.listed().count() == 60
