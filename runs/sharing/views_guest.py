"""Pages for people without an account, at `/s/<token>/`: no cookies, no scripts, and only what the sender chose.

The secret address is the proof of access, so the only form here needs no CSRF token. Each problem has a plain page that
reveals nothing about the content or, for an unknown address, whether it ever existed.
"""

from collections.abc import Callable
from functools import wraps
from io import BytesIO
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.utils.csp import CSP
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.csp import csp_override
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe
from PIL import Image

from runs.models import GuestLink, SharingRules, StoredFile
from runs.models.file import THUMBNAIL_WIDTHS
from runs.sharing import guest_copies, guest_zip, guests, links, pages_guest
from runs.sharing.forms import PassphraseForm
from runs.sharing.guest_copies import Given
from runs.sharing.guest_zip import StillPreparing
from runs.sharing.guests import Found, State
from runs.storage.serve import AWAY, AWAY_HEADERS, ORIGINAL, content_disposition, file_response
from runs.storage.store import StorageAway
from runs.web.throttling import TooManyError

POLICY = {
    "default-src": [CSP.NONE],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF],
    "media-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
HEADERS = {"X-Robots-Tag": "noindex, nofollow, noarchive", "Referrer-Policy": "no-referrer"}
PAGE_CACHE = "private, no-store"
FILE_CACHE = "private, no-cache"  # browsers revalidate before each use, so a revoked link stops working at once
PREVIEW_QUALITY = 82
HEADINGS = {
    "ask": gettext_noop("What's the passphrase?"),
    "wrong": gettext_noop("What's the passphrase?"),
    "revoked": gettext_noop("This link was revoked"),
    "expired": gettext_noop("This link has expired"),
    "off": gettext_noop("Closed to guests for now"),
    "withdrawn": gettext_noop("No longer shared"),
    "preparing": gettext_noop("One moment"),
    "slow": gettext_noop("Too many attempts"),
    "nothing": gettext_noop("There's nothing here"),
    "unknown": gettext_noop("This link doesn't work"),
}

View = Callable[..., HttpResponseBase]


def for_guests(view: View) -> View:
    """Decorate a view for guests: no account, no cookies, no indexing, no referrer."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        for name, value in HEADERS.items():
            response.headers[name] = value
        response.headers.setdefault("Cache-Control", PAGE_CACHE)
        return response

    return login_not_required(csrf_exempt(csp_override(POLICY)(guarded)))


def _plain(request: HttpRequest, kind: str, status: int, link: GuestLink | None = None) -> HttpResponse:
    """Render a page that says why there is nothing to see. It only names the sender if the link is real."""
    context: dict[str, Any] = {"kind": kind, "heading": _(HEADINGS[kind])}
    if link is not None:
        context |= {"sender": link.member.display_name, "last_day": links.last_day_of(link)}
    return render(request, "sharing/guest_plain.html", context, status=status)


def _preparing(request: HttpRequest, link: GuestLink) -> HttpResponse:
    """Say that the copy isn't ready yet. The error status keeps browsers from saving the page under the file's name."""
    answer = _plain(request, "preparing", 404, link)
    answer.headers["Retry-After"] = answer.headers["Refresh"] = str(pages_guest.REFRESH_SECONDS)
    return answer


def _open_link(request: HttpRequest, token: str) -> GuestLink | HttpResponse:
    """Return the link that `token` opens, or a page that says why it doesn't open."""
    link = guests.find_link(token)
    if link is None:
        return _plain(request, "unknown", 404) if guests.record_unknown(request) else _plain(request, "slow", 429)
    state = guests.state_of(link, SharingRules.current())
    return link if state is State.OPEN else _plain(request, state.value, 410, link)


def _proven_link(request: HttpRequest, token: str) -> GuestLink | HttpResponse:
    """Like `_open_link`, but also require the passphrase."""
    link = _open_link(request, token)
    if isinstance(link, GuestLink) and not guests.is_proven(link, request.GET.get("p", "")):
        return _plain(request, "ask", 403, link)
    return link


