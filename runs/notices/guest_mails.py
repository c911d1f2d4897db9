"""Emails that tell guests that a member has replied to their comment, or that their link now shows the next version of
a result that they decided or commented on.

They go through the same queue as emails to members. Events within two minutes of each other share one email, and each
link sends at most one email an hour to any address. The text is written when the email is sent, and leaves out anything
that the guest can no longer see. It contains nothing that guests typed, because anyone could enter someone else's
address.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Max, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from runs.models import Comment, Decision, GuestContact, GuestLink, GuestNotice, Mail, Output, SharingRules
from runs.notices import choices, unsubscribe
from runs.notices.mail_text import Letter, headers_of, subject_of
from runs.sharing import guests
from runs.sharing.guest_addresses import Addresses
from runs.team import mail
from runs.web import secret_links
from runs.web.secret_links import Purpose
from runs.words.one_line import one_line

PAUSE = timedelta(hours=1)  # minimum time between two emails to the same address
AT_ONCE = 500
RELATED = ("output", "comment__member", "comment__output", "comment__parent__carried_from")


# --- What happened ----------------------------------------------------------------------------------------------------
def on_comment_posted(comment: Comment) -> None:
    """Tell a guest about a member's reply to their comment, if guests can see the reply."""
    parent = comment.parent
    if comment.is_guest or parent is None or parent.guest_id is None or not comment.guests_see:
        return
    if comment.output is not None:
        whose = GuestContact.objects.filter(guest=parent.guest_id)
        _tell(whose, f"comment-{comment.pk}", comment.output, comment)


def on_comment_changed(comment: Comment, _text_before: str) -> None:
    """Tell the guest about a reply that the edit has made visible to guests. `comment` is the comment before the
    edit."""
    if comment.guests_see:
        return
    current = Comment.objects.filter(pk=comment.pk, removed_at=None).select_related("parent", "output").first()
    if current is not None:
        on_comment_posted(current)


def on_version_shown(link: GuestLink, old: Output, new: Output) -> None:
    """Tell the guests of `link` who decided or commented on `old` that the link now shows `new` instead."""
    guests = Decision.objects.standing().filter(link=link, output=old).values("guest")
    # Open comments may have been carried over by now, and some were written on a version even earlier than `old`
    until_old = Output.objects.in_line_of(old).filter(number__lte=old.number).order_by().values("pk")
    on_old = Q(output=old) | Q(carried_from__in=until_old, output__number__gt=old.number)
    commented = Comment.objects.filter(on_old, link=link, removed_at=None).values("guest")
    contacts = GuestContact.objects.filter(Q(guest__in=guests) | Q(guest__in=commented))
    _tell(contacts, f"version-{new.pk}", new)


@transaction.atomic
def _tell(contacts: QuerySet[GuestContact], event: str, output: Output, comment: Comment | None = None) -> None:
    """Create a notice for each of `contacts`. The contacts are locked, so that none of them is deleted before its
    notice is stored."""
    if not mail.is_set_up():
        return
    due = timezone.now() + choices.GATHER
    rows = [
        GuestNotice(contact=contact, event=event, output=output, comment=comment, mail_due_at=due)
        for contact in contacts.select_for_update().order_by("pk")
    ]
    GuestNotice.objects.bulk_create(rows, ignore_conflicts=True)


# --- The queue --------------------------------------------------------------------------------------------------------
def gathered(now: datetime) -> QuerySet[GuestNotice]:
    """Return the notices that are due and aren't in an email yet."""
    return GuestNotice.objects.filter(mail=None, mail_due_at__lte=now)


def gather(now: datetime) -> None:
    """Create one email for each guest with due notices, containing all of the guest's waiting notices. If their address
    got an email within the last hour, postpone the notices instead."""
    for pk in list(gathered(now).order_by().values_list("contact", flat=True).distinct()[:AT_ONCE]):
        with transaction.atomic():
            contact = GuestContact.objects.select_for_update().filter(pk=pk).first()
            if contact is None:
                continue
            waiting = GuestNotice.objects.filter(contact=pk, mail=None, mail_due_at__isnull=False)
            last = _last_mail_at(contact, now)
            if last is not None and last + PAUSE > now:
                waiting.update(mail_due_at=last + PAUSE)
            else:
                # Clear the time, so that these notices don't count as waiting again once the email's row is deleted
                waiting.update(mail=Mail.objects.create(guest=contact, due_at=now), mail_due_at=None)


