"""However Lamina shortens, reorders or delays its list of apps, no app is lost."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from runs import catalog
from runs.background import leases
from runs.catalog import in_use, lamina_search
from runs.connection import rate_limit
from runs.connection.lamina_api import lamina
from runs.engine.create_run import LaunchRequest, launch_run, new_form_token
from runs.engine.submit import submit_run
from runs.lamina import client
from runs.lamina.transport import Timeouts
from runs.manage.health_report import Fact, health_report
from runs.models import App, AppSearch, Incident, LaminaStatus, Member, RequestWindow, Run
from runs.sandbox.catalogue import load_catalogue
from runs.spending.estimates import cost_line
from runs.tasks import pulse
from tests.support.processes import wait_until
from tests.support.sandbox_door import SandboxDoor
from tests.support.work import work

APPS = 60
CUT_TO = 12
BEYOND = "5b0a1f5e-0a1b-4c3d-8e9f-001122334455"  # the id of an app that isn't in the list

pytestmark = pytest.mark.django_db(transaction=True)


def prepare(door: SandboxDoor) -> None:
    """Put 60 plain apps into the sandbox: the portal knows none of them, and five belong to the workspace itself."""
    door.control("reset")
    door.control("limit", per_minute=None)
    for app_id in load_catalogue(has_test_cards=True):
        door.control(f"apps/{app_id}", listed=False)
    ids = door.control("odd-apps", kind="plain", count=APPS)["appIds"]
    for app_id in ids[:5]:
        door.control(f"apps/{app_id}", workspace="own")
    App.objects.all().delete()
    AppSearch.objects.all().delete()
    LaminaStatus.objects.all().delete()
    cache.clear()


def limits(door: SandboxDoor) -> list[int | None]:
    """Return the `limit` sent with each request for the list; None for requests without a limit."""
    asked = [request["query"].get("limit") for request in door.requests_to("apps")]
    return [None if limit is None else int(limit) for limit in asked]


def list_fact() -> Fact:
    """Return what the health page says about the list."""
    return next(fact for fact in health_report().facts if fact.label == "App list")


@pytest.fixture
def door(sandbox: SandboxDoor, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> SandboxDoor:
    settings.LAMINA_REQUESTS_PER_MINUTE = 100_000
    monkeypatch.setattr(in_use, "IN_ALL", 10)  # these tests are about the list, so few forms are read
    prepare(sandbox)
    return sandbox


@pytest.fixture
def moving() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime.now(UTC), tick=True) as traveller:
        yield traveller


def test_a_list_that_may_have_no_size_is_read_without_one(door: SandboxDoor) -> None:
    door.control("list", most=24, beyond="refuse", default=10)
    catalog.refresh_catalog()
    catalog.refresh_catalog()

    assert limits(door) == [200, 100, 50, 25, None, None]
    assert App.objects.listed().count() == 10
    assert list_fact().state == "good"


def test_an_app_seen_once_stays_when_the_list_is_cut_to_others(door: SandboxDoor, alice: Member) -> None:
    door.control("list", most=CUT_TO, order="popularity", seed=10)
    seen: set[int] = set()
    for _ in range(5):
        catalog.refresh_catalog()
        seen |= set(App.objects.listed().values_list("pk", flat=True))

    assert set(App.objects.listed().values_list("pk", flat=True)) == seen
    assert len(seen) > 2 * CUT_TO
    assert [app for app in App.objects.all() if cost_line(app, alice).is_blocked] == []


@pytest.mark.parametrize(
    ("search", "not_offered"),
    [("dental adv", "discover"), ("what dentists need", "search"), (f"https://x.test/{BEYOND}", None)],
    ids=["words", "description", "address"],
)
def test_an_app_beyond_the_list_is_found_and_can_be_run(
    door: SandboxDoor, alice: Member, search: str, not_offered: str | None
) -> None:
    door.control(
        "apps", app={"appId": BEYOND, "name": "Dental advert", "description": "A poster for a dentist."}, listed=False
    )
    if not_offered:
        door.control("faults", endpoint=not_offered, fault="status", status=404)
    asked = lamina_search.ask(search)
    assert isinstance(asked, AppSearch)
    lamina_search.answer(asked.key)

    catalog.refresh_app(App.objects.get(remote_id=BEYOND).pk)
    app = App.objects.select_related("schema").get(remote_id=BEYOND)
    assert app.schema is not None
    run = launch_run(alice, LaunchRequest(app, app.schema, [], [], new_form_token(alice)))
    submit_run(run.pk)
    run.refresh_from_db()
    assert run.status == "queued"
    assert run.remote_id
    assert App.objects.listed().filter(pk=app.pk).exists()


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
    assert list_fact().words.startswith("50 apps, loaded ")
    assert list_fact().advice.startswith("Requested 50 apps at a time")

    door.control("list", most=None, beyond="clamp")
    moving.shift(timedelta(hours=23))
    catalog.refresh_catalog()
    moving.shift(timedelta(hours=2))
    catalog.refresh_catalog()

    assert limits(door) == [200, 100, 50, 50, 200]
    assert App.objects.listed().count() == 60
    assert list_fact().words.startswith("60 apps, loaded ")


def test_a_list_refused_at_any_size_is_reported(door: SandboxDoor, as_admin: Client) -> None:
    door.control("faults", endpoint="apps", fault="status", status=400, body={"error": "Not today"}, times=None)
    catalog.refresh_catalog()

    assert limits(door) == [200, 100, 50, 25, None]
    page = as_admin.get("/manage/").content.decode()
    assert "refused by Lamina since" in page
    assert "“Not today”" in page
    assert "No apps can be shown yet. The portal retries automatically" in page
    assert LaminaStatus.objects.get().balance is not None, "everything else continues"

    catalog.refresh_catalog()
    assert limits(door)[5:] == [None], "the size isn't the problem"

    door.clear_faults()
    catalog.refresh_catalog()
    assert limits(door)[6:] == [None, 200]
    assert App.objects.listed().count() == 60
    assert list_fact().state == "good"
    catalog.refresh_catalog()
    assert limits(door)[8:] == [200]


@pytest.mark.parametrize("status", [402, 404, 405, 413])
def test_every_refusal_of_the_list_is_reported(door: SandboxDoor, status: int) -> None:
    door.control("list", most=2)
    catalog.refresh_catalog()
    assert list_fact().state == "good"
    before = len(limits(door))
    door.control("faults", endpoint="apps", fault="status", status=status, body="No list for you", times=None)
    catalog.refresh_catalog()

    assert len(limits(door)) == before + 1, "the size isn't the problem"
    assert (list_fact().state, LaminaStatus.objects.get().catalog_problem) == ("warn", "refused")
    assert "No list for you" in list_fact().advice
    assert Incident.objects.latest("pk").text.code == "list_refused"


def test_a_list_refused_because_of_the_key_is_reported_once(door: SandboxDoor) -> None:
    door.control("faults", endpoint="apps", fault="status", status=401, body={"error": "Invalid API key"}, times=None)
    catalog.refresh_catalog()

    status = LaminaStatus.objects.get()
    assert status.key_refused_at is not None
    assert status.catalog_problem == ""


@pytest.mark.parametrize("is_lamina", [True, False], ids=["by Lamina", "by our budget"])
def test_a_list_held_back_by_the_limit_is_reported(door: SandboxDoor, is_lamina: bool) -> None:
    if is_lamina:
        door.control("faults", endpoint="apps", fault="status", status=429, headers={"Retry-After": "1"}, times=None)
    else:
        rate_limit.close(60)
    catalog.refresh_catalog()

    assert list_fact().state == "bad"
    assert list_fact().words.startswith("held back by the request limit since ")
    assert list_fact().advice.startswith("No apps can be shown yet. ")
    assert not Incident.objects.exists()

    door.clear_faults()
    RequestWindow.objects.all().delete()
    catalog.refresh_catalog()
    assert list_fact().state == "good"


def test_a_list_held_back_for_a_while_is_not_reported_while_it_is_fresh(
    door: SandboxDoor, moving: time_machine.Traveller
) -> None:
    catalog.refresh_catalog()
    rate_limit.close(60)
    catalog.refresh_catalog()
    assert (list_fact().state, list_fact().words) == ("good", "60 apps, loaded just now")

    moving.shift(timedelta(hours=8))
    assert list_fact().state == "warn"
    assert list_fact().words.startswith("held back by the request limit since ")


def test_an_old_list_is_reported(door: SandboxDoor, moving: time_machine.Traveller) -> None:
    catalog.refresh_catalog()
    moving.shift(timedelta(hours=6))
    assert list_fact().state == "good", "an idle portal reads it this seldom"
    moving.shift(timedelta(hours=2))
    assert (list_fact().state, list_fact().words) == ("warn", "60 apps, loaded 8 h ago")
    assert "restart the worker" in list_fact().advice


def test_a_missing_list_does_not_promise_to_come_within_a_minute_while_the_key_is_refused(door: SandboxDoor) -> None:
    door.control("keys", accepted=["lma_another"])
    catalog.refresh_catalog()
    assert (list_fact().state, list_fact().words) == ("warn", "not loaded yet")
    assert "within a minute" not in list_fact().advice


def test_an_empty_list_is_reported(door: SandboxDoor) -> None:
    door.control("faults", endpoint="apps", fault="status", status=200, body={"data": []}, times=None)
    catalog.refresh_catalog()
    told = "Lamina sent an empty list. Check that the key belongs to the right workspace."
    assert (list_fact().state, list_fact().advice) == ("warn", told)

    door.clear_faults()
    catalog.refresh_catalog()
    door.control("faults", endpoint="apps", fault="status", status=200, body={"data": []}, times=None)
    catalog.refresh_catalog()
    assert list_fact().advice == f"{told} Apps loaded earlier still work."


def test_the_list_may_take_30_s_between_bytes_and_45_s_in_all() -> None:
    assert Timeouts(read=30, total=45) == client.APP_LIST


def test_a_late_list_is_retried_with_fewer_apps(
    door: SandboxDoor, moving: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog.refresh_catalog()
    monkeypatch.setattr(client, "APP_LIST", Timeouts(read=0.5, total=1))
    door.control("faults", endpoint="apps", fault="delay", seconds=3, times=2)
    catalog.refresh_catalog()

    fact = list_fact()
    assert (fact.state, fact.words.split(" since")[0]) == ("warn", "timing out")
    assert fact.advice.startswith("Apps loaded earlier still work. Lamina has up to 45 s to respond")
    incidents = Incident.objects.values_list("text", flat=True)
    assert [message.code for message in incidents] == ["list_late"], "Lamina isn't reported as down"

    catalog.refresh_catalog()
    assert list_fact().words.startswith("60 apps, loaded ")
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


PROXY_ANSWERS = [
    (403, "<h1>Not here</h1>"),
    (403, "error code: 1020"),  # Cloudflare's response to scripts
    (403, {"message": "Forbidden"}),  # response from an AWS gateway
    (404, "404 page not found"),  # response from Traefik
    (404, {"message": "no Route matched with those values"}),  # response from Kong
    (410, {"error": "Gone"}),  # only a 404 means that an app is gone
]


@pytest.mark.parametrize(("status", "body"), PROXY_ANSWERS)
def test_a_proxys_answer_closes_no_app(door: SandboxDoor, as_alice: Client, status: int, body: object) -> None:
    door.control("list", most=2)
    catalog.refresh_catalog()
    app = App.objects.get(remote_id="odd-plain-2")
    door.control("faults", endpoint="app", fault="status", status=status, body=body, times=None)
    App.objects.update(schema_fetched_at=timezone.now() - timedelta(hours=1), schema_asked_at=None)
    as_alice.get(app.get_absolute_url())
    work()
    app.refresh_from_db()
    assert app.schema_asked_at is not None
    assert app.is_runnable


def age_forms() -> None:
    """Make every form due again, as if a day had passed."""
    day_ago = timezone.now() - timedelta(hours=25)
    App.objects.update(schema_fetched_at=day_ago, schema_asked_at=day_ago, estimated_at=day_ago)


def test_a_proxy_that_refuses_every_app_closes_none_and_is_reported(door: SandboxDoor) -> None:
    door.control("list", most=8)
    catalog.refresh_catalog()
    age_forms()
    door.control("faults", endpoint="app", fault="status", status=404, body="404 page not found", times=None)
    before = len(door.requests_to("app"))
    catalog.refresh_catalog()

    assert len(door.requests_to("app")) - before == 3, "the rest has to wait"
    assert not App.objects.exclude(gone_at=None, forbidden_at=None).exists()
    assert LaminaStatus.objects.get().catalog_problem == "apps"
    assert list_fact().state == "warn"
    catalog.refresh_catalog()
    assert list_fact().state == "warn", "a readable list proves nothing about its apps"
    assert [incident.text.code for incident in Incident.objects.filter(text__contains="apps_refused")] == [
        "apps_refused"
    ]

    door.clear_faults()
    age_forms()
    catalog.refresh_catalog()
    assert list_fact().state == "good"


def test_several_apps_refused_in_a_row_are_closed_only_once_lamina_sends_another(door: SandboxDoor) -> None:
    """Five apps really are gone; for a while, though, a proxy that answers just like Lamina refuses all the others
    too."""
    door.control("list", most=8)
    catalog.refresh_catalog()
    gone = [f"odd-plain-{n}" for n in range(2, 7)]
    age_forms()
    for app_id in gone:
        door.control(f"apps/{app_id}", gone=True)
    door.control("faults", endpoint="app", fault="status", status=404, body={"error": "Not Found"}, times=None)
    for _ in range(3):
        catalog.refresh_catalog()
    assert App.objects.exclude(gone_at=None).count() == 3
    assert list_fact().state == "warn"

    door.clear_faults()
    for _ in range(3):
        age_forms()
        for app in App.objects.all():
            catalog.check_app(app.pk)
    assert sorted(App.objects.exclude(gone_at=None).values_list("remote_id", flat=True)) == gone
    assert list_fact().state == "good"


def test_the_round_asks_for_the_app_checked_longest_ago(door: SandboxDoor, moving: time_machine.Traveller) -> None:
    catalog.refresh_catalog()
    old = timezone.now() - timedelta(days=3)
    now = timezone.now()
    in_use = [App(remote_id=f"first-{n}", schema_fetched_at=now, schema_asked_at=now) for n in range(60)]
    App.objects.update(position=99, schema_asked_at=now)  # the apps in use are others
    App.objects.bulk_create(in_use)
    App.objects.filter(remote_id__startswith="first-").update(estimated_at=now)
    App.objects.create(remote_id="odd-plain-found", position=99, is_listed=False)  # waits until someone opens it
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


def test_an_app_that_is_listed_and_gone_does_not_take_every_turn_of_the_round(
    door: SandboxDoor, moving: time_machine.Traveller
) -> None:
    catalog.refresh_catalog()
    app = App.objects.get(remote_id="odd-plain-9")
    door.control("faults", endpoint="app", fault="status", status=404, body={"error": "Not Found"}, times=None)
    catalog.check_app(app.pk)
    app.refresh_from_db()
    assert app.is_gone
    asked = app.schema_asked_at

    moving.shift(timedelta(minutes=11))
    catalog.refresh_catalog()  # the list still names it
    app.refresh_from_db()
    assert app.schema_asked_at == asked

    moving.shift(timedelta(hours=7))
    catalog.refresh_catalog()
    app.refresh_from_db()
    assert app.schema_asked_at != asked  # its turn has come again


def test_an_app_that_is_found_and_gone_does_not_take_every_turn_of_the_round(
    door: SandboxDoor, moving: time_machine.Traveller
) -> None:
    summaries = lamina().list_apps(limit=3)
    app = catalog.record_found(summaries)[0]
    door.control("faults", endpoint="app", fault="status", status=404, body={"error": "Not Found"}, times=None)
    catalog.check_app(app.pk)
    asked = App.objects.get(pk=app.pk).schema_asked_at

    catalog.record_found(summaries)
    assert App.objects.get(pk=app.pk).schema_asked_at == asked is not None

    moving.shift(timedelta(hours=7))
    catalog.record_found(summaries)
    assert App.objects.get(pk=app.pk).schema_asked_at is None


def test_a_list_that_stops_halfway_counts_as_late(door: SandboxDoor) -> None:
    catalog.refresh_catalog()
    door.control("faults", endpoint="apps", fault="truncated", times=2)
    catalog.refresh_catalog()
    assert list_fact().words.startswith("timing out")


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
