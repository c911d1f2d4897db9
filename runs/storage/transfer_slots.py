"""Slots that limit how many workers transfer files at the same time.

At most two workers save results, two fetch links, two send files to Lamina, one creates deferred thumbnails and one
makes copies for guests. This way, a video or a slow link never holds up anything else: three of the eleven workers are
always left for starts, the poller and the pulse.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from runs.background import leases
from runs.background.queue import stop_requested

KEEPING = ("files-0", "files-1")
LINKS = ("links-0", "links-1")
HANDING_OVER = ("hand-over-0", "hand-over-1")
PICTURES = ("pictures-0",)
COPYING = ("copies-0",)
LEASE_SECONDS = 60.0


@dataclass(frozen=True)
class FileSlot:
    """Permission to transfer files, granted for 60 s at a time."""

    name: str
    holder: str

    def is_kept(self) -> bool:
        """Renew the slot for another 60 s; return False if the worker must stop or another worker has the slot."""
        return not stop_requested() and leases.renew(self.name, self.holder, LEASE_SECONDS)


@contextmanager
def file_slot(slots: tuple[str, ...]) -> Iterator[FileSlot | None]:
    """Hold one of `slots` during the block; yield None if all are taken."""
    holder = leases.new_holder()
    name = next((slot for slot in slots if leases.acquire(slot, holder, LEASE_SECONDS)), None)
    try:
        yield FileSlot(name, holder) if name else None
    finally:
        if name:
            leases.release(name, holder)
