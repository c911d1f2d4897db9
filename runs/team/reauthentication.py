"""Before someone changes people's accounts, ask for their password again, then carry on with everything they typed.

The response is a form that posts to the same URL, with the posted values in hidden fields. This works without
JavaScript, stores nothing between the two requests, and survives an expired session like any other form.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import gettext_noop
from django.views.decorators.debug import sensitive_post_parameters

from runs.team import recent_password, sessions
from runs.web import throttling
from runs.web.http import PortalRequest, wants_fragment

FIELD = "your-password"  # contains "password", so it isn't saved when a session expires
WRONG = gettext_noop("Wrong password. Try again.")


class PasswordAgainForm(forms.Form):
    """Asks a signed-in person for their password again. With the prefix "your", the field is called "your-password" in
    HTML."""

    prefix = "your"
    password = forms.CharField(strip=False, error_messages={"required": _lazy("Enter your password.")})

    @property
    def is_sent(self) -> bool:
        """Whether the page that asks for the password was submitted."""
        return self["password"].html_name in self.data


def recent_password_required[**P](
    view: Callable[Concatenate[PortalRequest, P], HttpResponse],
) -> Callable[Concatenate[PortalRequest, P], HttpResponse]:
    """Decorate a view whose POST changes someone's rights or limit: ask for the password if it was last entered over 30
    minutes ago."""

    @wraps(view)
    @sensitive_post_parameters(FIELD)
    def guarded(request: PortalRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.method == "POST" and not recent_password.is_recent(request):
            form = PasswordAgainForm(request.POST)
            if not form.is_sent:
                return _ask(request)
            if problem := _check(request, form):
                return _ask(request, problem)
        return view(request, *args, **kwargs)

    return guarded


def _check(request: PortalRequest, form: PasswordAgainForm) -> str:
    """Return an error message about the posted password; "" if the password is right. Attempts are limited, just like
    attempts to sign in."""
    if not form.is_valid():
        return str(form.errors["password"][0])
    try:
        attempt = throttling.Attempt(throttling.sign_in_limits(request, request.user.email))
    except throttling.TooManyError:
        return _(throttling.SENTENCE)
    if not request.user.check_password(form.cleaned_data["password"]):
        sessions.record_refused(request.user.email, attempt)
        return _(WRONG)
    attempt.forgive_first()
    recent_password.record_given(request)
    return ""


def _ask(request: PortalRequest, problem: str = "") -> HttpResponse:
    """Show the page that asks for the password. Unless there is a `problem`, the status is 200, so that password
    managers fill in the password."""
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in ("csrfmiddlewaretoken", FIELD)
        for value in values
    ]
    context = {"action": request.get_full_path(), "fields": fields, "field": FIELD, "problem": problem}
    response = render(request, "team/reauthenticate.html", context, status=422 if problem else 200)
    response["Cache-Control"] = "no-store"
    if wants_fragment(request):  # show a full page, whatever the request's target was
        response["HX-Retarget"], response["HX-Reswap"] = "body", "innerHTML show:window:top"
    return response
