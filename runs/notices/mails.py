"""Emails about notices: collects due notices into one email for each person, and sends it.

Notices within two minutes of each other share one email. An email is a row, created in the transaction that claims its
notices, so no notice is in two emails. Its text is written when it's sent, and leaves out anything that has since been
read in the portal or undone, or that the reader may no longer see. If nothing is left, it isn't sent.

Each attempt to send an email is recorded before it starts, and all attempts use the same `Message-ID`. After a crash,
an ordinary email may therefore arrive twice but is never lost; daily emails and reminders arrive at most once. Only one
worker sends at a time, so the others stay free even if the mail server takes a minute to respond each time.
"""

import logging
import time
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from runs.background import leases
from runs.background.queue import enqueue_long, stop_requested
from runs.models import GuestContact, Mail, Notice, Way
from runs.notices import bounces, daily_mails, guest_contacts, guest_mails, mail_text, problems, reminders
from runs.notices.delivery import Outcome, Post, Result
from runs.team import mail

logger = logging.getLogger("runs.mail")

LEASE = "mails"
LEASE_SECONDS = 150.0  # longer than one attempt may take, so that no other worker sends the same email
TASK_SECONDS = 600
WINDOW_SECONDS = 240.0  # after this long, another task takes over
AWAY_SECONDS = 30.0  # how long to pause when the server can't be reached
AT_ONCE = 50
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120))
MOST_TRIES = len(PAUSES) + 1
# How long an email waits for a server that can't be reached; waiting doesn't count as an attempt
AWAY_FOR = timedelta(days=3)
KEPT = timedelta(days=90)
UNKNOWN = "interrupted"  # set before a daily email or a reminder is sent, and cleared once we know the outcome


# --- Waking the worker ------------------------------------------------------------------------------------------------
def request_sending() -> None:
    """Queue the worker's task if anything is due. Cheap enough to be called in every sweep."""
    if not mail.is_set_up():
        return
    now = timezone.now()
    if not (_due(now).exists() or _gathered(now).exists() or guest_mails.gathered(now).exists()):
        return
    leases.release_of_dead(LEASE)
    if leases.may_kick(LEASE):
        _queue()


def request_daily() -> None:
    """Create today's daily emails and reminders for everyone whose chosen hour has passed. Called by the worker's
    pulse."""
    if mail.is_set_up():
        now = timezone.now()
        daily_mails.make_due(now)
        reminders.make_due(now)


def _queue() -> None:
    enqueue_long("send_mails", timeout_seconds=TASK_SECONDS, is_saved=False)


# --- In the worker ----------------------------------------------------------------------------------------------------
def send_due() -> None:
    """Create and send due emails. Runs in the task `send_mails`, in one worker at a time."""
    holder = leases.new_holder()
    if not mail.is_set_up() or not leases.acquire(LEASE, holder, LEASE_SECONDS):
        return
    is_away = False
    try:
        is_away = _send_for_a_while(holder)
    finally:
        if is_away:
            # Hold on to the lease during the pause, so that no worker tries again until it's over.
            leases.renew(LEASE, holder, AWAY_SECONDS)
        else:
            leases.release(LEASE, holder)
    if not is_away and not stop_requested():
        request_sending()


def _send_for_a_while(holder: str) -> bool:
    """Send due emails until none are left, the time is up or the worker stops. Return True if the server can't be
    reached."""
    ends_at = time.monotonic() + WINDOW_SECONDS
    with closing(Post()) as post:
        while due := _next():
            for row in due:
                is_over = stop_requested() or time.monotonic() > ends_at
                if is_over or not leases.renew(LEASE, holder, LEASE_SECONDS):
                    return False
                if _claim(row) and _send(row, post) == Result.AWAY:
                    return True
    return False


def _next() -> list[Mail]:
    """Create emails for due notices, then return due emails (at most `AT_ONCE`), longest waiting first."""
    now = timezone.now()
    gather(now)
    guest_mails.gather(now)
    return list(_due(now).select_related("member").order_by("due_at", "pk")[:AT_ONCE])


def _due(now: datetime) -> QuerySet[Mail]:
    return Mail.objects.filter(sent_at=None, given_up_at=None, due_at__lte=now)


def _gathered(now: datetime) -> QuerySet[Notice]:
    return Notice.objects.filter(mail=None, mail_due_at__lte=now)


