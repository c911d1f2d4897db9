"""Signed-in browsers without scripts, and the password that everybody uses in the tests."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.test import Client
from django.utils import timezone

if TYPE_CHECKING:
    from runs.models import Member

PASSWORD = "a long enough password"
HTMX = {"HX-Request": "true"}


def client_of(member: "Member") -> Client:
    """Return a browser without scripts, with `member` signed in. `member` uses this browser from now on."""
    client = Client()
    client.force_login(member)
    member.browser = client.session["browser"]
    return client


def run_out(client: Client, *, hours: float = 0) -> Client:
    """Make it look as if the session of `client` expired `hours` ago. Return `client`, which still has the cookie."""
    from django.contrib.sessions.models import Session

    from runs.web.session_lifetime import stored_key

    ended = timezone.now() - timedelta(hours=hours)
    assert Session.objects.filter(session_key=stored_key(client.session.session_key)).update(expire_date=ended)
    return client
