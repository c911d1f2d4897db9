"""Files in a form sent without scripts: unusable ones are read to the end, but never written to disk."""

import os
import time
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.test import Client
from pytest_django import Settings

from runs import tasks
from runs.models import App, Upload
from runs.storage import store
from runs.storage.fetch import LIMITS
from runs.uploads import file_limits, upload_handler
from tests.support.factories import PICTURE, make_app
from tests.support.hostile_server import kept_files, picture
from tests.support.page import Page, errors_of
from tests.support.uploads import disk

pytestmark = pytest.mark.django_db

MB = 1_000_000
PNG = b"\x89PNG\r\n\x1a\n"
VIDEO = b"\x00\x00\x00\x18ftypisom" + bytes(12)
LIMIT = 2 * MB
TWO = [PICTURE, PICTURE | {"name": "Second", "key": "second", "id": "second"}]
FIRST, SECOND = "Photo", "Second"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lower the limits, and collect the sizes of what is written while a form arrives."""
    monkeypatch.setattr(file_limits, "LIMITS", dict.fromkeys(LIMITS, LIMIT))
    monkeypatch.setattr(upload_handler, "HEADERS_BYTES", 10_000)
    sizes: list[int] = []
    write = TemporaryFileUploadHandler.receive_data_chunk

    def count(handler: TemporaryFileUploadHandler, raw_data: bytes, start: int) -> None:
        sizes.append(len(raw_data))
        write(handler, raw_data, start)

    monkeypatch.setattr(TemporaryFileUploadHandler, "receive_data_chunk", count)
    return sizes


@pytest.fixture
def _few_fields(settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100_000


def post(client: Client, app: App, **files: SimpleUploadedFile | list[SimpleUploadedFile]) -> Page:
    assert app.schema
    data = {"schema": app.schema.version, **files}
    return Page(client.post(app.get_absolute_url(), data).content.decode())


def large(name: str = "big.png", start: bytes = PNG, size: int = 3 * MB) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, start + bytes(size))


@pytest.mark.usefixtures("_few_fields")
@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (large(), "That file is 3 MB; the limit here is 2 MB."),
        (large("reel.mp4", VIDEO, MB), "This field takes a picture, but that file is a video."),
        (large("notes.txt", b"words", MB), "This field takes a picture, but that file is something else."),
        (large("drawing.svg", b"<svg>", MB), "SVG files can't be used here."),
    ],
)
def test_nothing_of_a_file_that_cannot_be_used_is_written(
    as_alice: Client, written: list[int], settings: Settings, file: SimpleUploadedFile, sentence: str
) -> None:
    page = post(as_alice, make_app(parameters=[PICTURE]), p0_file=file)
    assert sentence in errors_of(page)[FIRST]
    assert written == []
    assert kept_files(settings) == []


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (large("notes.txt", b"words", MB), "This field takes a picture, but that file is something else."),
        (large("reel.mp4", VIDEO, MB), "This field takes a picture, but that file is a video."),
        (large(), "That file is 3 MB; the limit here is 2 MB."),
    ],
)
def test_nothing_of_such_a_file_is_written_when_a_script_sends_it(
    as_alice: Client, written: list[int], settings: Settings, file: SimpleUploadedFile, sentence: str
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100_000
    app = make_app(parameters=[PICTURE])
    answer = as_alice.post(f"/uploads/?app={app.public_id}&field=p0", {"file": file})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert written == []
    assert kept_files(settings) == []


def test_with_several_fields_the_others_keep_their_files(
    as_alice: Client, written: list[int], settings: Settings
) -> None:
    page = post(as_alice, make_app(parameters=TWO), p0_file=large(), p1_file=disk(picture(), "small.png"))
    assert "the limit here is 2 MB" in errors_of(page)[FIRST]
    assert SECOND not in errors_of(page)
    assert [tile.words for tile in page.find(css="file-name") if tile.words] == ["small.png"]
    # some bytes are written, since a file only turns out to be too large once it exceeds the limit
    assert sum(written) <= LIMIT + len(picture())
    assert list((Path(settings.MEDIA_ROOT) / "incoming").iterdir()) == []


def test_a_refused_file_is_read_up_to_a_limit(
    as_alice: Client, written: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_handler, "DRAINED_BYTES", 4 * MB)
    app = make_app(parameters=TWO)
    assert "the limit here" in errors_of(post(as_alice, app, p0_file=large(size=5 * MB)))[FIRST]
    as_alice.raise_request_exception = False
    answer = as_alice.post(app.get_absolute_url(), {"p0_file": large(size=9 * MB)})
    assert answer.status_code == 413
    assert "choose a smaller file" in answer.content.decode()
    assert "Pictures up to 2 MB" in answer.content.decode()


def test_a_second_file_for_one_is_named(as_alice: Client) -> None:
    app = make_app(parameters=[PICTURE])
    files = [disk(b"no picture", "notes.txt"), *(disk(picture(), f"{name}.png") for name in ("one", "two", "three"))]
    page = post(as_alice, app, p0_file=files)
    told = errors_of(page)[FIRST]
    assert "“notes.txt”: This field takes a picture, but that file is something else." in told
    assert "We added “one.png” and left out two.png, three.png." in told
    assert [upload.name for upload in Upload.objects.all()] == ["one.png"]


def test_a_field_says_beforehand_what_it_takes(as_alice: Client) -> None:
    every = PICTURE | {"accept": []}
    page = Page(as_alice.get(make_app(parameters=[PICTURE, every]).get_absolute_url()).content.decode())
    limits = page.find(css="file-limit")
    assert [limit.words for limit in limits] == [
        "Pictures up to 50 MB",
        "Pictures up to 50 MB · Videos up to 1 GB · Audio files up to 200 MB",
    ]
    described = [page.first(id=f"p{n}_file").attributes["aria-describedby"].split()[0] for n in (0, 1)]
    assert described == [limit.attributes["id"] for limit in limits]


def test_what_a_killed_upload_left_goes_within_hours_on_a_quiet_portal() -> None:
    folder = store.new_waiting_path().parent
    young, old = folder / "arriving.upload", folder / "left.upload"
    for path in (young, old):
        path.write_bytes(b"x")
    os.utime(old, (0, time.time() - store.LEFTOVER_SECONDS - 60))
    tasks.tidy()
    assert list(folder.iterdir()) == [young]
