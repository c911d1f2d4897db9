"""Asks for the password again before an act on people, and lets the act go on with all that was typed.

The page stands in place of the answer: a form with the posted fields, hidden, that posts to the same address. So it
works with scripts off, needs nothing kept between the two requests, and travels through an expired sign-in like any
other form.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters

from lamina_portal import sign_in, throttling
from runs.http import PortalRequest, wants_fragment
from runs.services.team import recent_password

FIELD = "your-password"  # a name with "password" in it is never carried along by an expired sign-in
WRONG = "That is not your password. Try again."
EMPTY = "Enter your password."


def recent_password_required[**P](
    view: Callable[Concatenate[PortalRequest, P], HttpResponse],
) -> Callable[Concatenate[PortalRequest, P], HttpResponse]:
    """For a view whose POST changes somebody's rights: a password given over 30 minutes ago is asked for again."""

    @wraps(view)
    @sensitive_post_parameters(FIELD)
    def guarded(request: PortalRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.method == "POST" and not recent_password.is_recent(request):
            if FIELD not in request.POST:
                return _ask(request)
            if problem := _check(request):
                return _ask(request, problem)
        return view(request, *args, **kwargs)

    return guarded


def _check(request: PortalRequest) -> str:
    """Judge the password that came along, slowed down as signing in is; empty when it is right."""
    given = request.POST[FIELD]
    if not given:
        return EMPTY
    try:
        attempt = throttling.Attempt(throttling.sign_in_limits(request, request.user.email))
    except throttling.TooManyError:
        return sign_in.TOO_MANY
    if not request.user.check_password(given):
        return WRONG
    attempt.forgive_first()
    recent_password.note_given(request)
    return ""


def _ask(request: PortalRequest, problem: str = "") -> HttpResponse:
    """The page that asks. Status 200 at first: it is a page to be filled in, by password managers too."""
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in ("csrfmiddlewaretoken", FIELD)
        for value in values
    ]
    context = {"action": request.get_full_path(), "fields": fields, "field": FIELD, "problem": problem}
    response = render(request, "registration/reauthenticate.html", context, status=422 if problem else 200)
    response["Cache-Control"] = "no-store"
    if wants_fragment(request):  # wherever the answer was to go, this is a page
        response["HX-Retarget"], response["HX-Reswap"] = "body", "innerHTML show:window:top"
    return response
