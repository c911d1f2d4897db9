"""Files and links that members add to a form: saved and checked first, then sent to Lamina when a run needs them.

A file from disk is checked while the person waits; a link is fetched by a worker through the guard. A conditional
UPDATE that uses the database's clock decides which worker gets a link. If a worker dies, another can take over its link
after a minute.
"""

import hashlib
import logging
import re
import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any, Literal, cast
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from runs.audit.record import record
from runs.background.queue import enqueue_long, stop_requested
from runs.models import App, Member, StoredFile, Upload, Verb
from runs.models.messages import Message
from runs.schema_forms.questions import files_question
from runs.schema_forms.types import UploadInfo
from runs.storage import deferred_thumbnails, disk, file_types, media, store
from runs.storage.claimed_fetch import ClaimLost, Renewer, fetch_arrival
from runs.storage.fetch import FetchFailed, FetchRefused, check_url
from runs.storage.guard import complete_url
from runs.storage.media import NotMedia, WebWait
from runs.storage.store import Arrival
from runs.storage.transfer_slots import LINKS, FileSlot, file_slot
from runs.uploads import quota
from runs.uploads.file_limits import accepted_kinds, kind_problem, size_problem
from runs.uploads.upload_handler import RefusedFile
from runs.words.errors import UserFacingError
from runs.words.fold import named
from runs.words.messages import say

logger = logging.getLogger("runs.uploads")

CLAIM = timedelta(seconds=60)  # renewed while bytes arrive
FETCH_SECONDS = 120.0  # time limit for fetching one link, while somebody waits with the form open
SUFFIX = re.compile(r"[^A-Za-z0-9]")
LINKS_AT_ONCE = 10  # maximum number of a member's links being fetched at once
TASK_SECONDS = 900
GIVE_UP_AFTER = timedelta(hours=1)  # after this long, nobody is waiting for the link any more

UNREADABLE = Message("unreadable_file")
WEB_PAGE = Message("link_to_web_page")


class UploadRejected(UserFacingError):
    """The file or link can't be accepted."""


def receive_for_field(member: Member, app: App, field: str, file: "UploadedFile[bytes] | None", link: str) -> Upload:
    """Receive one file or link for `field` (such as "p0") of the app's form.

    Raises `UploadRejected` with a message for the page.
    """
    question = files_question(app.questions, field)
    if question is None:
        raise UploadRejected(_("This app's form has changed. Reload the page; your draft is saved."))
    if file is not None:
        return receive_file(member, file, list(question.accept))
    return receive_link(member, link, list(question.accept))


def receive_file(
    member: Member, uploaded_file: "UploadedFile[bytes]", accept: Iterable[str], wait: WebWait | None = None
) -> Upload:
    """Save a file uploaded from someone's computer. `accept` lists the kinds that the field accepts (empty means any
    media). The files of one request share `wait`.

    Raises `UploadRejected` with a message if the file is empty, too large, broken or of the wrong kind, or if there is
    no room for it.
    """
    kinds = accepted_kinds(accept)
    size = uploaded_file.size or 0
    found = sniffed(uploaded_file)
    if size == 0:
        raise UploadRejected(Message("empty_file"))
    _check_kind(found.kind, found.extension, kinds)
    if problem := size_problem(found.kind, size):
        raise UploadRejected(problem)
    if isinstance(uploaded_file, RefusedFile):  # it passes the checks above, but its content wasn't saved
        raise UploadRejected(UNREADABLE)
    if not quota.has_room(member, size):
        raise UploadRejected(quota.OVER_QUOTA)
    try:
        stored = _keep_uploaded(uploaded_file, kinds, wait or WebWait())
    except (NotMedia, UploadRejected) as error:
        raise UploadRejected(error.message) from None
    except OSError as error:
        raise UploadRejected(disk.disk_message(error)) from error
    except Exception as error:
        logger.exception("upload: unexpected error")
        raise UploadRejected(UNREADABLE) from error
    if stored.picture_due_at:
        deferred_thumbnails.request_small_pictures()
    return _add(member, file=stored, status=Upload.Status.READY, accept=list(accept), **named(stored.name))


