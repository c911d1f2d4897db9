"""Guests get copies without prompts or other metadata, and never a byte of an original, at any URL."""

import io
import re
import subprocess
import zipfile
from pathlib import Path

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.utils import timezone
from PIL import Image
from pytest_django import Settings

from runs import tasks
from runs.engine.save_outputs import FILES
from runs.models import GuestCopy, GuestLink, Member, OutputFile, Run
from runs.sharing import make_guest_copies
from tests.sharing.guest_page import today
from tests.sharing.guest_visit import visit
from tests.support.clients import client_of
from tests.support.factories import make_kept, make_run
from tests.support.guest_links import addresses_of, body, content_of, link_to, original_of, page_of, path_of, stored_of
from tests.support.hostile_server import SVG, HostileServer, picture
from tests.support.html import flat
from tests.support.page import Page
from tests.support.secret_files import PICTURES, RECIPES, SECRET
from tests.support.work import work

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:Image appears to be a malformed MPO file"),
]

JOINED = ("joined.mp3", "ape2.mp3", "cut-and-joined.aac", "ape.flac", "joined.flac", "streamed.wav")


@pytest.fixture
def run(alice: Member) -> Run:
    return make_run(alice, status="completed")


def unpacked(content: bytes) -> bytes:
    """Return `content`, followed by the files in it if it is a zip."""
    if not content.startswith(b"PK"):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return content + b"".join(archive.read(name) for name in archive.namelist())


def streams(content: bytes) -> str:
    """Return checksums of all video and audio streams."""
    command = ["ffmpeg", "-v", "error", "-i", "pipe:0", "-map", "0:V?", "-map", "0:a?", "-f", "streamhash", "pipe:1"]
    return subprocess.run(command, input=content, capture_output=True, check=True, timeout=60).stdout.decode()


def notes_of(page: str, css: str = "guest-note") -> list[str]:
    """Return the notes about files on the guest page; with "share-copies-note", those on a member's page."""
    return [note.words for note in Page(page).find(css=css)]


# --- What guests get --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", [*PICTURES, *RECIPES, *JOINED])
def test_no_secret_of_an_original_reaches_a_guest(kind: str, run: Run, alice: Member) -> None:
    content = content_of(kind)
    assert SECRET in content
    link = link_to(run, content, may_download=False)
    upload = alice.uploads.create(file=stored_of(content), status="ready", name="a.png")
    run.inputs.create(position=1, name="Photo", type="url", value=[]).links.create(upload=upload, position=0)
    GuestLink.objects.update(shows_inputs=True)

    def look() -> None:
        for address in addresses_of(link):
            told = unpacked(body(Client().get(address)))
            assert SECRET not in told, address
            assert told != content

    look()  # the worker hasn't made any copies yet
    tasks.sweep()
    work()
    needs_copy = kind == "gif" or kind in (*RECIPES, *JOINED)  # for other files, thumbnails are enough
    assert GuestCopy.objects.filter(status="ready").count() == needs_copy
    look()

    GuestLink.objects.update(may_download=True)
    if not needs_copy:
        look()
        tasks.sweep()
        work()
        assert GuestCopy.objects.get().status == "ready"
    look()

    file = run.outputs.all()[0].files.get().file
    assert file is not None
    assert body(client_of(alice).get(file.original_url)) == content


@pytest.mark.parametrize("kind", RECIPES)
def test_a_film_or_a_sound_is_seen_and_heard_as_it_was(kind: str, run: Run) -> None:
    content = content_of(kind)
    link = link_to(run, content, may_download=False)
    make_guest_copies.COPIES.run()

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
    make_guest_copies.COPIES.run()
    answer = Client().get(f"{original_of(link)}?download=1")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="shared_front_{today()}.png"'
    with Image.open(io.BytesIO(body(answer))) as made, Image.open(io.BytesIO(content)) as before:
        assert made.tobytes() == before.tobytes()
        assert made.info["icc_profile"]  # without its texts: test_metadata.py


@pytest.mark.usefixtures("store")
def test_in_a_bucket_too(run: Run) -> None:
    link = link_to(run, PICTURES["jpg"](), content_of("mp4"))
    make_guest_copies.COPIES.run()
    for position in range(2):
        answer = Client().get(original_of(link, position))
        told = body(answer)
        assert (answer.status_code, SECRET in told, len(told) > 500) == (200, False, True)
    assert SECRET not in unpacked(body(Client().get(f"{path_of(link)}download/")))


