"""Before someone changes what others may do, or takes data out, ask for their password again, then carry on with
everything they typed. A session that somebody borrowed, or a screen left open, isn't enough for that.

The response is a form that posts to the same URL, with the posted values in hidden fields. This works without
JavaScript, stores nothing between the two requests, and survives an expired session like any other form. Only files
have to be chosen again.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate
from urllib.parse import urlsplit, urlunsplit

from django import forms
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import gettext_noop
from django.views.decorators.debug import sensitive_post_parameters

from runs.team import recent_password, sessions
from runs.web import throttling
from runs.web.http import PortalRequest, own_path, wants_fragment
from runs.web.posted import CutField

FIELD = "your-password"  # contains "password", so it isn't saved when a session expires
WRONG = gettext_noop("Wrong password. Try again.")


class PasswordAgainForm(forms.Form):
    """Asks a signed-in person for their password again. With the prefix "your", the fields are called "your-password"
    and "your-page" in HTML."""

    prefix = "your"
    password = forms.CharField(strip=False, error_messages={"required": _lazy("Enter your password.")})
    page = CutField()  # the page they came from

    @property
    def is_sent(self) -> bool:
        """Whether the page that asks for the password was submitted."""
        return self["password"].html_name in self.data


def recent_password_required[**P](
    view: Callable[Concatenate[PortalRequest, P], HttpResponseBase],
) -> Callable[Concatenate[PortalRequest, P], HttpResponseBase]:
    """Decorate a view whose POST needs the password: ask for it if it was last entered over 30 minutes ago. A series of
    POSTs is asked only at its first (`recent_password`).

    A test lists the admins' POSTs that don't need it, and why.
    """

    @wraps(view)
    @sensitive_post_parameters(FIELD)
    def guarded(request: PortalRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.method == "POST":
            form = PasswordAgainForm(request.POST)
            if not recent_password.is_recent(request) and (problem := _problem(request, form)) is not None:
                return _ask(request, form, problem)
            recent_password.record_use(request)
        return view(request, *args, **kwargs)

    return guarded


def _problem(request: PortalRequest, form: PasswordAgainForm) -> str | None:
    """Return an error message about the posted password: "" if none was posted yet, None if it is right. Attempts are
    limited, just like attempts to sign in."""
    if not form.is_sent:
        return ""
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
    return None


def _ask(request: PortalRequest, form: PasswordAgainForm, problem: str) -> HttpResponse:
    """Show the page that asks for the password. Unless there is a `problem`, the status is 200, so that password
    managers fill in the password."""
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in ("csrfmiddlewaretoken", *(bound.html_name for bound in form))
        for value in values
    ]
    context = {
        "action": request.get_full_path(),
        "fields": fields,
        "files": [(name, files[0].name) for name, files in request.FILES.lists() if files],
        "form": form,
        "page": _page_of(request, form),
        "problem": problem,
    }
    response = render(request, "team/reauthenticate.html", context, status=422 if problem else 200)
    response["Cache-Control"] = "no-store"
    if wants_fragment(request):  # show a full page, whatever the request's target was
        response["HX-Retarget"], response["HX-Reswap"] = "body", "innerHTML show:window:top"
    return response


def _page_of(request: PortalRequest, form: PasswordAgainForm) -> str:
    """Return the path of the page that the person came from, to lead them back."""
    came_from = urlsplit(request.headers.get("Referer", ""))
    path = urlunsplit(("", "", came_from.path, came_from.query, ""))
    return own_path(str(form["page"].value() or "") or path, reverse("runs:manage"))