@transaction.atomic
def _add(member: Member, **fields: Any) -> Upload:
    upload = Upload.objects.create(member=member, **fields)
    record(Verb.UPLOAD_ADDED, upload)
    return upload


def sniffed(uploaded_file: "UploadedFile[bytes]") -> file_types.Sniffed:
    """Return the type of the file, detected from its first bytes."""
    if isinstance(uploaded_file, RefusedFile):
        return uploaded_file.sniffed
    head = uploaded_file.read(file_types.HEAD_BYTES)
    uploaded_file.seek(0)
    return file_types.sniff(head)


def _keep_uploaded(uploaded_file: "UploadedFile[bytes]", kinds: list[str], wait: WebWait) -> StoredFile:
    path = store.new_waiting_path()
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("xb") as target:
            for chunk in uploaded_file.chunks():
                target.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        found = media.inspect_in_web(path, wait)
        _check_kind(found.kind, found.extension, kinds)
        name = uploaded_file.name or "file"
        return store.store(Arrival(path, found, digest.hexdigest(), size), name)
    finally:
        path.unlink(missing_ok=True)


def receive_link(member: Member, url: str, accept: Iterable[str]) -> Upload:
    """Save a link for a worker to fetch. Raises `UploadRejected` if its URL isn't allowed or the member is over a
    limit."""
    url = complete_url(url.replace("\x00", ""))
    try:
        check_url(url, settings.TRUSTED_FILE_ORIGINS)
    except FetchRefused as error:
        raise UploadRejected(error.message) from None
    path = PurePosixPath(unquote(urlsplit(url).path))
    name = store.clean_name(path.name, SUFFIX.sub("", path.suffix[1:])[:5] or "link").removesuffix(".link")[:200]
    if Upload.objects.owned_by(member).filter(status=Upload.Status.FETCHING).count() >= LINKS_AT_ONCE:
        raise UploadRejected(Message("links_at_once"))
    if not quota.has_room(member):
        raise UploadRejected(quota.OVER_QUOTA)
    upload = _add(member, status=Upload.Status.FETCHING, source_url=url, accept=list(accept), **named(name))
    enqueue_long("fetch_upload", upload.pk, timeout_seconds=TASK_SECONDS)
    return upload


def fetch_upload(upload_id: int) -> None:
    """Fetch the link of an upload, then others that are due. At most two workers do this at the same time.

    Can be called at any time and as often as you like: if both slots are taken, one of the two workers holding them
    will fetch this link later.
    """
    with file_slot(LINKS) as slot:
        ends_at = time.monotonic() + FETCH_SECONDS
        next_id: int | None = upload_id
        while slot is not None and next_id is not None:
            _fetch_one(next_id, slot)
            is_over = time.monotonic() > ends_at or stop_requested()
            next_id = None if is_over else _next_due()


def _next_due() -> int | None:
    """Return the id of the next upload with a link that no worker is fetching, or None if there is none.

    Links that were never tried come first, so that one that kills its worker doesn't hold up the others.
    """
    due = Upload.objects.filter(due_links()).order_by(F("claimed_until").asc(nulls_first=True), "pk")
    return due.values_list("pk", flat=True).first()


def request_links() -> None:
    """Queue a task for the links that are due, if there are any."""
    if (upload_id := _next_due()) is not None:
        enqueue_long("fetch_upload", upload_id, timeout_seconds=TASK_SECONDS)


