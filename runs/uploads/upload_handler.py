"""Write uploaded files straight to the disk where they will be stored, never into memory (`/tmp` is often in memory).

Free space is checked again while files arrive: each upload may fit by itself, but several together could fill the disk.
If a file's first bytes or its size show that it can't be used, it is read to the end but not written, so that the rest
of the form arrives and the page can say what is wrong. At most DRAINED_BYTES are read this way; beyond that, the whole
form is refused.
"""

import errno
import tempfile
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler
from django.http import HttpRequest

from runs.models import App
from runs.schema_forms.questions import Question, file_questions, files_question
from runs.storage import file_types, store
from runs.uploads.file_limits import accepted_kinds, kind_problem, size_problem
from runs.web import body_limits

DRAINED_BYTES = 100_000_000
HEADERS_BYTES = 1_000_000  # more than all the part headers in a form ever take up


class RefusedFile(UploadedFile):  # type: ignore[type-arg]  # generic only in the stubs
    """A file that was read but not saved. All we know is its name, its size and the type we detected."""

    def __init__(self, name: str, size: int, sniffed: file_types.Sniffed) -> None:
        super().__init__(BytesIO(), name, size=size)
        self.sniffed = sniffed


class _Arriving(TemporaryUploadedFile):
    """A file in the staging folder. It is deleted when it is closed or, after a crash, along with other leftover
    files."""

    def __init__(self, name: str, content_type: str, size: int, charset: str | None, extra: Any = None) -> None:
        room = store.new_waiting_path().parent
        file = tempfile.NamedTemporaryFile(suffix=".upload", dir=room)  # noqa: SIM115 - closed by Django
        UploadedFile.__init__(self, file, name, content_type, size, charset, extra)


class WaitingRoomUploadHandler(TemporaryFileUploadHandler):
    """Streams each file to the staging folder, as long as it can be used and there is enough space."""

    is_from_stranger = False
    is_full = False
    is_too_large = False
    body_bytes = 0
    earlier_bytes = 0  # total size of this form's files that have already arrived
    drained_bytes = 0  # how many bytes of this form's refused files have been read

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *_: Any, **__: Any) -> None:
        self.body_bytes = content_length

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        if self.request is None or not body_limits.is_trusted_with_files(self.request):
            self.is_from_stranger = True
            raise RequestDataTooBig("a file from someone who isn't signed in")
        FileUploadHandler.new_file(self, *args, **kwargs)
        self.file = _Arriving(self.file_name or "", self.content_type or "", 0, self.charset, self.content_type_extra)
        self.head = b""  # the first bytes, held back until there are enough to tell the file's type
        self.sniffed: file_types.Sniffed | None = None
        self.is_refused = False

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self.sniffed is None:
            self.head += raw_data
            if len(self.head) < file_types.HEAD_BYTES:
                return
            raw_data, start = self.head, 0
        sniffed = self.sniffed or self._judge()
        self._keep(raw_data, start, sniffed.kind)

    def file_complete(self, file_size: int) -> "UploadedFile[bytes] | None":
        if (sniffed := self.sniffed) is None:  # the file is shorter than HEAD_BYTES
            sniffed = self._judge()
            self._keep(self.head, 0, sniffed.kind)
        self.earlier_bytes += file_size
        if self.is_refused:
            return RefusedFile(self.file_name or "", file_size, sniffed)
        return super().file_complete(file_size)

    def _judge(self) -> file_types.Sniffed:
        """Decide whether the file can be used, based on its first bytes and on how large it's certain to be."""
        self.sniffed = sniffed = file_types.sniff(self.head)
        question, is_last = _question(self.request, self.field_name or "")
        certain_bytes = len(self.head)
        if is_last:  # the rest of the form is this file, apart from a few fields
            others = self.earlier_bytes + HEADERS_BYTES + settings.DATA_UPLOAD_MAX_MEMORY_SIZE
            certain_bytes = max(certain_bytes, self.body_bytes - others)
        kinds = accepted_kinds(question.accept) if question else []
        if kind_problem(sniffed.kind, sniffed.extension, kinds) or size_problem(sniffed.kind, certain_bytes):
            self._refuse()
        return sniffed

    def _refuse(self) -> None:
        self.is_refused = True
        self.file.close()

    def _keep(self, raw_data: bytes, start: int, kind: str) -> None:
        """Write `raw_data` to the file, or discard it if the file is refused."""
        if not self.is_refused and size_problem(kind, start + len(raw_data)):
            self._refuse()
        if self.is_refused:
            self._drop(len(raw_data))
            return
        try:
            if start >= body_limits.LARGE_BYTES and not body_limits.has_room(len(raw_data)):
                raise OSError(errno.ENOSPC, "no room for a file that is being sent")
            super().receive_data_chunk(raw_data, start)
        except OSError as error:
            self.is_full = error.errno in {errno.ENOSPC, errno.EDQUOT}
            raise

    def _drop(self, size: int) -> None:
        self.drained_bytes += size
        if self.drained_bytes > DRAINED_BYTES:
            self.is_too_large = True
            raise RequestDataTooBig("too much of refused files")


def _question(request: HttpRequest | None, field: str) -> tuple[Question | None, bool]:
    """Return the question in the app's form that the file answers, and whether this is certain to be the form's last
    file.

    When a script sends a file by itself, the URL names the app and field. When the whole form is sent, the name of the
    file's field says which question it's for. Returns (None, False) if there is no such question.
    """
    match = request.resolver_match if request else None
    if request is None or match is None:
        return None, False
    is_alone = match.url_name == "upload-create"
    app_id = request.GET.get("app", "") if is_alone else match.kwargs.get("app_id", "")
    app = App.objects.filter(public_id=app_id).select_related("schema").first() if app_id else None
    url_questions = file_questions(app.questions if app else ())
    if is_alone:
        return files_question(url_questions, request.GET.get("field", "")), True
    question = next((q for q in url_questions if field == f"{q.field_name}_file"), None)
    return question, question is not None and question is url_questions[-1] and not question.is_multiple
