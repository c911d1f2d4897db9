"""Guests get copies without prompts and other metadata; of an original not one byte, at whatever address they ask."""

import hashlib
import io
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from PIL import Image
from pytest_django import Settings

from runs import queue, tasks
from runs.models import GuestCopy, GuestLink, Member, OutputFile, Run, StoredFile
from runs.services import sharing
from runs.services.files import ffmpeg, media, storing, stripping
from runs.services.guest_links import copies, copying
from runs.services.history import bin as bins
from runs.services.outputs import keep_due_files
from tests.conftest import client_of, skip_or_fail
from tests.factories import make_kept, make_run
from tests.services.hostile import SVG, HostileServer, kept_files, picture
from tests.services.secretive import PICTURES, RECIPES, SECRET, medium
from tests.test_guests import path_of
from tests.work import work

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:Image appears to be a malformed MPO file"),
]
VARIANTS = ("original", "1200", "400", "200")


@pytest.fixture
def run(alice: Member) -> Run:
    return make_run(alice, status="completed")


def store(content: bytes) -> StoredFile:
    """CONTENT kept as a result would be."""
    path = storing.new_waiting_path()
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return storing.store(storing.Arrival(path, media.inspect(path), digest, len(content)), "a.bin")


def link_to(run: Run, *contents: bytes, **fields: Any) -> GuestLink:
    """A link to results of RUN that hold CONTENTS, with leave to download unless FIELDS say otherwise."""
    for position, content in enumerate(contents):
        make_kept(run, store(content), position)
    outputs = list(run.outputs.all()[: len(contents)])
    link = sharing.make_link(run.member, outputs)
    GuestLink.objects.filter(pk=link.pk).update(**({"may_download": True} | fields))
    return link


def page_of(link: GuestLink) -> str:
    return Client().get(path_of(link)).text


def original_of(link: GuestLink, position: int = 0) -> str:
    file = StoredFile.objects.get(results__output=link.outputs.order_by("position")[position])
    return f"{path_of(link)}files/{file.public_id}/original"


def body(answer: Any) -> bytes:
    content: bytes = b"".join(answer) if answer.streaming else answer.content
    answer.close()
    return content


def content_of(kind: str, folder: Path) -> bytes:
    if kind in PICTURES:
        return PICTURES[kind]()
    if not shutil.which("ffmpeg"):
        skip_or_fail("ffmpeg is not installed")
    return medium(kind, folder)


def addresses_of(link: GuestLink) -> Iterator[str]:
    """Every address of LINK that answers with bytes, and its page."""
    yield path_of(link)
    yield f"{path_of(link)}download/"
    yield f"{path_of(link)}preview.jpg"
    for file in StoredFile.objects.all():
        for variant in VARIANTS:
            yield f"{path_of(link)}files/{file.public_id}/{variant}"
            yield f"{path_of(link)}files/{file.public_id}/{variant}?download=1"


def unpacked(content: bytes) -> bytes:
    """CONTENT, and whatever is in it if it is a zip."""
    if not content.startswith(b"PK"):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return content + b"".join(archive.read(name) for name in archive.namelist())


def streams(content: bytes) -> str:
    """Checksums of all that is seen and heard."""
    command = ["ffmpeg", "-v", "error", "-i", "pipe:0", "-map", "0:V?", "-map", "0:a?", "-f", "streamhash", "pipe:1"]
    return subprocess.run(command, input=content, capture_output=True, check=True, timeout=60).stdout.decode()


# --- What they get ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", [*PICTURES, *RECIPES])
@pytest.mark.parametrize("may_download", [True, False], ids=["download", "look"])
def test_no_secret_of_an_original_reaches_a_guest(
    kind: str, may_download: bool, run: Run, alice: Member, tmp_path: Path
) -> None:
    content = content_of(kind, tmp_path)
    assert SECRET in content
    link = link_to(run, content, may_download=may_download)
    upload = alice.uploads.create(file=store(content), status="ready", name="a.png")
    run.inputs.create(position=1, name="Photo", type="url", value=[]).links.create(upload=upload, position=0)
    GuestLink.objects.update(shows_inputs=True)
    tasks.sweep()
    work()
    is_copied = may_download or kind == "gif" or kind in RECIPES  # else small pictures do
    assert GuestCopy.objects.filter(status="ready").count() == is_copied

    for made in (True, False):
        if not made:  # nobody has come to it yet
            GuestCopy.objects.all().delete()
        for address in addresses_of(link):
            told = unpacked(body(Client().get(address)))
            assert SECRET not in told, address
            assert told != content

    file = run.outputs.all()[0].files.get().file
    assert file is not None
    assert body(client_of(alice).get(file.original_url)) == content