def gather(now: datetime) -> None:
    """Create one email for each person with due notices; it contains all their notices that are waiting to be
    emailed."""
    people = _gathered(now).order_by().values_list("member", flat=True).distinct()
    for pk in list(people[: AT_ONCE * 10]):
        with transaction.atomic():
            waiting = Notice.objects.filter(member=pk, mail=None, mail_due_at__isnull=False)
            # Notices that have been read or undone are no longer worth an email
            waiting.exclude(read_at=None, is_undone=False).update(mail_due_at=None)
            row = Mail(member_id=pk, due_at=now)
            row.save()
            if not waiting.filter(way=Way.ONCE).update(mail=row):
                row.delete()
                waiting.update(mail_due_at=None)


def _claim(row: Mail) -> bool:
    """Record an attempt; return False if the email is no longer due, or has no attempts left. The next attempt comes
    after a pause."""
    now = timezone.now()
    mine = _due(now).filter(pk=row.pk, tries=row.tries)
    if row.tries >= MOST_TRIES:  # a worker died during the last attempt
        if mine.update(given_up_at=now):
            _tell_given_up(row, row.error)
        return False
    once = {"given_up_at": now, "error": UNKNOWN} if row.sort != Mail.Sort.ONCE else {}
    row.tries += 1
    return bool(mine.update(tries=F("tries") + 1, due_at=now + PAUSES[min(row.tries, len(PAUSES)) - 1], **once))


def _send(row: Mail, post: Post) -> Result | None:
    """Send one claimed email and record the result. Return None if there was nothing left to say."""
    message = mail_text.message_of(row) if row.member_id else guest_mails.message_of(row)
    if message is None:
        _record(row, given_up_at=timezone.now(), error="")
        return None
    outcome = post.hand_over(message)
    if outcome.is_sent:
        _record(row, sent_at=timezone.now(), given_up_at=None, error="")
        if row.member is not None:
            bounces.record_delivered(row.member)
    else:
        # don't log the server's words, which may contain the address
        logger.warning("mail=%s try=%s: %s", row.public_id, row.tries, outcome.result)
        _record_failure(row, outcome)
    return outcome.result


def _record_failure(row: Mail, outcome: Outcome) -> None:
    """Give up on the email, or leave it for the next attempt. A daily email or reminder that the server may have
    accepted isn't sent again."""
    if outcome.result == Result.AWAY:
        _put_off(row, outcome)
        return
    is_for_good = outcome.result in (Result.REFUSED, Result.BOUNCED) or row.tries >= MOST_TRIES
    is_doubtful = outcome.is_unclear and row.sort != Mail.Sort.ONCE
    _record(row, given_up_at=timezone.now() if is_for_good or is_doubtful else None, error=_words_kept(row, outcome))
    if is_for_good:
        _tell_given_up(row, outcome.words)
    if outcome.result == Result.BOUNCED:
        _bounced(row)


def _put_off(row: Mail, outcome: Outcome) -> None:
    """Put off an email because the server can't be reached. This doesn't count as an attempt, because nothing was
    sent."""
    now = timezone.now()
    is_too_late = row.created_at < now - AWAY_FOR
    _record(
        row,
        tries=F("tries") - 1,
        due_at=now + PAUSES[0],
        given_up_at=now if is_too_late else None,
        error=_words_kept(row, outcome),
    )
    if is_too_late:
        _tell_given_up(row, outcome.words)


def _words_kept(row: Mail, outcome: Outcome) -> str:
    """Return the server's response as we store it: "" for an email to a guest, because the response may contain the
    address."""
    return outcome.words if row.member_id else ""


def _tell_given_up(row: Mail, words: str) -> None:
    """Tell admins that we gave up on an email to a member. They aren't told about emails to guests, whose addresses are
    private."""
    if row.member is not None:
        problems.mail_given_up(row.member, words)


def _bounced(row: Mail) -> None:
    """If the email was to a member, count the bounce; if it was to a guest, delete their address."""
    if row.member is not None:
        bounces.record_bounce(row.member)
    elif contact := GuestContact.objects.filter(mails=row).first():  # None if the guest has since unsubscribed
        guest_contacts.forget(contact)


def _record(row: Mail, **values: Any) -> None:
    Mail.objects.filter(pk=row.pk, sent_at=None).update(**values)


# --- Once an hour -----------------------------------------------------------------------------------------------------
def tidy(now: datetime) -> None:
    """Delete emails that are over 90 days old, and the addresses of guests whose links ended over 30 days ago."""
    guest_mails.tidy(now - KEPT)
    Mail.objects.filter(created_at__lt=now - KEPT).delete()
    guest_contacts.tidy(now)
