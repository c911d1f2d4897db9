"""When the person in a session last gave their password: it must be recent before they change others' rights."""

import time
from datetime import timedelta
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest

KEY = "password_given_at"  # in the session; Unix seconds
RECENT_SECONDS = timedelta(minutes=30).total_seconds()
CLOCKS_DIFFER_SECONDS = 60  # clock difference between hosts that share a database


def record_given(request: HttpRequest) -> None:
    """Note that the person just gave their password."""
    request.session[KEY] = int(time.time())


def is_recent(request: HttpRequest) -> bool:
    """True if they gave it within the last 30 minutes. Sessions older than this rule have no time."""
    given_at: float = request.session.get(KEY, 0)
    return -CLOCKS_DIFFER_SECONDS <= time.time() - given_at <= RECENT_SECONDS


def listen() -> None:
    """Every way to sign in either asks for the password or sets a new one."""
    user_logged_in.connect(_signed_in, dispatch_uid="runs.recent_password")


def _signed_in(request: HttpRequest, **_: Any) -> None:
    record_given(request)