@for_guests
@require_http_methods(["GET", "HEAD", "POST"])
def guest(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show the guest page, or the form that asks for the passphrase.

    While files are being prepared, a header refreshes the page, since there are no scripts.
    """
    link = _open_link(request, token)
    if isinstance(link, HttpResponse):
        return link
    is_proven = request.method != "POST" and guests.is_proven(link, request.GET.get("p", ""))
    if not is_proven and (refused := _refused(request, link)) is not None:
        return refused
    page = pages_guest.guest_page(link, token)
    if not page.results:
        return _plain(request, "withdrawn", 410, link)
    guests.count_view(request, link)
    answer = render(request, "sharing/guest.html", {"page": page, "link": link})
    if page.refresh_seconds:
        answer.headers["Refresh"] = f"{page.refresh_seconds}; url={page.address}"
    return answer


def _refused(request: HttpRequest, link: GuestLink) -> HttpResponse | None:
    """Return the page that asks for the passphrase; None if the right passphrase was sent or none is needed."""
    if not link.passphrase:
        return None
    if request.method != "POST":
        return _plain(request, "ask", 200, link)
    try:
        is_right = guests.is_right_passphrase(request, link, PassphraseForm.read(request.POST)["passphrase"])
    except TooManyError:
        return _plain(request, "slow", 429, link)
    return None if is_right else _plain(request, "wrong", 403, link)


@for_guests
@require_safe
def guest_file(request: HttpRequest, token: str, file_id: str, variant: str) -> HttpResponseBase:
    """Send one file from the link, as large as the sender allows. Guests get a copy without metadata."""
    link = _proven_link(request, token)
    if isinstance(link, HttpResponse):
        return link
    found = guests.file_of(link, file_id)
    if found is None or ("download" in request.GET and not link.may_download):
        return _plain(request, "nothing", 404)
    if variant == ORIGINAL:
        return _itself(request, link, found)
    return _sent(request, found.stored, found.name, variant) or _plain(request, "nothing", 404)


def _itself(request: HttpRequest, link: GuestLink, found: Found) -> HttpResponseBase:
    """Send the copy that replaces the original."""
    given = guest_copies.given(link, found.stored) if found.is_result else Given(guest_copies.State.NOT_NEEDED)
    if given.state in (guest_copies.State.PREPARING, guest_copies.State.LATE):
        return _preparing(request, link)
    if given.stored is None:
        return _plain(request, "nothing", 404)
    sent = _sent(request, given.stored, found.name, ORIGINAL)
    if sent is None and not given.is_as_it_is:
        guest_copies.record_lost(given.stored)
        return _preparing(request, link)
    return sent or _plain(request, "nothing", 404)


def _sent(request: HttpRequest, stored: StoredFile, name: str, variant: str) -> HttpResponseBase | None:
    """Return a response that sends `stored` as `name`; None if that variant doesn't exist or isn't in storage."""
    if variant not in (ORIGINAL, *map(str, THUMBNAIL_WIDTHS)):
        return None
    stored.name = name  # for this response only
    try:
        response = file_response(request, stored, variant)
    except Http404:
        return None
    if response.status_code < 400:
        response.headers["Cache-Control"] = FILE_CACHE
    return response


@for_guests
@require_safe
def guest_preview(request: HttpRequest, token: str) -> HttpResponseBase:
    """Send the picture that chat tools show beside the link, as a JPEG, since some don't support WebP."""
    link = _open_link(request, token)
    if isinstance(link, HttpResponse):
        return link
    stored = None if link.passphrase else pages_guest.preview_of(guests.outputs_of(link))
    if stored is None:
        return _plain(request, "nothing", 404)
    made = BytesIO()
    try:
        with stored.thumb_1200.open("rb") as small, Image.open(small, formats=["WEBP"]) as picture:
            picture.convert("RGB").save(made, "JPEG", quality=PREVIEW_QUALITY)
    except OSError:
        return _plain(request, "nothing", 404)
    return HttpResponse(made.getvalue(), content_type="image/jpeg")


@for_guests
@require_safe
def guest_download(request: HttpRequest, token: str) -> HttpResponseBase:
    """Send all files as a zip, if the sender allows downloads."""
    link = _proven_link(request, token)
    if isinstance(link, HttpResponse):
        return link
    try:
        archive = guest_zip.pack(link) if link.may_download else None
    except StillPreparing:
        return _preparing(request, link)
    except StorageAway:
        return HttpResponse(AWAY, status=503, content_type="text/plain; charset=utf-8", headers=AWAY_HEADERS)
    if not archive:
        return _plain(request, "nothing", 404)
    request.META.pop("HTTP_ACCEPT_ENCODING", None)  # a compressed response would lose its length
    headers = {
        "Content-Length": str(len(archive)),
        "Content-Disposition": content_disposition(f"{_('shared')}.zip", is_inline=False),
    }
    if request.method == "HEAD":  # streaming would read every file for nothing
        return HttpResponse(content_type="application/zip", headers=headers)
    return StreamingHttpResponse(iter(archive), content_type="application/zip", headers=headers)


@for_guests
def guest_unknown(request: HttpRequest, rest: str) -> HttpResponseBase:
    """Handle all other paths under `/s/`: add a missing slash, or say that the link doesn't work."""
    if request.method in ("GET", "HEAD") and rest and "/" not in rest:
        return HttpResponseRedirect(f"{request.path}/")
    return _plain(request, "unknown", 404)
