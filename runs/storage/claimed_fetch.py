"""Fetch remote files through the guard and inspect them, but stop if this worker loses its claim on the work."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from runs.background.due_work import Renewer
from runs.storage import media
from runs.storage.fetch import LIMITS, fetch
from runs.storage.store import NewFile


@contextmanager
def fetch_file(url: str, seconds: float, renewer: Renewer, *, keeps_unopened: bool = False) -> Iterator[NewFile]:
    """Fetch the file at `url` within `seconds` and yield it. After the block, the file is deleted unless it has been
    stored.

    Raises whatever `fetch` and `media.inspect` raise, and `ClaimLost`.
    """
    trusted = settings.TRUSTED_FILE_ORIGINS
    fetched = fetch(url, max_bytes=LIMITS, seconds=seconds, on_chunk=renewer, trusted=trusted)
    try:
        # may have to wait for a slot, so keep renewing the claim
        result = media.inspect(fetched.path, on_wait=renewer.look, keeps_unopened=keeps_unopened)
        yield NewFile(fetched.path, result, fetched.sha256, fetched.size_bytes)
    finally:
        fetched.path.unlink(missing_ok=True)
