"""Limits on request bodies, enforced based on the headers, before the body is read.

Without signing in, people may send fields of up to SMALL_BYTES and no files. Someone whose session expired within the
last day counts as signed in here: the fields and files of their form are saved but not acted on
(`views_sign_in.ask_and_keep`). Files are accepted only by views marked with `takes_files`, other forms may have
FORM_BYTES. The proxies ask `upload_allowed` about the same rules before they take in a body (docs/deploy). Views marked
with `judges_body` check the sender themselves.
"""

import logging
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from lamina_portal.logs import masked_path
from runs.models.ids import new_public_id
from runs.web import session_lifetime
from runs.words.numbers import number_in
from runs.words.support import about_page

SMALL_BYTES = 64 * 1024  # largest body that people may send without being signed in
FORM_BYTES = 2_000_000  # largest form without files, as in docs/deploy
LARGE_BYTES = 1_000_000  # for bodies larger than this, check the free disk space
SPARE_BYTES = 100_000_000  # space that must stay free for the database and its log

MULTIPART = "multipart/form-data"

SENTENCES = {  # translated where they are used
    401: gettext_noop("You're signed out, so this wasn't sent. Use another tab to sign in, then send it again."),
    411: gettext_noop("The request is missing its length. Send it again with a Content-Length header."),
    413: gettext_noop("That's too much at once. Send less, or split it up."),
    507: gettext_noop("The portal's disk is nearly full, so this wasn't saved. Tell an admin, then try again."),
}
FOR_ADMINS = {
    507: gettext_noop(
        "The portal's disk is nearly full, so this wasn't saved. Empty the bin, keep results for a shorter "
        "time, or give the portal a larger disk; then try again."
    ),
}

logger = logging.getLogger("runs.refused")


class BodyLimitMiddleware:
    """Rejects bodies that aren't allowed, and says why."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view_func: Callable[..., Any], *_: Any
    ) -> HttpResponse | None:  # runs before CsrfViewMiddleware, which reads the body
        status = _problem(request, view_func)
        return refuse(request, status) if status else None


class StoppedUploadMiddleware:
    """Says why an upload was stopped, and deletes the partly received file."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        status = _drop_arriving(request)
        if not status:
            return response
        return refuse(request, status)


def judges_body[View: Callable[..., Any]](view: View) -> View:
    """Mark a view that does its own check of the sender and the body's size before reading the body."""
    view.judges_body = True  # type: ignore[attr-defined]
    return view


def takes_files[View: Callable[..., Any]](view: View) -> View:
    """Mark a view whose forms may contain files."""
    view.takes_files = True  # type: ignore[attr-defined]
    return view


def declared_bytes(request: HttpRequest) -> int:
    """Return the length of the body according to the Content-Length header. Django never reads more than that."""
    declared = request.META.get("CONTENT_LENGTH") or "0"
    return number_in(declared, 0, 10**19 - 1, 0)


def has_room(size: int) -> bool:
    """Return whether the disk has room for `size` more bytes, on top of the SPARE_BYTES set aside for the database."""
    return size + SPARE_BYTES <= _free_bytes()


def _problem(request: HttpRequest, view: Callable[..., Any]) -> int:
    """Return 0 if the body may be read, otherwise the status code to reject it with."""
    size = declared_bytes(request)
    if "HTTP_TRANSFER_ENCODING" in request.META:
        return 411  # a chunked body may never end, and Django wouldn't read it anyway
    if size > settings.MAX_BODY_BYTES:
        return 413
    if getattr(view, "judges_body", False):
        return 0
    if size > SMALL_BYTES and not is_trusted_with_files(request):
        return _status_for_strangers(view)
    if size > FORM_BYTES and not getattr(view, "takes_files", False):
        return 413
    return 507 if size > LARGE_BYTES and not has_room(size) else 0


def _status_for_strangers(view: object) -> int:
    return 401 if getattr(view, "login_required", True) else 413


def is_trusted_with_files(request: HttpRequest) -> bool:
    """Return whether the sender is signed in, or was so until at most a day ago."""
    return _has_user(request) or session_lifetime.has_just_run_out(request)


def refuse(request: HttpRequest, status: int) -> HttpResponse:
    """Respond to browsers with an error page, and to scripts with plain text, which they show in place of the file."""
    sentence = _(FOR_ADMINS.get(status, SENTENCES[status]) if _is_admin(request) else SENTENCES[status])
    is_page = request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate" and "HX-Request" not in request.headers
    if not is_page or status == 411:
        return HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8")
    reference = new_public_id()
    logger.warning("reference %s is a body refused with %s at %s", reference, status, masked_path(request.path))
    context = {
        "is_stranger": not _has_user(request),
        "is_admin": _is_admin(request),
        "support": about_page(masked_path(request.path), reference, timezone.now(), sentence),
    }
    return render(request, f"{status}.html", context, status=status)


def _is_admin(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return user is not None and user.is_authenticated and user.is_admin


def _has_user(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return user is not None and user.is_authenticated


def _drop_arriving(request: HttpRequest) -> int:
    """Close a partly received file, which deletes it. Return the status code that says why the upload was stopped, or 0
    if it wasn't.

    When reading stops early, Django just leaves the file to the garbage collector.
    """
    handlers = request.upload_handlers if request.content_type == MULTIPART else []
    for handler in handlers:
        if (file := getattr(handler, "file", None)) is not None:
            with suppress(OSError):  # writing has already failed, so the flush on closing fails too
                file.close()
        if getattr(handler, "is_from_stranger", False):
            return _status_for_strangers(request.resolver_match and request.resolver_match.func)
        if getattr(handler, "is_full", False):
            return 507
        if getattr(handler, "is_too_large", False):
            return 413
    return 0


def _free_bytes() -> int:
    """Return the free space on the disk that stores uploads."""
    folder = Path(settings.MEDIA_ROOT)
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
