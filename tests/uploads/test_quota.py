"""Limits on unused files, and on how much may arrive at once."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import chain, repeat
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from runs.models import Member, Preset, StoredFile, Upload
from runs.uploads import quota
from runs.uploads.uploads import UploadRejected, fetch_upload, receive_file, receive_link
from runs.web import body_limits
from tests.support.factories import PICTURE, make_app, make_kept, make_run
from tests.support.hostile_server import HostileServer, kept_files, picture
from tests.support.page import Page
from tests.support.uploads import disk

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n"  # a file that starts like this counts as a picture


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> int:
    """Leave room for two and a half pictures."""
    size = len(picture())
    monkeypatch.setattr(quota, "UNUSED_BYTES", size * 5 // 2)
    return size


def test_unused_files_are_taken_up_to_a_limit_of_each_member(alice: Member, bob: Member, little: int) -> None:
    for _ in range(2):
        receive_file(alice, disk(picture()), ["image"])
    for _ in range(2):
        with pytest.raises(UploadRejected) as rejected:
            receive_file(alice, disk(picture()), ["image"])
        assert rejected.value.message.code == "over_quota"
    assert Upload.objects.count() == StoredFile.objects.count() == 2
    receive_file(bob, disk(picture()), ["image"])


def test_work_is_not_stopped_by_what_runs_and_presets_use(alice: Member, little: int) -> None:
    app = make_app()
    photo = make_run(alice, app).inputs.create(position=1, name="Photo", type="url", value=[])
    preset = Preset.objects.create(app=app, member=alice, name="Mine")
    for position in range(3):
        photo.uploads.add(receive_file(alice, disk(picture()), []), through_defaults={"position": position})
        preset.uploads.add(receive_file(alice, disk(picture()), []))
    result = make_kept(make_run(alice, app, status="completed")).file
    Upload.objects.create(member=alice, file=result, status="ready", name="taken from the library")

    receive_file(alice, disk(picture()), [])

    assert Upload.objects.count() == 8


def test_links_count_too(alice: Member, little: int, server: HostileServer, settings: Settings) -> None:
    receive_file(alice, disk(picture()), ["image"])
    links = [receive_link(alice, f"{server.url}/a.png", ["image"]) for _ in range(2)]
    for link in links:
        fetch_upload(link.pk)
        link.refresh_from_db()
    assert [link.status for link in links] == ["ready", "failed"]
    assert links[1].error.code == "over_quota"
    assert len(kept_files(settings)) == 2 * 4


def test_a_body_larger_than_anything_is_refused_unread(settings: Settings) -> None:
    settings.MAX_BODY_BYTES = 1000
    answer = Client().post("/login/", {"file": SimpleUploadedFile("a.bin", bytes(2000))})
    assert answer.status_code == 413
    assert "That's too much at once" in answer.content.decode()
    assert "Back to the form" not in answer.content.decode()
    assert kept_files(settings) == []


def test_a_refused_form_leads_back_to_itself(as_alice: Client, settings: Settings) -> None:
    settings.MAX_BODY_BYTES = 1000
    url = make_app().get_absolute_url()
    body = as_alice.post(url, {"p0": "x" * 2000}).content.decode()
    assert Page(body).first("a", css="primary").attributes["href"] == url


def test_a_body_for_which_there_is_no_room_is_refused_with_a_sentence(
    as_alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_limits, "_free_bytes", lambda: 101_000_000)
    for size, status in ((900_000, 422), (2_000_000, 507)):
        answer = as_alice.post("/uploads/", {"app": make_app().public_id, "file": SimpleUploadedFile("a", bytes(size))})
        assert answer.status_code == status
    assert "There's no space left" in answer.content.decode()


def test_a_file_that_does_not_fit_is_refused_before_it_is_sent(
    as_alice: Client, alice: Member, little: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive_file(alice, disk(picture()), ["image"])
    size = len(picture())
    for wanted, status in ((size, 204), (2 * size, 507), ("many", 204)):
        answer = as_alice.get("/uploads/room/", {"bytes": wanted})
        assert answer.status_code == status
        assert bool(answer.content) == (status != 204)
    monkeypatch.setattr(body_limits, "_free_bytes", lambda: 100_000_100)
    answer = as_alice.get("/uploads/room/", {"bytes": 101})
    assert (answer.status_code, "disk is nearly full" in answer.text) == (507, True)
    assert "Tell an admin" in answer.text
    Member.objects.filter(pk=alice.pk).update(role="admin")
    assert "Tell an admin" not in as_alice.get("/uploads/room/", {"bytes": 101}).text


def test_a_disk_that_fills_up_meanwhile_ends_what_is_arriving_and_gets_its_room_back(
    alice: Member, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms = chain([200_000_000, 100_100_000], repeat(99_000_000))
    monkeypatch.setattr(body_limits, "_free_bytes", lambda: next(rooms))
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(alice)
    client.cookies["csrftoken"] = "a" * 32
    with garbage_uncollected():
        answer = client.post("/uploads/", {"file": SimpleUploadedFile("a.png", PNG + bytes(2_000_000))})
        assert answer.status_code == 507
        assert "There's no space left" in answer.content.decode()
        assert waiting(settings) == []


def test_what_breaks_off_leaves_nothing_on_the_disk(alice: Member, settings: Settings) -> None:
    class Torn(BytesIO):
        """A request body whose connection is lost halfway through."""

        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 500_000:
                raise ConnectionResetError
            return super().read(size)

    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    client.cookies["csrftoken"] = "a" * 32
    body: dict[str, object] = {"wsgi.input": Torn(head + bytes(900_000)), "CONTENT_LENGTH": "900000"}
    body["CONTENT_TYPE"] = "multipart/form-data; boundary=b"
    with garbage_uncollected():
        answer = client.generic("POST", "/uploads/", **body)  # type: ignore[arg-type]
        assert waiting(settings) == []
    assert answer.status_code == 403


@contextmanager
def garbage_uncollected() -> Iterator[None]:
    """Turn off garbage collection, as in a server that rarely collects."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def waiting(settings: Settings) -> list[str]:
    """Return the names of the files in the waiting room."""
    folder = Path(settings.MEDIA_ROOT) / "incoming"
    return [path.name for path in folder.iterdir()] if folder.exists() else []


def test_what_arrives_waits_on_the_disk_it_will_stay_on(
    as_alice: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files don't wait in `/tmp`, which is often in memory."""
    app = make_app(parameters=[PICTURE])
    seen: list[Path] = []
    take = receive_file

    def look(member: Member, file: "SimpleUploadedFile", accept: list[str]) -> Upload:
        seen.append(Path(file.temporary_file_path()))  # type: ignore[attr-defined]
        return take(member, file, accept)

    monkeypatch.setattr("runs.uploads.uploads.receive_file", look)
    answer = as_alice.post("/uploads/", {"app": app.public_id, "field": "p0", "file": disk(picture())})

    assert answer.status_code == 200
    assert seen[0].is_relative_to(settings.MEDIA_ROOT)
    assert len(kept_files(settings)) == 4  # nothing is left in the waiting room
