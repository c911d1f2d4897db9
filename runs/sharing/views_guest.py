"""Pages for people without an account, at `/s/<token>/`: no cookies, no scripts, and only what the sender chose.

Access depends only on knowing the secret URL, so the forms on these pages need no CSRF token. Each problem has its own
plain page, which reveals nothing about the content. The page for an unknown URL doesn't reveal whether the link ever
existed.
"""

from io import BytesIO

from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from runs.models import GuestLink, SharingRules, StoredFile
from runs.models.file import THUMBNAIL_WIDTHS
from runs.sharing import guest_copies, guests, pages_guest, pages_guest_zip
from runs.sharing.forms_guest import GuestForm
from runs.sharing.guest_copies import CopyState, FileToSend
from runs.sharing.guest_names import archive_name_of, text_name
from runs.sharing.guests import LinkFile
from runs.sharing.pages_guest_answers import Visit
from runs.sharing.pages_guest_zip import StillPreparing
from runs.sharing.views_guest_base import (
    for_guests,
    link_for_file,
    open_link,
    plain,
    preparing,
    unlocked_link,
    visitors,
)
from runs.storage.serve import AWAY, AWAY_HEADERS, ORIGINAL, content_disposition, file_response
from runs.storage.store import StorageAway
from runs.web.throttling import TooManyError

FILE_CACHE = "private, no-cache"  # browsers check with us before each use, so a revoked link stops working at once
LOGO_CACHE = "public, max-age=31536000, immutable"
LOGO_NAME = "logo.webp"  # so that guests don't see the name of the file that the admin uploaded
PREVIEW_QUALITY = 82


