"""Files and rows that nothing refers to are removed; everything else stays."""

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from pytest_django import Settings

from runs.models import Draft, Incident, Member, Preset, StoredFile, Upload
from runs.schema_forms.answers import load_answers
from runs.storage import orphans
from tests.support.factories import make_app, make_kept, make_run, make_stored
from tests.support.hostile_server import kept_files

pytestmark = pytest.mark.django_db

OLD = timedelta(days=8)


def make_upload(member: Member, age: timedelta = OLD) -> Upload:
    at = timezone.now() - age
    stored = make_stored(created_at=at)
    return Upload.objects.create(member=member, file=stored, status="ready", name="a.png", created_at=at)


def make_stray(name: str, settings: Settings, age: timedelta = OLD) -> Path:
    saved = default_storage.save(name, ContentFile(b"half"))
    path = Path(settings.MEDIA_ROOT) / saved
    at = time.time() - age.total_seconds()
    os.utime(path, (at, at))
    return path


def test_an_old_upload_that_nothing_uses_goes_with_its_file(alice: Member, settings: Settings) -> None:
    make_upload(alice)
    failed = Upload.objects.create(member=alice, status="failed", name="x", created_at=timezone.now() - OLD)
    young = make_upload(alice, timedelta(days=6))

    orphans.sweep()

    assert Upload.objects.get() == young
    assert not Upload.objects.filter(pk=failed.pk).exists()
    assert StoredFile.objects.get() == young.file
    assert len(kept_files(settings)) == 4


def test_an_upload_in_a_draft_a_preset_or_a_run_stays(alice: Member) -> None:
    drafted, preset, used = make_upload(alice), make_upload(alice), make_upload(alice)
    app = make_app()
    answers = [{"value": {"uploads": [drafted.public_id]}}, {"value": "words"}, {"value": None}]
    Draft.objects.create(member=alice, app=app, answers=load_answers(answers))
    Preset.objects.create(app=app, member=alice, name="Mine").uploads.add(preset)
    run = make_run(alice, app)
    run.inputs.create(position=1, name="Photo", type="url", value=[]).uploads.add(
        used, through_defaults={"position": 0}
    )

    orphans.sweep()

    assert set(Upload.objects.all()) == {drafted, preset, used}
    assert StoredFile.objects.count() == 3


def test_a_row_that_nothing_points_at_goes_once_it_is_old(alice: Member) -> None:
    make_stored(created_at=timezone.now() - OLD)
    young = make_stored()
    kept = make_kept(make_run(alice, status="completed"), make_stored(created_at=timezone.now() - OLD)).file
    seen = make_stored(created_at=timezone.now() - OLD)
    make_run(alice, input_picture=seen)

    orphans.sweep()

    assert set(StoredFile.objects.all()) == {young, kept, seen}


def test_a_catalogue_picture_goes_when_no_app_shows_it_any_more(alice: Member) -> None:
    old = timezone.now() - OLD
    thumbnail, sample, _ = (make_stored(is_catalog=True) for _ in range(3))
    StoredFile.objects.update(created_at=old)
    make_app(thumbnail=thumbnail, samples={"https://x.test/a.png": sample.public_id})

    orphans.sweep()

    assert set(StoredFile.objects.all()) == {thumbnail, sample}


def test_names_without_a_row_go_once_they_are_old(settings: Settings) -> None:
    kept = make_stored()
    for path in kept_files(settings):
        os.utime(path, (0, 0))
    stray = make_stray("files/ab/cd/" + "ab" * 16 + ".png", settings)
    young = make_stray("files/ab/cd/" + "cd" * 16 + ".png", settings, timedelta(days=6))
    foreign = make_stray("not ours.txt", settings)

    orphans.sweep()

    assert not stray.exists()
    assert young.exists()
    assert foreign.exists()
    assert len(kept_files(settings)) == 4 + 2
    assert StoredFile.objects.get() == kept


def test_a_database_that_knows_nothing_deletes_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong DATABASE_URL or an empty database mustn't cause all files to be deleted."""
    monkeypatch.setattr(orphans, "FEW", 2)
    strays = [make_stray(f"files/ab/cd/{i:032x}.png", settings) for i in range(5)]

    orphans.sweep()

    assert all(path.exists() for path in strays)
    assert Incident.objects.get().text.code == "many_strays"
