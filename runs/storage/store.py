"""Save files under names that we choose, and save each one completely or not at all. A file's row is saved only once
its bytes are safe.

A new file is first written to the staging folder (`incoming/` in the storage's own folder), flushed to disk and then
renamed to its final path. A crash may leave something in the staging folder, but never half a file under its final
name. Remote storage (`bucket`) accepts the whole file or nothing.
"""

import hashlib
import logging
import os
import secrets
import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BufferedReader, FileIO
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.utils import timezone

from runs.models import StoredFile
from runs.storage.media import Media

logger = logging.getLogger("runs.store")

type OnChunk = Callable[[int], None]  # called with the number of bytes moved so far

WAITING_ROOM = "incoming"
LEFTOVER_SECONDS = 6 * 3600
BLOCK_BYTES = 256 * 1024
NAME_LENGTH = 120  # in characters; file systems count bytes and allow 255
INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # control characters, text direction marks and the like


class StorageAway(OSError):
    """The storage can't be reached, or isn't working right now."""


@dataclass(frozen=True)
class NewFile:
    """A complete, inspected file. Once it has been stored, nothing is left at its `path`."""

    path: Path
    media: Media
    sha256: str
    size_bytes: int


class _Watched(BufferedReader):
    """An open file that reports how much of it has been read."""

    def __init__(self, path: Path, on_chunk: Callable[[int], None]) -> None:
        super().__init__(FileIO(path, "rb"))
        self._on_chunk = on_chunk

    def read(self, size: int | None = -1, /) -> bytes:
        self._on_chunk(self.tell())
        return super().read(size)


def new_waiting_path() -> Path:
    """Return a new path in the staging folder, which is on the same file system as the storage."""
    folder = Path(settings.MEDIA_ROOT) / WAITING_ROOM
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder / secrets.token_hex(16)


def clean_name(name: str, extension: str, fallback: str = "file") -> str:
    """Return a readable file name: the last part of `name` with the true `extension`, without invisible characters or
    characters that have a special meaning in shells or file systems. Letters in any script are kept."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(
        " " if char.isspace() else char
        for char in unicodedata.normalize("NFC", last)
        if char.isspace() or unicodedata.category(char) not in INVISIBLE
    )
    readable = " ".join("".join("_" if char in '<>:"|?*' else char for char in visible).split())
    pure = PurePosixPath(readable)
    stem = (pure.stem if 1 < len(pure.suffix) <= 6 else readable).strip(". ")[:NAME_LENGTH].strip(". ")
    return f"{stem or fallback}.{extension}"


def store(new_file: NewFile, name: str, *, is_catalog: bool = False, on_chunk: OnChunk | None = None) -> StoredFile:
    """Move a file that has arrived into the storage, along with its thumbnails, and save its row. Afterwards, the
    file's old path no longer exists.

    `on_chunk` is called while bytes are uploaded to remote storage, and may raise to stop. Raises OSError, and leaves
    nothing behind, if the disk is full or unavailable.
    """
    stored = place(new_file, name, is_catalog=is_catalog, on_chunk=on_chunk)
    with discarding_on_error(stored):
        stored.save()
    return stored


def place(new_file: NewFile, name: str, *, is_catalog: bool = False, on_chunk: OnChunk | None = None) -> StoredFile:
    """Like `store`, but don't save the row, for callers that save it together with something else."""
    media = new_file.media
    random = secrets.token_hex(16)
    stem = f"files/{random[:2]}/{random[2:4]}/{random}"
    stored = StoredFile(
        name=clean_name(name, media.extension),
        kind=media.kind,
        media_type=media.media_type,
        size_bytes=new_file.size_bytes,
        sha256=new_file.sha256,
        width=media.width,
        height=media.height,
        duration_seconds=media.duration_seconds,
        colour=media.colour,
        picture_due_at=timezone.now() if media.follows else None,
        is_catalog=is_catalog,
    )
    with discarding_on_error(stored):
        stored.file.name = _keep(new_file.path, f"{stem}.{media.extension}", on_chunk)
        keep_small(stored, media.small)
    return stored


def keep_small(stored: StoredFile, small: Mapping[int, bytes]) -> None:
    """Save the thumbnails `small` (WebP by width) next to the file in `stored`. The row isn't saved."""
    stem = PurePosixPath(stored.file.name or "").with_suffix("")
    for width, encoded in small.items():
        path = new_waiting_path()
        try:
            path.write_bytes(encoded)
            getattr(stored, f"thumb_{width}").name = _keep(path, f"{stem}-{width}.webp")
        finally:
            path.unlink(missing_ok=True)


