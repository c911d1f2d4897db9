"""The member's own settings: name, language, appearance, shortcuts, emails, password, and where they are signed in."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from runs.models import Member
from runs.notices import alerts, bounces
from runs.spending.own_month import own_spending
from runs.team import mail, members, passwords, recent_password, security_mail, sessions
from runs.team.forms import WRONG_CODE, ChangePasswordForm, SettingsForm
from runs.team.forms_mail import MailChoicesForm
from runs.web import throttling
from runs.web.http import PortalRequest, go_to, render_page


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def me(request: PortalRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request)
    fresh = Member.objects.get(pk=request.user.pk)  # an invalid form mustn't change the person shown on the page
    form = SettingsForm(request.POST, instance=fresh)
    if not form.is_valid():
        return _page(request, form=form, status=422)
    members.change_settings(fresh, form.cleaned_data)
    # The next page shows this message, and is already in the new language
    with translation.override(fresh.language or translation.get_language_from_request(request)):
        messages.success(request, _("Your settings were saved."))
    return go_to(request, reverse("runs:me"))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("old_password", "password")
def password_change(request: PortalRequest) -> HttpResponse:
    """Change the password after checking the old one; this ends every other session. Attempts are limited, just like
    attempts to sign in."""
    if request.method != "POST":
        return redirect(f"{reverse('runs:me')}#password")
    try:
        attempt = throttling.Attempt(throttling.sign_in_limits(request, request.user.email))
    except throttling.TooManyError:  # no bound form, because showing its errors would check the password
        return _page(request, password_problem=_(throttling.SENTENCE), status=422)
    form = ChangePasswordForm(request.user, request.POST)
    if not form.is_valid():
        if form.has_error("old_password", WRONG_CODE):
            sessions.record_refused(request.user.email, attempt)
        else:
            attempt.take_back()
        return _page(request, password_form=form, status=422)
    attempt.forgive_first()
    passwords.change(request.user, form.cleaned_data["password"])
    old_key = request.session.session_key
    update_session_auth_hash(request, request.user)
    sessions.follow(request, old_key)
    sessions.end_all(request.user, but=request.session.session_key)
    recent_password.record_given(request)
    security_mail.tell_of_password(request.user)
    messages.success(request, _("Your password was changed. All your other browsers were signed out."))
    return go_to(request, reverse("runs:me"))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def mail_choices(request: PortalRequest) -> HttpResponse:
    """Save what the member wants to get emails about."""
    if request.method != "POST":
        return redirect(f"{reverse('runs:me')}#mails")
    form = MailChoicesForm(request.user, request.POST)
    if not form.is_valid():
        return _page(request, mail_form=form, status=422)
    form.save()
    messages.success(request, _("Your settings were saved."))
    return go_to(request, f"{reverse('runs:me')}#mails")


@require_POST
def mail_again(request: PortalRequest) -> HttpResponse:
    """Resume emailing the member, whose email address had stopped working."""
    bounces.resume(request.user)
    messages.success(request, _("You'll get emails again."))
    return go_to(request, f"{reverse('runs:me')}#mails")


@require_POST
def session_end(request: PortalRequest, place_id: str) -> HttpResponse:
    """Sign out one browser."""
    if not sessions.end_one(request.user, place_id):
        raise Http404
    messages.success(request, _("That browser was signed out."))
    return go_to(request, f"{reverse('runs:me')}#places")


@require_POST
def session_end_others(request: PortalRequest) -> HttpResponse:
    """Sign the member out of every browser except this one."""
    sessions.end_others(request.user, request.session.session_key)
    messages.success(request, _("All your other browsers were signed out."))
    return go_to(request, f"{reverse('runs:me')}#places")


def _page(request: PortalRequest, *, status: int = 200, **extra: Any) -> HttpResponse:
    context = {
        "section": "me",
        "form": SettingsForm(instance=request.user),
        "password_form": ChangePasswordForm(request.user),
        "has_mail": mail.is_set_up(),
        "mail_form": MailChoicesForm(request.user),
        "own": own_spending(request.user) if request.user.can_run else None,
        "has_asked": alerts.has_asked(request.user),
        "places": sessions.sessions_of(request.user, request.session.session_key),
    }
    return render_page(request, "team/me.html", context | extra, status=status)
