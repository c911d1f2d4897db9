"""Files and links that members add to a form: saved and checked first, then sent to Lamina when a run needs them.

A file from disk is checked while the person waits; a link is fetched by a worker through the guard, by at most two at a
time (`background.due_work`). If a worker dies, another can take over its link after a minute.
"""

import hashlib
import logging
import re
from collections.abc import Iterable
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any, Literal, cast
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from runs.audit.record import record
from runs.background.due_work import CLAIM, CLAIM_TRIES, ClaimLost, DueWork, Renewer, Slot, unclaimed, wake
from runs.background.queue import stop_requested
from runs.models import App, Member, StoredFile, Upload, Verb
from runs.models.messages import Message
from runs.schema_forms.questions import files_question
from runs.schema_forms.types import UploadInfo
from runs.storage import deferred_thumbnails, disk, file_types, media, store
from runs.storage.claimed_fetch import fetch_file
from runs.storage.fetch import FetchFailed, FetchRefused, check_url
from runs.storage.guard import complete_url
from runs.storage.media import NotMedia, WebWait
from runs.storage.store import NewFile
from runs.uploads import quota
from runs.uploads.file_limits import accepted_kinds, kind_problem, size_problem
from runs.uploads.upload_handler import RefusedFile
from runs.words.errors import UserFacingError
from runs.words.fold import name_fields
from runs.words.messages import say

logger = logging.getLogger("runs.uploads")

FETCH_SECONDS = 120.0  # time limit for fetching one link, while somebody waits with the form open
SUFFIX = re.compile(r"[^A-Za-z0-9]")
LINKS_AT_ONCE = 10  # maximum number of a member's links being fetched at once
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
    info = sniffed(uploaded_file)
    if size == 0:
        raise UploadRejected(Message("empty_file"))
    _check_kind(info.kind, info.extension, kinds)
    if problem := size_problem(info.kind, size):
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
        deferred_thumbnails.PICTURES.request()
    return _add(member, file=stored, status=Upload.Status.READY, accept=list(accept), **name_fields(stored.name))


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
        info = media.inspect_in_web(path, wait)
        _check_kind(info.kind, info.extension, kinds)
        name = uploaded_file.name or "file"
        return store.store(NewFile(path, info, digest.hexdigest(), size), name)
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
    upload = _add(member, status=Upload.Status.FETCHING, source_url=url, accept=list(accept), **name_fields(name))
    wake(LINKS.task)
    return upload


def fetch_upload(upload_id: int) -> None:
    """Fetch the link of an upload now, because a run needs it; do nothing if enough workers are already fetching links,
    or one of them has this link."""
    with LINKS.slot() as slot:
        if slot is not None and (upload := _claim(upload_id)) is not None:
            _fetch(upload, slot)


def _claim_next() -> Upload | None:
    """Claim the next link. Links that were never tried come first, so that one that kills its worker doesn't hold up
    the others."""
    order = F("claimed_until").asc(nulls_first=True), "pk"
    for pk in due_links().order_by(*order).values_list("pk", flat=True)[:CLAIM_TRIES]:
        if (upload := _claim(pk)) is not None:
            return upload
    return None


def _claim(upload_id: int) -> Upload | None:
    if not due_links().filter(pk=upload_id).update(claimed_until=Now() + CLAIM):
        return None
    return Upload.objects.get(pk=upload_id)


def _fetch(upload: Upload, slot: Slot) -> None:
    """Fetch one claimed link, and record the outcome."""
    if timezone.now() - upload.created_at > GIVE_UP_AFTER:
        _settle(upload, error=Message("too_slow"))
        return
    mine = Upload.objects.filter(pk=upload.pk, status=Upload.Status.FETCHING)
    try:
        stored = _fetch_link(upload, slot.renewer(mine))
    except ClaimLost:
        if stop_requested():  # otherwise another worker has claimed it
            mine.update(claimed_until=None)
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


def due_links() -> QuerySet[Upload]:
    """Return uploads with a link that no worker is fetching."""
    return Upload.objects.filter(unclaimed(), file=None, status=Upload.Status.FETCHING)


LINKS = DueWork("fetch_links", lambda: due_links().exists(), _claim_next, _fetch, workers=2)


def _fetch_link(upload: Upload, renewer: Renewer) -> StoredFile:
    with fetch_file(upload.source_url, FETCH_SECONDS, renewer) as new_file:
        if new_file.media.is_web_page:
            raise UploadRejected(WEB_PAGE)
        _check_kind(new_file.media.kind, new_file.media.extension, accepted_kinds(upload.accept))
        if not quota.has_room(upload.member, new_file.size_bytes):
            raise UploadRejected(quota.OVER_QUOTA)
        return store.store(new_file, upload.name, on_chunk=renewer)


def _settle(upload: Upload, *, stored: StoredFile | None = None, error: Message | None = None) -> bool:
    status = Upload.Status.READY if stored else Upload.Status.FAILED
    fields: dict[str, Any] = {"status": status, "file": stored, "error": error or Message(), "claimed_until": None}
    if stored:
        fields |= name_fields(stored.name)
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
    wanted_ids = list(ids)
    uploads = {
        u.public_id: u for u in Upload.objects.shown_to(member).filter(public_id__in=wanted_ids).select_related("file")
    }
    return [upload_info(uploads[public_id]) for public_id in wanted_ids if public_id in uploads]


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
