"""Endpoints that need no key: they serve results, uploads, samples and thumbnails, and receive uploads (PUT)."""

import re
import secrets
from pathlib import Path
from urllib.parse import unquote

from runs.sandbox import lifecycle
from runs.sandbox.errors import ApiError
from runs.sandbox.gallery import Gallery
from runs.sandbox.state import World
from runs.sandbox.wire import Request, SandboxReply

MOST_UPLOAD_BYTES = 1024**3
MEDIA_TYPES = {"jpg": "image/jpeg", "webp": "image/webp", "webm": "video/webm", "wav": "audio/wav"}
FILE = re.compile(r"/(outputs|assets|samples|thumbs)/(.+)")
# The file name of an output contains its position, revision and part: `0.jpg`, `0-1.jpg`, `0.r2.jpg`, `0.r2-1.jpg`.
OUTPUT = re.compile(r"(\d{1,4})(?:\.r(\d{1,4}))?(?:-(\d{1,2}))?\.\w{1,8}")


class FileEndpoints:
    """The endpoints for files. Every method returns a Reply or raises ApiError."""

    def __init__(self, world: World, gallery: Gallery) -> None:
        self.world = world
        self.gallery = gallery

    def serve(self, path: str, kind: str, rest: str) -> SandboxReply:
        """Serve the file at `path`. Raises ApiError 410 if a test has made the file's URL expire."""
        if self.world.is_all_expired or path in self.world.expired:
            raise ApiError(410, "This file has expired")
        serve = {"outputs": self._output, "assets": self._asset, "samples": self._sample, "thumbs": self._thumb}[kind]
        return serve(rest)

    def _output(self, rest: str) -> SandboxReply:
        run_id, _, name = rest.partition("/")
        match, run = OUTPUT.fullmatch(name), self.world.runs.get(run_id)
        position = int(match[1]) if match else -1
        if not match or run is None or position >= len(run.outputs):
            raise ApiError(404, "No such file")
        if lifecycle.output_state(run, position, self.world.clock()) != "completed":
            raise ApiError(404, "No such file")
        if (revision := int(match[2] or 0)) > run.revisions.get(str(position), 0):
            raise ApiError(404, "No such file")
        path, media_type = self.gallery.output(run, position, int(match[3] or 0), revision)
        return SandboxReply(file=path, content_type=media_type)

    def _asset(self, rest: str) -> SandboxReply:
        upload = self.world.uploads.get(rest.partition("/")[0])
        if upload is None or not upload.is_stored:
            raise ApiError(404, "No such file")
        return SandboxReply(file=self.world.upload_path(upload.upload_id), content_type=upload.content_type)

    def _sample(self, name: str) -> SandboxReply:
        path = self.gallery.sample(unquote(name))
        return SandboxReply(file=path, content_type=MEDIA_TYPES[path.suffix.removeprefix(".")])

    def _thumb(self, name: str) -> SandboxReply:
        app_id, _, extension = unquote(name).rpartition(".")
        app = self.world.apps.get(app_id)
        if app is None or extension not in {"webp", "webm"}:
            raise ApiError(404, "No such file")
        return SandboxReply(file=self.gallery.thumbnail(app, extension), content_type=MEDIA_TYPES[extension])

    def receive(self, request: Request, upload_id: str) -> SandboxReply:
        """Store the raw bytes of a PUT to an upload URL. The URL is signed, so no key is needed."""
        upload = self.world.uploads.get(upload_id)
        if upload is None or not secrets.compare_digest(request.query.get("signature", ""), upload.token):
            raise ApiError(403, "The upload address is not valid")
        path = self.world.upload_path(upload_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(request, path)
        upload.content_type = request.headers.get("Content-Type") or upload.content_type
        upload.is_stored = True
        self.world.keep_upload(upload)
        return SandboxReply(200, b"", "text/plain")


def _write(request: Request, path: Path) -> None:
    """Stream the body to the file; an upload that is cut off leaves no file behind."""
    partial = path.with_name(f"{path.name}.{request.request_id}.part")
    size = 0
    try:
        with partial.open("wb") as file:
            while chunk := request.stream.read(64 * 1024):
                size += len(chunk)
                if size > MOST_UPLOAD_BYTES:
                    raise ApiError(413, "The file is too large")
                file.write(chunk)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