def test_a_server_in_front_is_sent_to_the_copy(run: Run, settings: Settings) -> None:
    settings.PORTAL_ACCEL_PREFIX = "/kept-files/"
    link = link_to(run, PICTURES["png"]())
    make_guest_copies.COPIES.run()
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


# --- Until a copy is ready --------------------------------------------------------------------------------------------
def test_until_the_copies_are_there_guests_are_told_and_the_page_looks_again(run: Run) -> None:
    link = link_to(run, picture(1500, 900), picture(300, 200))
    first = Client().get(path_of(link))
    assert len(notes_of(first.text)) == 2
    assert "updates automatically" in Page(first.text).first(css="guest-wait").words
    assert first.headers["Refresh"] == f"5; url={path_of(link)}"
    assert "download" not in first.text
    for address in (original_of(link), f"{original_of(link)}?download=1", f"{path_of(link)}download/"):
        answer = Client().get(address)
        assert (answer.status_code, answer.headers["Refresh"], answer.headers["Retry-After"]) == (404, "5", "5")
        assert "being prepared" in answer.text

    tasks.sweep()
    assert "copy_for_guests" in work()

    then = Client().get(path_of(link))
    assert "prepared" not in then.text
    assert "Refresh" not in then.headers
    assert f'formaction="{path_of(link)}download/"' in then.text
    for found in re.findall(r'href="(/s/[^"]+)"', then.text):
        assert Client().get(found).status_code == 200


def test_behind_a_passphrase_a_button_loads_the_page_again_without_asking(run: Run) -> None:
    link = link_to(run, picture(), passphrase=make_password("green apples"))
    guest = visit(link).press("", passphrase="green apples")
    (button,) = (button for button in guest.page.find("button") if button.words == "Reload the page")
    assert "being prepared" in guest.send(*guest.sent_by(button)).words
    make_guest_copies.COPIES.run()
    assert "Download Front" in guest.send(*guest.sent_by(button)).words
    assert "Refresh" not in guest.answer.headers, "a refresh has no proof, so it would ask for the passphrase"


def test_a_page_that_plays_something_does_not_look_again_by_itself(run: Run) -> None:
    link = link_to(run, content_of("webm"), content_of("mp3"))
    make_guest_copies.COPIES.run()
    GuestCopy.objects.filter(source__kind="audio").update(status="preparing", file=None)
    answer = Client().get(path_of(link))
    (note,) = notes_of(answer.text)
    assert "being prepared" in note
    buttons = Page(answer.text).first(css="guest-wait").find("button")
    assert [button.attributes["formaction"] for button in buttons] == [path_of(link)]
    assert "Refresh" not in answer.headers


def test_a_link_asks_for_its_copies(run: Run, as_alice: Client, tmp_path: Path) -> None:
    make_kept(run, stored_of(picture()))
    as_alice.post("/shares/new/", {"run": run.public_id})
    link = GuestLink.objects.get()
    assert work() == []  # without permission to download, guests need only thumbnails
    day = f"{timezone.localdate():%Y-%m-%d}"
    filled = {"o": [run.outputs.all()[0].public_id], "last_day": day, "may_download": "on"}
    as_alice.post(f"/shares/{link.public_id}/", filled)
    assert work() == ["copy_for_guests"]
    assert "Download<" in page_of(link)


def test_a_result_that_arrives_later_is_copied_too(run: Run, server: HostileServer) -> None:
    link = link_to(run, picture())
    make_guest_copies.COPIES.run()
    server.files["/late.png"] = PICTURES["png"]()
    output = run.outputs.all()[0]
    OutputFile.objects.create(output=output, position=1, source_url=f"{server.url}/late.png")

    FILES.run()
    assert work() == ["copy_for_guests"]

    late = output.files.get(position=1).file
    assert late is not None
    told = body(Client().get(f"{path_of(link)}files/{late.public_id}/original"))
    assert (told[:4], SECRET in told) == (b"\x89PNG", False)


def test_a_member_reads_how_it_stands(run: Run, as_alice: Client) -> None:
    link = link_to(run, picture(), picture(90, 60))
    panel, options = f"/runs/{run.public_id}/share/", f"/shares/{link.public_id}/"
    for address in (panel, options, f"{options}copies/"):
        page = as_alice.get(address).text
        (note,) = notes_of(page, "share-copies-note")
        assert note.startswith("2 files are being prepared")
        assert f'hx-get="{options}copies/?auto=1"' in page
    make_guest_copies.COPIES.run()
    for address in (panel, options):
        assert "prepared" not in as_alice.get(address).text
    last = as_alice.get(f"{options}copies/").text
    assert [note.attributes.get("role") for note in Page(last).find(css="share-copies-note")] == ["status"]
    assert "hx-get" not in last


