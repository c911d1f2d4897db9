"""Members' files and links: saved, checked, and sent to Lamina once."""

import errno
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from runs.background import leases, queue
from runs.models import Member, StoredFile, Upload
from runs.models.messages import Message
from runs.storage import store
from runs.storage.fetch import LIMITS, FetchFailed, FetchRefused
from runs.uploads import uploads
from runs.uploads.asset_upload import ensure_asset
from runs.uploads.uploads import LINKS_AT_ONCE, UploadRejected, fetch_upload, receive_file, receive_link, upload_infos
from runs.words.messages import say
from tests.support.hostile_server import PAGE, SVG, HostileServer, bomb_png, kept_files, picture
from tests.support.sandbox_door import SandboxDoor

if TYPE_CHECKING:
    from runs.lamina.client import LaminaClient
from tests.support.uploads import disk
from tests.support.work import queued

pytestmark = pytest.mark.django_db


def test_a_picture_from_disk_is_kept_with_its_small_pictures(alice: Member, settings: Settings) -> None:
    upload = receive_file(alice, disk(picture(640, 480)), ["image"])

    file = upload.file
    assert file is not None
    assert (upload.status, upload.name, say(upload.error)) == ("ready", "shoe red.png", "")
    assert (file.kind, file.media_type, file.width, file.height) == ("image", "image/png", 640, 480)
    assert file.file.open("rb").read() == picture(640, 480)
    for thumb in (file.thumb_200, file.thumb_400, file.thumb_1200):
        assert Image.open(BytesIO(thumb.open("rb").read())).format == "WEBP"
    assert str(file.file.name).startswith("files/")
    assert "shoe" not in str(file.file.name)
    assert len(kept_files(settings)) == 4


def wrong_kind(wanted: str, given: str) -> Message:
    return Message("wrong_kind", {"wanted_kinds": wanted, "given_kind": given})


