"""Files in an S3-compatible store on a real socket: saved whole, read in pieces, and with every failure handled."""

import hashlib
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http import Http404
from django.test import Client, RequestFactory
from pytest_django import Settings

from lamina_portal import environment
from runs.engine.save_outputs import FILES
from runs.models import Member, OutputFile, StoredFile
from runs.storage import bucket, orphans
from runs.storage import store as storing
from runs.storage.media import inspect
from runs.storage.serve import file_response
from runs.storage.store import NewFile, StorageAway
from runs.uploads.asset_upload import ensure_asset
from runs.uploads.uploads import UploadRejected, receive_file
from tests.support.factories import make_run
from tests.support.hostile_server import HostileServer, kept_files, picture
from tests.support.messages import says
from tests.support.sandbox_door import SandboxDoor
from tests.support.uploads import disk

pytestmark = pytest.mark.django_db


def keep(tmp_path: Path, body: bytes) -> StoredFile:
    path = tmp_path / "x"
    path.write_bytes(body)
    digest = hashlib.sha256(body).hexdigest()
    return storing.store(NewFile(path, inspect(path), digest, len(body)), "shoe.png")


def body_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else bytes(answer.content)


def get(stored: StoredFile, **headers: str) -> Any:
    return file_response(RequestFactory().get("/x", headers=headers), stored)


def test_a_result_is_kept_and_served_from_the_bucket(
    store: Any, alice: Member, as_alice: Client, server: HostileServer, settings: Settings
) -> None:
    file = OutputFile.objects.create(output=make_run(alice).outputs.all()[0], source_url=f"{server.url}/a.png")

    FILES.run()

    file.refresh_from_db()
    stored = file.file
    assert stored is not None
    assert kept_files(settings) == []  # no file stays on the local disk
    assert len(list(store.all_names("files/"))) == 4
    assert body_of(as_alice.get(stored.original_url)) == server.files["/a.png"]
    assert body_of(as_alice.get(stored.card_url))[8:12] == b"WEBP"


