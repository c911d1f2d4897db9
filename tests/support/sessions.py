"""When the session of a signed-in browser ends."""

from datetime import timedelta

from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

DAY = timedelta(days=1)


def row_of(client: Client) -> Session:
    return Session.objects.get(session_key=client.session.session_key)


def days_left(client: Client) -> float:
    return (row_of(client).expire_date - timezone.now()) / DAY


def move_end(client: Client, days: float) -> None:
    Session.objects.filter(pk=row_of(client).pk).update(expire_date=timezone.now() + days * DAY)