@pytest.mark.parametrize("kind", RECIPES)
def test_a_film_or_a_sound_is_seen_and_heard_as_it_was(kind: str, run: Run, tmp_path: Path) -> None:
    content = content_of(kind, tmp_path)
    link = link_to(run, content, may_download=False)
    copying.make_due_copies()

    answer = Client().get(original_of(link))
    made = body(answer)

    file = run.outputs.all()[0].files.get().file
    assert file is not None
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, file.media_type)
    assert streams(made) == streams(content)
    part = Client().get(original_of(link), headers={"Range": "bytes=0-9"})
    assert (part.status_code, body(part)) == (206, made[:10])


def test_a_download_is_the_picture_as_it_was(run: Run) -> None:
    content = PICTURES["png"]()
    link = link_to(run, content)
    copying.make_due_copies()
    answer = Client().get(f"{original_of(link)}?download=1")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="front.png"'
    with Image.open(io.BytesIO(body(answer))) as made, Image.open(io.BytesIO(content)) as before:
        assert made.tobytes() == before.tobytes()
        assert made.info["icc_profile"] == before.info["icc_profile"]


@pytest.mark.usefixtures("store")
def test_in_a_bucket_too(run: Run, tmp_path: Path) -> None:
    link = link_to(run, PICTURES["jpg"](), content_of("mp4", tmp_path))
    copying.make_due_copies()
    for position in range(2):
        answer = Client().get(original_of(link, position))
        told = body(answer)
        assert (answer.status_code, SECRET in told, len(told) > 500) == (200, False, True)
    assert SECRET not in unpacked(body(Client().get(f"{path_of(link)}download/")))


def test_a_server_in_front_is_sent_to_the_copy(run: Run, settings: Settings) -> None:
    settings.PORTAL_ACCEL_PREFIX = "/kept-files/"
    link = link_to(run, PICTURES["png"]())
    copying.make_due_copies()
    copy = GuestCopy.objects.select_related("file", "source").get()
    assert copy.file is not None
    place = Client().get(original_of(link)).headers["X-Accel-Redirect"]
    assert place == f"/kept-files/{copy.file.file.name}" != f"/kept-files/{copy.source.file.name}"


def test_a_picture_that_is_only_looked_at_needs_no_copy(run: Run) -> None:
    link = link_to(run, picture(300, 200), may_download=False)
    tasks.sweep()
    assert work() == []
    assert "prepared" not in page_of(link)
    assert Client().get(original_of(link)).status_code == 404


# --- Until it is there ------------------------------------------------------------------------------------------------
def test_until_the_copies_are_there_guests_are_told_and_the_page_looks_again(run: Run) -> None:
    link = link_to(run, picture(1500, 900), picture(300, 200))
    first = Client().get(path_of(link))
    assert first.text.count("The picture in full size is being prepared and will be here in a moment.") == 2
    assert "This page looks again by itself." in first.text
    assert first.headers["Refresh"] == f"5; url={path_of(link)}"
    assert "download" not in first.text
    for address in (original_of(link), f"{original_of(link)}?download=1", f"{path_of(link)}download/"):
        answer = Client().get(address)
        assert (answer.status_code, answer.headers["Refresh"], answer.headers["Retry-After"]) == (503, "5", "5")
        assert "being prepared" in answer.text

    assert "copy_for_guests" in (tasks.sweep(), work())[1]

    then = Client().get(path_of(link))
    assert "prepared" not in then.text
    assert "Refresh" not in then.headers
    assert f'href="{path_of(link)}download/"' in then.text
    for found in re.findall(r'href="(/s/[^"]+)"', then.text):
        assert Client().get(found).status_code == 200


def test_behind_a_passphrase_the_page_looks_again_without_asking(run: Run) -> None:
    link = link_to(run, picture(), passphrase=make_password("green apples"))
    answer = Client().post(path_of(link), {"passphrase": "green apples"})
    again = answer.headers["Refresh"].partition("url=")[2]
    assert "being prepared" in Client().get(again).text
    copying.make_due_copies()
    assert "Download<" in Client().get(again).text
    assert "What is the passphrase?" in Client().get(path_of(link)).text
    assert "What is the passphrase?" in Client().get(f"{again}x").text


