"""The shared request counter, which keeps all processes within Lamina's limit.

Lamina allows each IP address 100 requests a minute, of any kind. The times of all requests in the last minute are in
one row, which is locked for each change. If REDIS_URL is set, they are in Redis instead and use its clock
(`rate_limit_redis`). Less important requests leave room for more important ones, so that a start never waits behind the
catalogue.
"""

import time
from enum import IntEnum

from django.conf import settings
from django.db import transaction

from runs.connection import rate_limit_redis
from runs.models import RequestWindow

# Lamina counts a request when it arrives, but we count it when it is sent, so allow two more seconds.
WINDOW_SECONDS = 62.0
ROW_ID = 1
CLOSED_AT_MOST = 600.0  # in seconds; the client has the same limit for Retry-After
STRANGERS = 5  # up to this many requests from other clients are ignored; they aren't worth a database write


class Priority(IntEnum):
    """A request's priority. Its value is the percentage of the limit that these requests leave for others."""

    START = 0  # starts and cancels
    FINAL = 1  # reading a finished run's results
    LIST = 3
    STREAM = 10  # following a run live, which makes the final read unnecessary
    PARTIAL = 25  # reading the first results of an unfinished run that someone is looking at
    CATALOG = 50


class RateLimitWait(Exception):
    """Raised instead of making a call, because the shared budget is used up for another `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the request budget is used up for {seconds:.1f} s")
        self.seconds = seconds


def take(priority: Priority) -> float:
    """Count one request and return 0.0 if it may be sent now; otherwise, count nothing and return how long to wait."""
    limit = _limit(priority)
    if settings.REDIS_URL:
        waits = rate_limit_redis.ask(rate_limit_redis.TAKE, WINDOW_SECONDS, limit)
        return rate_limit_redis.AWAY_SECONDS if waits is None else min(waits, CLOSED_AT_MOST)
    with transaction.atomic():
        window = _locked_window()
        now = time.time()
        stamps = [stamp for stamp in window.stamps if stamp > now - WINDOW_SECONDS]
        if window.closed_until > now:
            return min(window.closed_until - now, CLOSED_AT_MOST)
        if len(stamps) >= limit:
            return max(0.05, stamps[-limit] + WINDOW_SECONDS - now)
        stamps.append(now)
        RequestWindow.objects.filter(pk=ROW_ID).update(stamps=stamps)
    return 0.0


def close(seconds: float) -> None:
    """Send nothing for `seconds`, because Lamina asked us to wait."""
    if settings.REDIS_URL:
        rate_limit_redis.ask(rate_limit_redis.CLOSE, WINDOW_SECONDS, min(max(seconds, 1.0), CLOSED_AT_MOST))
        return
    with transaction.atomic():
        window = _locked_window()
        until = time.time() + min(max(seconds, 1.0), CLOSED_AT_MOST)
        RequestWindow.objects.filter(pk=ROW_ID).update(closed_until=max(window.closed_until, until))


def learn(remaining: int) -> None:
    """Count the requests that other clients at our IP address must have sent, because Lamina says that only `remaining`
    are left. These clients share our limit."""
    if settings.REDIS_URL:
        used = settings.LAMINA_REQUESTS_PER_MINUTE - remaining
        rate_limit_redis.ask(rate_limit_redis.LEARN, WINDOW_SECONDS, used, STRANGERS)
        return
    window = RequestWindow.objects.filter(pk=ROW_ID).first()
    now = time.time()
    limit = settings.LAMINA_REQUESTS_PER_MINUTE
    ours = sum(stamp > now - WINDOW_SECONDS for stamp in window.stamps) if window else 0
    if limit - remaining - ours <= STRANGERS:
        return  # a difference this small may just be requests that are still on their way
    with transaction.atomic():
        window = _locked_window()
        stamps = [stamp for stamp in window.stamps if stamp > now - WINDOW_SECONDS]
        strangers = max(0, limit - remaining - len(stamps))
        # We don't know when other clients sent these requests, so assume the middle of the window.
        RequestWindow.objects.filter(pk=ROW_ID).update(
            stamps=sorted([*stamps, *[now - WINDOW_SECONDS / 2] * strangers])
        )


def closed_seconds() -> float:
    """Return how many more seconds Lamina wants us to wait (up to `CLOSED_AT_MOST`), or 0.0 if we don't have to
    wait."""
    if settings.REDIS_URL:
        return min(rate_limit_redis.ask(rate_limit_redis.LOOK, WINDOW_SECONDS) or 0.0, CLOSED_AT_MOST)
    window = RequestWindow.objects.filter(pk=ROW_ID).first()
    return min(max(0.0, window.closed_until - time.time()), CLOSED_AT_MOST) if window else 0.0


def left(priority: Priority) -> int:
    """Return how many requests with this `priority` may be sent right now."""
    limit = _limit(priority)
    if settings.REDIS_URL:
        used = rate_limit_redis.ask(rate_limit_redis.USED, WINDOW_SECONDS, WINDOW_SECONDS)
        return 0 if used is None else max(0, limit - int(used))
    window = RequestWindow.objects.filter(pk=ROW_ID).first()
    now = time.time()
    return max(0, limit - sum(stamp > now - WINDOW_SECONDS for stamp in window.stamps)) if window else limit


def used() -> int:
    """Return the number of requests counted in the last minute."""
    if settings.REDIS_URL:
        return int(rate_limit_redis.ask(rate_limit_redis.USED, WINDOW_SECONDS, 60) or 0)
    window = RequestWindow.objects.filter(pk=ROW_ID).first()
    return sum(stamp > time.time() - 60 for stamp in window.stamps) if window else 0


def _limit(priority: Priority) -> int:
    return max(1, settings.LAMINA_REQUESTS_PER_MINUTE * (100 - priority) // 100)


def _locked_window() -> RequestWindow:
    RequestWindow.objects.get_or_create(pk=ROW_ID)
    window = RequestWindow.objects.select_for_update().get(pk=ROW_ID)
    now = time.time()
    latest = now + CLOSED_AT_MOST
    if window.closed_until > latest or any(stamp > now for stamp in window.stamps):
        # Another host's clock is ahead, or ours was set back. Count these requests as sent now; otherwise, they'd block
        # us until our clock has caught up.
        window.stamps = [min(stamp, now) for stamp in window.stamps]
        window.closed_until = min(window.closed_until, latest)
        RequestWindow.objects.filter(pk=ROW_ID).update(stamps=window.stamps, closed_until=window.closed_until)
    return window