def place_copy(source: StoredFile, path: Path, on_chunk: OnChunk) -> StoredFile:
    """Move the file at `path`, a copy made from `source`, into the storage. The returned row isn't saved yet and has no
    thumbnails. `on_chunk` is called while bytes are moved and may raise to stop."""
    digest, size = _digest(path, on_chunk)
    random = secrets.token_hex(16)
    fields = ("name", "kind", "media_type", "width", "height", "duration_seconds", "colour")
    copy = StoredFile(sha256=digest, size_bytes=size, **{field: getattr(source, field) for field in fields})
    ending = PurePosixPath(source.file.name or "").suffix
    copy.file.name = _keep(path, f"files/{random[:2]}/{random[2:4]}/{random}{ending}", on_chunk)
    return copy


def _digest(path: Path, on_chunk: OnChunk) -> tuple[str, int]:
    """Return the SHA-256 and size of the file at `path`."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            size += len(block)
            on_chunk(size)
    return digest.hexdigest(), size


@contextmanager
def discarding_on_error(stored: StoredFile) -> Iterator[None]:
    """Delete the files of `stored` if the block raises."""
    try:
        yield
    except BaseException:
        discard(stored)
        raise


def discard(stored: StoredFile) -> None:
    """Delete the files of a row that was never saved or has been deleted. If the storage is unavailable, the daily
    sweep deletes them later."""
    for field in (stored.file, stored.thumb_200, stored.thumb_400, stored.thumb_1200):
        if field.name:
            try:
                default_storage.delete(field.name)
            except OSError as error:
                logger.warning("could not remove %s from the storage: %s", field.name, error)


def _keep(path: Path, name: str, on_chunk: OnChunk | None = None) -> str:
    """Move the file at `path` to `name` in the storage and flush it to disk; return its final name."""
    try:
        place = Path(default_storage.path(name))
    except NotImplementedError:  # remote storage has no local paths
        with _Watched(path, on_chunk or (lambda _: None)) as watched:
            stored_name = default_storage.save(name, File(watched, name))
        path.unlink()
        return stored_name
    place.parent.mkdir(parents=True, exist_ok=True)
    with path.open("rb") as file:
        os.fsync(file.fileno())
    path.chmod(settings.FILE_UPLOAD_PERMISSIONS or 0o644)
    path.rename(place)
    for folder in (place.parent, place.parent.parent):
        _flush_folder(folder)
    return name


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def blocks_of(stored: StoredFile) -> Iterator[bytes]:
    """Yield the content of a file block by block, for a zip. The file is only opened when the first block is read."""
    with stored.file.storage.open(stored.file.name or "", "rb") as opened:
        while block := opened.read(BLOCK_BYTES):
            yield block


@contextmanager
def local_copy(stored: StoredFile, on_chunk: OnChunk = lambda _: None) -> Iterator[Path]:
    """Yield a path for reading the file: its own, or that of a copy in the staging folder if the storage is remote.

    `on_chunk` is called while the copy is being downloaded, and may raise to stop.
    """
    try:
        yield Path(stored.file.path)
    except NotImplementedError:
        copy = new_waiting_path()
        try:
            with stored.file.open("rb") as source, copy.open("xb") as target:
                for chunk in source.chunks():
                    target.write(chunk)
                    on_chunk(target.tell())
            yield copy
        finally:
            copy.unlink(missing_ok=True)


def tidy_waiting_room() -> None:
    """Delete files left in the staging folder hours ago by interrupted transfers."""
    folder = Path(settings.MEDIA_ROOT) / WAITING_ROOM
    for path in folder.iterdir() if folder.is_dir() else ():
        try:
            if time.time() - path.stat().st_mtime > LEFTOVER_SECONDS:
                path.unlink()
        except FileNotFoundError:
            pass  # another process has just deleted it


def all_names() -> Iterator[tuple[str, datetime]]:
    """Yield every name in the storage, folder by folder, each with the time it was last changed."""
    try:
        root = Path(default_storage.path("files"))
    except NotImplementedError:
        yield from getattr(default_storage, "all_names")("files/")  # noqa: B009 - not in Django's storage API
        return
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        for path in folder.rglob("*"):
            with suppress(FileNotFoundError):  # it was just deleted
                if path.is_file():
                    name = path.relative_to(root.parent).as_posix()
                    yield name, datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)


def drop_interrupted(before: datetime) -> int:
    """Delete what's left of unfinished transfers to remote storage that started before `before`."""
    drop: Callable[[datetime], int] | None = getattr(default_storage, "drop_interrupted", None)
    return drop(before) if drop else 0
