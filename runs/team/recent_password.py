"""When a signed-in person last entered their password. Only someone who has done so recently may change other people's
rights and limits."""

import time
from datetime import timedelta
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest

KEY = "password_given_at"  # key in the session; its value is in Unix seconds
RECENT_SECONDS = timedelta(minutes=30).total_seconds()
CLOCKS_DIFFER_SECONDS = 60  # allowed clock difference between hosts that share a database


def record_given(request: HttpRequest) -> None:
    """Record that the person has just entered their password."""
    request.session[KEY] = int(time.time())


def is_recent(request: HttpRequest) -> bool:
    """Return whether the password was entered within the last 30 minutes; False for old sessions that didn't record
    this."""
    given_at: float = request.session.get(KEY, 0)
    return -CLOCKS_DIFFER_SECONDS <= time.time() - given_at <= RECENT_SECONDS


def listen() -> None:
    """Record the time at each sign-in, because every way of signing in either asks for the password or sets a new
    one."""
    user_logged_in.connect(_signed_in, dispatch_uid="runs.recent_password")


def _signed_in(request: HttpRequest, **_: Any) -> None:
    record_given(request)
