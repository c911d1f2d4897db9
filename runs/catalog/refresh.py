"""The worker's catalogue tasks: read the list, the apps in use, or a single app. Pages check an app themselves only
before a run."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from django.utils import timezone

from runs.audit.actors import acting_as, the_portal
from runs.background import leases
from runs.background.queue import stop_requested
from runs.catalog import app_list, details, in_use, pictures
from runs.catalog.requests import is_quiet
from runs.connection.balance import refresh_balance
from runs.connection.lamina_api import lamina, lamina_at_once
from runs.connection.rate_limit import Priority, RateLimitWait
from runs.connection.status import lamina_status, record_status
from runs.lamina.errors import LaminaError, LaminaUnavailable
from runs.models import App
from runs.models.ages import is_due, is_younger

LEASE_SECONDS = 150  # enough for one slow app (form, estimate, thumbnail, a few samples), or for two slow lists
WINDOW_SECONDS = 45.0  # how long a refresh may take; the next one continues where it stopped
SILENT_APPS = 3
CHECKED_FOR = timedelta(minutes=2)

GoOn = Callable[[], bool]


def refresh_catalog() -> None:
    """Read the app list and the balance, then whatever is missing for apps in use, as far as budget and time allow.

    If another refresh has the lease, mark the list as not requested, so that the next pulse requests it again.
    """
    if not _under_lease(_refresh_list):
        record_status(catalog_asked_at=None)


def complete_catalog() -> None:
    """Read whatever is missing for apps in use, then thumbnails for listed apps."""
    _under_lease()


def refresh_app(app_id: int) -> None:
    """Read the form of an app that someone opened, and its estimate too if that's missing or over a day old."""
    app = App.objects.select_related("schema").filter(pk=app_id).first()
    if app is None:
        return
    try:
        is_told = details.read_detail(app, lamina(Priority.FINAL))
    except (LaminaError, RateLimitWait):
        return
    if not is_told:
        return
    if not is_younger(app.estimated_at, timezone.now(), in_use.DETAIL_EVERY):
        with suppress(LaminaError, RateLimitWait):
            details.read_estimate(app, Priority.PARTIAL)
    pictures.fetch_pictures_if_due(app)


def read_estimate(app_id: int) -> None:
    """Read the estimate of an app whose form is open. The form itself isn't read again."""
    app = App.objects.filter(pk=app_id, estimated_at=None).first()
    if app is not None:
        with suppress(LaminaError, RateLimitWait):
            details.read_estimate(app, Priority.CATALOG)


def check_app(app_id: int) -> None:
    """Request one app by its id. This is part of the regular check for apps that no longer exist."""
    app = App.objects.filter(pk=app_id).first()
    if app is not None:
        with suppress(LaminaError, RateLimitWait):
            details.read_detail(app, lamina(Priority.CATALOG))


def check_before_run(app: App) -> bool:
    """Read `app` from Lamina again, because someone is about to run it and its form may have changed since it was
    opened. Return whether Lamina told us about it; if so, load `app` again.

    Nobody waits longer than two seconds for this. Without an answer, the run is sent anyway, and Lamina checks it. Does
    nothing if we asked within the last two minutes, or if Lamina is down.
    """
    now = timezone.now()
    if lamina_status().away_since is not None or is_younger(app.schema_fetched_at, now, CHECKED_FOR):
        return False
    if not App.objects.filter(is_due("schema_asked_at", now, CHECKED_FOR), pk=app.pk).update(schema_asked_at=now):
        return False
    with acting_as(the_portal), suppress(LaminaError, RateLimitWait):
        details.read_detail(app, lamina_at_once())
        return True
    return False


def _under_lease(*first: Callable[[GoOn], None]) -> bool:
    """Run the steps in `first` and then read whatever is missing, all while holding the lease. Return False if another
    refresh has the lease."""
    holder = leases.new_holder()
    if not leases.acquire("catalog", holder, LEASE_SECONDS):
        return False

    def go_on() -> bool:
        return not stop_requested() and leases.renew("catalog", holder, LEASE_SECONDS)

    try:
        for step in first:
            step(go_on)
        _complete(go_on, time.monotonic() + WINDOW_SECONDS, timezone.now())
    except (LaminaError, RateLimitWait):
        pass  # the client has recorded the problem, and the Schedule will try again
    finally:
        leases.release("catalog", holder)
    return True


def _refresh_list(go_on: GoOn) -> None:
    app_list.refresh_list(go_on)
    refresh_balance()


def _complete(go_on: GoOn, ends_at: float, now: datetime) -> None:
    """Read the forms and estimates of the apps in use, one app at a time, then thumbnails.

    If Lamina sends no usable response for an app, we try that app again later. After three failures like that in a row,
    we stop: Lamina itself is probably down, or a proxy is answering in its place.
    """
    is_one_there = not is_quiet(now)
    silent = 0
    for app in in_use.incomplete(now, is_one_there=is_one_there):
        if time.monotonic() > ends_at or not go_on():
            return
        try:
            _complete_app(app, now)
        except LaminaUnavailable:
            silent += 1
            if silent == SILENT_APPS:
                raise
        else:
            silent = 0
    if is_one_there:
        for app in in_use.without_picture(now):
            if time.monotonic() > ends_at or not go_on():
                return
            pictures.fetch_thumbnail(app)


def _complete_app(app: App, now: datetime) -> None:
    is_there = app.is_runnable
    if not is_younger(app.schema_fetched_at, now, in_use.DETAIL_EVERY):
        is_there = details.read_detail(app, lamina(Priority.CATALOG))
    pictures.fetch_pictures_if_due(app)
    if is_there and not is_younger(app.estimated_at, now, in_use.DETAIL_EVERY):
        details.read_estimate(app, Priority.CATALOG)
