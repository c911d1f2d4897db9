"""What Lamina's limit alone forces on whoever follows many runs by polling: a perfect reader, simulated.

It is given the moments at which runs were started and ended, loses no time of its own, and asks no more than it must:
one look at the list every few seconds while an end is unknown, and one read for each run that ended, the oldest first.
It may ask whenever fewer requests than the limit, starts among them, were made within the last minute.
"""

from collections import deque
from collections.abc import Sequence

WINDOW_SECONDS = 60.0
STEP_SECONDS = 0.1


def delays(starts: Sequence[float], ends: Sequence[float], *, per_minute: int, look_seconds: float) -> list[float]:
    """Seconds from each end to the read that tells it; STARTS and ENDS are Unix seconds."""
    to_send, to_end = deque(sorted(starts)), deque(sorted(ends))
    sent: deque[float] = deque()
    unknown: deque[float] = deque()
    listed: deque[float] = deque()  # ends that a look has shown
    found: list[float] = []
    now, looked = to_end[0], float("-inf")
    while len(found) < len(ends):
        while to_send and to_send[0] <= now:
            sent.append(to_send.popleft())
        while sent and sent[0] <= now - WINDOW_SECONDS:
            sent.popleft()
        while to_end and to_end[0] <= now:
            unknown.append(to_end.popleft())
        if unknown and now - looked >= look_seconds and len(sent) < per_minute:
            sent.append(now)
            looked = now
            listed.extend(unknown)
            unknown.clear()
        while listed and len(sent) < per_minute:
            sent.append(now)
            found.append(now - listed.popleft())
        now += STEP_SECONDS
    return found
