"""Django storage in an S3-compatible bucket, configured by STORAGE_URL.

Based on django-storages, with these changes:

- Files are read in pieces, from any position, instead of entirely into memory or a temporary file.
- Uploads use one thread and parts of 16 MB, so that a 1 GB video takes little memory. Afterwards, the size is checked.
- Every failure raises an OSError, as with a disk, so that callers can treat both the same way.

S3 itself guarantees that an object appears completely or not at all.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import File
from storages.backends.s3 import S3Storage
from urllib3.exceptions import HTTPError

from runs.storage.store import StorageAway

PART_BYTES = 16 * 1024 * 1024
CONNECT_SECONDS = 5
READ_SECONDS = 30
MISSING = {"404", "NoSuchKey", "NotFound"}
FULL = {"QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "InsufficientCapacity"}


@contextmanager
def _as_os_errors(name: str) -> Iterator[None]:
    """Convert library exceptions to the kind of OSErrors that a disk raises, with no access keys in their messages."""
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if code in MISSING:
            raise FileNotFoundError(errno.ENOENT, "not in the bucket", name) from None
        if code in FULL or status == 507:
            raise OSError(errno.ENOSPC, "the bucket is full", name) from None
        raise StorageAway(errno.EIO, f"the bucket responded with {code or status}", name) from None
    except (BotoCoreError, Boto3Error, HTTPError) as error:
        raise StorageAway(errno.EIO, f"could not reach the bucket: {type(error).__name__}", name) from None


class Bucket(S3Storage):  # type: ignore[misc]  # the library has no types
    """The bucket as a Django storage. File names are random, so nothing is ever overwritten."""

    def __init__(self, **options: Any) -> None:
        options["client_config"] = Config(
            s3={"addressing_style": "path"},
            signature_version="s3v4",
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"total_max_attempts": 2, "mode": "standard"},
            max_pool_connections=20,
            # Some S3-compatible servers don't support Amazon's newer checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        options["transfer_config"] = TransferConfig(
            multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, max_concurrency=1, use_threads=False
        )
        super().__init__(**({"file_overwrite": False, "querystring_auth": True} | options))

    @property
    def client(self) -> Any:
        return self.connection.meta.client

    def _save(self, name: str, content: "File[bytes]") -> str:
        with _as_os_errors(name):
            stored_name: str = super()._save(name, content)
            kept_bytes = self._size(stored_name)
        if kept_bytes != content.size:
            self.delete(stored_name)
            raise StorageAway(errno.EIO, f"the bucket holds {kept_bytes} of {content.size} bytes", stored_name)
        return stored_name

    def _open(self, name: str, mode: str = "rb") -> "BucketFile":
        return BucketFile(self, name)

    def _size(self, name: str) -> int:
        return int(self.client.head_object(Bucket=self.bucket_name, Key=name)["ContentLength"])

    def size(self, name: str) -> int:
        with _as_os_errors(name):
            return self._size(name)

    def exists(self, name: str) -> bool:
        with _as_os_errors(name):
            return bool(super().exists(name))

    def delete(self, name: str) -> None:
        with _as_os_errors(name):
            super().delete(name)

    def body_from(self, name: str, start: int) -> Any:
        """Return a stream of an object's bytes from `start` on; the caller reads and closes it."""
        options = {"Range": f"bytes={start}-"} if start else {}
        with _as_os_errors(name):
            return self.client.get_object(Bucket=self.bucket_name, Key=name, **options)["Body"]

    def all_names(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        """Yield all names that start with `prefix`, in order, each with the time of its last change."""
        with _as_os_errors(prefix):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket_name, Prefix=prefix)
            for page in pages:
                yield from ((entry["Key"], entry["LastModified"]) for entry in page.get("Contents", ()))

    def drop_interrupted(self, before: datetime) -> int:
        """Delete the parts of unfinished uploads that started before `before`. They take up space but don't show up in
        listings."""
        count = 0
        with _as_os_errors("interrupted uploads"):
            pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket_name)
            for upload in (upload for page in pages for upload in page.get("Uploads", ())):
                if upload["Initiated"] < before:
                    ids = {"Key": upload["Key"], "UploadId": upload["UploadId"]}
                    self.client.abort_multipart_upload(Bucket=self.bucket_name, **ids)
                    count += 1
        return count


class BucketFile(File):  # type: ignore[type-arg]  # Django's own class takes no arguments
    """An object in the bucket, read from the position set by `seek`. Only the bytes that are actually read are
    fetched."""

    def __init__(self, bucket: Bucket, name: str) -> None:
        super().__init__(None, name)
        self.mode = "rb"
        self._bucket = bucket
        self._body: Any = None
        self._at = 0
        self._size: int | None = None
        self._is_closed = False

    @property
    def size(self) -> int:
        if self._size is None:
            self._size = self._bucket.size(self.name or "")
        return self._size

    @property
    def closed(self) -> bool:
        return self._is_closed

    def open(self, mode: str | None = None, *_: Any, **__: Any) -> "BucketFile":
        self._is_closed = False
        self.seek(0)
        return self

    def read(self, size: int = -1) -> bytes:
        """Return the next `size` bytes, or fewer at the end of the object."""
        if self._body is None:
            if self._at >= self.size:
                return b""
            self._body = self._bucket.body_from(self.name or "", self._at)
        with _as_os_errors(self.name or ""):
            data: bytes = self._body.read(None if size < 0 else size)
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at}.get(whence)
        target = offset + (self.size if start is None else start)
        if target != self._at:
            self._drop_body()
            self._at = target
        return target

    def tell(self) -> int:
        return self._at

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._drop_body()
        self._is_closed = True

    def _drop_body(self) -> None:
        if self._body is not None:
            with suppress(BotoCoreError, HTTPError, OSError):
                self._body.close()
            self._body = None
