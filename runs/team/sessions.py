"""Browsers where people are signed in. Members can see a list of their own sessions and end any of them.

Each sign-in creates a row. "Last seen" is saved only once every few minutes. Each process remembers when it last saved
a session's time, so most requests need no query; it does no harm if two processes both save it.
"""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Max
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language_from_request

from runs.audit.actors import as_member
from runs.audit.record import record, record_each
from runs.models import BrowserSession, Member, Verb
from runs.team.browsers import browser_of, browser_words
from runs.web.session_lifetime import PROVES_FOR, SessionStore, stored_key
from runs.web.throttling import Attempt
from runs.web.time_zone import browser_zone

SEEN_EVERY_SECONDS = 240.0
REMEMBERED = 5000
_noted: dict[str, float] = {}


@dataclass(frozen=True)
class BrowserSessionLine:
    """A browser where someone is signed in."""

    public_id: str
    browser: str
    since: datetime
    seen_at: datetime
    is_this_one: bool


def record_seen(request: HttpRequest, *, is_visit: bool = True) -> None:
    """Record that the browser of `request` was just seen, unless that was recorded in the last few minutes.

    Automatic requests aren't visits (see `runs.web.automatic`).
    """
    key = request.session.session_key
    if not key or (is_visit and not _is_due(key)) or not request.user.is_authenticated:
        return
    if request.session.session_key != key:  # Django gives a session a new key if it was signed with an old secret
        follow(request, key)
        key = request.session.session_key
    if not is_visit:
        return
    now = timezone.now()
    if key and not BrowserSession.objects.filter(session_key=stored_key(key)).update(seen_at=now):
        _make_row(request, request.user, key)  # the person signed in before this table existed
    _remember_visit(request, request.user, now)
    if isinstance(request.session, SessionStore):
        request.session.record_use()


def _remember_visit(request: HttpRequest, member: Member, now: datetime) -> None:
    """Store when `member` was here, and the browser's language and time zone, for use in emails."""
    language, zone = get_language_from_request(request), browser_zone(request) or member.browser_time_zone
    Member.objects.filter(pk=member.pk).update(seen_at=now, browser_language=language, browser_time_zone=zone)


def last_seen_at() -> datetime | None:
    """Return when any signed-in person was last seen, give or take a few minutes; None if nobody is signed in."""
    latest: datetime | None = BrowserSession.objects.aggregate(at=Max("seen_at"))["at"]
    return latest


def sessions_of(member: Member, current_key: str | None) -> list[BrowserSessionLine]:
    """Return the browsers where `member` is signed in, the current one first."""
    rows = list(BrowserSession.objects.filter(member=member))
    alive = Session.objects.filter(session_key__in=[row.session_key for row in rows], expire_date__gt=timezone.now())
    keys, current = set(alive.values_list("session_key", flat=True)), stored_key(current_key)
    lines = [
        BrowserSessionLine(
            row.public_id, browser_words(row.browser), row.created_at, row.seen_at, row.session_key == current
        )
        for row in rows
        if row.session_key in keys
    ]
    return sorted(lines, key=lambda line: not line.is_this_one)


@transaction.atomic
def end_one(member: Member, public_id: str) -> bool:
    """Sign `member` out in one browser; return False if `member` has no session with that id."""
    row = BrowserSession.objects.filter(member=member, public_id=public_id).first()
    if row is None:
        return False
    record(Verb.PERSON_BROWSER_ENDED, row)
    _end([row.session_key])
    return True


def end_all(member: Member, *, but: str | None = None) -> int:
    """End every session of `member` except the one with the key `but`; return how many were ended."""
    keys = (
        BrowserSession.objects.filter(member=member)
        .exclude(session_key=stored_key(but))
        .values_list("session_key", flat=True)
    )
    return _end(list(keys))


@transaction.atomic
def end_others(member: Member, current_key: str | None) -> int:
    """Sign `member` out everywhere except in the browser with the key `current_key`; return how many browsers were
    signed out."""
    others = BrowserSession.objects.filter(member=member).exclude(session_key=stored_key(current_key))
    record_each(Verb.PERSON_BROWSER_ENDED, others)
    return end_all(member, but=current_key)


def follow(request: HttpRequest, old_key: str | None) -> None:
    """Record that this browser has a new session key, for example after a password change."""
    if old_key and request.session.session_key:
        rows = BrowserSession.objects.filter(session_key=stored_key(old_key))
        rows.update(session_key=stored_key(request.session.session_key))


def tidy(now: datetime) -> None:
    """Delete sessions that expired too long ago to prove who sent a form, and browser rows that no longer have a
    session."""
    Session.objects.filter(expire_date__lt=now - PROVES_FOR).delete()
    BrowserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()


def record_refused(email: str, attempt: Attempt) -> None:
    """Record a refused sign-in, at most once an hour. What was typed isn't kept, because it may be a password."""
    if attempt.is_first_in_an_hour():
        record(Verb.PERSON_REFUSED, Member.objects.filter(email=email).first())


def listen() -> None:
    """Connect to Django's signals for signing in and out."""
    user_logged_in.connect(_signed_in, dispatch_uid="runs.sessions")
    user_logged_out.connect(_signed_out, dispatch_uid="runs.sessions")


def _signed_in(request: HttpRequest, user: Member, **_: Any) -> None:
    if isinstance(request.session, SessionStore):
        request.session.begin()
    if not request.session.session_key:
        request.session.create()
    key = request.session.session_key
    if key and _is_due(key):
        _make_row(request, user, key)
    record(Verb.PERSON_SIGNED_IN, user, actor=as_member(user))


@transaction.atomic
def _signed_out(request: HttpRequest, user: Member | None, **_: Any) -> None:
    if user is not None:
        record(Verb.PERSON_SIGNED_OUT, user, actor=as_member(user))
    BrowserSession.objects.filter(session_key=stored_key(request.session.session_key)).delete()


def _make_row(request: HttpRequest, member: Any, key: str) -> None:
    browser = browser_of(request.headers.get("User-Agent", ""))
    BrowserSession.objects.bulk_create(
        [BrowserSession(member_id=member.pk, session_key=stored_key(key), browser=browser)],
        update_conflicts=True,
        unique_fields=["session_key"],
        update_fields=["member", "browser", "seen_at"],
    )


def _end(keys: list[str]) -> int:
    """End the sessions whose stored keys are `keys`; return how many there were."""
    Session.objects.filter(session_key__in=keys).delete()
    return BrowserSession.objects.filter(session_key__in=keys).delete()[0]


def _is_due(key: str) -> bool:
    """Return True at most once every few minutes for `key`, in this process."""
    now = time.monotonic()
    if now - _noted.get(key, -SEEN_EVERY_SECONDS) < SEEN_EVERY_SECONDS:
        return False
    if len(_noted) >= REMEMBERED:
        _noted.clear()
    _noted[key] = now
    return True
