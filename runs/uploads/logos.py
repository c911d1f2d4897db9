"""The company's logo for guests' pages: a small picture, opened only by the picture process.

We store only a new WebP made from the picture, so nothing else in the original file ever reaches guests.
"""

import hashlib
import logging
from pathlib import Path

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from runs.models import StoredFile
from runs.models.messages import Message
from runs.storage import disk, file_types, media, store
from runs.storage.media import Media, NotMedia, WebWait
from runs.storage.store import NewFile
from runs.uploads.file_limits import kind_problem
from runs.uploads.upload_handler import RefusedFile
from runs.uploads.uploads import UNREADABLE, UploadRejected, sniffed

logger = logging.getLogger("runs.uploads")

LIMIT_BYTES = 2_000_000
WIDTH = 400  # maximum width in pixels; pages show the logo about half as wide
EXTENSIONS = {sniffed.extension for sniffed in (file_types.PNG, file_types.JPEG, file_types.WEBP)}


def receive_logo(uploaded_file: "UploadedFile[bytes]") -> StoredFile:
    """Save a logo that an admin uploaded. Raises `UploadRejected` if it is too large, broken, or not a PNG, JPEG or
    WebP."""
    file_type, size = sniffed(uploaded_file), uploaded_file.size or 0
    if size == 0:
        raise UploadRejected(Message("empty_file"))
    if problem := kind_problem(file_type.kind, file_type.extension, [StoredFile.Kind.IMAGE]):
        raise UploadRejected(problem)
    if file_type.extension not in EXTENSIONS:
        raise UploadRejected(_("Choose a PNG, JPEG or WebP image for the logo."))
    if size > LIMIT_BYTES:
        raise UploadRejected(Message("too_large_file", {"size_bytes": size, "limit_bytes": LIMIT_BYTES}))
    if isinstance(uploaded_file, RefusedFile):  # it passes the checks above, but its content wasn't saved
        raise UploadRejected(UNREADABLE)
    try:
        return _stored(uploaded_file)
    except NotMedia as error:
        raise UploadRejected(error.message) from None
    except OSError as error:
        raise UploadRejected(disk.disk_message(error)) from error
    except UploadRejected:
        raise
    except Exception as error:
        logger.exception("logo: unexpected error")
        raise UploadRejected(UNREADABLE) from error


def _stored(uploaded_file: "UploadedFile[bytes]") -> StoredFile:
    """Store a small WebP made from the file. Raises `UploadRejected`, `NotMedia` or OSError."""
    source, target_path = store.new_waiting_path(), store.new_waiting_path()
    wait = WebWait()
    try:
        with source.open("xb") as target:
            for chunk in uploaded_file.chunks():
                target.write(chunk)
        target_path.write_bytes(_looked_at(source, wait).small[WIDTH])
        encoded = target_path.read_bytes()
        new_file = NewFile(
            target_path, _looked_at(target_path, wait), hashlib.sha256(encoded).hexdigest(), len(encoded)
        )
        return store.store(new_file, uploaded_file.name or "logo")
    finally:
        source.unlink(missing_ok=True)
        target_path.unlink(missing_ok=True)


def _looked_at(path: Path, wait: WebWait) -> Media:
    picture = media.inspect_in_web(path, wait)
    if WIDTH not in picture.small:
        raise UploadRejected(_("The portal is busy processing other pictures. Choose the logo again in a moment."))
    return picture
