"""What Lamina's limit alone forces on whoever follows many runs by polling: a perfect reader, simulated.

It is given the moments at which runs were started and ended, loses no time of its own, and asks no more than it must:
one look at the list every few seconds while an end is unknown, and one read for each run that ended, the oldest first.
Starts come first: it may ask only while no minute, with the starts that are still to come in it, holds more requests
than the limit.
"""

from bisect import bisect_right, insort
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

WINDOW_SECONDS = 60.0
STEP_SECONDS = 0.1


@dataclass(frozen=True)
class Delays:
    """Seconds from each end: until a look shows it, and until its results have been read."""

    told: list[float] = field(default_factory=list)
    read: list[float] = field(default_factory=list)


def delays(starts: Sequence[float], ends: Sequence[float], *, per_minute: int, look_seconds: float) -> Delays:
    """What the perfect reader needs; STARTS and ENDS are Unix seconds."""
    sent, to_end = sorted(starts), deque(sorted(ends))
    unknown: deque[float] = deque()
    listed: deque[float] = deque()  # ends that a look has shown
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
    """Whether one more at NOW leaves every minute it is part of within the limit; SENT holds starts to come, too."""
    later = sent[bisect_right(sent, now) : bisect_right(sent, now + WINDOW_SECONDS)]
    return all(bisect_right(sent, end) - bisect_right(sent, end - WINDOW_SECONDS) < per_minute for end in (now, *later))
