"""Simulates a perfect poller, to find the delays that Lamina's rate limit makes unavoidable when polling many runs.

The poller knows when runs started and ended, loses no time itself, and sends only the necessary requests: one poll of
the list every few seconds while an end is unknown, and one read for each run that ended, oldest first. Starts have
priority: the poller may send a request only if that wouldn't push any minute over the limit, including starts still to
come.
"""

from bisect import bisect_right, insort
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

WINDOW_SECONDS = 60.0
STEP_SECONDS = 0.1


@dataclass(frozen=True)
class Delays:
    """How many seconds after each run's end a poll shows it, and how many until its results have been read."""

    told: list[float] = field(default_factory=list)
    read: list[float] = field(default_factory=list)


def delays(starts: Sequence[float], ends: Sequence[float], *, per_minute: int, look_seconds: float) -> Delays:
    """Return the delays of the perfect poller. `starts` and `ends` are Unix seconds."""
    sent, to_end = sorted(starts), deque(sorted(ends))
    unknown: deque[float] = deque()
    listed: deque[float] = deque()  # finished runs that a poll has already reported
    found = Delays()
    now, looked = to_end[0], float("-inf")
    while len(found.read) < len(ends):
        while to_end and to_end[0] <= now:
            unknown.append(to_end.popleft())
        if unknown and now - looked >= look_seconds and _has_room(sent, now, per_minute):
            insort(sent, now)
            looked = now
            found.told.extend(now - end for end in unknown)
            listed.extend(unknown)
            unknown.clear()
        while listed and _has_room(sent, now, per_minute):
            insort(sent, now)
            found.read.append(now - listed.popleft())
        now += STEP_SECONDS
    return found


def _has_room(sent: list[float], now: float, per_minute: int) -> bool:
    """Return whether every minute stays within the limit if one more request is sent at `now`. `sent` includes future
    starts."""
    later = sent[bisect_right(sent, now) : bisect_right(sent, now + WINDOW_SECONDS)]
    return all(bisect_right(sent, end) - bisect_right(sent, end - WINDOW_SECONDS) < per_minute for end in (now, *later))
