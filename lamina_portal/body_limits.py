"""What body a request may send: decided from its head, before any of it is read.

The check of a form's own proof reads the form, files and all, and so do Django's pages for 400 and 404: until it is
known who sends it, a body is out of everybody's reach. Anybody may send SMALL_BYTES of fields. More, or a file, is read
of people who are signed in, and of those whose session ran out within the last day: what they send is kept and acts on
nothing (`sign_in.ask_and_keep`). A view that looks itself at who sends says so (`judges_body`). Of a body that is
refused nothing is read, so that the connection has to end with the answer.
"""

import shutil
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.http.response import HttpResponseBase
from django.shortcuts import render

from lamina_portal import sessions

SMALL_BYTES = 64 * 1024  # of a body from anybody
LARGE_BYTES = 1_000_000  # from here on the room on the disk is looked at
SPARE_BYTES = 100_000_000  # left for the database and its log
CLOSE = "portal.close_connection"  # in the WSGI environment: has the server close the connection after its answer

SENTENCES = {
    401: "You are signed out, so this was not read. Sign in in another tab, then send it again.",
    411: "This came without its length, so it was not read. Send it again with a Content-Length header.",
    413: "That is too much at once, so it was not read. Send less, or several one after another.",
    507: "The portal's disk is nearly full, so this was not read. Tell an admin, then try again.",
}


class BodyLimitMiddleware:
    """Refuses what may not be sent, with a sentence. Of a body whose reading broke off nothing stays on the disk."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        _hold(request)
        response = self.get_response(request)
        was_full = _drop_arriving(request)
        if declared_bytes(request) > SMALL_BYTES and not _was_read(request):
            _hang_up(request)
        return _refuse(request, 507) if was_full else response

    def process_view(
        self, request: HttpRequest, view_func: Callable[..., Any], *_: Any
    ) -> HttpResponse | None:  # before that of CsrfViewMiddleware, which reads the body
        status = _problem(request, view_func)
        if not status:
            _let_go(request)
            return None
        _hang_up(request)
        return _refuse(request, status)


def judges_body[View: Callable[..., Any]](view: View) -> View:
    """For a view that decides itself, before it reads, how much it reads from whom."""
    view.judges_body = True  # type: ignore[attr-defined]
    return view


def declared_bytes(request: HttpRequest) -> int:
    """Length of the body; no more than that can be read."""
    declared = request.META.get("CONTENT_LENGTH") or "0"
    return int(declared) if declared.isascii() and declared.isdigit() and len(declared) < 20 else 0


def has_room(size: int) -> bool:
    """Whether the disk can take `size` bytes more and still serve the database."""
    return size + SPARE_BYTES <= _free_bytes()


def _problem(request: HttpRequest, view: Callable[..., Any]) -> int:
    """0 when the body may be read, else the status that says why not."""
    size = declared_bytes(request)
    if "HTTP_TRANSFER_ENCODING" in request.META:
        return 411  # it may go on for ever, and Django reads nothing of it
    if size > settings.MAX_BODY_BYTES:
        return 413
    if getattr(view, "judges_body", False):
        return 0
    is_multipart = request.content_type == "multipart/form-data"
    if (size > SMALL_BYTES or is_multipart) and not _is_ours(request) and (size > SMALL_BYTES or _has_file(request)):
        return 401 if getattr(view, "login_required", True) else 413
    return 507 if size > LARGE_BYTES and not has_room(size) else 0


def _is_ours(request: HttpRequest) -> bool:
    return request.user.is_authenticated or sessions.has_just_run_out(request)


def _hold(request: HttpRequest) -> None:
    """Keep the body back: whoever reads it meanwhile finds it empty."""
    vars(request)["_held"], request._stream = request._stream, BytesIO()


def _is_held(request: HttpRequest) -> bool:
    return "_held" in vars(request)


def _was_read(request: HttpRequest) -> bool:
    return not _is_held(request) and bool(vars(request)["_read_started"])


def _let_go(request: HttpRequest) -> None:
    """Give the body back to its readers."""
    if _is_held(request):
        request._stream = vars(request).pop("_held")


class _FileSent(Exception):
    """There is a file among the fields."""


class _NoFiles(FileUploadHandler):
    """Ends the reading of a form at its first file."""

    def new_file(self, *_: Any, **__: Any) -> None:
        raise _FileSent

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        raise NotImplementedError

    def file_complete(self, file_size: int) -> None:
        raise NotImplementedError


def _has_file(request: HttpRequest) -> bool:
    """Read a form of SMALL_BYTES at most, in memory, up to its first file."""
    _let_go(request)
    request.upload_handlers = [_NoFiles(request)]
    try:
        request.POST  # noqa: B018 - it is read by being asked for
    except _FileSent:
        return True
    except UnreadablePostError:
        return False  # there is nobody any more to be answered
    return False


def _hang_up(request: HttpRequest) -> None:
    """Answer with `Connection: close`: the server would read a body that nobody read to find the next request."""
    if close := request.META.get(CLOSE):
        close()


def _refuse(request: HttpRequest, status: int) -> HttpResponse:
    """A page for people, a sentence for scripts, which show it where the file was to be."""
    is_page = request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate" and "HX-Request" not in request.headers
    if is_page and status != 411:
        return render(request, f"{status}.html", {"is_stranger": not _has_user(request)}, status=status)
    return HttpResponse(SENTENCES[status], status=status, content_type="text/plain; charset=utf-8")


def _has_user(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return user is not None and user.is_authenticated


def _drop_arriving(request: HttpRequest) -> bool:
    """Close, and so delete, the file that was arriving last: when its reading breaks off, Django leaves it to the
    garbage collector, hours later perhaps. True when it broke off for want of room."""
    handlers = request.upload_handlers if request.content_type == "multipart/form-data" else []
    for handler in handlers:
        if (file := getattr(handler, "file", None)) is not None:
            with suppress(OSError):  # what could not be written before cannot now
                file.close()
    return any(getattr(handler, "is_full", False) for handler in handlers)


def _free_bytes() -> int:
    """Room on the disk that takes what people send."""
    folder = Path(settings.MEDIA_ROOT)
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
