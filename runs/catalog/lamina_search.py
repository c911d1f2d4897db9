"""Search Lamina for apps, in the worker, at most ten times a minute for the whole portal.

Pages never wait for Lamina: `ask` saves the request and wakes the worker, `AppSearch` stores the answer for ten
minutes, and the page polls for it. New apps are added to the catalogue, but they aren't listed until someone stars or
runs them.
"""

import hashlib
import time
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from runs import catalog
from runs.background.queue import enqueue_long
from runs.catalog import details
from runs.catalog.pasted_ids import ids_in, own_app
from runs.connection.lamina_api import lamina
from runs.connection.rate_limit import Priority, RateLimitWait
from runs.lamina.errors import LaminaError, LaminaRateLimited, LaminaRejected, LaminaUnavailable
from runs.lamina.search_answers import AppMatch
from runs.lamina.types import AppDetail, AppSummary
from runs.models import App, AppSearch, RequestWindow
from runs.models.app_search import KEPT_FOR, PICTURES_WITHIN
from runs.words.fold import fold
from runs.words.terms import is_telling

PER_MINUTE = 10
TURNS_ID = 2  # the row of RequestWindow that counts these searches; row 1 counts all requests
TASK_SECONDS = 100  # three ids at up to 20 s each, then up to 20 s of pictures, plus saving
SHORTEST = 2  # in letters; a single Latin letter would match everything
MOST_FINDS = 12
AGAIN_AFTER = timedelta(seconds=20)  # how long to wait if Lamina couldn't be reached or was too slow
AGAIN_AFTER_AT_MOST = timedelta(minutes=10)
NO_DISCOVER = frozenset({403, 404, 405, 410, 501})  # Lamina's responses in workspaces without Discover

Find = dict[str, Any]  # one entry of `AppSearch.finds`


def is_worth_asking(q: str) -> bool:
    return is_telling(fold(q), SHORTEST)


def stored_search(q: str) -> AppSearch | None:
    """Return the stored search for these words, whether answered or not; None if there isn't one. Makes one query."""
    return AppSearch.objects.filter(key=_key(q)).first()


def ask(q: str, *, is_again: bool = False) -> AppSearch | float:
    """Have the worker search Lamina for `q`, unless the answer is known or on its way; `is_again` retries a failed
    search.

    Returns the search, or the number of seconds until the portal may search Lamina again.
    """
    now = timezone.now()
    search = stored_search(q)
    if search is not None and search.is_good(now) and not (is_again and search.problem):
        return search
    with transaction.atomic():
        turns = _locked_turns()
        search = stored_search(q)  # check again: another request that held the lock may have started the same search
        if search is not None and (search.is_waiting(now) or (search.is_good(now) and not is_again)):
            return search
        if (wait := _seconds_until_free(turns)) > 0:
            return wait
        _take_turn(turns)
        blank: dict[str, Any] = {"words": q, "asked_at": now, "answered_at": None, "pictured_at": None, "finds": []}
        blank |= {"problem": "", "retry_at": None}
        search, _ = AppSearch.objects.update_or_create(key=_key(q), defaults=blank)
        enqueue_long("search_lamina", search.key, timeout_seconds=TASK_SECONDS, is_saved=False)
    return search


def answer(key: str) -> None:
    """Search Lamina and save the answer or the failure. Runs in the worker."""
    search = AppSearch.objects.filter(key=key, answered_at=None).first()
    if search is None:
        return
    ids = ids_in(search.words)
    problem, retry_at = _by_id(search, ids) if ids else _by_words(search)
    _save(search, answered_at=timezone.now(), problem=problem, retry_at=retry_at)
    _fetch_pictures(search)


def tidy(now: datetime) -> None:
    """Delete answers too old to be shown, so that search words aren't stored longer than needed."""
    AppSearch.objects.filter(asked_at__lt=now - 2 * KEPT_FOR).delete()


def _key(q: str) -> str:
    folded = " ".join((q if ids_in(q) else fold(q)).split())  # upper and lower case can make two different ids
    return hashlib.sha256(folded.encode("utf-8", "replace")).hexdigest()


# --- Rate limit -------------------------------------------------------------------------------------------------------
def _locked_turns() -> RequestWindow:
    RequestWindow.objects.get_or_create(pk=TURNS_ID)
    return RequestWindow.objects.select_for_update().get(pk=TURNS_ID)


def _seconds_until_free(turns: RequestWindow) -> float:
    now = time.time()
    # If a host's clock was ahead, count its searches as if they were made now; otherwise, they'd block us until our
    # clock caught up.
    turns.stamps = [min(stamp, now) for stamp in turns.stamps if stamp > now - 60]
    return max(0.1, turns.stamps[-PER_MINUTE] + 60 - now) if len(turns.stamps) >= PER_MINUTE else 0.0


def _take_turn(turns: RequestWindow) -> None:
    RequestWindow.objects.filter(pk=TURNS_ID).update(stamps=[*turns.stamps, time.time()])


