"""Guest links to results with given bytes, and the addresses that guests request."""

import hashlib
import shutil
from collections.abc import Iterator
from typing import Any

from django.test import Client

from runs.models import Guest, GuestLink, Run, StoredFile
from runs.sharing import guest_identity, links
from runs.storage import media, store
from runs.web import secret_links
from tests.support.factories import make_kept
from tests.support.requirements import skip_or_fail
from tests.support.secret_files import PICTURES, SOUNDS, medium

VARIANTS = ("original", "1200", "400", "200")


def stored_of(content: bytes) -> StoredFile:
    """Store `content` the way a result's file is stored."""
    path = store.new_waiting_path()
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return store.store(store.NewFile(path, media.inspect(path), digest, len(content)), "a.bin")


def link_to(run: Run, *contents: bytes, **fields: Any) -> GuestLink:
    """Create a guest link to results of `run` whose files are `contents`; downloads are allowed unless `fields` say
    otherwise."""
    for position, content in enumerate(contents):
        make_kept(run, stored_of(content), position)
    outputs = list(run.outputs.all()[: len(contents)])
    link = links.make_link(run.member, outputs)
    GuestLink.objects.filter(pk=link.pk).update(**({"may_download": True} | fields))
    return link


def guest_of(link: GuestLink, name: str = "Kim") -> Guest:
    """Return the guest of `link` with this name; create them if there is none."""
    guest = Guest.objects.filter(link=link, name=name).first() or guest_identity.newcomer(link, name)
    guest.link = link
    return guest


def page_of(link: GuestLink) -> str:
    return Client().get(path_of(link)).text


def original_of(link: GuestLink, position: int = 0) -> str:
    file = StoredFile.objects.get(results__output=link.outputs.order_by("position")[position])
    return f"{path_of(link)}files/{file.public_id}/original"


def body(answer: Any) -> bytes:
    content: bytes = b"".join(answer) if answer.streaming else answer.content
    answer.close()
    return content


def content_of(kind: str) -> bytes:
    if kind in PICTURES:
        return PICTURES[kind]()
    if not shutil.which("ffmpeg"):
        skip_or_fail("ffmpeg is not installed")
    return SOUNDS[kind]()[0] if kind in SOUNDS else medium(kind)


def addresses_of(link: GuestLink) -> Iterator[str]:
    """Yield the address of the guest page for `link`, and every address that serves its files."""
    yield path_of(link)
    yield f"{path_of(link)}download/"
    yield f"{path_of(link)}preview.jpg"
    for file in StoredFile.objects.all():
        for variant in VARIANTS:
            yield f"{path_of(link)}files/{file.public_id}/{variant}"
            yield f"{path_of(link)}files/{file.public_id}/{variant}?download=1"


def path_of(link: GuestLink) -> str:
    return f"/s/{secret_links.token_of(secret_links.Purpose.GUEST, link.nonce)}/"
