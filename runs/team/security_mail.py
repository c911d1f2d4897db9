"""Mails that tell people what happened to their account, in case it wasn't them.

The worker sends them. Their links need a sign-in, or lead to the page for a reset mail.
"""

from datetime import UTC, datetime

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from runs.background.queue import enqueue
from runs.models import BrowserSession, Member
from runs.team import mail
from runs.web import secret_links


def tell_of_password(member: Member) -> None:
    """`member` has a new password."""
    if mail.is_set_up():
        enqueue("send_password_changed_mail", member.pk, _now())


def tell_of_browser(request: HttpRequest, member: Member) -> None:
    """`member` has signed in from a new browser."""
    if mail.is_set_up():
        rows = BrowserSession.objects.filter(session_key=request.session.session_key or "")
        enqueue("send_new_browser_mail", member.pk, rows.values_list("pk", flat=True).first() or 0, _now())


def send_password_changed_mail(member_id: int, at: int) -> None:
    """In the worker; `at`: Unix seconds."""
    member = Member.objects.filter(pk=member_id, is_active=True).first()
    if member is not None:
        mail.send(
            member.email,
            "Your password for Lamina Portal was changed",
            f"Hello {member.display_name},",
            f"the password for your account was changed on {_words(at)}. Every other browser was signed out.",
            "If this was you, you don't need to do anything.",
            "If it wasn't, tell an admin and reset your password right away:",
            secret_links.full_address(reverse("runs:password-reset")),
        )


def send_new_browser_mail(member_id: int, signed_in_id: int, at: int) -> None:
    """In the worker; `at`: Unix seconds. If they have signed out again, the browser is unknown."""
    member = Member.objects.filter(pk=member_id, is_active=True).first()
    if member is None:
        return
    browser = BrowserSession.objects.filter(pk=signed_in_id, member=member).values_list("browser", flat=True).first()
    mail.send(
        member.email,
        "New sign-in to Lamina Portal",
        f"Hello {member.display_name},",
        f"someone signed in to your account on {_words(at)}, from a new browser: {browser or 'Unknown browser'}.",
        "If it was you, you don't need to do anything. A private window always counts as a new browser.",
        "If it wasn't, sign out that browser and change your password:",
        secret_links.full_address(f"{reverse('runs:me')}#places"),
    )


def _now() -> int:
    return int(timezone.now().timestamp())


def _words(at: int) -> str:
    moment = timezone.localtime(datetime.fromtimestamp(at, UTC))
    return f"{moment:%d %B %Y at %H:%M} ({moment:%Z})"
