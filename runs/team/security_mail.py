"""Emails that tell people about changes to their account, in case someone else made them.

The worker sends them. Their links require signing in, or lead to the page for setting a new password.
"""

from datetime import UTC, datetime

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from runs.background.queue import enqueue
from runs.models import BrowserSession, Member
from runs.team import mail
from runs.team.browsers import browser_words
from runs.web import secret_links
from runs.web.session_lifetime import stored_key
from runs.words.moments import zoned_words


def tell_of_password(member: Member) -> None:
    """Queue an email that tells `member` that their password was changed."""
    if mail.is_set_up():
        enqueue("send_password_changed_mail", member.pk, _now())


def tell_of_browser(request: HttpRequest, member: Member) -> None:
    """Queue an email that tells `member` about a sign-in from a new browser."""
    if mail.is_set_up():
        rows = BrowserSession.objects.filter(session_key=stored_key(request.session.session_key))
        enqueue("send_new_browser_mail", member.pk, rows.values_list("pk", flat=True).first() or 0, _now())


def send_password_changed_mail(member_id: int, at: int) -> None:
    """Send the email about a changed password (called in the worker). `at` is in Unix seconds."""
    member = Member.objects.filter(pk=member_id, is_active=True).first()
    if member is None:
        return
    with mail.as_read_by(member):
        mail.send_to(
            member,
            _("Your password for Lamina Portal was changed"),
            _("Your password was changed on %(when)s. All your other browsers were signed out.") % {"when": _words(at)},
            _("If it was you, you don't need to do anything."),
            _("If it wasn't you, reset your password right away:")
            if member.is_admin
            else _("If it wasn't you, tell an admin and reset your password right away:"),
            secret_links.full_address(reverse("runs:password-reset")),
        )


def send_new_browser_mail(member_id: int, signed_in_id: int, at: int) -> None:
    """Send the email about a sign-in from a new browser (called in the worker). `at` is in Unix seconds. If the member
    has since signed out in that browser, the email calls it "Unknown browser"."""
    member = Member.objects.filter(pk=member_id, is_active=True).first()
    if member is None:
        return
    browser = BrowserSession.objects.filter(pk=signed_in_id, member=member).values_list("browser", flat=True).first()
    with mail.as_read_by(member):
        mail.send_to(
            member,
            _("New sign-in to Lamina Portal"),
            _("Someone signed in to your account on %(when)s from a new browser: %(browser)s.")
            % {"when": _words(at), "browser": browser_words(browser or "")},
            _("If it was you, you don't need to do anything. A private window always counts as a new browser."),
            _("If it wasn't you, sign that browser out and change your password:"),
            secret_links.full_address(f"{reverse('runs:me')}#places"),
        )


def _now() -> int:
    return int(timezone.now().timestamp())


def _words(at: int) -> str:
    return zoned_words(datetime.fromtimestamp(at, UTC))