@pytest.mark.parametrize(
    ("body", "accept", "message"),
    [
        (b"", ["image"], Message("empty_file")),
        (picture()[:80], ["image"], Message("broken_picture")),
        (bomb_png(), ["image"], Message("too_many_points")),
        (picture(), ["video"], wrong_kind("video", "image")),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", ["image", "video"], wrong_kind("image video", "audio")),
        (PAGE, ["image"], wrong_kind("image", "other")),
        (SVG, ["image/*"], Message("svg")),
        (b"#!/bin/sh", [], Message("no_media")),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", ["image"], Message("heic")),
    ],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_wrong_file_is_refused_with_a_sentence(
    body: bytes, accept: list[str], message: Message, alice: Member, settings: Settings
) -> None:
    with pytest.raises(UploadRejected) as rejected:
        receive_file(alice, disk(body), accept)

    assert rejected.value.message == message
    assert not Upload.objects.exists()
    assert not StoredFile.objects.exists()
    assert kept_files(settings) == []


def test_a_wrong_file_is_named_with_what_the_field_takes() -> None:
    words = say(wrong_kind("image video", "audio"))
    assert "a picture or a video" in words
    assert "an audio file" in words


def test_a_file_too_large_is_refused_with_both_numbers(alice: Member) -> None:
    large = disk(picture())
    large.size = LIMITS["image"] + 12_300_000
    with pytest.raises(UploadRejected, match=r"62\.3 MB.* 50 MB"):
        receive_file(alice, large, ["image"])


def test_a_full_disk_is_told_and_leaves_nothing(
    alice: Member, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = store._keep

    def full(path: Path, name: str, on_chunk: object = None) -> str:
        if name.endswith("-200.webp"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return keep(path, name)

    monkeypatch.setattr(store, "_keep", full)
    with pytest.raises(UploadRejected) as rejected:
        receive_file(alice, disk(picture()), ["image"])

    assert rejected.value.message.code == "disk_full"
    assert not StoredFile.objects.exists()
    assert kept_files(settings) == []


@pytest.mark.parametrize(
    ("link", "code"),
    [
        ("a nice cat", "no_link"),
        ("", "no_link"),
        ("http://example.com/a.png", "not_https"),
        ("https://127.0.0.1/", "private_address"),
        ("file:///etc/passwd", "not_https"),
        ("shoe.png", "no_link"),
        ("pictures/shoe.png", "no_link"),
        ("www.example.com a nice cat", "no_link"),
        ("me@www.example.com/x.jpg", "no_link"),
        ("10.0.0.1/x.jpg", "private_address"),
        ("www.localhost/x.jpg", "private_address"),
    ],
)
def test_a_bad_link_is_refused_at_once(link: str, code: str, alice: Member) -> None:
    with pytest.raises(UploadRejected) as rejected:
        receive_link(alice, link, ["image"])
    assert rejected.value.message.code == code
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("typed", "tried"),
    [
        (" www.example.com/x.jpg ", "https://www.example.com/x.jpg"),
        ("WWW.example.com", "https://WWW.example.com"),
        ("cdn.example.com/a/x.jpg?w=3", "https://cdn.example.com/a/x.jpg?w=3"),
        ("cdn.example.com:443/x.jpg", "https://cdn.example.com:443/x.jpg"),
        ("//bücher.example/x.jpg", "https://bücher.example/x.jpg"),
        ("https://example.com/x.jpg", "https://example.com/x.jpg"),
    ],
)
def test_a_link_without_its_start_is_completed(typed: str, tried: str, alice: Member) -> None:
    assert receive_link(alice, typed, ["image"]).source_url == tried


def test_a_link_is_fetched_by_the_worker(
    alice: Member, server: HostileServer, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        upload = receive_link(alice, f"  {server.url}/a.png ", ["image"])
    assert (upload.status, upload.name, server.hits) == ("fetching", "a.png", [])
    assert [q["func"] for q in queued()] == ["runs.tasks.fetch_links"]

    fetch_upload(upload.pk)
    fetch_upload(upload.pk)

    upload.refresh_from_db()
    assert (upload.status, upload.name) == ("ready", "a.png")
    assert server.hits == ["/a.png"]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/missing.png", "not_there"),
        ("/page-as-png", "link_to_web_page"),
        ("/svg-as-png", "svg"),
        ("/says-less", "broken_picture"),
        ("/redirect?to=https://127.0.0.1/", "private_address"),
        ("/says-huge", "too_large_to_fetch"),
    ],
)
def test_a_link_without_a_usable_file_fails_with_the_reason(
    path: str, code: str, alice: Member, server: HostileServer, settings: Settings
) -> None:
    upload = receive_link(alice, f"{server.url}{path}", ["image"])
    fetch_upload(upload.pk)

    upload.refresh_from_db()
    assert (upload.status, upload.error.code) == ("failed", code)
    assert kept_files(settings) == []


def test_a_link_that_another_worker_fetches_is_left_alone(alice: Member, server: HostileServer) -> None:
    upload = receive_link(alice, f"{server.url}/a.png", ["image"])
    Upload.objects.update(claimed_until=timezone.now() + timedelta(seconds=60))
    fetch_upload(upload.pk)
    assert server.hits == []

    Upload.objects.update(claimed_until=timezone.now() - timedelta(seconds=60))  # the worker that held the claim died
    fetch_upload(upload.pk)
    upload.refresh_from_db()
    assert upload.status == "ready"


def test_a_link_that_killed_its_worker_goes_behind_the_others(
    alice: Member, server: HostileServer, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    first, second = (receive_link(alice, f"{server.url}/{name}.png", []) for name in "ab")
    Upload.objects.filter(pk=first.pk).update(claimed_until=timezone.now() - timedelta(seconds=1))

    with django_capture_on_commit_callbacks(execute=True):
        uploads.LINKS.request()

    assert [waiting["func"] for waiting in queued()][-1] == "runs.tasks.fetch_links"
    claimed = uploads.LINKS.claim()
    assert claimed == second


def test_slow_links_hold_two_workers_at_most(alice: Member, server: HostileServer) -> None:
    upload = receive_link(alice, f"{server.url}/a.png", ["image"])
    for name in ("fetch_links-0", "fetch_links-1"):
        assert leases.acquire(name, "somebody", 60)

    fetch_upload(upload.pk)

    assert server.hits == []
    for _ in range(LINKS_AT_ONCE - 1):
        receive_link(alice, f"{server.url}/a.png", ["image"])
    with pytest.raises(UploadRejected):
        receive_link(alice, f"{server.url}/a.png", ["image"])


def test_a_link_that_is_not_fetched_within_an_hour_fails(alice: Member, server: HostileServer) -> None:
    upload = receive_link(alice, f"{server.url}/a.png", ["image"])
    Upload.objects.update(created_at=timezone.now() - timedelta(hours=2))
    fetch_upload(upload.pk)
    upload.refresh_from_db()
    assert (upload.status, upload.error.code) == ("failed", "too_slow")


def test_a_worker_that_stops_gives_the_link_back(
    alice: Member, server: HostileServer, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    upload = receive_link(alice, f"{server.url}/a.png", ["image"])
    monkeypatch.setattr(queue, "stop_flag", bytearray(b"\x01"))

    fetch_upload(upload.pk)

    upload.refresh_from_db()
    assert (upload.status, upload.claimed_until) == ("fetching", None)
    assert kept_files(settings) == []


def test_a_form_sees_its_members_uploads_in_order(alice: Member, bob: Member) -> None:
    first = receive_file(alice, disk(picture()), ["image"])
    second = receive_link(alice, "https://example.com/b.png", ["image"])
    foreign = receive_file(bob, disk(picture()), ["image"])

    infos = upload_infos(alice, [second.public_id, "nonsense", foreign.public_id, first.public_id])

    assert [info.id for info in infos] == [second.public_id, first.public_id]
    assert (infos[0].status, infos[0].kind, infos[0].size_bytes) == ("fetching", "", None)
    assert (infos[1].status, infos[1].kind, infos[1].width) == ("ready", "image", 64)
    assert infos[1].small_url


def test_a_file_is_sent_to_lamina_once(alice: Member, sandbox: SandboxDoor, lamina: "LaminaClient") -> None:
    upload = receive_file(alice, disk(picture()), ["image"])

    address = ensure_asset(upload, lamina)
    again = ensure_asset(Upload.objects.get(pk=upload.pk), lamina)

    assert address == again
    assert address.startswith(f"{sandbox.url}/assets/")
    assert len(sandbox.requests_to("upload_urls")) == len(sandbox.requests_to("upload_put")) == 1


def test_sending_can_be_repeated_after_a_failure(alice: Member, sandbox: SandboxDoor, lamina: "LaminaClient") -> None:
    upload = receive_file(alice, disk(picture()), ["image"])
    sandbox.control("faults", endpoint="upload_put", fault="status", status=503, times=1)

    with pytest.raises(FetchFailed) as failed:
        ensure_asset(upload, lamina)
    assert failed.value.message.code == "not_taken"
    assert Upload.objects.get().asset_url == ""

    assert ensure_asset(upload, lamina)


def test_no_file_goes_to_a_private_address_that_lamina_names(
    alice: Member, sandbox: SandboxDoor, lamina: "LaminaClient", settings: Settings
) -> None:
    """The operator trusts this origin only for reading files, not for sending them; Lamina itself has a different
    address."""
    settings.LAMINA_BASE_URL = "https://lamina.example"
    upload = receive_file(alice, disk(picture()), ["image"])
    with pytest.raises(FetchRefused):
        ensure_asset(upload, lamina)
    assert sandbox.requests_to("upload_put") == []
    assert Upload.objects.get().asset_url == ""


def test_a_lost_file_is_reported(alice: Member, lamina: "LaminaClient") -> None:
    upload = receive_file(alice, disk(picture()), ["image"])
    assert upload.file is not None
    default_storage.delete(upload.file.file.name or "")
    with pytest.raises(FetchRefused) as refused:
        ensure_asset(upload, lamina)
    assert refused.value.message.code == "file_lost"
    assert uploads.upload_info(upload).status == "ready"
