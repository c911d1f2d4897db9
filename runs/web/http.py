"""Helpers for views: pages or fragments, redirects that htmx follows, roles, and the frame of every page."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import wraps
from typing import Any, Concatenate

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from runs.connection import status as health
from runs.models import Member
from runs.words.moments import short_time_words
from runs.words.sentences import credits_words

VIEWERS_LOOK = gettext_noop(  # translated where it is used
    "Your role lets you look, but not run, share or change things. Nothing was changed. Ask an admin if you need more."
)


class PortalRequest(HttpRequest):
    """A request from a signed-in member, after it has passed our middleware."""

    user: Member
    htmx: HtmxDetails


@dataclass(frozen=True)
class Portal:
    """Data for the frame of every page."""

    is_sandbox: bool
    balance_words: str
    away_words: str
    key_refused: bool


def refuse_viewers(member: Member) -> None:
    """Refuse viewers with an error page (403). Call this before starting, sharing or changing anything.

    Look up the object first: viewers get 404 for what they may not see, like everyone else.
    """
    if not member.can_run:
        raise PermissionDenied(_(VIEWERS_LOOK))


def makers_only[**P, R: HttpResponseBase](
    view: Callable[Concatenate[PortalRequest, P], R],
) -> Callable[Concatenate[PortalRequest, P], R]:
    """Apply `refuse_viewers` to a view that doesn't look anything up."""

    @wraps(view)
    def guarded(request: PortalRequest, /, *args: P.args, **kwargs: P.kwargs) -> R:
        refuse_viewers(request.user)
        return view(request, *args, **kwargs)

    return guarded


def admins_only[**P, R: HttpResponseBase](
    view: Callable[Concatenate[PortalRequest, P], R],
) -> Callable[Concatenate[PortalRequest, P], R]:
    """Decorate a view for admins; everyone else gets 404."""

    @wraps(view)
    def guarded(request: PortalRequest, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if not request.user.is_admin:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


def wants_fragment(request: PortalRequest) -> bool:
    """Return whether htmx will swap the response into a page instead of showing it as one."""
    htmx = request.htmx
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render_page(
    request: PortalRequest, template: str, context: dict[str, Any], *, partial: str = "", status: int = 200
) -> HttpResponse:
    """Render the whole page, or only its `partial` if htmx requested a fragment."""
    name = f"{template}#{partial}" if partial and wants_fragment(request) else template
    response = render(request, name, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def go_to(request: PortalRequest, url: str) -> HttpResponse:
    """Redirect to `url`. htmx gets its own header, since it would load a 302's page into its target."""
    return HttpResponseClientRedirect(url) if request.htmx else HttpResponseRedirect(url)


def portal_context(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the frame of the page, for signed-in people and for the sign-in page."""
    status = health.lamina_status()
    away = ""
    if status.away_since is not None:
        away = _("We haven't reached Lamina since %(when)s. Your history still works. New runs start when it's back.")
        away %= {"when": short_time_words(status.away_since)}
    portal = Portal(
        is_sandbox=health.is_sandbox(),
        balance_words=_balance_words(status.balance),
        away_words=away,
        key_refused=status.key_refused_at is not None,
    )
    return {"portal": portal}


def _balance_words(balance: Decimal | None) -> str:
    """ "1 credit", "4,250.5 credits"; "" if unknown."""
    if balance is None:
        return ""
    words = ngettext("%(count)s credit", "%(count)s credits", 1 if balance == 1 else 2)
    return words % {"count": credits_words(balance)}
