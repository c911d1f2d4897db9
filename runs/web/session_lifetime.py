"""Session lifetimes, and proof of who sent a request if their session has only just expired.

A session ends PORTAL_SESSION_IDLE_DAYS after it was last used or SESSION_COOKIE_AGE after signing in, whichever comes
first. The expiry time is stored in the session's row. The row and the cookie are kept for one more day, just to prove
who sent a form whose files would otherwise be lost (`body_limits`).

The cookie holds the session's key, and the row only the key's hash. So nobody can sign in with what they read in the
database or in a backup.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.contrib.sessions.middleware import SessionMiddleware
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from runs.models.ids import new_public_id
from runs.web.secret_links import hash_of

PROVES_FOR = timedelta(days=1)  # how long an expired session still proves who it belonged to
MOVED_EVERY = timedelta(hours=1)  # a session is extended at most this often, so the idle timeout is only this precise
STARTED = "started"  # key in the session data for the start time, in Unix seconds
BROWSER = "browser"  # key in the session data for a random id, which stays the same when the session's key changes
KEY_LENGTH = 40  # of the column, in characters


def stored_key(session_key: str | None) -> str:
    """Return what the database stores of a session's key: its hash; "" if there is no key."""
    return hash_of(session_key)[:KEY_LENGTH] if session_key else ""


class SessionStore(db.SessionStore):
    """A session in the database that expires if it isn't used."""

    ends_at: datetime | None = None  # as stored in the row; None if no valid session was loaded
    has_run_out_of: str = ""  # id of the member whose session has just expired
    ran_out_hash: str = ""  # changes when the member's password changes

    def load(self) -> dict[str, Any]:
        now = timezone.now()
        key = stored_key(self.session_key)
        row = Session.objects.filter(session_key=key, expire_date__gt=now - PROVES_FOR).first()
        data: dict[str, Any] = self.decode(row.session_data) if row else {}
        if row and row.expire_date > now:
            self.ends_at = row.expire_date
            return data
        self.has_run_out_of = data.get(SESSION_KEY, "")
        self.ran_out_hash = data.get(HASH_SESSION_KEY, "")
        self._session_key = None
        return {}

    def exists(self, session_key: str) -> bool:
        return super().exists(stored_key(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        row = super().create_model_instance(data)
        row.session_key = stored_key(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        if key := session_key or self.session_key:
            super().delete(stored_key(key))

    def flush(self) -> None:
        """End the session; if it had just expired, it no longer proves who it belonged to."""
        super().flush()
        self.has_run_out_of = self.ran_out_hash = ""

    def get_expiry_date(self, **_: Any) -> datetime:
        """Return when the session ends if it isn't used again."""
        longest = timedelta(seconds=settings.SESSION_COOKIE_AGE)
        idle = timedelta(days=settings.PORTAL_SESSION_IDLE_DAYS)
        now = timezone.now()
        started = datetime.fromtimestamp(self[STARTED], UTC) if STARTED in self else now  # nobody has signed in yet
        return min(now + idle, started + longest)

    def get_expiry_age(self, **_: Any) -> int:
        """Return the max-age of the cookie; the row on the server decides how long the session is valid."""
        return int(settings.SESSION_COOKIE_AGE + PROVES_FOR.total_seconds())

    def begin(self) -> None:
        """Record the sign-in; from now on, the session lasts at most SESSION_COOKIE_AGE."""
        self[STARTED] = int(time.time())
        self[BROWSER] = new_public_id()

    def record_use(self) -> None:
        """Extend the session, updating the row at most once an hour."""
        if self.ends_at is None:
            return
        end = self.get_expiry_date()
        if abs(end - self.ends_at) >= MOVED_EVERY:
            self.model.objects.filter(session_key=stored_key(self.session_key)).update(expire_date=end)


def has_just_run_out(request: HttpRequest) -> bool:
    """Return whether `request` has an active member's session cookie that expired within the last day.

    As with a session that is still valid, the cookie counts only if the password hasn't changed since.
    """
    session = _run_out_session(request)
    if session is None:
        return False
    member = get_user_model()._default_manager.filter(pk=session.has_run_out_of, is_active=True).first()
    if member is None:
        return False
    hashes = [member.get_session_auth_hash(), *member.get_session_auth_fallback_hash()]
    return any(constant_time_compare(session.ran_out_hash, one) for one in hashes)


def _run_out_session(request: HttpRequest) -> SessionStore | None:
    """Return the session of `request` if it has just expired, otherwise None."""
    session = request.session
    session.get(SESSION_KEY)  # this loads the session
    return session if isinstance(session, SessionStore) and session.has_run_out_of else None


class PortalSessionMiddleware(SessionMiddleware):
    """Keeps the cookie of a session that has just expired."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response = super().process_response(request, response)
        cookie = response.cookies.get(settings.SESSION_COOKIE_NAME)
        if cookie is not None and not cookie.value and _run_out_session(request) is not None:
            del response.cookies[settings.SESSION_COOKIE_NAME]
        return response