@for_guests
@require_http_methods(["GET", "HEAD", "POST"])
def guest(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show the guest page, or the form that asks for the passphrase. POST shows another page of results, or the same
    page to somebody who says who they are; it changes nothing.

    While files are being prepared, a header makes the page refresh itself, because there are no scripts.
    """
    form = GuestForm.of(request)
    link = unlocked_link(request, token, form)
    if isinstance(link, HttpResponse):
        return link
    try:
        visit = _visit(request, link, form)
    except TooManyError:
        return plain(request, "slow", 429, link, form)
    page = pages_guest.guest_page(link, token, visit)
    if not page.results:
        return plain(request, "withdrawn", 410, link, form)
    guests.count_view(request, link)
    answer = render(
        request, "sharing/guest.html", {"page": page, "link": link}, status=422 if visit.code_problem else 200
    )
    if page.refresh_seconds:
        answer.headers["Refresh"] = f"{page.refresh_seconds}; url={page.refresh_url}"
    return answer


def _visit(request: HttpRequest, link: GuestLink, form: GuestForm) -> Visit:
    """Return who is visiting, and what they had typed. Raises `TooManyError` after too many wrong codes."""
    guest, addressee = visitors(request, link, form)
    if form.is_other:  # what somebody else had typed is not for them
        form = GuestForm(page=form.page)
    if not form.code.strip():
        return Visit(guest, addressee, form=form)
    known_guest = guests.guest_with_code(request, link, form.code)
    problem = "" if known_guest else _("That code isn't right. Check each letter and try again.")
    return Visit(known_guest or guest, None if known_guest else addressee, form=form, code_problem=problem)


@for_guests
@require_safe
def guest_file(request: HttpRequest, token: str, file_id: str, variant: str) -> HttpResponseBase:
    """Send one file from the link, at the largest size that the sender allows. Guests get a copy without metadata."""
    link = link_for_file(request, token, file_id)
    if isinstance(link, HttpResponse):
        return link
    is_download = "download" in request.GET
    file = guests.file_of(link, file_id, is_named=is_download or variant == ORIGINAL)
    if file is None or (is_download and not link.may_download):
        return plain(request, "nothing", 404)
    if variant == ORIGINAL:
        return _itself(request, link, file)
    return _file_response(request, file.stored, file.name, variant) or plain(request, "nothing", 404)


def _itself(request: HttpRequest, link: GuestLink, file: LinkFile) -> HttpResponseBase:
    """Send the copy that guests get instead of the original."""
    copy = guest_copies.file_to_send(link, file.stored) if file.is_result else FileToSend(CopyState.NOT_NEEDED)
    if copy.state in (CopyState.PREPARING, CopyState.LATE):
        return preparing(request, link)
    if copy.stored is None:
        return plain(request, "nothing", 404)
    response = _file_response(request, copy.stored, file.name, ORIGINAL)
    if response is None and not copy.is_as_it_is:
        guest_copies.record_lost(copy.stored)
        return preparing(request, link)
    return response or plain(request, "nothing", 404)


def _file_response(request: HttpRequest, stored: StoredFile, name: str, variant: str) -> HttpResponseBase | None:
    """Return a response that sends `stored` as `name`; None if there is no such variant or it is missing from
    storage."""
    if variant not in (ORIGINAL, *map(str, THUMBNAIL_WIDTHS)):
        return None
    try:
        response = file_response(request, stored, variant, name=name)
    except Http404:
        return None
    if response.status_code < 400:
        response.headers["Cache-Control"] = FILE_CACHE
    return response


@for_guests
@require_safe
def guest_text(request: HttpRequest, token: str, result_id: str) -> HttpResponseBase:
    """Send the text of one result, if the sender allows downloads. The file is identical to the one in the zip."""
    link = link_for_file(request, token, result_id)
    if isinstance(link, HttpResponse):
        return link
    output = guests.shown_output(link, result_id) if link.may_download else None
    if output is None or not output.text:
        return plain(request, "nothing", 404)
    stems = guests.stems_by_result(link)[output.pk]
    headers = {"Content-Disposition": content_disposition(text_name(stems), is_inline=False)}
    text = pages_guest.text_bytes(output, stems)
    return HttpResponse(text, content_type="text/plain; charset=utf-8", headers=headers)


@for_guests
@require_safe
def guest_preview(request: HttpRequest, token: str) -> HttpResponseBase:
    """Send the preview image that chat tools show with the link, as a JPEG, since some don't support WebP."""
    link = open_link(request, token)
    if isinstance(link, HttpResponse):
        return link
    stored = None if link.passphrase else guests.preview_of(link)
    if stored is None:
        return plain(request, "nothing", 404)
    from PIL import Image  # importing Pillow takes 3 MB of memory, and only chat tools ask for previews

    content = BytesIO()
    try:
        with stored.thumb_1200.open("rb") as small, Image.open(small, formats=["WEBP"]) as picture:
            picture.convert("RGB").save(content, "JPEG", quality=PREVIEW_QUALITY)
    except OSError:
        return plain(request, "nothing", 404)
    return HttpResponse(content.getvalue(), content_type="image/jpeg")


@for_guests
@require_http_methods(["GET", "HEAD", "POST"])
def guest_download(request: HttpRequest, token: str) -> HttpResponseBase:
    """Send all files as a zip, if the sender allows downloads. POST, which the page's button sends, says who the guest
    is: then, the zip lists their decisions."""
    form = GuestForm.of(request)
    link = unlocked_link(request, token, form)
    if isinstance(link, HttpResponse):
        return link
    guest, _addressee = visitors(request, link, form)
    try:
        archive = pages_guest_zip.pack(link, guest) if link.may_download else None
    except StillPreparing:
        return preparing(request, link)
    except StorageAway:
        return HttpResponse(AWAY, status=503, content_type="text/plain; charset=utf-8", headers=AWAY_HEADERS)
    if not archive:
        return plain(request, "nothing", 404)
    request.META.pop("HTTP_ACCEPT_ENCODING", None)  # a compressed response would lose its Content-Length
    headers = {
        "Content-Length": str(len(archive)),
        "Content-Disposition": content_disposition(archive_name_of(link), is_inline=False),
    }
    if request.method == "HEAD":  # the body isn't sent, so don't read every file for nothing
        return HttpResponse(content_type="application/zip", headers=headers)
    guests.record_download(link)
    return StreamingHttpResponse(iter(archive), content_type="application/zip", headers=headers)


@for_guests
@require_safe
def company_logo(request: HttpRequest, file_id: str) -> HttpResponseBase:
    """Send the company's logo. A new logo gets a new URL, so anyone may cache this one forever."""
    logo = SharingRules.current().logo
    if logo is None or logo.public_id != file_id:
        return plain(request, "nothing", 404)
    try:
        response = file_response(request, logo, name=LOGO_NAME)
    except Http404:
        return plain(request, "nothing", 404)
    if response.status_code < 400:
        response.headers["Cache-Control"] = LOGO_CACHE
    return response


@for_guests
def guest_unknown(request: HttpRequest, rest: str) -> HttpResponseBase:
    """Handle all other paths under `/s/`: add a missing slash, or say that the link doesn't work."""
    if request.method in ("GET", "HEAD") and rest and "/" not in rest:
        return HttpResponseRedirect(f"{request.path}/")
    return plain(request, "unknown", 404)
