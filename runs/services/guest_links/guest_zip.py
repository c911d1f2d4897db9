"""Everything a link shows as one zip, written while it is sent. No provenance in it: that would tell what went in."""

from zipstream import ZipStream

from runs.models import GuestLink
from runs.services.files import naming, storing
from runs.services.guest_links import guest_page, guests


def pack(link: GuestLink) -> ZipStream:
    """The results of LINK under the names guests see; its length is known before it is sent."""
    archive = ZipStream(sized=True)
    taken: set[str] = set()
    outputs = guests.outputs_of(link)
    for output, label in zip(outputs, guest_page.labels_of(outputs), strict=True):
        kept = [f.file for f in output.files.all() if f.file is not None]
        for index, stored in enumerate(kept):
            if stored.file.storage.exists(stored.file.name or ""):
                name = naming.unique(guest_page.file_name(label, index, stored), taken)
                archive.add(storing.blocks_of(stored), name, size=stored.size_bytes)
        if output.text:
            archive.add(output.text.encode("utf-8", "replace"), naming.unique(guest_page.text_name(label), taken))
    return archive