def _last_mail_at(contact: GuestContact, now: datetime) -> datetime | None:
    """Return when this link last sent an email to the contact's address, whatever name the guest used. If an email is
    still waiting to be sent, for example because the mail server can't be reached, return `now`."""
    same = Mail.objects.filter(guest__guest__link=contact.guest.link_id, guest__email__iexact=contact.email)
    same = same.exclude(sent_at=None, given_up_at__isnull=False)
    last: datetime | None = same.aggregate(last=Max(Coalesce("sent_at", Value(now))))["last"]
    return last


def tidy(before: datetime) -> None:
    """Delete notices that were created before `before`."""
    GuestNotice.objects.filter(created_at__lt=before).delete()


# --- The email --------------------------------------------------------------------------------------------------------
def message_of(row: Mail) -> EmailMultiAlternatives | None:
    """Return the email to send now; None if the guest link is closed, or if there is nothing left to say."""
    contact = GuestContact.objects.select_related("guest__link__member").filter(mails=row).first()
    if contact is None or guests.state_of(contact.guest.link, SharingRules.current()) is not guests.LinkState.OPEN:
        return None
    with translation.override(contact.language or settings.LANGUAGE_CODE):
        letter = _letter(row, contact)
        return _message(row, contact, letter) if letter else None


def _letter(row: Mail, contact: GuestContact) -> Letter | None:
    link, labels = contact.guest.link, guests.named_outputs(contact.guest.link)
    pairs = [(notice, _place_of(notice, labels)) for notice in row.guest_notices.select_related(*RELATED)]
    there = [(notice, output) for notice, output in pairs if output is not None]
    token = secret_links.token_again(Purpose.GUEST, link.nonce, link.token_hash)
    if not there or not token:
        return None
    lines = [one_line(_line(notice, labels[output], link)) for notice, output in there]
    subject = lines[0]
    if len(lines) > 1:
        more = ngettext("%(first)s, and %(count)s more", "%(first)s, and %(count)s more", len(lines) - 1)
        subject = more % {"first": lines[0], "count": len(lines) - 1}
    is_one_place = len({output for _notice, output in there}) == 1
    number = list(labels).index(there[0][1]) + 1 if is_one_place else 1
    place = f"r{number}" if is_one_place else ""
    return Letter(
        subject=subject,
        intro="",
        lines=lines,
        path=Addresses(link, token).page_in_email(contact.guest, guests.page_with(number), place),
        kinds=[],
    )


def _place_of(notice: GuestNotice, outputs: Collection[Output]) -> Output | None:
    """Return the result where the guest can see what the notice is about; None if the link doesn't show it. A comment
    that was carried over to another version is also shown where it was written."""
    comment = notice.comment
    if comment is None:
        return notice.output if notice.output in outputs else None
    if not comment.guests_see or comment.removed_at is not None:
        return None
    written_on = comment.parent.carried_from if comment.parent else None
    return next((output for output in (comment.output, written_on) if output in outputs), None)


def _line(notice: GuestNotice, label: str, link: GuestLink) -> str:
    comment = notice.comment
    if comment is None:
        values = {"number": notice.output.number, "result": label}
        return _("Version %(number)s of “%(result)s” is ready to view") % values
    if link.hides_names:
        return _("The team replied to your comment on “%(result)s”") % {"result": label}
    return _("%(name)s replied to your comment on “%(result)s”") % {"name": comment.who, "result": label}


def _message(row: Mail, contact: GuestContact, letter: Letter) -> EmailMultiAlternatives:
    stop = unsubscribe.address_for_guest(contact)
    context = {"letter": letter, "sender": one_line(contact.guest.link.member.display_name), "stop": stop}
    text = render_to_string("notices/guest_mail.txt", context)
    message = EmailMultiAlternatives(
        subject_of(letter), text, settings.DEFAULT_FROM_EMAIL, [contact.email], headers=headers_of(row, stop)
    )
    message.attach_alternative(render_to_string("notices/guest_mail.html", context), "text/html")
    return message
