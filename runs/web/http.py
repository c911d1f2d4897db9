"""Helpers for views: pages or fragments, redirects that htmx follows, role checks, and data for the page layout."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate

from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from runs.connection import status as health
from runs.models import LaminaStatus, Member
from runs.words.credits import balance_words, left_words
from runs.words.markup import filled_in, moment_html
from runs.words.moments import short_time_words

VIEWERS_LOOK = gettext_noop(  # translated where it is used
    "Your role is view-only, so you can't run, share or change anything. Nothing was changed. Ask an admin if you need "
    "a different role."
)


class PortalRequest(HttpRequest):
    """A signed-in member's request, as our middleware passes it on."""

    user: Member
    htmx: HtmxDetails


@dataclass(frozen=True)
class Portal:
    """Data for the layout that all pages share."""

    is_sandbox: bool
    balance_words: str
    left_words: str  # the balance as shown next to a cost
    away_words: str
    key_refused: bool
    connection: str  # "key" or "away" while something is wrong, so that open pages know which banner they show


def refuse_viewers(member: Member) -> None:
    """Raise `PermissionDenied` (403) if `member` is a viewer. Call this before starting, sharing or changing anything.

    Look up the object first, so that viewers, like everyone else, get a 404 for objects they may not see.
    """
    if not member.can_run:
        raise PermissionDenied(_(VIEWERS_LOOK))


def changeable_or_refuse[M: Model](request: PortalRequest, rows: type[M] | QuerySet[M], **lookup: Any) -> M:
    """Return the row that a request is about to change; raise `Http404` if there is none, `PermissionDenied` for
    viewers."""
    row = get_object_or_404(rows, **lookup)
    refuse_viewers(request.user)
    return row


def makers_only[**P, R: HttpResponseBase](
    view: Callable[Concatenate[PortalRequest, P], R],
) -> Callable[Concatenate[PortalRequest, P], R]:
    """Make a view respond to viewers with a 403. Use this only for views that don't look up an object first."""

    @wraps(view)
    def guarded(request: PortalRequest, /, *args: P.args, **kwargs: P.kwargs) -> R:
        refuse_viewers(request.user)
        return view(request, *args, **kwargs)

    return guarded


def admins_only[**P, R: HttpResponseBase](
    view: Callable[Concatenate[PortalRequest, P], R],
) -> Callable[Concatenate[PortalRequest, P], R]:
    """Make a view respond with a 404 to everyone except admins."""

    @wraps(view)
    def guarded(request: PortalRequest, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if not request.user.is_admin:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


def wants_fragment(request: PortalRequest) -> bool:
    """Return whether htmx will put the response into the current page instead of showing it as a page of its own."""
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
    """Redirect to `url`. htmx needs a special header, because it would follow a 302 and put the new page into its
    target element."""
    return HttpResponseClientRedirect(url) if request.htmx else HttpResponseRedirect(url)


def own_path(path: str, otherwise: str) -> str:
    """Return the posted `path` if it's a URL on this portal, and `otherwise` if it isn't."""
    is_ours = path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    return path if is_ours else otherwise


def connection_token(status: LaminaStatus) -> str:
    """Return which banner about the connection to Lamina pages show: "key", "away" or none ("")."""
    if status.key_refused_at is not None:
        return "key"
    return "away" if status.away_since is not None else ""


def portal_context(request: HttpRequest) -> dict[str, Any]:
    """Context processor that gives every template the data for the page layout, even on the sign-in page."""
    status = health.lamina_status()
    away = ""
    if status.away_since is not None:
        away = _(
            "Lamina hasn't been answering since %(when)s. New runs wait and start by themselves when it's back. "
            "Nothing is lost, and your history still works."
        )
        away = filled_in(away, when=moment_html(status.away_since, short_time_words(status.away_since)))
    portal = Portal(
        is_sandbox=health.is_sandbox(),
        balance_words=balance_words(status),
        left_words=left_words(status),
        away_words=away,
        key_refused=status.key_refused_at is not None,
        connection=connection_token(status),
    )
    return {"portal": portal}