def test_a_range_is_requested_as_a_range_from_the_bucket(
    store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = picture(600, 400)
    stored = keep(tmp_path, whole)
    asked: list[bytes] = []
    store.client.meta.events.register(
        "before-send.s3.GetObject", lambda request, **_: asked.append(request.headers.get("Range"))
    )

    answer = get(stored, Range="bytes=100-199")

    assert (answer.status_code, answer["Content-Range"]) == (206, f"bytes 100-199/{len(whole)}")
    assert body_of(answer) == whole[100:200]
    assert asked == [b"bytes=100-"]
    assert body_of(get(stored, Range="bytes=-7")) == whole[-7:]
    assert get(stored, Range="bytes=9999999-").status_code == 416
    assert get(stored, **{"If-None-Match": answer["ETag"]}).status_code == 304
    head = file_response(RequestFactory().head("/x"), stored)
    assert (head.status_code, head["Content-Length"]) == (200, str(len(whole)))


def test_a_long_file_goes_up_in_parts_and_comes_down_in_pieces(store: Any, tmp_path: Path) -> None:
    film = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm" + os.urandom(40_000_000)
    seen: list[int] = []
    path = tmp_path / "x"
    path.write_bytes(film)
    stored = storing.store(NewFile(path, inspect(path), "ab" * 32, len(film)), "f", on_chunk=seen.append)
    with storing.local_copy(stored) as copy:
        assert hashlib.sha256(copy.read_bytes()).digest() == hashlib.sha256(film).digest()
    digest = hashlib.sha256()
    for block in get(stored).streaming_content:
        digest.update(block)
    assert digest.digest() == hashlib.sha256(film).digest()
    assert seen[-1] > 30_000_000  # the claim was renewed until the end of the transfer


def test_a_transfer_that_is_stopped_half_way_leaves_nothing(store: Any, tmp_path: Path) -> None:
    def stop(size: int) -> None:
        if size > 20_000_000:
            raise KeyError("stopped")

    path = tmp_path / "x"
    path.write_bytes(b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm" + bytes(40_000_000))
    with pytest.raises(KeyError):
        storing.store(NewFile(path, inspect(path), "ab" * 32, 1), "f", on_chunk=stop)

    assert list(store.all_names("files/")) == []
    assert not StoredFile.objects.exists()


def test_an_unreachable_bucket_is_a_state_with_a_sentence(
    store: Any, tmp_path: Path, alice: Member, server: HostileServer, settings: Settings, s3_url: str
) -> None:
    stored = keep(tmp_path, picture())
    file = OutputFile.objects.create(output=make_run(alice).outputs.all()[0], source_url=f"{server.url}/a.png")
    there = settings.STORAGES
    away = environment.storage("s3://key:secret@127.0.0.1:1/results?secure=false")
    settings.STORAGES = settings.STORAGES | {"default": away}

    FILES.run()
    with pytest.raises(UploadRejected, check=says("storage_away")):
        receive_file(alice, disk(picture()), ["image"])
    away_answer = get(StoredFile.objects.get(pk=stored.pk))

    file.refresh_from_db()
    assert (file.status, file.file) == ("saving", None)
    assert file.error.code == "storage_away"
    assert (away_answer.status_code, away_answer["Cache-Control"]) == (503, "no-store")
    assert b"Nothing is lost" in away_answer.content
    assert kept_files(settings) == []

    settings.STORAGES = there
    OutputFile.objects.update(due_at=file.created_at)
    FILES.run()
    file.refresh_from_db()
    assert file.status == "saved"


def test_what_is_not_there_is_not_found(store: Any, tmp_path: Path) -> None:
    stored = keep(tmp_path, picture())
    store.delete(stored.file.name)
    with pytest.raises(Http404):
        get(stored)


def test_an_object_cut_off_on_the_way_is_not_saved(store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket.Bucket, "_size", lambda *_: 7)
    with pytest.raises(StorageAway, match="holds 7 of"):
        keep(tmp_path, picture())
    assert not StoredFile.objects.exists()
    assert list(store.all_names("files/")) == []


def test_no_message_contains_secrets(store: Any, caplog: pytest.LogCaptureFixture, settings: Settings) -> None:
    wrong = environment.storage("s3://key:top-secret@127.0.0.1:1/results?secure=false")
    settings.STORAGES = settings.STORAGES | {"default": wrong}
    with pytest.raises(StorageAway) as raised:
        default_storage.save("files/a", ContentFile(b"a"))
    assert not re.search("top-secret|key:", str(raised.value) + caplog.text)


def test_an_upload_is_sent_to_lamina_from_the_bucket(
    store: Any, alice: Member, sandbox: SandboxDoor, lamina: Any, settings: Settings
) -> None:
    upload = receive_file(alice, disk(picture()), ["image"])
    assert ensure_asset(upload, lamina).startswith(f"{sandbox.url}/assets/")
    assert kept_files(settings) == []


def test_strays_and_interrupted_uploads_are_swept(store: Any, tmp_path: Path, later: Callable[[], None]) -> None:
    stored = keep(tmp_path, picture())
    store.save("files/ab/cd/" + "ab" * 16 + ".png", ContentFile(b"stray"))
    store.client.create_multipart_upload(Bucket=store.bucket_name, Key="files/ab/cd/half")
    orphans.sweep()
    assert len(list(store.all_names("files/"))) == 5  # the strays are too new to be removed

    later()
    orphans.sweep()

    assert len(list(store.all_names("files/"))) == 4
    assert "Uploads" not in store.client.list_multipart_uploads(Bucket=store.bucket_name)
    assert get(stored).status_code == 200


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function that makes the sweep think that eight days have passed."""

    def go() -> None:
        ahead = datetime.now(UTC) + timedelta(days=8)
        monkeypatch.setattr("django.utils.timezone.now", lambda: ahead)
        StoredFile.objects.update(created_at=ahead)

    return go