def test_a_page_that_plays_something_does_not_look_again_by_itself(run: Run, tmp_path: Path) -> None:
    link = link_to(run, content_of("webm", tmp_path), content_of("mp3", tmp_path))
    copying.make_due_copies()
    GuestCopy.objects.filter(source__kind="audio").update(status="preparing", file=None)
    answer = Client().get(path_of(link))
    assert "This sound is being prepared" in answer.text
    assert f'<a href="{path_of(link)}">Look again</a>' in answer.text
    assert "Refresh" not in answer.headers


def test_a_link_rings_for_its_copies(run: Run, as_alice: Client, tmp_path: Path) -> None:
    make_kept(run, store(picture()))
    as_alice.post("/shares/new/", {"run": run.public_id})
    link = GuestLink.objects.get()
    assert work() == []  # without leave to download small pictures do
    day = f"{timezone.localdate():%Y-%m-%d}"
    filled = {"o": [run.outputs.all()[0].public_id], "last_day": day, "may_download": "on"}
    as_alice.post(f"/shares/{link.public_id}/", filled)
    assert work() == ["copy_for_guests"]
    assert "Download<" in page_of(link)


def test_a_result_that_arrives_later_is_copied_too(run: Run, server: HostileServer) -> None:
    link = link_to(run, picture())
    copying.make_due_copies()
    server.files["/late.png"] = PICTURES["png"]()
    output = run.outputs.all()[0]
    OutputFile.objects.create(output=output, position=1, source_url=f"{server.url}/late.png")

    keep_due_files()
    assert work() == ["copy_for_guests"]

    late = output.files.get(position=1).file
    assert late is not None
    told = body(Client().get(f"{path_of(link)}files/{late.public_id}/original"))
    assert (told[:4], SECRET in told) == (b"\x89PNG", False)


def test_a_member_reads_how_it_stands(run: Run, as_alice: Client) -> None:
    link = link_to(run, picture(), picture(90, 60))
    panel, options = f"/runs/{run.public_id}/share/", f"/shares/{link.public_id}/"
    words = "2 files are being prepared: guests get copies without prompts and other hidden details."
    for address in (panel, options, f"{options}copies/"):
        page = as_alice.get(address).text
        assert words in page
        assert f'hx-get="{options}copies/"' in page
    copying.make_due_copies()
    for address in (panel, options):
        assert "prepared" not in as_alice.get(address).text
    last = as_alice.get(f"{options}copies/").text
    assert "All files are ready for guests, without prompts and other hidden details." in last
    assert "hx-get" not in last


# --- What cannot be made ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("format", ["TIFF", "BMP", "AVIF"])
def test_of_what_cannot_be_stripped_guests_get_a_smaller_picture(format: str, run: Run, as_alice: Client) -> None:
    link = link_to(run, picture(1500, 900, format), picture())
    copying.make_due_copies()

    page = page_of(link)
    assert (
        "Only this smaller picture can be shared: hidden details in the picture itself can&#x27;t be removed." in page
    )
    assert Client().get(original_of(link)).status_code == 404
    (still,) = re.findall(r'class="guest-download" href="([^"]+/1200\?download=1)" download="front.webp"', page)
    answer = Client().get(still)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="front.webp"'
    with zipfile.ZipFile(io.BytesIO(body(Client().get(f"{path_of(link)}download/")))) as archive:
        assert archive.namelist() == ["front.webp", "back.png", "Not all of it.txt"]
        assert b"- front.%s: a smaller picture of it is here" % format.lower().encode() in archive.read(
            "Not all of it.txt"
        )
    assert "1 file is not offered to guests" in as_alice.get(f"/shares/{link.public_id}/").text


def test_a_file_of_another_kind_is_not_offered(run: Run) -> None:
    link = link_to(run, SVG)
    copying.make_due_copies()
    assert "This file can&#x27;t be shared: hidden details in it can&#x27;t be removed. Ask Alice for it." in page_of(
        link
    )
    assert Client().get(original_of(link)).status_code == 404


