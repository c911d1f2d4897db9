"""When a signed-in person last entered their password. Only someone who has done so recently may make the changes that
`reauthentication` guards.

A series of such changes isn't interrupted: each one counts as recent for another 30 minutes, but only for two hours
after the password was entered.
"""

import time
from datetime import timedelta
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest

KEY = "password_given_at"  # key in the session; its value is in Unix seconds
USED = "password_used_at"  # likewise, for the latest change that needed the password
RECENT_SECONDS = timedelta(minutes=30).total_seconds()
SERIES_SECONDS = timedelta(hours=2).total_seconds()
CLOCKS_DIFFER_SECONDS = 60  # allowed clock difference between hosts that share a database


def record_given(request: HttpRequest) -> None:
    """Record that the person has just entered their password."""
    request.session[KEY] = int(time.time())


def is_recent(request: HttpRequest) -> bool:
    """Return whether the password was entered within the last 30 minutes, or a series of changes that began then goes
    on."""
    given_at, used_at = request.session.get(KEY, 0), request.session.get(USED, 0)
    goes_on = _is_within(SERIES_SECONDS, given_at) and _is_within(RECENT_SECONDS, used_at)
    return goes_on or _is_within(RECENT_SECONDS, given_at)


def _is_within(seconds: float, at: float) -> bool:
    return -CLOCKS_DIFFER_SECONDS <= time.time() - at <= seconds


def record_use(request: HttpRequest) -> None:
    """Record that the person is making a change that needs the password."""
    request.session[USED] = int(time.time())


def listen() -> None:
    """Record the time at each sign-in, because every way of signing in either asks for the password or sets a new
    one."""
    user_logged_in.connect(_signed_in, dispatch_uid="runs.recent_password")


def _signed_in(request: HttpRequest, **_: Any) -> None:
    record_given(request)
