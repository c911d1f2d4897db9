"""Everything a link shows as one zip, written while it is sent. No provenance in it: that would tell what went in."""

from collections.abc import Iterator

from zipstream import ZipStream

from runs.models import GuestLink, StoredFile
from runs.services.guest_links import guest_page, guests

BLOCK_BYTES = 256 * 1024


def pack(link: GuestLink) -> ZipStream:
    """The results of LINK under the names guests see; its length is known before it is sent."""
    archive = ZipStream(sized=True)
    taken: set[str] = set()
    outputs = guests.outputs_of(link)
    for output, label in zip(outputs, guest_page.labels_of(outputs), strict=True):
        kept = [f.file for f in output.files.all() if f.file is not None]
        for index, stored in enumerate(kept):
            if stored.file.storage.exists(stored.file.name or ""):
                name = _unique(guest_page.file_name(label, index, stored), taken)
                archive.add(_blocks(stored), name, size=stored.size_bytes)
        if output.text:
            archive.add(output.text.encode("utf-8", "replace"), _unique(guest_page.text_name(label), taken))
    return archive


def _unique(name: str, taken: set[str]) -> str:
    stem, _, ending = name.rpartition(".")
    found, number = name, 1
    while found.casefold() in taken:
        number += 1
        found = f"{stem}_{number}.{ending}"
    taken.add(found.casefold())
    return found


def _blocks(stored: StoredFile) -> Iterator[bytes]:
    """The file piece by piece; it is opened when its turn comes."""
    with stored.file.storage.open(stored.file.name or "", "rb") as opened:
        while block := opened.read(BLOCK_BYTES):
            yield block
