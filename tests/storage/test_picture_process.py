"""One bad file never stops the others, even if the process that opens it crashes, hangs or keeps using more memory."""

import signal
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from django.utils.html import escape
from PIL import Image
from pytest_django import Settings

from runs import catalog
from runs.engine.save_outputs import FILES
from runs.models import App, Member, Output, OutputFile, Run, Upload
from runs.models.messages import Message
from runs.storage import deferred_thumbnails, picture_client, picture_headers, picture_process, picture_slots
from runs.storage.fetch import LIMITS
from runs.storage.ffmpeg import CopyFailed
from runs.storage.foreign_pictures import save_catalog_picture
from runs.storage.media import NotMedia, inspect
from runs.storage.picture_slots import picture_slot
from runs.uploads.uploads import UploadRejected, receive_file
from runs.words.messages import say
from tests.support.damaged_files import GIVEN
from tests.support.factories import make_run
from tests.support.hostile_server import HostileServer, picture
from tests.support.messages import says
from tests.support.pretend import DIES, HANGS, Pretend
from tests.support.processes import ROOT, TIMEOUT_SECONDS
from tests.support.sandbox_door import SandboxDoor


@pytest.fixture
def run(alice: Member) -> Run:
    return make_run(alice, status="completed")


def make_file(run: Run, url: str, position: int = 0, **fields: Any) -> OutputFile:
    return OutputFile.objects.create(
        output=Output.objects.filter(run=run)[0], position=position, source_url=url, **fields
    )


def upload(member: Member, body: bytes) -> Upload:
    return receive_file(member, SimpleUploadedFile("photo.png", body), ["image"])


def large_png(width: int, height: int) -> bytes:
    """Return a single-colour PNG with transparency, which takes 4 bytes per pixel."""
    packer = zlib.compressobj(1)
    row = bytes(1 + 4 * width)
    data = b"".join([*(packer.compress(row) for _ in range(height)), packer.flush()])

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.django_db
@pytest.mark.parametrize("make", GIVEN)
def test_odd_metadata_is_no_reason_to_lose_a_picture(
    make: Callable[[], bytes], run: Run, alice: Member, server: HostileServer
) -> None:
    server.files |= {"/odd.jpg": make(), "/good.png": picture()}
    odd, good = make_file(run, f"{server.url}/odd.jpg"), make_file(run, f"{server.url}/good.png", 1)

    FILES.run()
    given = upload(alice, make())

    for kept in (odd, good):
        kept.refresh_from_db()
        assert kept.status == "saved", kept.error
    for file in (odd.file, given.file):
        assert file is not None
        assert (file.width, file.height) == (48, 64)  # rotated as the camera's metadata says
        with Image.open(BytesIO(file.thumb_200.open("rb").read())) as small:
            assert small.size == (48, 64)


@pytest.mark.django_db
@pytest.mark.parametrize("make", [*GIVEN, lambda: b"\xff\xd8\xff" + bytes(500)])
def test_an_odd_picture_does_not_stop_other_apps_forms(
    make: Callable[[], bytes], sandbox: SandboxDoor, server: HostileServer, settings: Settings
) -> None:
    settings.TRUSTED_FILE_ORIGINS = [sandbox.url, server.url]
    server.files["/odd.jpg"] = make()
    sample = f"{server.url}/odd.jpg"
    photo = {"id": "u", "key": "", "name": "Photo", "type": "url", "accept": ["image"], "default": sample}
    outputs = [{"index": 0, "label": "Result", "type": "image"}]
    sandbox.control("apps", app={"appId": "odd", "name": "Odd", "parameters": [photo], "outputs": outputs})
    app = App.objects.create(remote_id="odd", name="not read yet")

    catalog.refresh_app(app.pk)

    app.refresh_from_db()
    assert server.hits == ["/odd.jpg"]
    assert app.schema is not None
    assert bool(app.samples) is (make in GIVEN)


