"""An idle portal sends few requests to Lamina, and is up to date again as soon as someone opens it."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import Settings

from runs import catalog, tasks
from runs.models import App, BrowserSession, LaminaStatus, Member
from runs.team import sessions
from tests.support.factories import make_run
from tests.support.sandbox_door import SandboxDoor
from tests.support.work import work

pytestmark = pytest.mark.django_db(transaction=True)
KNOWN, FEW = 2_000, 300  # numbers of apps; FEW is enough for most tests, as it equals MOST_REQUESTS
PULSE_SECONDS = 300  # 30 s in production, but the lists are read at the same times either way
READING_SECONDS = 120  # short enough to read every form that may be read in a day
MOST_REQUESTS = 300
API = "/v1/"


@pytest.fixture
def known(request: pytest.FixtureRequest, sandbox: SandboxDoor, settings: Settings) -> SandboxDoor:
    """Set up a portal that knows FEW apps, or as many as the fixture's parameter says; Lamina's list contains only some
    of them."""
    settings.LAMINA_REQUESTS_PER_MINUTE = 100_000
    sandbox.control("limit", per_minute=None)
    ids = sandbox.control("odd-apps", kind="plain", count=getattr(request, "param", FEW))["appIds"]
    App.objects.bulk_create(App(remote_id=app_id, name=app_id, position=n) for n, app_id in enumerate(ids))
    sandbox.control("list", order="popularity", seed=1, most=60)
    return sandbox


def asked(door: SandboxDoor) -> dict[str, int]:
    """Return the number of requests to each of Lamina's endpoints, excluding pictures."""
    counts: dict[str, int] = {}
    for request in door.state["requests"]:
        if request["path"].startswith(API):
            counts[request["endpoint"]] = counts.get(request["endpoint"], 0) + 1
    return counts


def live(hours: float, traveller: time_machine.Traveller, pulse_seconds: int = PULSE_SECONDS) -> None:
    """Let `hours` pass, running scheduled tasks when they are due, and queued tasks as the worker would."""
    for n in range(int(hours * 3600 / pulse_seconds)):
        traveller.shift(pulse_seconds)
        tasks.pulse()
        if n % (600 // pulse_seconds) == 0:
            tasks.request_catalog()
        if n % (3600 // pulse_seconds) == 0:
            tasks.tidy()
            tasks.read_account()
        if n % (86_400 // pulse_seconds) == 0:
            tasks.request_clearing()
        if OrmQ.objects.exists():
            work()


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("known", [KNOWN], indirect=True)
def test_a_quiet_day_with_2000_apps_costs_at_most_300_requests(known: SandboxDoor, alice: Member) -> None:
    for app in App.objects.all()[100:110]:
        app.schema = app.schemas.create(version="1")
        app.save()
        make_run(alice, app, status="completed", has_star=True)

    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        live(24, traveller, READING_SECONDS)

    counts = asked(known)
    assert sum(counts.values()) <= MOST_REQUESTS
    assert 4 <= counts["apps"] <= 5
    assert counts["usage"] == counts["apps"] + 24, "with the list of apps, and once an hour"
    assert counts["estimate"] <= 60
    assert 90 <= counts["app"] - counts["estimate"] <= 100, "at most 100 apps a day are read by id alone"
    assert App.objects.exclude(schema=None).count() >= 140
    assert App.objects.filter(gone_at=None).count() == App.objects.count() >= KNOWN


@pytest.mark.timeout(120)
def test_a_busy_portal_has_a_list_at_most_ten_minutes_old(known: SandboxDoor, as_alice: Client) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        assert BrowserSession.objects.update(seen_at=timezone.now() + timedelta(hours=1)) == 1
        live(1, traveller)

    counts = asked(known)
    assert 6 <= counts["apps"] <= 7
    assert 60 <= counts["estimate"] <= 60 * counts["apps"]
    assert counts["estimate"] <= counts["app"] <= counts["estimate"] + 4


def test_opening_an_idle_portal_asks_for_a_fresh_list(
    known: SandboxDoor, as_alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    BrowserSession.objects.update(seen_at=timezone.now() - timedelta(hours=2))
    monkeypatch.setattr(sessions, "_noted", {})  # as in a process that hasn't seen this browser yet
    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        live(0.5, traveller)
        assert len(known.requests_to("apps")) == 1
        as_alice.get("/")
        work()
        assert len(known.requests_to("apps")) == 2
        live(0.5, traveller)
    assert len(known.requests_to("apps")) >= 4


def test_a_failing_list_is_not_retried_all_day_on_an_idle_portal(known: SandboxDoor) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        live(0.1, traveller)
        known.control("faults", endpoint="apps", fault="status", status=500, times=None)
        live(23, traveller, 600)
    assert LaminaStatus.objects.get().catalog_problem == "unreadable"
    assert sum(asked(known).values()) <= MOST_REQUESTS
    assert 4 <= len(known.requests_to("apps")) <= 20


@pytest.mark.timeout(120)
def test_a_list_that_never_came_is_not_requested_all_day(known: SandboxDoor) -> None:
    """Lamina refuses the list at every size, and the workspace has no name."""
    known.control("faults", endpoint="apps", fault="status", status=400, body={"error": "Not today"}, times=None)
    nameless = {"data": {"user": {"id": "u1", "email": None}, "workspace": {"id": "w1", "name": None}}}
    known.control("faults", endpoint="account", fault="status", status=200, body=nameless, times=None)
    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        live(24, traveller, 600)
    assert LaminaStatus.objects.get().catalog_at is None
    counts = asked(known)
    assert sum(counts.values()) <= MOST_REQUESTS
    assert 8 <= counts["apps"] <= 14, "at every size only once"
    assert counts["account"] == 1, "the database's clock stands still here"


def test_a_refused_key_is_only_tried_with_the_balance_and_the_list(known: SandboxDoor) -> None:
    day = timedelta(hours=25)
    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        live(0.2, traveller)
        App.objects.update(
            schema_fetched_at=timezone.now() - day, schema_asked_at=timezone.now() - day, estimated_at=None
        )
        known.control("keys", accepted=["lma_another"])
        before = asked(known)
        live(6, traveller, 600)
        counts = asked(known)
        assert sum(counts.values()) - sum(before.values()) <= 6 + 2 + 1
        assert counts["app"] - before["app"] <= 1

        known.control("keys", accepted=[settings.SANDBOX_KEY])
        live(1.2, traveller)
    assert LaminaStatus.objects.get().key_refused_at is None
    assert asked(known)["app"] > counts["app"] + 1, "apps are read again"


def test_a_pulse_that_finds_the_key_refused_asks_for_the_app_once(known: SandboxDoor) -> None:
    known.control("keys", accepted=["lma_another"])
    for _ in range(2):
        catalog.complete_catalog()
    paths = [request["path"] for request in known.requests_to("app")]
    assert len(set(paths)) == len(paths) == 2, "each app is asked for once"


def test_an_app_that_costs_too_much_to_read_holds_up_no_other(known: SandboxDoor) -> None:
    first = App.objects.order_by("position")[0]
    refusal = {"fault": "status", "status": 402, "body": {"error": "Insufficient credits"}}
    known.control("faults", endpoint="app", appId=first.remote_id, times=None, **refusal)
    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        live(0.4, traveller)
    assert len([r for r in known.requests_to("app") if r["path"].endswith(f"/{first.remote_id}")]) == 1
    assert App.objects.exclude(schema=None).count() >= 60
