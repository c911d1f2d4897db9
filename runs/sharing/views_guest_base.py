"""What all views for guests share: the decorator, the check that a link is open, and a plain page for each problem.

Plain pages don't reveal anything about the content. The page for an unknown URL doesn't reveal whether the link ever
existed.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.csp import CSP
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.csp import csp_override
from django.views.decorators.csrf import csrf_exempt

from runs.models import Guest, GuestLink, SharingRules
from runs.sharing import guest_fields, guest_identity, guests, links, pages_guest
from runs.sharing.forms import PassphraseForm
from runs.sharing.forms_guest import GuestForm
from runs.sharing.guests import LinkState
from runs.web.throttling import TooManyError

NOTHING = GuestForm()
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
HEADINGS = {
    "ask": gettext_noop("What's the passphrase?"),
    "wrong": gettext_noop("What's the passphrase?"),
    "revoked": gettext_noop("This link was revoked"),
    "expired": gettext_noop("This link has expired"),
    "off": gettext_noop("Closed to guests for now"),
    "withdrawn": gettext_noop("No longer shared"),
    "preparing": gettext_noop("One moment"),
    "slow": gettext_noop("Too many attempts"),
    "busy": gettext_noop("Too many answers"),
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


def plain(
    request: HttpRequest,
    kind: str,
    status: int,
    link: GuestLink | None = None,
    form: GuestForm = NOTHING,
    *,
    page_url: str = "",
) -> HttpResponse:
    """Render a page that explains why nothing is shown. The page names the sender only if the link exists.

    What the guest had typed (`form`) is shown, so that they can copy it. A passphrase is sent to `page_url` or, if
    that's empty, to where the request went.
    """
    context: dict[str, Any] = {"kind": kind, "heading": _(HEADINGS[kind]), "form": form, "page_url": page_url}
    if link is not None:
        context |= {"sender": link.member.display_name, "link": link}
        context |= {"last_day": links.last_day_of(link), "last_second": link.last_second}
    return render(request, "sharing/guest_plain.html", context, status=status)


def preparing(request: HttpRequest, link: GuestLink) -> HttpResponse:
    """Render a page that says that the copy isn't ready yet. The error status keeps browsers from saving this page in
    place of the file."""
    answer = plain(request, "preparing", 404, link)
    answer.headers["Retry-After"] = str(pages_guest.REFRESH_SECONDS)
    if request.method != "POST":  # a refresh sends no form
        answer.headers["Refresh"] = answer.headers["Retry-After"]
    return answer


def visitors(request: HttpRequest, link: GuestLink, form: GuestForm) -> tuple[Guest | None, Guest | None]:
    """Return who is visiting the page, and who the email was for that they opened; None if we don't know.

    An address alone never says who is visiting: it may have been copied, and emails are forwarded.
    """
    addressee = guest_fields.guest_of(link, form.offer)
    if request.method != "POST":
        return None, addressee
    if form.is_other:
        return None, None
    key = guest_fields.page_key_of(link, form.opened)
    guest = guest_fields.guest_of(link, form.guest) or guest_identity.guest_of_page(link, key or "")
    if form.is_me:
        guest = guest or addressee
    return guest, addressee if guest is None else None


def open_link(request: HttpRequest, token: str, form: GuestForm = NOTHING) -> GuestLink | HttpResponse:
    """Return the link for `token`, or a page that explains why it doesn't open."""
    link = guests.find_link(token)
    if link is None:
        is_first = guests.record_unknown(request)
        return plain(request, *(("unknown", 404) if is_first else ("slow", 429)), form=form)
    rules = SharingRules.current()
    link.rules = rules
    state = guests.state_of(link, rules)
    return link if state is LinkState.OPEN else plain(request, state.value, 410, link, form)


def link_for_file(request: HttpRequest, token: str, public_id: str) -> GuestLink | HttpResponse:
    """Do what `open_link` does, but also ask for the passphrase if the address doesn't prove that the guest may open
    the file, or the result's text, with this id."""
    link = open_link(request, token)
    if isinstance(link, GuestLink) and not guests.is_file_proven(link, public_id, request.GET.get("p", "")):
        return plain(request, "ask", 403, link, page_url=reverse("runs:guest", args=[token]))
    return link


def unlocked_link(request: HttpRequest, token: str, form: GuestForm) -> GuestLink | HttpResponse:
    """Do what `open_link` does, but also ask for the passphrase if the guest hasn't entered it."""
    link = open_link(request, token, form)
    return link if isinstance(link, HttpResponse) else passphrase_page(request, link, form) or link


def passphrase_page(request: HttpRequest, link: GuestLink, form: GuestForm = NOTHING) -> HttpResponse | None:
    """Return the page that asks for the passphrase; None if the guest has entered the right one or the link doesn't
    need one. If the guest has already sent an answer or a comment, the page keeps it, and it's recorded once they enter
    the passphrase."""
    if guests.is_proven(link, form.proof):
        return None
    passphrase = PassphraseForm.read(request.POST)["passphrase"]
    if not passphrase:
        return plain(request, "ask", 200 if request.method != "POST" else 403, link, form)
    try:
        is_right = guests.is_right_passphrase(request, link, passphrase)
    except TooManyError:
        return plain(request, "slow", 429, link, form)
    return None if is_right else plain(request, "wrong", 403, link, form)
