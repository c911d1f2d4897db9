"""Read the app list from Lamina. Lamina doesn't document the highest `limit` it accepts, so we try a high one, then
lower ones, then none."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from django.utils import timezone

from runs.background import incidents
from runs.catalog.summaries import store_summary
from runs.connection.lamina_api import lamina
from runs.connection.rate_limit import RateLimitWait
from runs.connection.status import STATUS_ID, forget_status, record_status
from runs.lamina.errors import LaminaRateLimited, LaminaRejected, LaminaUnavailable
from runs.lamina.types import AppSummary
from runs.models import App, LaminaStatus
from runs.models.ages import AHEAD
from runs.models.messages import Message

ANY_NUMBER = 0
SIZES = (200, 100, 50, 25, ANY_NUMBER)
REFUSED_FOR = timedelta(hours=24)  # after this long, try the largest size again
SLOW_FOR = timedelta(hours=2)
LATE_TRIES = 2  # after this many late responses, a refresh gives up; each may take 45 s
LIMIT_REFUSALS = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}
LATE_STATUSES = {None, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.GATEWAY_TIMEOUT, 524}
QUOTE_LENGTH = 300
REFUSED = "refused"
LIMITED = "limited"  # by Lamina's limit or by our own budget; only worth a mention if the list is old
APPS = "apps"  # the problem is with individual apps, not with the list
NO_PROBLEM: Final = {"catalog_problem": "", "catalog_problem_at": None, "catalog_quote": ""}


@dataclass(frozen=True)
class AppListing:
    """An app list as received, and the number of apps requested."""

    summaries: list[AppSummary]
    size: int


def refresh_list(go_on: Callable[[], bool]) -> None:
    """Read the list and save its apps. `go_on` is called before each request and returns whether there is time left.

    If the list is refused or late, we just record that for the Health page. Problems that aren't just about the list
    (Lamina is down, the key is refused, a rate limit) are raised.
    """
    now = timezone.now()
    try:
        listing = _read_list(go_on, now)
    except (LaminaRateLimited, RateLimitWait):
        _record_limit(now)
        raise
    if listing is None:
        return
    for position, summary in enumerate(listing.summaries):
        app = store_summary(summary)
        App.objects.filter(pk=app.pk).update(position=position, listed_at=now, is_listed=True)
    is_about_apps = LaminaStatus.objects.filter(pk=STATUS_ID, catalog_problem=APPS).exists()
    record_status(catalog_at=now, catalog_count=len(listing.summaries), **({} if is_about_apps else NO_PROBLEM))


def record_refused_apps(quote: str) -> None:
    """Record that several apps were refused in a row, unless the whole list has a problem."""
    if not LaminaStatus.objects.filter(pk=STATUS_ID).exclude(catalog_problem__in=["", LIMITED, APPS]).exists():
        _record_problem(APPS, quote)


def forget_refused_apps() -> None:
    """Clear what `record_refused_apps` recorded, because Lamina is sending apps again."""
    if LaminaStatus.objects.filter(pk=STATUS_ID, catalog_problem=APPS).update(**NO_PROBLEM):
        forget_status()


def _read_list(go_on: Callable[[], bool], now: datetime) -> AppListing | None:
    """Return the list at the largest size that Lamina accepts; None if the list isn't available right now.

    After Lamina has refused every size, we ask only once, without a limit, until that succeeds. Then we start over with
    the largest size, because those refusals weren't about the size.
    """
    (size, is_trial), late, is_refused = _first_size(now), 0, False
    while go_on():
        try:
            summaries = lamina().list_apps(limit=size or None)
        except LaminaRejected as error:
            if error.is_key_refused:
                raise
            if size == ANY_NUMBER or error.status not in LIMIT_REFUSALS:
                if is_refused:
                    _remember(ANY_NUMBER, now + REFUSED_FOR)
                _record_problem(REFUSED, error.quote)
                return None
            size, is_refused = _smaller(size), True
        except LaminaUnavailable as error:
            if not error.was_connected:
                raise
            late += 1
            is_late = error.is_cut_off or error.status in LATE_STATUSES
            _record_problem("late" if is_late else "unreadable", error.quote)
            size = _smaller(_smaller(size))
            _remember(size, now + SLOW_FOR)
            if late == LATE_TRIES:
                return None
        else:
            if is_trial:
                size, is_trial = SIZES[0], False
                _remember(size, now)  # only until now, so that this is no trial again
                continue
            if is_refused:
                _remember(size, now + REFUSED_FOR)
            return AppListing(summaries, size)
    return None


def _first_size(now: datetime) -> tuple[int, bool]:
    """Return the size to try first, and whether this is just a trial because Lamina refused every size the last
    time."""
    status = LaminaStatus.objects.filter(pk=STATUS_ID).first()
    until = status.catalog_limit_until if status else None
    if status is None or status.catalog_limit is None or until is None or not now < until <= now + REFUSED_FOR + AHEAD:
        return SIZES[0], False
    return status.catalog_limit, status.catalog_limit == ANY_NUMBER and status.catalog_problem == REFUSED


def _smaller(size: int) -> int:
    return next((other for other in SIZES if other < size), ANY_NUMBER)


def _remember(size: int, until: datetime) -> None:
    record_status(catalog_limit=size, catalog_limit_until=until)


def _record_problem(problem: str, quote: str) -> None:
    """Record a problem for the Health page, and as an incident if it is new."""
    status = LaminaStatus.objects.filter(pk=STATUS_ID).first()
    since = status.catalog_problem_at if status and status.catalog_problem == problem else None
    if since is None:
        since = timezone.now()
        incidents.record_incident("lamina", Message(INCIDENTS[problem]))
    record_status(catalog_problem=problem, catalog_problem_at=since, catalog_quote=quote[:QUOTE_LENGTH])


def _record_limit(now: datetime) -> None:
    """Record that the list is held back, unless it already has a problem. This is no incident: it happens whenever much
    is going on."""
    LaminaStatus.objects.get_or_create(pk=STATUS_ID)
    fine = LaminaStatus.objects.filter(pk=STATUS_ID, catalog_problem="")
    fine.update(catalog_problem=LIMITED, catalog_problem_at=now)
    forget_status()


INCIDENTS = {
    REFUSED: "list_refused",
    "late": "list_late",
    "unreadable": "list_unreadable",
    APPS: "apps_refused",
}
