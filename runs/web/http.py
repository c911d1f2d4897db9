"""Answers that views share: page or fragment, redirects that htmx follows, and what every page shows."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from runs.connection import status as health
from runs.models import Member
from runs.words.sentences import credits_words

VIEWERS_LOOK = (
    "Your role lets you look, not run, share or change. Nothing was changed. Ask an admin if that should be different."
)


class PortalRequest(HttpRequest):
    """A request of a signed-in member, as our middleware leaves it."""

    user: Member
    htmx: HtmxDetails


@dataclass(frozen=True)
class Portal:
    """What the frame of every page shows."""

    is_sandbox: bool
    balance_words: str
    away_words: str
    key_refused: bool


def refuse_viewers(member: Member) -> None:
    """Before anything starts, is shared or changed: a viewer gets a page with a sentence (403).

    Look the thing up first: what a viewer may not see does not exist for them (404), as for anybody else.
    """
    if not member.can_run:
        raise PermissionDenied(VIEWERS_LOOK)


def makers_only[**P, R: HttpResponseBase](
    view: Callable[Concatenate[PortalRequest, P], R],
) -> Callable[Concatenate[PortalRequest, P], R]:
    """`refuse_viewers` for a view that needs to look up nothing."""

    @wraps(view)
    def guarded(request: PortalRequest, /, *args: P.args, **kwargs: P.kwargs) -> R:
        refuse_viewers(request.user)
        return view(request, *args, **kwargs)

    return guarded


def admins_only[**P, R: HttpResponseBase](
    view: Callable[Concatenate[PortalRequest, P], R],
) -> Callable[Concatenate[PortalRequest, P], R]:
    """To everybody else these pages do not exist."""

    @wraps(view)
    def guarded(request: PortalRequest, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if not request.user.is_admin:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


def wants_fragment(request: PortalRequest) -> bool:
    """True when htmx will swap the answer into a page, not show it as one."""
    htmx = request.htmx
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render_page(
    request: PortalRequest, template: str, context: dict[str, Any], *, partial: str = "", status: int = 200
) -> HttpResponse:
    """The whole page, or just its PARTIAL when htmx asked."""
    name = f"{template}#{partial}" if partial and wants_fragment(request) else template
    response = render(request, name, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def go_to(request: PortalRequest, url: str) -> HttpResponse:
    """Send the person to URL: a 302 would land inside htmx's target, so htmx gets its own header."""
    return HttpResponseClientRedirect(url) if request.htmx else HttpResponseRedirect(url)


def portal_context(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the frame of the page, for signed-in people and the sign-in page alike."""
    status = health.lamina_status()
    away = ""
    if status.away_since is not None:
        since = timezone.localtime(status.away_since)
        today = timezone.localdate() == since.date()
        away = f"{since:%H:%M}" if today else f"{since:%d %B, %H:%M}"
    portal = Portal(
        is_sandbox=health.is_sandbox(),
        balance_words=credits_words(status.balance),
        away_words=f"We can't reach Lamina since {away}. Your history works. New runs wait and start by themselves."
        if away
        else "",
        key_refused=status.key_refused_at is not None,
    )
    return {"portal": portal}
