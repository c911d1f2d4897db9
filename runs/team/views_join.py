"""Pages for people who can't sign in yet: accepting an invite, and setting a new password.

They don't reveal who has an account, with one exception that can't be avoided without a mail server: if an invite has
no email address, the page says whether the address that someone enters is taken. People can try only a few addresses
before they have to wait, and the first one that isn't taken uses up the invite.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from runs.background.queue import enqueue
from runs.models import Invite, Member
from runs.team import invites, mail, passwords, security_mail
from runs.team.admins import mail_to_admins
from runs.team.forms import JoinForm, NewPasswordForm, PasswordMailForm
from runs.team.members import RefusedError
from runs.web import secret_links, throttling
from runs.web.posted import posted_of

BACKEND = "django.contrib.auth.backends.ModelBackend"
MAILS_PER_PERSON = 3  # maximum number of emails to one person in ten minutes
ADDRESSES_PER_INVITE = 5  # maximum number of email addresses to try with one invite in ten minutes


@require_http_methods(["GET", "HEAD", "POST"])
@login_not_required
@sensitive_post_parameters("password")
def invite(request: HttpRequest, token: str) -> HttpResponse:
    """Accept an invite: ask for a name, a password, and an email address if the invite has none."""
    row = _unless_guessing(request, lambda: secret_links.find(Invite.objects.select_related("invited_by"), token))
    if isinstance(row, HttpResponse):
        return row
    state = invites.state_of(row)
    if state != "open":
        return _closed(request, state)
    if request.user.is_authenticated:
        return _page(request, "team/invite_signed_in.html", {"token_path": request.path})
    form = JoinForm(Member(email=row.email), posted_of(request), initial={"name": row.name})
    if form.is_valid():
        data = form.cleaned_data
        try:
            throttling.Attempt({f"join:{row.pk}": ADDRESSES_PER_INVITE})
            member = invites.accept(row, email=data.get("email", ""), name=data["name"], password=data["password"])
        except throttling.TooManyError:
            form.add_error(None, _(throttling.SENTENCE))
        except RefusedError as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("Welcome, %(name)s.") % {"name": member.display_name})
            return _let_in(request, member)
    context = {"invite": row, "form": form, "role": row.get_role_display()}
    return _page(request, "team/invite.html", context, status=422 if form.errors else 200)


def _closed(request: HttpRequest, state: str) -> HttpResponse:
    context = {"state": state, "mail_url": mail_to_admins(_("Lamina Portal: I need a new invite"))}
    return _page(request, "team/invite_closed.html", context, status=410)


@require_http_methods(["GET", "HEAD", "POST"])
@login_not_required
def password_reset(request: HttpRequest) -> HttpResponse:
    """Handle a request for a password link by email. The response is the same for everyone, with or without an
    account."""
    form = PasswordMailForm(posted_of(request))
    context = {"form": form, "has_mail": mail.is_set_up()}
    if not context["has_mail"] or not form.is_valid():
        return _page(request, "team/password_reset.html", context, status=422 if form.errors else 200)
    try:
        throttling.Attempt({f"ask-address:{throttling.address_of(request)}": throttling.MAX_PER_ADDRESS})
    except throttling.TooManyError:
        return _too_many(request)
    _queue_mail(Member.objects.normalize_email(form.cleaned_data["email"]))
    return _page(request, "team/password_reset_sent.html", {"email": form.cleaned_data["email"]})


def _queue_mail(email: str) -> None:
    """Queue the email, but only a few times for the same person, no matter who requests it."""
    try:
        throttling.Attempt({f"ask-email:{email}": MAILS_PER_PERSON})
    except throttling.TooManyError:
        return
    member_pk = Member.objects.filter(email=email, is_active=True).values_list("pk", flat=True).first()
    # Queue the task even if there is no account, so that the response time doesn't give that away
    enqueue("send_new_password_mail", member_pk or 0)


@require_http_methods(["GET", "HEAD", "POST"])
@login_not_required
@sensitive_post_parameters("password")
def password_new(request: HttpRequest, token: str) -> HttpResponse:
    """Set a new password with a link from an email or an admin; this ends all of the member's sessions."""
    member = _unless_guessing(request, lambda: passwords.member_of(token))
    if isinstance(member, HttpResponse):
        return member
    form = NewPasswordForm(member, posted_of(request))
    if not form.is_valid():
        context = {"form": form, "person": member}
        return _page(request, "team/password_new.html", context, status=422 if form.errors else 200)
    if not passwords.set_with_link(member, form.cleaned_data["password"]):
        return _page(request, "team/link_unknown.html", {}, status=404)
    security_mail.tell_of_password(member)
    messages.success(request, _("Your new password is set. All your other browsers were signed out."))
    return _let_in(request, member)


def _let_in(request: HttpRequest, member: Member) -> HttpResponse:
    login(request, member, BACKEND)
    response = HttpResponseRedirect(reverse("runs:home"))
    throttling.remember_address(request, member.email)
    throttling.remember_device(request, response, member.email)
    return response


def _unless_guessing[Found](request: HttpRequest, look: Callable[[], Found | None]) -> Found | HttpResponse:
    """Return the result of `look`. If it returns None, or there have been too many attempts from this IP address,
    return an error page."""
    try:
        attempt = throttling.Attempt({f"link:{throttling.address_of(request)}": throttling.MAX_PER_ADDRESS})
    except throttling.TooManyError:
        return _too_many(request)
    row = look()
    if row is None:
        return _page(request, "team/link_unknown.html", {}, status=404)
    attempt.take_back()
    return row


def _too_many(request: HttpRequest) -> HttpResponse:
    return _page(request, "team/too_many_attempts.html", {}, status=429)


def _page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    response = render(request, template, context, status=status)
    add_never_cache_headers(response)
    return response
