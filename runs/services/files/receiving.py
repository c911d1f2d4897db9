"""Files on their way from a browser: to the disk they will stay on, never into memory (`/tmp` often is memory)."""

import tempfile
from typing import Any

from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler

from runs.services.files import storing


class _Arriving(TemporaryUploadedFile):
    """A file in the waiting room; it goes when it is closed, and after a crash with the other leftovers."""

    def __init__(self, name: str, content_type: str, size: int, charset: str | None, extra: Any = None) -> None:
        room = storing.new_waiting_path().parent
        file = tempfile.NamedTemporaryFile(suffix=".upload", dir=room)  # noqa: SIM115 - closed by Django
        UploadedFile.__init__(self, file, name, content_type, size, charset, extra)


class WaitingRoomUploadHandler(TemporaryFileUploadHandler):
    """Streams each file to the waiting room."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        FileUploadHandler.new_file(self, *args, **kwargs)
        self.file = _Arriving(self.file_name or "", self.content_type or "", 0, self.charset, self.content_type_extra)