def _fetch_one(upload_id: int, slot: FileSlot) -> None:
    waiting = Upload.objects.filter(due_links(), pk=upload_id)
    if not waiting.update(claimed_until=Now() + CLAIM):
        return
    upload = Upload.objects.get(pk=upload_id)
    if timezone.now() - upload.created_at > GIVE_UP_AFTER:
        _settle(upload, error=Message("too_slow"))
        return

    def renew() -> bool:
        is_ours = Upload.objects.filter(pk=upload.pk, status="fetching").update(claimed_until=Now() + CLAIM)
        return bool(is_ours) and slot.is_kept()

    renewer = Renewer(renew)
    try:
        stored = _fetch_link(upload, renewer)
    except ClaimLost:
        if stop_requested():  # otherwise another worker has claimed it
            Upload.objects.filter(pk=upload.pk, status=Upload.Status.FETCHING).update(claimed_until=None)
    except (FetchRefused, FetchFailed, NotMedia, UploadRejected) as error:
        _settle(upload, error=error.message)
    except OSError as error:
        logger.warning("could not save upload %s: %s", upload.public_id, error)
        _settle(upload, error=disk.disk_message(error))
    except Exception:  # a strange file or response can trigger any kind of error in a library
        logger.exception("upload %s: unexpected error", upload.public_id)
        _settle(upload, error=Message("unreadable_answer"))
    else:
        if not _settle(upload, stored=stored):
            store.discard(stored)
            stored.delete()


def due_links() -> Q:
    """Return a filter for uploads with a link that no worker is fetching."""
    return Q(status=Upload.Status.FETCHING) & (Q(claimed_until=None) | Q(claimed_until__lt=Now()))


def _fetch_link(upload: Upload, renewer: Renewer) -> StoredFile:
    with fetch_arrival(upload.source_url, FETCH_SECONDS, renewer) as arrival:
        if arrival.media.is_web_page:
            raise UploadRejected(WEB_PAGE)
        _check_kind(arrival.media.kind, arrival.media.extension, accepted_kinds(upload.accept))
        if not quota.has_room(upload.member, arrival.size_bytes):
            raise UploadRejected(quota.OVER_QUOTA)
        return store.store(arrival, upload.name, on_chunk=renewer)


def _settle(upload: Upload, *, stored: StoredFile | None = None, error: Message | None = None) -> bool:
    status = Upload.Status.READY if stored else Upload.Status.FAILED
    fields: dict[str, Any] = {"status": status, "file": stored, "error": error or Message(), "claimed_until": None}
    if stored:
        fields |= named(stored.name)
    else:
        fields["used_at"] = timezone.now()
    is_settled = Upload.objects.filter(pk=upload.pk, status=Upload.Status.FETCHING).update(**fields) == 1
    if is_settled and error:
        logger.warning("reference %s is a link that failed: %s", upload.public_id, error.code)
    return is_settled


def _check_kind(kind: str, extension: str, kinds: list[str]) -> None:
    if problem := kind_problem(kind, extension, kinds):
        raise UploadRejected(problem)


def upload_infos(member: Member, ids: Iterable[str]) -> list[UploadInfo]:
    """Return data for showing the member's own uploads in a form, in the order of `ids`. Others are left out."""
    wanted = list(ids)
    found = {
        u.public_id: u for u in Upload.objects.shown_to(member).filter(public_id__in=wanted).select_related("file")
    }
    return [upload_info(found[public_id]) for public_id in wanted if public_id in found]


def upload_info(upload: Upload) -> UploadInfo:
    """Return data for showing one upload in a form. To save a query, load the upload together with its file before
    calling this."""
    file = upload.file
    return UploadInfo(
        id=upload.public_id,
        name=upload.name,
        size_bytes=file.size_bytes if file else None,
        kind=file.kind if file else "",
        status=cast(Literal["fetching", "ready", "failed", "removed"], upload.status),
        error=say(upload.error),
        failed_at=upload.used_at if upload.status == Upload.Status.FAILED else None,
        source_url=upload.source_url,
        small_url=file.small_url if file else "",
        card_url=file.card_url if file else "",
        width=file.width if file else None,
        height=file.height if file else None,
        picture_follows=file.picture_follows if file else False,
    )
