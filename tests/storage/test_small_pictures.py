"""Deferred thumbnails: a web thread waits only a few seconds; then the worker makes them, and the page shows them."""

import time
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.test import Client
from django.utils import timezone
from django.utils.datastructures import MultiValueDict

from runs.launching import form_files
from runs.models import Member, StoredFile, Upload
from runs.schema_forms.questions import questions_of
from runs.storage import deferred_thumbnails, media
from runs.uploads import logos
from runs.uploads.uploads import receive_file
from tests.support.factories import make_app
from tests.support.hostile_server import picture
from tests.support.pretend import DIES, HANGS, Pretend
from tests.support.work import queued


def upload(member: Member, body: bytes) -> Upload:
    return receive_file(member, SimpleUploadedFile("photo.png", body), ["image"])


@pytest.mark.django_db
def test_a_web_thread_waits_for_a_few_seconds_then_the_preview_follows(
    alice: Member,
    client: Client,
    pretend: Pretend,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    assert media.WEB_SECONDS == 5
    monkeypatch.setattr(media, "WEB_SECONDS", 0.3)
    client.force_login(alice)
    app = make_app("Photo", [{"id": "u", "key": "", "name": "Photo", "type": "url", "accept": ["image"]}])
    pretend(HANGS)
    begun = time.monotonic()
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(
            "/uploads/",
            {"app": app.public_id, "field": "p0", "file": SimpleUploadedFile("photo.png", picture(640, 480))},
        )
    assert time.monotonic() - begun < 60  # without waiting for the picture process, which hangs for ten minutes

    tile = answer.content.decode()
    taken = Upload.objects.get()
    assert (answer.status_code, taken.status) == (200, "ready")  # the upload can be used immediately
    assert "file-follows" in tile
    assert "640 × 480" in tile  # noqa: RUF001 - the real sign
    assert [q["func"] for q in queued()] == ["runs.tasks.make_small_pictures"]
    asks = f"/uploads/{taken.public_id}/?field=p0&amp;known=follows"
    assert asks in tile
    assert client.get(asks.replace("&amp;", "&")).status_code == 204

    pretend("")
    deferred_thumbnails.PICTURES.run()

    there = client.get(asks.replace("&amp;", "&")).content.decode()
    assert "file-follows" not in there
    assert "hx-get" not in there
    assert StoredFile.objects.get().card_url in there.replace("&amp;", "&")


@pytest.mark.django_db
def test_all_files_of_a_form_together_wait_no_longer_than_one(alice: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "WEB_SECONDS", 0.4)
    waits: list[float] = []

    def hang(_: Path, *, timeout_seconds: float) -> media.Media:
        waits.append(timeout_seconds)
        time.sleep(min(timeout_seconds, 0.3))
        return media.Media("image", "image/png", "png", follows=True)

    monkeypatch.setattr(media, "inspect", hang)
    fields: list[Any] = [{"id": f"u{n}", "key": "", "name": f"Photo {n}", "type": "url"} for n in range(4)]
    sent: form_files.PostedFiles = MultiValueDict(
        {f"p{n}_file": [SimpleUploadedFile(f"{n}.png", picture())] for n in range(4)}
    )
    posted = QueryDict(mutable=True)
    assert form_files.take_all(alice, questions_of(fields), posted, sent) == {}
    assert len(posted) == 4
    assert waits[0] == 0.4
    assert waits[1] <= 0.1
    assert waits[2:] == [0, 0]


@pytest.mark.django_db
def test_a_logo_is_looked_at_twice_within_the_time_for_one_file(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    def slow(_: Path, *, timeout_seconds: float) -> media.Media:
        waits.append(timeout_seconds)
        time.sleep(0.1)
        return media.Media("image", "image/webp", "webp", small={logos.WIDTH: picture()})

    monkeypatch.setattr(media, "inspect", slow)
    logos.receive_logo(SimpleUploadedFile("logo.png", picture()))
    assert len(waits) == 2
    assert waits[1] <= waits[0] - 0.1


@pytest.mark.django_db
def test_not_every_web_thread_waits(alice: Member, pretend: Pretend, tmp_path: Path) -> None:
    """If all slots are taken, the file is saved right away, without the picture process."""
    asked = tmp_path / "asked"
    pretend(f"open({str(asked)!r}, 'w')")
    places = [media._web_places.acquire(blocking=False) for _ in range(media.WEB_WAITERS)]
    try:
        taken = upload(alice, picture())
    finally:
        for _ in filter(None, places):
            media._web_places.release()
    assert taken.file is not None
    assert (taken.file.picture_follows, asked.exists()) == (True, False)


@pytest.mark.django_db
def test_a_file_found_broken_later_cannot_be_used(
    alice: Member, monkeypatch: pytest.MonkeyPatch, pretend: Pretend
) -> None:
    monkeypatch.setattr(media, "WEB_SECONDS", 0.0)
    body = bytearray(picture(300, 300))
    body[60] ^= 0xFF
    taken = upload(alice, bytes(body))
    assert taken.status == "ready"

    deferred_thumbnails.PICTURES.run()

    taken.refresh_from_db()
    assert (taken.status, taken.error) == ("failed", media.BROKEN)
    assert not StoredFile.objects.filter(picture_due_at__isnull=False).exists()


@pytest.mark.django_db
def test_a_picture_that_always_fails_is_given_up(
    alice: Member, monkeypatch: pytest.MonkeyPatch, pretend: Pretend
) -> None:
    monkeypatch.setattr(media, "WEB_SECONDS", 0.0)
    pretend(DIES.format("SEGV"))
    file = upload(alice, picture()).file
    assert file is not None
    waits = []
    for _ in range(deferred_thumbnails.MAX_ATTEMPTS):
        StoredFile.objects.update(picture_due_at=timezone.now())
        deferred_thumbnails.PICTURES.run()
        file.refresh_from_db()
        assert file.picture_due_at is not None
        waits.append(round((file.picture_due_at - timezone.now()).total_seconds() / 60))
    assert waits == [3, 10, 60]

    StoredFile.objects.update(picture_due_at=timezone.now())
    deferred_thumbnails.PICTURES.run()

    file.refresh_from_db()
    assert (file.picture_due_at, file.thumb_200.name) == (None, "")