def test_without_ffmpeg_a_film_goes_out_as_it_is_where_the_tick_box_says_so(
    run: Run, as_alice: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    content = content_of("mp4", tmp_path)
    link = link_to(run, content, may_download=False)
    options = f"/shares/{link.public_id}/"
    words = "Downloads of videos and sounds may contain the prompt: ffmpeg isn't installed on the server."
    assert "ffmpeg" not in as_alice.get(options).text
    with monkeypatch.context() as patched:
        patched.setenv("PATH", str(tmp_path / "nowhere"))
        copying.make_due_copies()
        assert GuestCopy.objects.get().status == "no-tool"
        assert words in as_alice.get(options).text
        assert "1 file is not played to guests" in as_alice.get(options).text
        assert "This video can&#x27;t be played here. Ask Alice for it." in page_of(link)
        assert Client().get(original_of(link)).status_code == 404

        GuestLink.objects.update(may_download=True)
        assert "1 file is offered unchanged and may contain the prompt" in as_alice.get(options).text
        assert body(Client().get(original_of(link))) == content

    tasks.sweep()
    assert "copy_for_guests" in work()  # once it is installed
    told = body(Client().get(original_of(link)))
    assert (len(told) > 500, SECRET in told) == (True, False)


# --- Trouble ----------------------------------------------------------------------------------------------------------
def test_a_full_disk_is_waited_for_with_a_sentence(
    run: Run, as_alice: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = link_to(run, picture(1500, 900))
    before = kept_files(settings)

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    waits = []
    with monkeypatch.context() as patched:
        patched.setattr(storing, "_keep", full)
        for _ in range(6):
            GuestCopy.objects.update(due_at=timezone.now())
            copying.make_due_copies()
            due_at = GuestCopy.objects.get().due_at
            assert due_at is not None
            waits.append(round((due_at - timezone.now()).total_seconds()))
    assert waits == pytest.approx([30, 120, 600, 3600, 3600, 3600], abs=5)
    assert kept_files(settings) == before
    assert not list((Path(settings.MEDIA_ROOT) / storing.WAITING_ROOM).iterdir())

    answer = Client().get(path_of(link))
    assert "Something went wrong while the picture in full size was prepared." in answer.text
    assert answer.headers["Refresh"].startswith("60;")
    panel = as_alice.get(f"/shares/{link.public_id}/").text
    assert "1 file is not ready for guests yet, and will be tried again." in panel
    assert "no room left on the portal&#x27;s disk" in panel

    GuestCopy.objects.update(due_at=timezone.now())
    copying.make_due_copies()
    assert Client().get(original_of(link)).status_code == 200
    assert "tried again" not in as_alice.get(f"/shares/{link.public_id}/").text


def test_whatever_a_file_raises_the_others_are_made(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    link = link_to(run, picture(), picture(90, 60, "JPEG"))

    def odd(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(stripping.STRIPPERS, "image/png", odd)  # type: ignore[arg-type]
    for _ in range(copying.MOST_FAILURES):
        GuestCopy.objects.filter(status="preparing").update(due_at=timezone.now())
        copying.make_due_copies()
        assert Client().get(original_of(link, 1)).status_code == 200
    assert GuestCopy.objects.get(source__media_type="image/png").status == "impossible"
    assert "ZeroDivisionError" in caplog.text


def test_a_film_that_ffmpeg_cannot_read_ends_too(run: Run) -> None:
    link = link_to(run, b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm" + b"SECRET" * 5000, may_download=False)
    for _ in range(copying.MOST_FAILURES):
        GuestCopy.objects.filter(status="preparing").update(due_at=timezone.now())
        copying.make_due_copies()
    assert GuestCopy.objects.get().status == "impossible"
    assert "This video can&#x27;t be shared" in page_of(link)


def test_a_killed_worker_loses_its_claim_and_nothing_is_left_of_it(
    run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = link_to(run, picture())
    before = kept_files(settings)

    def killed(*_: object) -> bool:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(copying, "_settle", killed)
        with pytest.raises(SystemExit):
            copying.make_due_copies()
    assert kept_files(settings) == before
    past = timezone.now() - timedelta(seconds=1)
    GuestCopy.objects.update(claimed_until=past, due_at=past)
    copying.make_due_copies()
    assert Client().get(original_of(link)).status_code == 200


def test_a_worker_that_stops_gives_its_film_back(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    link_to(run, content_of("mp4", tmp_path))
    flag = bytearray(b"\x00")
    monkeypatch.setattr(queue, "stop_flag", flag)
    copy_film = ffmpeg.copy_without_metadata

    def stop(*arguments: Any) -> None:
        flag[0] = 1
        arguments[-1]()
        copy_film(*arguments)

    monkeypatch.setattr(ffmpeg, "copy_without_metadata", stop)
    copying.make_due_copies()
    copy = GuestCopy.objects.get()
    assert (copy.status, copy.claimed_until, copy.attempts) == ("preparing", None, 0)


def test_a_copy_that_is_gone_is_made_again(run: Run) -> None:
    link = link_to(run, picture())
    copying.make_due_copies()
    first = GuestCopy.objects.select_related("file").get().file
    assert first is not None
    default_storage.delete(first.file.name or "")

    assert Client().get(original_of(link)).status_code == 503
    assert work() == ["copy_for_guests"]
    assert Client().get(original_of(link)).status_code == 200

    again = GuestCopy.objects.select_related("file").get().file
    assert again is not None
    default_storage.delete(again.file.name or "")
    copying.tidy()  # once a day, unasked
    assert work() == ["copy_for_guests"]
    assert Client().get(f"{path_of(link)}download/").status_code == 200


# --- Room -------------------------------------------------------------------------------------------------------------
def test_the_same_content_is_copied_once_and_goes_with_its_last_result(alice: Member, settings: Settings) -> None:
    content = PICTURES["png"]()
    runs = [make_run(alice, status="completed") for _ in range(2)]
    links = [link_to(run, content) for run in (*runs, runs[0]) if not run.outputs.filter(files__isnull=False)]
    links.append(sharing.make_link(alice, list(runs[0].outputs.all()[:1])))
    copying.make_due_copies()
    assert GuestCopy.objects.filter(status="ready").count() == 2
    assert GuestCopy.objects.values("file").distinct().count() == 1
    assert len(kept_files(settings)) == 2 * 4 + 1

    for left, run in zip((1, 0), runs, strict=True):
        Run.objects.filter(pk=run.pk).update(deleted_at=timezone.now())
        assert bins.delete_for_good(run)
        assert len(kept_files(settings)) == (left * 4 + 1 if left else 0)
    assert not StoredFile.objects.exists()


def test_a_copy_that_no_open_link_needs_goes_after_a_week(run: Run, alice: Member, settings: Settings) -> None:
    link = link_to(run, picture())
    copying.make_due_copies()
    sharing.revoke(link, alice)
    copying.tidy()
    assert GuestCopy.objects.count() == 1  # it may be restored
    GuestCopy.objects.update(created_at=timezone.now() - timedelta(days=8))
    copying.tidy()
    assert not GuestCopy.objects.exists()
    assert len(kept_files(settings)) == 4

    link.refresh_from_db()
    sharing.restore(link, sharing.SharingRules.current())
    assert work() == ["copy_for_guests"]
    assert Client().get(original_of(link)).status_code == 200
    GuestCopy.objects.update(created_at=timezone.now() - timedelta(days=8))
    copying.tidy()
    assert Client().get(original_of(link)).status_code == 200


def test_no_member_finds_a_copy(run: Run, as_alice: Client, as_admin: Client) -> None:
    link_to(run, picture())
    copying.make_due_copies()
    copy = GuestCopy.objects.select_related("file").get().file
    assert copy is not None
    for client in (as_alice, as_admin):
        assert client.get(copy.original_url).status_code == 404


def test_both_ways_of_asking_what_is_needed_agree(run: Run, alice: Member) -> None:
    """In the database for the worker, in memory for the page."""
    stored = store(picture(300, 200))
    make_kept(run, stored)
    link = sharing.make_link(alice, list(run.outputs.all()[:1]))
    for may_download in (True, False):
        for kind in StoredFile.Kind.values:
            for media_type, thumb in (("image/png", "x.webp"), ("image/gif", "x.webp"), ("image/png", "")):
                StoredFile.objects.update(kind=kind, media_type=media_type, thumb_1200=thumb)
                GuestLink.objects.update(may_download=may_download)
                link.refresh_from_db()
                stored.refresh_from_db()
                assert copies.wanted().exists() is copies.needs_itself(link, stored)
