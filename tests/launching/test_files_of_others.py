"""Viewing a teammate's files in a form copies nothing. They become your own files only when you submit the form."""

import json
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from runs.models import App, Draft, Member, Preset, Run, StoredFile, Upload
from runs.schema_forms.answers import Files, load_answers
from tests.support.app_forms import fields, press, run_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(alice: Member, app: App, photo: Upload) -> Run:
    """Return a run by Alice with her own picture, shared with the team."""
    return run_of(alice, app, photo, status="completed", shared_at=timezone.now())


@pytest.fixture
def file(photo: Upload) -> StoredFile:
    assert photo.file is not None
    return photo.file


@pytest.fixture
def preset(alice: Member, app: App, photo: Upload) -> Preset:
    answer = {"name": "Photo", "key": "", "id": "u-1", "type": "url", "is_default": False}
    answers = [answer | {"value": {"uploads": [photo.public_id]}}]
    made = Preset.objects.create(app=app, member=alice, name="Ours", is_team=True, answers=load_answers(answers))
    made.uploads.add(photo)
    return made


def questions(run: Run, preset: Preset) -> dict[str, str]:
    """Return the URLs of all the pages that open with the picture filled in, keyed by name."""
    return {
        "again": f"/runs/{run.public_id}/again/",
        "form of the run": f"{run.app.get_absolute_url()}?from={run.public_id}",
        "form of the preset": preset.get_absolute_url(),
        "preset": f"/presets/new/?from={run.public_id}",
    }


def test_looking_takes_nothing_whatever_the_role(
    as_bob: Client, bob: Member, run: Run, preset: Preset, file: StoredFile
) -> None:
    for role, status in (("viewer", 403), ("maker", 200)):
        Member.objects.filter(pk=bob.pk).update(role=role)
        for what, url in questions(run, preset).items():
            answer = as_bob.get(url)
            assert answer.status_code == (status if what == "preset" else 200), (role, what)
            assert (file.public_id in answer.text) is (answer.status_code == 200), (role, what)
            as_bob.get(url, headers={"Sec-Purpose": "prefetch"})
    assert not Upload.objects.filter(member=bob).exists()

    Run.objects.filter(pk=run.pk).update(shared_at=None)
    Preset.objects.filter(pk=preset.pk).update(is_team=False)

    assert as_bob.get(file.original_url).status_code == 404


def test_a_viewer_who_types_takes_nothing(
    as_bob: Client, bob: Member, app: App, photo: Upload, run: Run, file: StoredFile
) -> None:
    Member.objects.filter(pk=bob.pk).update(role="viewer")
    posted = fields(app, bob, photo, **{"from": run.public_id})

    assert as_bob.post(f"/drafts/{app.public_id}/", posted).status_code == 204
    assert as_bob.post(app.get_absolute_url(), posted).status_code == 422
    assert file.public_id in as_bob.get(app.get_absolute_url()).text

    assert not Upload.objects.filter(member=bob).exists()
    Run.objects.filter(pk=run.pk).update(shared_at=None)
    assert file.public_id not in as_bob.get(app.get_absolute_url()).text


@pytest.mark.parametrize("way", ["draft", "run", "again", "preset"])
def test_what_a_maker_sends_is_their_own_and_stays(
    as_bob: Client, bob: Member, app: App, photo: Upload, run: Run, file: StoredFile, way: str
) -> None:
    posted = fields(app, bob, photo, **{"from": run.public_id})
    ways: dict[str, Any] = {
        "draft": lambda: as_bob.post(f"/drafts/{app.public_id}/", posted),
        "run": lambda: as_bob.post(app.get_absolute_url(), posted),
        "again": lambda: press(as_bob, run),
        "preset": lambda: as_bob.post(f"/presets/new/?from={run.public_id}", {"name": "Sea"}),
    }

    for _ in range(2):
        assert ways[way]().status_code in (204, 302, 422)

    own = Upload.objects.get(member=bob)
    assert own.file == file
    Run.objects.filter(pk=run.pk).update(shared_at=None)
    assert as_bob.get(file.original_url).status_code == 200
    if way == "draft":  # the user types more on the same page
        as_bob.post(f"/drafts/{app.public_id}/", posted | {"p1": "at the lake"})
        assert Draft.objects.get().answers[2].value == Files((own.public_id,))
    if way == "preset":
        assert Preset.objects.get().answers[2].value == Files((own.public_id,))


def test_a_file_taken_back_while_the_form_is_open_is_asked_for_again(
    as_bob: Client, bob: Member, app: App, photo: Upload, run: Run, file: StoredFile
) -> None:
    posted = fields(app, bob, photo, **{"from": run.public_id})
    Run.objects.filter(pk=run.pk).update(shared_at=None)

    answer = as_bob.post(app.get_absolute_url(), posted)

    assert answer.status_code == 422
    assert "One file is no longer available. Add it again." in answer.text
    assert file.public_id not in answer.text
    assert not Upload.objects.filter(member=bob).exists()


def test_without_scripts_a_teammates_file_can_be_taken_out(
    as_bob: Client, bob: Member, app: App, photo: Upload, run: Run
) -> None:
    posted = fields(app, bob, photo, act=f"remove:p2:{photo.public_id}", **{"from": run.public_id})

    assert f'value="{photo.public_id}"' not in as_bob.post(app.get_absolute_url(), posted).text
    assert Draft.objects.get().answers[2].value == Files()
    assert not Upload.objects.filter(member=bob).exists()


def test_a_form_with_somebodys_values_is_not_fetched_before_its_link_is_pressed() -> None:
    rules = json.loads((settings.BASE_DIR / "static" / "portal.speculationrules").read_text())
    left_out = [rule["not"].get("selector_matches", "") for rule in rules["prefetch"][0]["where"]["and"][1:]]

    assert "[href^='/apps/'][href*='?from=']" in ", ".join(left_out)
