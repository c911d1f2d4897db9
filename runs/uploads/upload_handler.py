"""Write files from a browser to the disk they will stay on, never into memory (`/tmp` is often in memory).

Free space is checked again while they arrive, so that uploads that each fit can't fill the disk together.
"""

import errno
import tempfile
from typing import Any

from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler

from runs.storage import store
from runs.web import body_limits


class _Arriving(TemporaryUploadedFile):
    """A file in the waiting room. It is removed when closed, or after a crash, along with other leftovers."""

    def __init__(self, name: str, content_type: str, size: int, charset: str | None, extra: Any = None) -> None:
        room = store.new_waiting_path().parent
        file = tempfile.NamedTemporaryFile(suffix=".upload", dir=room)  # noqa: SIM115 - closed by Django
        UploadedFile.__init__(self, file, name, content_type, size, charset, extra)


class WaitingRoomUploadHandler(TemporaryFileUploadHandler):
    """Streams each file to the waiting room, as long as there is enough space."""

    is_full = False

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        FileUploadHandler.new_file(self, *args, **kwargs)
        self.file = _Arriving(self.file_name or "", self.content_type or "", 0, self.charset, self.content_type_extra)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        try:
            if start >= body_limits.LARGE_BYTES and not body_limits.has_room(len(raw_data)):
                raise OSError(errno.ENOSPC, "no room for a file that is being sent")
            super().receive_data_chunk(raw_data, start)
        except OSError as error:
            self.is_full = error.errno in {errno.ENOSPC, errno.EDQUOT}
            raise