# --- What cannot be copied --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("format", ["TIFF", "BMP", "AVIF"])
def test_of_what_cannot_be_stripped_guests_get_a_smaller_picture(format: str, run: Run, as_alice: Client) -> None:
    link = link_to(run, picture(1500, 900, format), picture())
    make_guest_copies.COPIES.run()

    page = page_of(link)
    (note,) = notes_of(page)
    assert note.startswith("Only this smaller picture can be shared")
    assert Client().get(original_of(link)).status_code == 404
    name = f"shared_front_{today()}.webp"
    (still,) = re.findall(rf'class="guest-download" href="([^"]+/1200\?download=1)" download="{name}"', flat(page))
    answer = Client().get(still)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    with zipfile.ZipFile(io.BytesIO(body(Client().get(f"{path_of(link)}download/")))) as archive:
        assert archive.namelist() == [name, f"shared_back_{today()}.png", "files.csv", "Missing files.txt"]
        missing = archive.read("Missing files.txt").decode()
        assert f"- shared_front_{today()}.{format.lower()}: a smaller version is included" in missing
    (note,) = notes_of(as_alice.get(f"/shares/{link.public_id}/").text, "share-copies-note")
    assert note.startswith("1 file isn't shared with guests")


def test_a_file_of_another_kind_is_not_offered(run: Run) -> None:
    link = link_to(run, SVG)
    make_guest_copies.COPIES.run()
    (note,) = notes_of(page_of(link))
    assert "can't be shared" in note
    assert "Ask Alice" in note
    assert Client().get(original_of(link)).status_code == 404


def test_an_ogg_joined_from_several_is_not_offered(run: Run) -> None:
    content = content_of("ogg")
    link = link_to(run, content + content)
    make_guest_copies.COPIES.run()
    assert GuestCopy.objects.get().status == "impossible"
    assert Client().get(original_of(link)).status_code == 404


@pytest.mark.parametrize("kind", ["mp3", "flac", "wav", "joined.aac"])
def test_without_ffmpeg_most_sounds_are_copied(
    kind: str, run: Run, as_alice: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    content = content_of(kind)
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    link = link_to(run, content, may_download=False)
    make_guest_copies.COPIES.run()
    told = body(Client().get(original_of(link)))
    assert (len(told) > 500, SECRET in told) == (True, False)
    assert "ffmpeg" not in as_alice.get(f"/shares/{link.public_id}/").text


def test_a_sound_that_waited_for_ffmpeg_waits_no_longer(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    link = link_to(run, content_of("mp3"), content_of("mp4"))
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    make_guest_copies.COPIES.run()
    GuestCopy.objects.update(status="no-tool", file=None)

    tasks.sweep()
    assert "copy_for_guests" in work()

    assert dict(GuestCopy.objects.values_list("source__kind", "status")) == {"audio": "ready", "video": "no-tool"}
    assert SECRET not in body(Client().get(original_of(link)))


def test_without_ffmpeg_a_film_goes_out_as_it_is_where_the_tick_box_says_so(
    run: Run, as_alice: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    content = content_of("mp4")
    link = link_to(run, content, may_download=False)
    options = f"/shares/{link.public_id}/"
    words = "Downloads of video and audio files may contain the prompt because ffmpeg isn't installed on the server."
    assert "ffmpeg" not in as_alice.get(options).text
    with monkeypatch.context() as patched:
        patched.setenv("PATH", str(tmp_path / "nowhere"))
        make_guest_copies.COPIES.run()
        assert GuestCopy.objects.get().status == "no-tool"
        assert words in as_alice.get(options).text
        (note,) = notes_of(as_alice.get(options).text, "share-copies-note")
        assert note.startswith("Guests can't play 1 file")
        (note,) = notes_of(page_of(link))
        assert "can't be played here. Ask Alice" in note
        assert Client().get(original_of(link)).status_code == 404

        GuestLink.objects.update(may_download=True)
        (note,) = notes_of(as_alice.get(options).text, "share-copies-note")
        assert note.startswith("1 file is shared unchanged and may contain the prompt")
        assert body(Client().get(original_of(link))) == content

    tasks.sweep()
    assert "copy_for_guests" in work()  # now, ffmpeg is installed
    told = body(Client().get(original_of(link)))
    assert (len(told) > 500, SECRET in told) == (True, False)
