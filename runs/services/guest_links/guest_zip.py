"""Everything a link shows as one zip, written while it is sent. No provenance in it: that would tell what went in."""

from zipstream import ZipStream

from runs.models import GuestLink
from runs.services.files import naming, storing
from runs.services.guest_links import guests
from runs.services.guest_links.guest_names import file_name, labels_of, text_name


def pack(link: GuestLink) -> ZipStream:
    """The results of LINK under the names guests see; its length is known before it is sent."""
    archive = ZipStream(sized=True)
    taken: set[str] = set()
    outputs = guests.outputs_of(link)
    for output, label in zip(outputs, labels_of(outputs), strict=True):
        for kept in output.files.all():
            stored = kept.file
            if stored is not None and stored.file.storage.exists(stored.file.name or ""):
                name = naming.unique(file_name(label, kept.position, stored), taken)
                archive.add(storing.blocks_of(stored), name, size=stored.size_bytes)
        if output.text:
            archive.add(output.text.encode("utf-8", "replace"), naming.unique(text_name(label), taken))
    return archive
