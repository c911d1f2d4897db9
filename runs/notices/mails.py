"""Emails about notices: collects due notices into one email for each person, and sends it.

Notices within two minutes of each other share one email. An email is a row, created in the transaction that claims its
notices, so no notice is in two emails. Its text is written when it's sent, and leaves out anything that has since been
read in the portal or undone, or that the reader may no longer see. If nothing is left, it isn't sent.

Each attempt to send an email is recorded before it starts, and all attempts use the same `Message-ID`. After a crash,
an ordinary email may therefore arrive twice but is never lost; daily emails and reminders arrive at most once. Only one
worker sends at a time, so the others stay free even if the mail server takes a minute to respond each time.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from runs.background.due_work import CLAIM_TRIES, DueWork, NotNow, Slot, back_off
from runs.models import GuestContact, Mail, Notice, Way
from runs.notices import bounces, daily_mails, guest_contacts, guest_mails, mail_text, problems, reminders
from runs.notices.delivery import MailOutcome, MailResult, hand_over
from runs.team import mail

logger = logging.getLogger("runs.mail")

AWAY_SECONDS = 30.0  # how long to pause when the server can't be reached
AT_ONCE = 50
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120))
MOST_TRIES = len(PAUSES) + 1
# How long an email waits for a server that can't be reached; waiting doesn't count as an attempt
AWAY_FOR = timedelta(days=3)
RETENTION = timedelta(days=90)
UNKNOWN = "interrupted"  # set before a daily email or a reminder is sent, and cleared once we know the outcome


# --- Waking the worker ------------------------------------------------------------------------------------------------
def _is_any_due() -> bool:
    if not mail.is_set_up():
        return False
    now = timezone.now()
    return _due(now).exists() or _gathered(now).exists() or guest_mails.gathered(now).exists()


def request_daily() -> None:
    """Create today's daily emails and reminders for everyone whose chosen hour has passed. Called by the worker's
    pulse."""
    if mail.is_set_up():
        now = timezone.now()
        daily_mails.make_due(now)
        reminders.make_due(now)


# --- In the worker ----------------------------------------------------------------------------------------------------
def _claim_next() -> Mail | None:
    """Claim the email that has waited longest. If there is none, create emails for due notices first."""
    if not mail.is_set_up():
        return None
    if (row := _claim_first()) is None:
        now = timezone.now()
        gather(now)
        guest_mails.gather(now)
        row = _claim_first()
    return row


def _claim_first() -> Mail | None:
    """Record an attempt to send the first due email; return None if there is none.

    The next attempt comes after a pause. A daily email or a reminder counts as given up until we know more.
    """
    now = timezone.now()
    for row in _due(now).select_related("member").order_by("due_at", "pk")[:CLAIM_TRIES]:
        mine = _due(now).filter(pk=row.pk, tries=row.tries)
        if row.tries >= MOST_TRIES:  # a worker died during the last attempt
            if mine.update(given_up_at=now):
                _tell_given_up(row, row.error)
            continue
        once = {"given_up_at": now, "error": UNKNOWN} if row.sort != Mail.Sort.ONCE else {}
        row.tries += 1
        if mine.update(tries=F("tries") + 1, due_at=now + back_off(PAUSES, row.tries), **once):
            return row
    return None


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


def _send(row: Mail, _slot: Slot) -> None:
    """Send one claimed email, unless nothing is left to say, and record the result. Raises `NotNow` if the server can't
    be reached."""
    message = mail_text.message_of(row) if row.member_id else guest_mails.message_of(row)
    if message is None:
        _record(row, given_up_at=timezone.now(), error="")
        return
    outcome = hand_over(message)
    if outcome.is_sent:
        _record(row, sent_at=timezone.now(), given_up_at=None, error="")
        if row.member is not None:
            bounces.record_delivered(row.member)
    else:
        # don't log the server's words, which may contain the address
        logger.warning("mail=%s try=%s: %s", row.public_id, row.tries, outcome.result)
        _record_failure(row, outcome)
    if outcome.result == MailResult.AWAY:
        raise NotNow(AWAY_SECONDS)


def _record_failure(row: Mail, outcome: MailOutcome) -> None:
    """Give up on the email, or leave it for the next attempt. A daily email or reminder that the server may have
    accepted isn't sent again."""
    if outcome.result == MailResult.AWAY:
        _put_off(row, outcome)
        return
    is_for_good = outcome.result in (MailResult.REFUSED, MailResult.BOUNCED) or row.tries >= MOST_TRIES
    is_doubtful = outcome.is_unclear and row.sort != Mail.Sort.ONCE
    _record(row, given_up_at=timezone.now() if is_for_good or is_doubtful else None, error=_stored_words(row, outcome))
    if is_for_good:
        _tell_given_up(row, outcome.words)
    if outcome.result == MailResult.BOUNCED:
        _bounced(row)


def _put_off(row: Mail, outcome: MailOutcome) -> None:
    """Put off an email because the server can't be reached. This doesn't count as an attempt, because nothing was
    sent."""
    now = timezone.now()
    is_too_late = row.created_at < now - AWAY_FOR
    _record(
        row,
        tries=F("tries") - 1,
        due_at=now + PAUSES[0],
        given_up_at=now if is_too_late else None,
        error=_stored_words(row, outcome),
    )
    if is_too_late:
        _tell_given_up(row, outcome.words)


def _stored_words(row: Mail, outcome: MailOutcome) -> str:
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


# One attempt takes less than 150 s, so no other worker sends the same email.
MAILS = DueWork("send_mails", _is_any_due, _claim_next, _send, slot_seconds=150.0)


# --- Once an hour -----------------------------------------------------------------------------------------------------
def tidy(now: datetime) -> None:
    """Delete emails that are over 90 days old, and the addresses of guests whose links ended over 30 days ago."""
    guest_mails.tidy(now - RETENTION)
    Mail.objects.filter(created_at__lt=now - RETENTION).delete()
    guest_contacts.tidy(now)
