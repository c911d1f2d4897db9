"""How Lamina's app list may behave, and how the portal should react, in one table that the tests and the benchmark
share.

A scene sets up the sandbox, makes the portal read the list as the worker would, and returns rows with targets.
"""

import time
from collections.abc import Callable
from typing import Any, Protocol

from django.core.cache import cache

from runs import catalog
from runs.catalog import lamina_search
from runs.engine import create_run, submit
from runs.manage.health_report import Fact, health_report
from runs.models import App, AppSearch, Charge, LaminaStatus, Member, Run, SpendingSum
from runs.sandbox.catalogue import load_catalogue
from runs.spending.estimates import cost_line
from tests.bench.report import Row

APPS = 60
CAPPED_AT, ROUNDS = 12, 20
SLOW_SECONDS = 10


class Door(Protocol):
    """The sandbox's control API."""

    def control(self, _path: str, **values: Any) -> dict[str, Any]: ...

    def requests_to(self, endpoint: str) -> list[dict[str, Any]]: ...


def prepare(door: Door) -> None:
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


def limits(door: Door) -> list[int | None]:
    """Return the `limit` sent with each request for the list; None for requests without a limit."""
    asked = [request["query"].get("limit") for request in door.requests_to("apps")]
    return [None if limit is None else int(limit) for limit in asked]


def list_fact() -> Fact:
    """Return what the health page says about the list."""
    return next(fact for fact in health_report().facts if fact.label == "App list")


def not_runnable(member: Member) -> list[App]:
    """Return the apps for which Run is blocked."""
    return [app for app in App.objects.all() if cost_line(app, member).is_blocked]


def refused_at_100(door: Door, _: Member) -> list[Row]:
    """Lamina accepts a limit of at most 60: it refuses 200 and 100, but 50 works and is tried first the next time."""
    door.control("list", most=60, beyond="refuse")
    catalog.refresh_catalog()
    catalog.refresh_catalog()
    return [
        equals("refused at 100: requested", limits(door), [200, 100, 50, 50]),
        equals("refused at 100: apps listed", App.objects.listed().count(), 50),
        equals("refused at 100: Health", list_fact().state, "good"),
    ]


def refused_at_25(door: Door, _: Member) -> list[Row]:
    """Lamina refuses every limit; without a limit, it lists ten apps."""
    door.control("list", most=24, beyond="refuse", default=10)
    catalog.refresh_catalog()
    catalog.refresh_catalog()
    return [
        equals("refused at 25: requested", limits(door), [200, 100, 50, 25, None, None]),
        equals("refused at 25: apps listed", App.objects.listed().count(), 10),
        equals("refused at 25: Health", list_fact().state, "good"),
    ]


def capped_at_12(door: Door, member: Member) -> list[Row]:
    """The list is silently cut to a different set of twelve apps on each of 20 reads. Once the portal has seen an app,
    that app stays listed and can be run."""
    door.control("list", most=CAPPED_AT, order="popularity", seed=10)
    seen: set[int] = set()
    for _ in range(ROUNDS):
        catalog.refresh_catalog()
        seen |= set(App.objects.listed().values_list("pk", flat=True))
    listed = set(App.objects.listed().values_list("pk", flat=True))
    return [
        equals(f"capped at {CAPPED_AT}: apps lost in {ROUNDS} rounds", len(seen - listed), 0),
        equals(f"capped at {CAPPED_AT}: apps that cannot be run", len(not_runnable(member)), 0),
        Row(f"capped at {CAPPED_AT}: apps known", str(len(listed)), f"> {2 * CAPPED_AT}", len(listed) > 2 * CAPPED_AT),
    ]


def slow(door: Door, _: Member) -> list[Row]:
    """The list takes ten seconds to arrive."""
    door.control("faults", endpoint="apps", fault="delay", seconds=SLOW_SECONDS)
    began = time.monotonic()
    catalog.refresh_catalog()
    took = time.monotonic() - began
    return [
        equals(f"slow by {SLOW_SECONDS} s: apps listed", App.objects.listed().count(), APPS),
        Row(f"slow by {SLOW_SECONDS} s: read in", f"{took:.0f} s", f">= {SLOW_SECONDS} s", took >= SLOW_SECONDS),
        equals(f"slow by {SLOW_SECONDS} s: Lamina counts as away", LaminaStatus.objects.get().away_since, None),
        equals(f"slow by {SLOW_SECONDS} s: Health", list_fact().state, "good"),
    ]


def beyond_the_list(door: Door, member: Member) -> list[Row]:
    """An unlisted app can be found by keyword, by a description of what someone needs, and by address, and then run."""
    app_id = "5b0a1f5e-0a1b-4c3d-8e9f-001122334455"
    app = {"appId": app_id, "name": "Dental advert", "description": "A poster for a dentist."}
    door.control("apps", app=app, listed=False)
    rows = []
    for way, q in {
        "words": "dental adv",
        "discover": "what dentists need",
        "address": f"https://x.test/{app_id}",
    }.items():
        off = {"words": "discover", "discover": "search"}.get(way)
        if off:
            door.control("faults", endpoint=off, fault="status", status=404)
        search = lamina_search.ask(q)
        assert isinstance(search, AppSearch)
        lamina_search.answer(search.key)
        found = App.objects.filter(remote_id=app_id).first()
        rows.append(Row(f"beyond the list: found by {way}", "yes" if found else "no", "yes", found is not None))
        if found is not None:
            rows.append(_run(f"beyond the list: found by {way}, run on Lamina", found, member))
            for model in (Charge, SpendingSum, Run, App):
                model._default_manager.all().delete()
    return rows


def _run(what: str, app: App, member: Member) -> Row:
    """Open the app, press Run, and send the run to Lamina."""
    catalog.refresh_app(app.pk)
    app = App.objects.select_related("schema").get(pk=app.pk)
    assert app.schema is not None
    run = create_run.launch_run(
        member, create_run.LaunchRequest(app, app.schema, [], [], create_run.new_form_token(member))
    )
    submit.submit_run(run.pk)
    run.refresh_from_db()
    return Row(
        what, run.status, "queued", bool(run.remote_id) and app.pk in App.objects.listed().values_list("pk", flat=True)
    )


def equals(what: str, found: object, expected: object) -> Row:
    """Return a row whose target is met if `found` equals `expected`."""
    target = _words(expected)
    return Row(what, _words(found), f"= {target}" if len(target) < 10 else "just that", found == expected)


def _words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_words(item) for item in value)
    return "none" if value is None else str(value)


SCENES: dict[str, Callable[[Door, Member], list[Row]]] = {
    "list refused at 100": refused_at_100,
    "list refused at 25": refused_at_25,
    "list capped at 12": capped_at_12,
    "list slow by 10 s": slow,
    "app beyond the list": beyond_the_list,
}
