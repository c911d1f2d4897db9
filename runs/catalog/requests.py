"""Decide when to request the catalogue from Lamina. All these requests start here, triggered by a page or a Schedule.

While people are active, the list is at most ten minutes old. An idle portal (no signed-in visit for an hour) requests
the list every six hours, and as soon as someone opens a page.
"""

from datetime import datetime, timedelta

from django.db.models import F, Q
from django.utils import timezone

from runs.background.queue import enqueue, enqueue_long
from runs.catalog import in_use
from runs.catalog.app_list import LIMITED
from runs.connection.status import STATUS_ID, lamina_status
from runs.models import App, LaminaStatus
from runs.models.ages import is_due, is_younger
from runs.team import sessions

ASK_AGAIN = timedelta(seconds=30)
FIRST_AGAIN = timedelta(seconds=10)
ESTIMATE_AGAIN_AT_MOST = timedelta(minutes=10)
FAILED_AGAIN = timedelta(minutes=2)  # a failing request for the list can keep a worker busy for up to 90 s
LIST_EVERY = timedelta(minutes=10)
QUIET_LIST_EVERY = timedelta(hours=6)
QUIET_FAILED_AGAIN = timedelta(hours=3)
QUIET_AFTER = timedelta(hours=1)
ROUND_EVERY = timedelta(minutes=15)  # how often to check one app by its id: 96 a day
CATALOG_SECONDS = 300


def is_quiet(now: datetime) -> bool:
    """Return whether there has been no signed-in visit for an hour."""
    seen_at = sessions.last_seen_at()
    return seen_at is None or now - seen_at > QUIET_AFTER


def request_refresh() -> None:
    """Ask the worker for a fresh list, at most once every 30 s, no matter how many pages need it."""
    now = timezone.now()
    LaminaStatus.objects.get_or_create(pk=STATUS_ID)
    waiting = is_due("catalog_asked_at", now, ASK_AGAIN)
    if LaminaStatus.objects.filter(waiting, pk=STATUS_ID).update(catalog_asked_at=now):
        enqueue_long("refresh_catalog", timeout_seconds=CATALOG_SECONDS, is_saved=False)


def request_refresh_if_stale() -> None:
    """Request a fresh list if the last one is over ten minutes old, but wait two minutes after a failure."""
    status, now = lamina_status(), timezone.now()
    is_failing = status.catalog_problem not in ("", LIMITED)
    is_just_failed = is_failing and is_younger(status.catalog_asked_at, now, FAILED_AGAIN)
    if not is_just_failed and not is_younger(status.catalog_at, now, LIST_EVERY):
        request_refresh()


def request_regular_refresh() -> None:
    """Request a fresh list. The Schedule calls this every ten minutes; an idle portal skips most of these calls, even
    before its first list."""
    status, now = lamina_status(), timezone.now()
    if is_quiet(now):
        is_young = is_younger(status.catalog_at, now, QUIET_LIST_EVERY)
        if is_young or is_younger(status.catalog_asked_at, now, QUIET_FAILED_AGAIN):
            return
    request_refresh()


def request_app_refresh(app: App, *, is_news: bool = False) -> None:
    """Ask the worker to read the form of `app` again, at most once every 30 s (10 s if its form or estimate is
    missing).

    If `is_news` is set (Lamina has just refused to start a run), this limit doesn't apply.
    """
    now = timezone.now()
    again = ASK_AGAIN if app.schema_id and app.estimated_at else FIRST_AGAIN
    waiting = Q() if is_news else is_due("schema_asked_at", now, again)
    if App.objects.filter(waiting, pk=app.pk).update(schema_asked_at=now):
        enqueue_long("refresh_app", app.pk, timeout_seconds=CATALOG_SECONDS, is_saved=False)


def request_estimate(app: App) -> None:
    """Ask the worker for the estimate of `app`, whose form we have. Open pages call this until there is one.

    The pauses grow: each is as long as all of them so far, from 10 s to ten minutes. Lamina may fail for hours, and
    many pages may be open.
    """
    now = timezone.now()
    asked_for = app.schema_asked_at - app.schema_fetched_at if app.schema_asked_at and app.schema_fetched_at else None
    again = min(max(asked_for or FIRST_AGAIN, FIRST_AGAIN), ESTIMATE_AGAIN_AT_MOST)
    waiting = Q(schema_asked_at=None) | Q(schema_asked_at__lt=now - again)
    if App.objects.filter(waiting, pk=app.pk, estimated_at=None).update(schema_asked_at=now):
        enqueue_long("read_estimate", app.pk, timeout_seconds=CATALOG_SECONDS, is_saved=False)


def request_completion() -> None:
    """Request whatever is due: the list (if the last request couldn't run), whatever is missing for apps in use, and,
    every 15 minutes, one known app.

    The worker's pulse calls this. While Lamina refuses the key, no app is requested: the list, and the balance that is
    read every hour, are enough to notice that the key works again.
    """
    now = timezone.now()
    status = lamina_status()
    if status.catalog_at is not None and status.catalog_asked_at is None:
        request_refresh()
    if status.key_refused_at is not None:
        return
    is_one_there = not is_quiet(now)
    if in_use.incomplete(now, is_one_there=is_one_there) or (is_one_there and in_use.without_picture(now).exists()):
        enqueue_long("complete_catalog", timeout_seconds=CATALOG_SECONDS, is_saved=False)
    _request_round(now)


def _request_round(now: datetime) -> None:
    """Request the least recently checked app by its id. That way, we eventually notice every app that's gone.

    Apps that were only found by a search are left out: there may be very many, and each is read when someone opens it.
    """
    its_turn = is_due("app_asked_at", now, ROUND_EVERY)
    if not LaminaStatus.objects.filter(its_turn, pk=STATUS_ID).exists():
        return
    is_found = Q(is_listed=False, starred_at=None)
    waiting = App.objects.filter(~is_found, in_use.is_old(now)).order_by(
        F("schema_asked_at").asc(nulls_first=True), "pk"
    )
    app_id = waiting.values_list("pk", flat=True).first()
    if app_id is not None and LaminaStatus.objects.filter(its_turn, pk=STATUS_ID).update(app_asked_at=now):
        enqueue("check_app", app_id)