@pytest.mark.django_db
def test_any_error_only_costs_the_app_its_picture(server: HostileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def raising(path: Path, reader: str) -> picture_headers.Header:
        raise TypeError("bad operand type for abs(): 'str'")

    monkeypatch.setattr(picture_headers, "read_header", raising)
    assert save_catalog_picture(f"{server.url}/a.png") is None
    assert server.hits == ["/a.png"]


@pytest.mark.django_db
def test_any_error_only_refuses_the_upload(alice: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    def raising(path: Path, reader: str) -> picture_headers.Header:
        raise TypeError("bad operand type for abs(): 'str'")

    monkeypatch.setattr(picture_headers, "read_header", raising)
    with pytest.raises(UploadRejected):
        upload(alice, picture())
    assert not Upload.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("program", [DIES.format("SEGV"), DIES.format("KILL"), "", "print('nonsense')"])
def test_a_picture_process_that_dies_loses_nothing(
    program: str, run: Run, server: HostileServer, pretend: Pretend
) -> None:
    """The result is saved right away, and its thumbnail is made later."""
    output_file = make_file(run, f"{server.url}/a.png")
    pretend(program or "raise SystemExit(1)")

    FILES.run()

    output_file.refresh_from_db()
    file = output_file.file
    assert (output_file.status, output_file.error) == ("saved", Message())
    assert file is not None
    assert (file.thumb_200.name, file.width, file.picture_follows) == ("", 64, True)
    version = Run.objects.get().version

    pretend("")
    deferred_thumbnails.PICTURES.run()

    file.refresh_from_db()
    assert (bool(file.thumb_200), bool(file.colour), file.picture_due_at) == (True, True, None)
    assert Run.objects.get().version > version  # the higher version makes open pages update


@pytest.mark.django_db
def test_too_much_work_is_kept_without_a_small_picture(run: Run, server: HostileServer, pretend: Pretend) -> None:
    output_file = make_file(run, f"{server.url}/a.png")
    pretend(DIES.format("XCPU"))
    FILES.run()
    output_file.refresh_from_db()
    assert output_file.file is not None
    assert (output_file.status, output_file.file.picture_due_at) == ("saved", None)


@pytest.mark.parametrize(
    ("seconds", "processor_seconds", "work", "died_of"),
    [(60, 1, "while True: pass", signal.SIGXCPU), (1, 20, "time.sleep(60)", signal.SIGALRM)],
)
def test_one_file_gets_only_so_much_time(
    seconds: int, processor_seconds: int, work: str, died_of: signal.Signals
) -> None:
    assert (picture_process.PROCESSOR_SECONDS, picture_process.COPY_SECONDS, picture_process.SECONDS) == (20, 5, 60)
    program = f"import time; from runs.storage import picture_process; picture_process.SECONDS = {seconds}\n"
    program += f"with picture_process._time_limit({processor_seconds}):\n    {work}"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False, timeout=TIMEOUT_SECONDS)
    assert done.returncode == -died_of


def nothing() -> None:
    """Do nothing while waiting."""


ANSWERS_ONCE = """
import os, signal, sys
sys.stdin.readline()
print('{{"end": "copied", "small": []}}', flush=True)
open({!r}, "a").write(sys.stdin.readline())
os.kill(os.getpid(), signal.SIGXCPU)
"""


def test_a_file_that_takes_too_long_is_tried_once(tmp_path: Path, pretend: Pretend) -> None:
    """The process that it ends was waiting for work, so it looks as if it could have died before."""
    asked = tmp_path / "asked"
    pretend(ANSWERS_ONCE.format(str(asked)))
    picture_client.copy_without_metadata(tmp_path / "a", tmp_path / "b", "image/png", nothing)
    with pytest.raises(CopyFailed):
        picture_client.copy_without_metadata(tmp_path / "a", tmp_path / "b", "image/png", nothing)
    assert len(asked.read_text().splitlines()) == 1


def test_a_copy_stops_when_its_worker_stops(tmp_path: Path, pretend: Pretend) -> None:
    class Stopped(Exception):
        pass

    def stop() -> None:
        raise Stopped

    pretend(HANGS)
    with pytest.raises(Stopped):
        picture_client.copy_without_metadata(tmp_path / "a", tmp_path / "b", "image/png", stop)


def test_an_idle_process_that_was_killed_is_replaced(tmp_path: Path, pretend: Pretend) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(picture())
    assert inspect(path).small
    idle = picture_client._idle._helpers[-1]._popen
    idle.kill()
    idle.wait()
    assert inspect(path).small


def test_a_disk_problem_is_told_as_one(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(picture())
    with pytest.raises(FileExistsError):
        picture_client.copy_without_metadata(path, path, "image/png", nothing)
    with pytest.raises(FileNotFoundError):
        picture_client.copy_without_metadata(tmp_path / "b", tmp_path / "c", "image/png", nothing)


def test_the_largest_sound_fits_in_the_process(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 48_000, 96_000, 2, 16)
    size = LIMITS["audio"] - 44
    with path.open("wb") as file:  # the sound itself takes no space on the disk
        file.write(struct.pack("<4sI4s", b"RIFF", size + 36, b"WAVE") + form + struct.pack("<4sI", b"data", size))
        file.truncate(size + 44)
    picture_client.copy_without_metadata(path, tmp_path / "b", "audio/wav", nothing)
    assert (tmp_path / "b").stat().st_size == LIMITS["audio"]


@pytest.mark.django_db
def test_failed_files_wait_behind_the_others(run: Run, server: HostileServer) -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    make_file(run, f"{server.url}/missing", 0, due_at=long_ago, attempts=1)
    make_file(run, f"{server.url}/a.png", 1)
    FILES.run()
    assert server.hits == ["/a.png", "/missing"]


@pytest.mark.django_db
def test_any_error_leaves_the_other_files_saved(
    run: Run, server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files["/b.png"] = picture(99, 40)
    bad, good = make_file(run, f"{server.url}/a.png"), make_file(run, f"{server.url}/b.png", 1)
    read = picture_headers.read_header

    def raising(path: Path, reader: str) -> picture_headers.Header:
        header = read(path, reader)
        if header.width != 99:
            raise struct.error("required argument is not an integer")
        return header

    monkeypatch.setattr(picture_headers, "read_header", raising)
    FILES.run()

    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.status, bad.error.code) == ("saving", "unreadable_answer")
    assert bad.due_at is not None
    assert bad.due_at > timezone.now()
    assert good.status == "saved"


@pytest.mark.django_db
@pytest.mark.parametrize("is_seen_early", [True, False])
def test_an_address_that_is_refused_is_text_with_the_sentence(
    is_seen_early: bool, run: Run, alice: Member, client: Client, server: HostileServer
) -> None:
    """The address is in the local network. The portal refuses it right away or, if a redirect leads there, just before
    requesting it."""
    address = "https://10.0.0.1/a.png" if is_seen_early else f"{server.url}/redirect?to=https://10.0.0.1/"
    make_file(run, address)
    make_file(run, f"{server.url}/says-huge", 1, status="failed", due_at=None, error="Too large.")
    FILES.run()
    client.force_login(alice)

    for page in (run.get_absolute_url(), Output.objects.filter(run=run)[0].get_absolute_url()):
        html = client.get(page).content.decode()
        assert f"<bdi>{address}</bdi>" in html
        assert f'href="{address}"' not in html
        assert escape(say(Message("private_address"))) in html
    assert OutputFile.objects.get(position=0).is_refused


def test_a_picture_of_70_million_pixels_fits_in_the_process(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(large_png(10_000, 7_000))
    found = inspect(path)
    assert (found.width, found.height, set(found.small)) == (10_000, 7_000, {200, 400, 1200})


def test_a_picture_that_needs_more_than_400_mib_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "larger.png"
    path.write_bytes(large_png(10_000, 10_000))  # decoded, it takes 381 MiB, and the process itself takes about 45
    found = picture_client.look(path, "image", "PNG", memory_bytes=400_000_000, max_points=200_000_000)
    assert (found.end, found.small) == ("no_picture", {})
    small = tmp_path / "small.png"
    small.write_bytes(picture())
    assert picture_client.look(small, "image", "PNG", max_points=200_000_000).end == "seen"  # the call itself works


def test_a_picture_that_has_more_pixels_than_its_header_said_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "small.png"
    path.write_bytes(picture())
    assert picture_client.look(path, "image", "PNG", max_points=10).end == "too_many_points"


def test_pixels_times_scans_are_limited_before_anything_is_opened(tmp_path: Path, pretend: Pretend) -> None:
    pretend(HANGS)
    path, few = tmp_path / "scans.jpg", picture(640, 480, "JPEG", progressive=True)
    last = few.rindex(b"\xff\xda")
    body = bytearray(few[:last] + few[last:-2] * 12 + b"\xff\xd9")
    at = body.index(b"\xff\xc2")
    struct.pack_into(">HH", body, at + 5, 7_000, 10_000)
    path.write_bytes(body)
    with pytest.raises(NotMedia, check=says("too_many_scans")) as refused:
        inspect(path)
    assert refused.value.is_lasting


def test_one_large_picture_at_a_time_on_the_host() -> None:
    now = time.monotonic()
    with (
        picture_slot(is_large=True, ends_at=now, on_wait=nothing) as first,
        picture_slot(is_large=True, ends_at=now, on_wait=nothing) as second,
    ):
        assert (first, second) == (True, False)
    with picture_slot(is_large=True, ends_at=now, on_wait=nothing) as third:
        assert third


HOLD_THE_SLOT = """
import sys, time
from django.conf import settings
settings.configure(DATA_DIR=sys.argv[1])
from runs.storage.picture_slots import picture_slot
with picture_slot(is_large=True, ends_at=time.monotonic() + 60, on_wait=lambda: None) as is_mine:
    print(is_mine, flush=True)
    sys.stdin.read()
"""


def test_large_pictures_of_other_processes_count() -> None:
    command = [sys.executable, "-c", HOLD_THE_SLOT, str(settings.DATA_DIR)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        with picture_slot(is_large=True, ends_at=time.monotonic(), on_wait=nothing) as is_mine:
            assert not is_mine
        other.communicate(timeout=TIMEOUT_SECONDS)
    with picture_slot(is_large=True, ends_at=time.monotonic(), on_wait=nothing) as is_mine:
        assert is_mine


def test_nobody_overtakes_who_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a thread that has just had the slot and wants it again has to wait its turn."""
    monkeypatch.setattr(picture_slots, "_cores", lambda: 1)
    waits, over, got = threading.Event(), threading.Event(), threading.Event()

    def wait() -> None:
        with picture_slot(is_large=False, ends_at=time.monotonic() + TIMEOUT_SECONDS, on_wait=waits.set) as is_mine:
            if is_mine:
                got.set()
            over.wait(TIMEOUT_SECONDS)

    waiting = threading.Thread(target=wait)
    with picture_slot(is_large=False, ends_at=time.monotonic() + TIMEOUT_SECONDS, on_wait=nothing) as first:
        waiting.start()
        assert first
        assert waits.wait(TIMEOUT_SECONDS)
    with picture_slot(is_large=False, ends_at=time.monotonic(), on_wait=nothing) as again:
        assert not again
    assert got.wait(TIMEOUT_SECONDS)
    over.set()
    waiting.join()


def test_the_process_gets_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pretend: Pretend) -> None:
    monkeypatch.setenv("LAMINA_API_KEY", "lma_secret")
    told, path = tmp_path / "told", tmp_path / "a.png"
    path.write_bytes(picture())
    pretend(f"import os; open({str(told)!r}, 'w').write(repr(dict(os.environ)))")
    inspect(path)
    assert told.read_text()
    assert "lma_secret" not in told.read_text()
    assert "PORTAL_" not in told.read_text()
