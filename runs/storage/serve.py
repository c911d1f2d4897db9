"""Send a stored file to a browser; the view decides who may see it.

The URL contains the hash of the content, so browsers may cache inline files forever (privately). A file is only ever
served as one of a few harmless types, whatever it claims to be; anything else is sent as a download. Files can't run
scripts, because the content security policy sandboxes them, and other sites can't embed them.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from typing import IO
from urllib.parse import quote

from django.conf import settings
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from runs.models import StoredFile
from runs.models.file import THUMBNAIL_WIDTHS
from runs.storage.file_types import SERVED_INLINE
from runs.storage.store import INVISIBLE

ORIGINAL = "original"
BLOCK_BYTES = 64 * 1024
AWAY = gettext_noop("The portal's file storage can't be reached right now. Nothing is lost; try again in a moment.")
AWAY_HEADERS = {"Cache-Control": "no-store", "Retry-After": "10", "X-Content-Type-Options": "nosniff"}
CACHE_CONTROL = "private, max-age=31536000, immutable"
DOWNLOAD_CACHE_CONTROL = "private, no-cache"
# When a picture or video is opened on its own, browsers wrap it in a page with inline styles.
POLICY = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"


def file_response(
    request: HttpRequest, stored: StoredFile, variant: str | int = ORIGINAL, *, name: str = ""
) -> HttpResponseBase:
    """Return a response that sends the file in `stored`. A download is named `name`, or keeps its stored name if that's
    empty.

    `variant` is "original", or the width of a thumbnail ("thumb_200", 200, "400", …). Handles ranges (206, 416),
    `If-Range`, `If-None-Match` (304) and HEAD; `?download=1` makes the response a download. Raises `Http404` if the
    variant doesn't exist or the storage has lost the file. A download's name may change, so browsers check each
    download with us.
    """
    variant = str(variant).removeprefix("thumb_")
    field = _field(stored, variant)
    is_thumb = field is not stored.file
    media_type = "image/webp" if is_thumb else stored.media_type
    is_inline = media_type in SERVED_INLINE and "download" not in request.GET
    name = _name(name or stored.name, is_thumb)
    etag = _etag(stored, variant if is_thumb else "", "" if is_inline else name)
    headers = {
        "ETag": etag,
        "Cache-Control": CACHE_CONTROL if is_inline else DOWNLOAD_CACHE_CONTROL,
        "Content-Security-Policy": POLICY,
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    if _is_known(request, etag):
        return HttpResponse(status=304, headers=headers)
    headers |= {
        "Accept-Ranges": "bytes",
        "Content-Type": media_type if media_type in SERVED_INLINE else "application/octet-stream",
        "Content-Disposition": content_disposition(name, is_inline=is_inline),
    }
    # Prevent compression: media files hardly shrink, and a compressed response couldn't have a length or ranges.
    request.META.pop("HTTP_ACCEPT_ENCODING", None)
    return _send(request, field, etag, headers)


def _field(stored: StoredFile, variant: str) -> FieldFile:
    if variant == ORIGINAL:
        return stored.file
    if variant not in {str(width) for width in THUMBNAIL_WIDTHS}:
        raise Http404
    field: FieldFile = getattr(stored, f"thumb_{variant}")
    if not field.name:
        raise Http404
    return field


def _name(name: str, is_thumb: bool) -> str:
    return f"{name.rsplit('.', 1)[0]}.webp" if is_thumb else name


def _etag(stored: StoredFile, variant: str, name: str) -> str:
    """Return an ETag that depends on the content and, for a download, on its `name`."""
    called = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:16] if name else ""
    return '"{}"'.format("-".join(filter(None, [stored.sha256[:32], variant, called])))


def _is_known(request: HttpRequest, etag: str) -> bool:
    etags = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in etags or etag in {tag.removeprefix("W/") for tag in etags}


def _send(request: HttpRequest, field: FieldFile, etag: str, headers: dict[str, str]) -> HttpResponseBase:
    if settings.PORTAL_ACCEL_PREFIX:  # nginx sends the file and handles ranges
        address = f"{settings.PORTAL_ACCEL_PREFIX}{quote(field.name or '')}"
        return HttpResponse(headers=headers | {"X-Accel-Redirect": address})
    try:
        opened = field.storage.open(field.name or "", "rb")
        size = opened.size
    except FileNotFoundError:
        raise Http404 from None
    except OSError:
        return HttpResponse(_(AWAY), status=503, content_type="text/plain; charset=utf-8", headers=AWAY_HEADERS)
    byte_range = _wanted_range(request, etag, size)
    if byte_range == UNSATISFIABLE:
        opened.close()
        return HttpResponse(status=416, headers=headers | {"Content-Range": f"bytes */{size}"})
    start, end = byte_range or (0, size)
    headers["Content-Length"] = str(end - start)
    if byte_range:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    status = 206 if byte_range else 200
    if request.method == "HEAD":
        opened.close()
        return HttpResponse(status=status, headers=headers)
    if byte_range or not _is_on_disk(opened):
        return StreamingHttpResponse(_slice(opened, start, end - start), status=status, headers=headers)
    response = FileResponse(opened, content_type=headers["Content-Type"])  # lets the server use sendfile
    response.block_size = BLOCK_BYTES
    for name, value in headers.items():  # set last: FileResponse guesses type and name from the file on disk
        response[name] = value
    return response


def _is_on_disk(opened: IO[bytes]) -> bool:
    return hasattr(opened, "fileno")


def _slice(opened: IO[bytes], start: int, length: int) -> Iterator[bytes]:
    with opened:
        opened.seek(start)
        while length > 0 and (block := opened.read(min(BLOCK_BYTES, length))):
            length -= len(block)
            yield block


UNSATISFIABLE = (-1, -1)


def _wanted_range(request: HttpRequest, etag: str, size: int) -> tuple[int, int] | None:
    """Return the start and end (exclusive) of the requested range. None means the whole file, which is also sent if
    several ranges are requested at once, as RFC 9110 allows."""
    if request.method != "GET" or request.headers.get("If-Range", etag) != etag:
        return None
    match = re.fullmatch(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*", request.headers.get("Range", ""))
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        start, end = max(0, size - int(match[2])), size
    else:
        start, end = int(match[1]), min(int(match[2]) + 1, size) if match[2] else size
        if match[2] and int(match[2]) < start:
            return None
    return (start, end) if start < end else UNSATISFIABLE


def content_disposition(name: str, *, is_inline: bool) -> str:
    """Return a `Content-Disposition` (RFC 6266) with the name in any script, and an ASCII name for older programs."""
    visible = "".join(c for c in name if unicodedata.category(c) not in INVISIBLE) or "file"
    plain = unicodedata.normalize("NFKD", visible).encode("ascii", "ignore").decode()
    plain = re.sub(r'["\\/%;]', "_", plain).strip()
    if not plain.rsplit(".", 1)[0].strip(" _-."):
        plain = f"file.{plain.rsplit('.', 1)[-1]}" if "." in plain else "file"
    disposition = f'{"inline" if is_inline else "attachment"}; filename="{plain}"'
    if plain != visible:
        disposition += f"; filename*=UTF-8''{quote(visible, safe='')}"
    return disposition
