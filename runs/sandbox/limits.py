"""Lamina's rate limit (100 requests in any 60 seconds) and its response headers."""

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

WINDOW_SECONDS = 60.0


@dataclass
class Limiter:
    """A sliding window of accepted requests. Requests that are refused don't count, so waiting always helps."""

    per_minute: int | None
    clock: Callable[[], float] = time.monotonic
    refused: int = 0
    most: int = 0
    _accepted: deque[float] = field(default_factory=deque)
    _asked: deque[float] = field(default_factory=deque)

    def take(self) -> bool:
        """Count one request and return whether it is accepted."""
        now = self.clock()
        self._forget(now)
        self._asked.append(now)
        self.most = max(self.most, len(self._asked))
        if self.per_minute is not None and len(self._accepted) >= self.per_minute:
            self.refused += 1
            return False
        self._accepted.append(now)
        return True

    def asked_in_last_minute(self) -> int:
        """Return the number of requests in the last 60 seconds, including refused ones."""
        self._forget(self.clock())
        return len(self._asked)

    def seconds_until_free(self) -> int:
        """Return the number of seconds until the oldest request leaves the window, rounded up; at least 1."""
        if not self._accepted:
            return 1
        return max(1, math.ceil(self._accepted[0] + WINDOW_SECONDS - self.clock()))

    def headers(self) -> dict[str, str]:
        if self.per_minute is None:
            return {}
        remaining = max(0, self.per_minute - len(self._accepted))
        return {
            "RateLimit-Limit": str(self.per_minute),
            "RateLimit-Remaining": str(remaining),
            "RateLimit-Reset": str(self.seconds_until_free()),
        }

    def _forget(self, now: float) -> None:
        for times in (self._accepted, self._asked):
            while times and times[0] <= now - WINDOW_SECONDS:
                times.popleft()
