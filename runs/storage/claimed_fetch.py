"""Fetch remote files through the guard and inspect them, but stop if this worker loses its claim on the work."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings

from runs.background.queue import stop_requested
from runs.storage import media
from runs.storage.fetch import LIMITS, fetch
from runs.storage.store import Arrival

RENEW_SECONDS = 15.0


class ClaimLost(Exception):
    """Raised when another worker has taken over this work, or this worker must stop; the caller must leave everything
    as it is."""


class Renewer:
    """Renews a claim while bytes arrive: pass it to `fetch` as `on_chunk`. Raises `ClaimLost` when the claim is lost or
    the worker should stop."""

    def __init__(self, renew: Callable[[], int | bool]) -> None:
        self._renew = renew
        self._next = time.monotonic() + RENEW_SECONDS

    def __call__(self, _size: int) -> None:
        self.look()

    def look(self) -> None:
        """Renew the claim if it's due."""
        if stop_requested():
            raise ClaimLost
        if time.monotonic() >= self._next:
            self.renew()

    def renew(self) -> None:
        """Renew the claim now."""
        self._next = time.monotonic() + RENEW_SECONDS
        if not self._renew():
            raise ClaimLost


@contextmanager
def fetch_arrival(url: str, seconds: float, renewer: Renewer, *, keeps_unopened: bool = False) -> Iterator[Arrival]:
    """Fetch the file at `url` within `seconds` and yield it. After the block, the file is deleted unless it has been
    stored.

    Raises whatever `fetch` and `media.inspect` raise, and `ClaimLost`.
    """
    trusted = settings.TRUSTED_FILE_ORIGINS
    fetched = fetch(url, max_bytes=LIMITS, seconds=seconds, on_chunk=renewer, trusted=trusted)
    try:
        # may have to wait for a slot, so keep renewing the claim
        found = media.inspect(fetched.path, on_wait=renewer.look, keeps_unopened=keeps_unopened)
        yield Arrival(fetched.path, found, fetched.sha256, fetched.size_bytes)
    finally:
        fetched.path.unlink(missing_ok=True)
