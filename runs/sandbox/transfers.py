"""The `transfer-asset` endpoint, which makes permanent copies of results."""

import shutil
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from runs.sandbox import validation
from runs.sandbox.api import MEDIA_TYPES, OWN_NAMES, asset_address
from runs.sandbox.errors import ApiError
from runs.sandbox.files import FILE, FileEndpoints
from runs.sandbox.state import World
from runs.sandbox.wire import Request, SandboxReply, json_reply


@dataclass
class Transfers:
    """Copies files on this server. Files at other public URLs are never fetched; a sample file is copied instead."""

    world: World
    files: FileEndpoints

    def transfer(self, request: Request) -> SandboxReply:
        """Take `{sourceUrl, mediaType, filename?}`; return both `url` and `cdnUrl` unless a test wants only one of
        them."""
        body = request.json_object()
        source, media_type, filename = body.get("sourceUrl"), body.get("mediaType"), body.get("filename")
        if not isinstance(source, str) or media_type not in MEDIA_TYPES:
            raise ApiError(400, "a transfer needs a sourceUrl and a mediaType of image, video or audio")
        if filename is not None and (not isinstance(filename, str) or not filename):
            raise ApiError(400, "filename must be a non-empty text")
        copied = self._source(source, request.origin)
        filename = filename or urlsplit(source).path.rpartition("/")[2] or "file"
        upload = self.world.add_upload(filename, media_type, copied.content_type)
        target = self.world.upload_path(upload.upload_id)
        target.parent.mkdir(parents=True, exist_ok=True)
        if copied.file:
            shutil.copyfile(copied.file, target)
        upload.is_stored = True
        self.world.keep_upload(upload)
        address = asset_address(upload, request.origin)
        data: dict[str, Any] = {"cdnUrl": address, "assetId": upload.upload_id, "filename": filename, "url": address}
        keys = {"docs": {"url"}, "sdk": {"cdnUrl", "assetId", "filename"}}.get(self.world.transfer_shape, data.keys())
        return json_reply({"data": {key: value for key, value in data.items() if key in keys}}, 201)

    def _source(self, address: str, origin: str) -> SandboxReply:
        """Return the file to copy. Raises ApiError 400 if the file can't be loaded, for example because its URL has
        expired."""
        try:
            parts, own = urlsplit(address), urlsplit(origin)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise ApiError(400, "sourceUrl must be a valid address") from None
        if parts.scheme not in {"http", "https"} or not host:
            raise ApiError(400, "sourceUrl must be an http or https address")
        try:
            if host in OWN_NAMES and port == own.port:
                match = FILE.fullmatch(parts.path)
                if match is None:
                    raise ApiError(404, "No such file")
                return self.files.serve(parts.path, match[1], match[2])
        except ApiError as error:
            raise ApiError(400, f"sourceUrl could not be loaded: {error.message}") from None
        if validation.is_private(host):
            raise ApiError(400, "sourceUrl could not be loaded: private addresses cannot be reached")
        name = parts.path.rpartition("/")[2] or "sample"
        return self.files.serve(f"/samples/{name}", "samples", name)