# --- The worker's part ------------------------------------------------------------------------------------------------
Outcome = tuple[str, datetime | None]  # the problem, and when to try again


def _by_words(search: AppSearch) -> Outcome:
    """Search by meaning, which also gets us reasons, and then by keyword, which works in every workspace."""
    client, problem = lamina(Priority.PARTIAL), ""
    try:
        _take_in(search, client.discover(search.words))
    except LaminaRejected as error:
        problem = "no-discover" if error.status in NO_DISCOVER else _outcome(error)[0]
        if problem == "key":
            return _outcome(error)
    except (LaminaRateLimited, RateLimitWait) as error:
        return _outcome(error)
    except LaminaUnavailable as error:
        if not error.was_connected:
            return _outcome(error)
        problem, _ = _outcome(error)
    try:
        _take_in(search, client.search_apps(search.words))
    except (LaminaError, RateLimitWait) as error:
        return _outcome(error)
    again = None if problem in ("", "no-discover", "refused") else timezone.now() + AGAIN_AFTER
    return problem, again


def _by_id(search: AppSearch, ids: list[str]) -> Outcome:
    """Request `ids` one by one, and save the first app that Lamina knows. Our own apps are requested by the id that we
    have stored."""
    outcome: Outcome = ("unknown-id", None)
    own_apps = {own.remote_id if own else one: own for one in ids for own in [own_app([one])]}
    for remote_id, own in own_apps.items():
        try:
            detail = lamina(Priority.PARTIAL).get_app(remote_id)
            if own:
                details.ensure_same_app(own, detail)
        except LaminaRejected as error:
            if error.is_not_found:
                continue
            outcome = ("closed", None) if error.is_forbidden else _outcome(error)
        except (LaminaError, RateLimitWait) as error:
            return _outcome(error)
        else:
            _take_in_detail(search, own, detail)
            return "", None
    return outcome


def _outcome(error: LaminaError | RateLimitWait) -> Outcome:
    now = timezone.now()
    match error:
        case RateLimitWait():
            return "busy", now + _bounded(error.seconds)
        case LaminaRateLimited():
            return "limited", now + _bounded(error.retry_after)
        case LaminaRejected():
            return ("key" if error.is_key_refused else "refused"), None
        case LaminaUnavailable() if error.was_connected:
            return ("slow" if error.is_cut_off or error.status is None else "broken"), now + AGAIN_AFTER
        case _:
            return "away", now + AGAIN_AFTER


def _bounded(seconds: float) -> timedelta:
    return min(timedelta(seconds=max(seconds, 1.0)), AGAIN_AFTER_AT_MOST)


def _take_in(search: AppSearch, results: list[AppSummary] | list[AppMatch]) -> None:
    """Add the apps that Lamina found to the search. Apps that we already know aren't updated, because a match has less
    detail than the list."""
    mine = {app.remote_id: app for app in App.objects.filter(remote_id__in=[one.app_id for one in results])}
    fresh = [one for one in results[:MOST_FINDS] if one.app_id not in mine or mine[one.app_id].is_gone]
    new = {one.app_id: app for one, app in zip(fresh, catalog.record_found(fresh), strict=True)}
    app_pks = {find["app"] for find in search.finds}
    for one in results[:MOST_FINDS]:
        app = new.get(one.app_id) or mine[one.app_id]
        if app.pk not in app_pks:
            app_pks.add(app.pk)
            search.finds.append(_find(app, one, is_new=one.app_id in new))
    _save(search, finds=search.finds)


def _find(app: App, one: AppSummary, *, is_new: bool) -> Find:
    why, cost = (one.why, one.credits) if isinstance(one, AppMatch) else ("", None)
    return {"app": app.pk, "why": why, "credits": None if cost is None else str(cost), "is_new": is_new}


def _take_in_detail(search: AppSearch, own: App | None, detail: AppDetail) -> None:
    """Save an app requested by its id, together with its form. A new app is saved under Lamina's id, because what was
    pasted may be spelled differently or be an alias, even of an app that we know."""
    own = own or own_app([detail.app_id])
    summary = AppSummary(app_id=detail.app_id, name=detail.name, description=detail.description)
    app = own or catalog.record_found([summary])[0]
    catalog.store_detail(app, detail)
    _save(search, finds=[{"app": app.pk, "why": "", "credits": None, "is_new": own is None}])


def _fetch_pictures(search: AppSearch) -> None:
    """Fetch the thumbnails of new apps. Until they arrive, the page shows these apps without them."""
    ends_at = time.monotonic() + PICTURES_WITHIN.total_seconds()
    for app in App.objects.filter(pk__in=[find["app"] for find in search.finds if find["is_new"]], thumbnail=None):
        if time.monotonic() < ends_at:
            catalog.fetch_thumbnail(app)
    _save(search, pictured_at=timezone.now())


def _save(search: AppSearch, **fields: Any) -> None:
    """Save `fields` of `search`, unless a newer request has replaced it in the meantime."""
    AppSearch.objects.filter(key=search.key, asked_at=search.asked_at).update(**fields)
