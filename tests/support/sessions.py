"""When the session of a signed-in browser ends, and how long ago its password was entered."""

import time
from datetime import timedelta

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from runs.team import recent_password
from runs.web.session_lifetime import stored_key

DAY = timedelta(days=1)


def row_of(client: Client) -> Session:
    return Session.objects.get(session_key=stored_key(client.session.session_key))


def days_left(client: Client) -> float:
    return (row_of(client).expire_date - timezone.now()) / DAY


def move_end(client: Client, days: float) -> None:
    Session.objects.filter(pk=row_of(client).pk).update(expire_date=timezone.now() + days * DAY)


def grow_old(client: Client, seconds: float = recent_password.RECENT_SECONDS + 1) -> None:
    """Pretend that `seconds` have passed since the password was entered, or used for a change, if it was."""
    session: SessionBase = client.session
    for key in (recent_password.KEY, recent_password.USED):
        if key in session:
            session[key] = int(time.time() - seconds)
    session.save()


def pass_time(client: Client, minutes: float) -> None:
    """Pretend that `minutes` have passed in the session."""
    session: SessionBase = client.session
    for key in (recent_password.KEY, recent_password.USED):
        if key in session:
            session[key] -= int(minutes * 60)
    session.save()
