"""When Lamina is asked for anything of the catalogue: every request of it begins here, in a page or in a Schedule.

While people are there, the list is ten minutes old at most. A quiet portal (nobody signed in has been seen for an hour)
asks for it every six hours; nothing is lost, for the first page that somebody opens asks at once.
"""

from datetime import datetime, timedelta

from django.db.models import F, Q
from django.utils import timezone

from runs.models import App, LaminaStatus
from runs.queue import enqueue, enqueue_long
from runs.services import leases
from runs.services.catalog import in_use
from runs.services.team import sessions
from runs.services.upkeep import health

ASK_AGAIN = timedelta(seconds=30)
FIRST_AGAIN = timedelta(seconds=10)
FAILED_AGAIN = timedelta(minutes=2)  # a list that failed costs up to 90 s of a worker
LIST_EVERY = timedelta(minutes=10)
QUIET_LIST_EVERY = timedelta(hours=6)
QUIET_FAILED_AGAIN = timedelta(hours=3)
BALANCE_EVERY = timedelta(seconds=30)
QUIET_AFTER = timedelta(hours=1)
ROUND_EVERY = timedelta(minutes=15)  # one app by its own id: 96 a day
CATALOG_SECONDS = 300


def is_quiet(now: datetime) -> bool:
    """Whether no browser of anybody signed in has been here for an hour."""
    seen_at = sessions.last_seen_at()
    return seen_at is None or now - seen_at > QUIET_AFTER


def request_refresh() -> None:
    """Ask the worker for a fresh list; at most once in 30 s however many pages want it."""
    now = timezone.now()
    LaminaStatus.objects.get_or_create(pk=health.STATUS_ID)
    waiting = Q(catalog_asked_at=None) | Q(catalog_asked_at__lt=now - ASK_AGAIN)
    if LaminaStatus.objects.filter(waiting, pk=health.STATUS_ID).update(catalog_asked_at=now):
        enqueue_long("runs.tasks.refresh_catalog", timeout_seconds=CATALOG_SECONDS, is_saved=False)


def request_refresh_if_stale() -> None:
    """Ask for a fresh list when the last one is older than ten minutes; one that failed is given two more."""
    status, now = health.lamina_status(), timezone.now()
    is_just_failed = status.catalog_problem and _is_younger(status.catalog_asked_at, now, FAILED_AGAIN)
    if not is_just_failed and not _is_younger(status.catalog_at, now, LIST_EVERY):
        request_refresh()


def request_regular_refresh() -> None:
    """What the Schedule asks for every ten minutes: the list, less often while nobody is there."""
    status, now = health.lamina_status(), timezone.now()
    if status.catalog_at is not None and is_quiet(now):
        is_young = _is_younger(status.catalog_at, now, QUIET_LIST_EVERY)
        if is_young or _is_younger(status.catalog_asked_at, now, QUIET_FAILED_AGAIN):
            return
    request_refresh()


def request_app_refresh(app: App, *, is_news: bool = False) -> None:
    """Ask the worker for this app's form again; at most once in 30 s, or 10 s while there is none yet, unless there
    IS_NEWS of it (a refused start)."""
    now = timezone.now()
    again = ASK_AGAIN if app.schema_id else FIRST_AGAIN
    waiting = Q() if is_news else Q(schema_asked_at=None) | Q(schema_asked_at__lt=now - again)
    if App.objects.filter(waiting, pk=app.pk).update(schema_asked_at=now):
        enqueue_long("runs.tasks.refresh_app", app.pk, timeout_seconds=CATALOG_SECONDS, is_saved=False)


def request_balance_if_stale() -> None:
    """Ask for the balance again when the last one is older than 30 s; the page shows the known one meanwhile."""
    if not _is_younger(health.lamina_status().balance_at, timezone.now(), BALANCE_EVERY):
        request_balance()


def request_balance() -> None:
    if leases.may_kick("balance"):
        enqueue("runs.tasks.refresh_balance")


def request_completion() -> None:
    """What the pulse asks for: whatever the apps in use lack, and every 15 minutes one app of the round."""
    now = timezone.now()
    is_one_there = not is_quiet(now)
    if in_use.incomplete(now, is_one_there=is_one_there) or (is_one_there and in_use.without_picture(now).exists()):
        enqueue_long("runs.tasks.complete_catalog", timeout_seconds=CATALOG_SECONDS, is_saved=False)
    _request_round(now)


def _request_round(now: datetime) -> None:
    """The app that was asked for longest ago is asked for by its own id, so that one that is gone is known at last."""
    its_turn = Q(app_asked_at=None) | Q(app_asked_at__lt=now - ROUND_EVERY)
    if not LaminaStatus.objects.filter(its_turn, pk=health.STATUS_ID).exists():
        return
    waiting = App.objects.filter(in_use.is_old(now)).order_by(F("schema_asked_at").asc(nulls_first=True), "pk")
    app_id = waiting.values_list("pk", flat=True).first()
    if app_id is not None and LaminaStatus.objects.filter(its_turn, pk=health.STATUS_ID).update(app_asked_at=now):
        enqueue("runs.tasks.check_app", app_id)


def _is_younger(at: datetime | None, now: datetime, age: timedelta) -> bool:
    return at is not None and now - at <= age
