"""Transfer files to and from untrusted URLs, always through the guard, and without holding a whole file in memory.

Size and total time are limited. The size limit depends on the kind of file, detected from its first bytes, and applies
to the bytes actually read, whatever the headers say. Writing to disk may raise OSError, which the caller has to handle:
a full disk isn't the other server's fault.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import requests
from urllib3.exceptions import HTTPError

from runs.lamina.deadline import Deadline
from runs.models.messages import Message
from runs.storage import file_types, store
from runs.storage.guard import TOO_SLOW, FetchFailed, FetchRefused, TooLargeToFetch, check_url, open_url
from runs.words.numbers import number_in

__all__ = ["LIMITS", "FetchFailed", "FetchRefused", "Fetched", "TooLargeToFetch", "check_url", "fetch", "put_file"]

MB = 1000 * 1000
# Maximum size of each kind of file, in bytes
LIMITS: Mapping[str, int] = {"image": 50 * MB, "video": 1000 * MB, "audio": 200 * MB, "other": 50 * MB}
CHUNK_BYTES = 64 * 1024
CUT_OFF = Message("cut_off")
NOT_ALLOWED = Message("not_allowed")
NOT_THERE = Message("not_there")
TROUBLE = Message("other_side_trouble")
EMPTY = Message("empty_at_address")
NOT_TAKEN = Message("not_taken")


@dataclass(frozen=True)
class Fetched:
    """A complete file in the staging folder; the caller moves or deletes it."""

    path: Path
    size_bytes: int
    sha256: str


def fetch(
    url: str,
    *,
    max_bytes: Mapping[str, int] | int = LIMITS,
    seconds: float,
    on_chunk: Callable[[int], None] | None = None,
    trusted: Sequence[str] = (),
) -> Fetched:
    """Stream the file at `url` to disk within `seconds` in total.

    `max_bytes` is one limit for all files, or one for each kind of file (detected from the content). `on_chunk` gets
    the number of bytes read so far and may raise to stop. `trusted` origins don't have to be public. Raises
    `FetchRefused` (never retry), `FetchFailed` (a retry may work), or OSError for disk problems.
    """
    path = store.new_waiting_path()
    try:
        with (
            Deadline(seconds) as deadline,
            path.open("xb") as target,
            open_url("GET", url, deadline, trusted=trusted) as response,
        ):
            size, digest = _stream(response, target, max_bytes, deadline, on_chunk or (lambda _: None))
        return Fetched(path, size, digest)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _stream(
    response: requests.Response,
    target: BinaryIO,
    max_bytes: Mapping[str, int] | int,
    deadline: Deadline,
    on_chunk: Callable[[int], None],
) -> tuple[int, str]:
    size, digest, head = 0, hashlib.sha256(), b""
    limit = max_bytes if isinstance(max_bytes, int) else max(max_bytes.values())
    _check_status(response.status_code)
    declared = _declared_size(response)
    _check_size(declared, limit)
    while chunk := _next_chunk(response, deadline):
        size += len(chunk)
        if len(head) < file_types.HEAD_BYTES:
            head += chunk[: file_types.HEAD_BYTES]
            if not isinstance(max_bytes, int):
                limit = max_bytes.get(file_types.sniff(head).kind, limit)
        _check_size(max(size, declared), limit)
        digest.update(chunk)
        target.write(chunk)
        on_chunk(size)
    if size == 0:
        raise FetchFailed(EMPTY)
    return size, digest.hexdigest()


def _next_chunk(response: requests.Response, deadline: Deadline) -> bytes:
    """Return the bytes that have arrived, at most 64 KB after decompression. `read1` doesn't wait for more, and
    unpacks even a decompression bomb only a little at a time."""
    try:
        chunk: bytes = response.raw.read1(CHUNK_BYTES, decode_content=True)
    except HTTPError:
        raise FetchFailed(TOO_SLOW if deadline.is_cut else CUT_OFF) from None
    if deadline.is_cut:
        raise FetchFailed(TOO_SLOW)  # without a Content-Length, a body that was cut off would look complete
    return chunk


def _declared_size(response: requests.Response) -> int:
    return number_in(response.headers.get("Content-Length", ""), 0, 10**18 - 1, 0)


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise TooLargeToFetch(Message("too_large_to_fetch", {"limit_bytes": limit}))


def _check_status(status: int) -> None:
    if status in {401, 403, 407}:
        raise FetchFailed(NOT_ALLOWED)
    if status in {404, 410}:
        raise FetchFailed(NOT_THERE)
    if status != 200:
        raise FetchFailed(TROUBLE)


class _Sending:
    """An open file that reports how much of it has been read."""

    def __init__(self, file: BinaryIO, on_chunk: Callable[[int], None]) -> None:
        self._file = file
        self._on_chunk = on_chunk
        self.seek, self.tell = file.seek, file.tell
        self._size = os.fstat(file.fileno()).st_size

    def __len__(self) -> int:
        """Return the size. Without this method, the requests library would send both a length and a chunked body, which
        servers reject."""
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.read(CHUNK_BYTES), b"")

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        self._on_chunk(self._file.tell())
        return chunk


def put_file(
    url: str,
    path: Path,
    content_type: str,
    seconds: float,
    on_chunk: Callable[[int], None] | None = None,
    trusted: Sequence[str] = (),
) -> None:
    """PUT the file at `path` to one of Lamina's upload URLs, through the guard, within `seconds` in total.

    Any 2xx status counts as success; the API key isn't sent. `on_chunk` gets the number of bytes sent so far and may
    raise to stop. Raises `FetchRefused` or `FetchFailed`.
    """
    headers = {"Content-Type": content_type}
    with (
        path.open("rb") as file,
        Deadline(seconds) as deadline,
        open_url(
            "PUT", url, deadline, headers=headers, body=_Sending(file, on_chunk or (lambda _: None)), trusted=trusted
        ) as response,
    ):
        if not 200 <= response.status_code < 300:
            raise FetchFailed(NOT_TAKEN)
