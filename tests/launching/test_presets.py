"""Presets: the values of a form or a run, saved under a name, private or for the team."""

import html
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from runs.launching import prefill, views_presets
from runs.models import App, Draft, Member, Preset, Run, Upload
from tests.support.app_forms import fields, run_of, seen_in
from tests.support.factories import PROMPT, STYLE, make_schema
from tests.support.page import Page

pytestmark = pytest.mark.django_db


def save(client: Client, query: str, name: str, **more: Any) -> Preset:
    answer = client.post(f"/presets/new/?{query}", {"name": name, **more})
    assert answer.status_code == 302, answer.text
    return Preset.objects.get(name=name)


def test_what_is_in_the_form_becomes_a_preset_including_files(
    as_alice: Client, alice: Member, app: App, photo: Upload
) -> None:
    asked = as_alice.post(app.get_absolute_url(), fields(app, alice, photo, act="preset"))
    assert asked["Location"] == f"/presets/new/?app={app.public_id}"
    assert photo.file
    assert photo.file.public_id in as_alice.get(asked["Location"]).text

    preset = save(as_alice, f"app={app.public_id}", "Sea shoes")

    page = as_alice.get(preset.get_absolute_url()).text
    assert "at sea" in page
    assert photo.public_id in page
    assert prefill.FROM_LAST_TIME not in page
    assert list(preset.uploads.all()) == [photo]


def test_a_preset_is_its_makers_until_it_is_the_teams(
    as_alice: Client, as_bob: Client, app: App, photo: Upload, alice: Member
) -> None:
    run = run_of(alice, app, photo)
    preset = save(as_alice, f"from={run.public_id}", "Mine")
    assert as_bob.get(preset.get_absolute_url()).status_code == 404
    assert "Mine" not in as_bob.get(app.get_absolute_url()).text

    as_alice.post(f"/presets/{preset.public_id}/", {"name": "Ours", "is_team": "1"})

    assert "Ours" in as_bob.get(app.get_absolute_url()).text
    assert as_bob.get(preset.get_absolute_url()).status_code == 200
    for answer in (as_bob.get(f"/presets/{preset.public_id}/"), as_bob.post(f"/presets/{preset.public_id}/delete/")):
        assert answer.status_code == 404


def test_a_teams_preset_gives_everyone_files_of_their_own(
    as_alice: Client, as_bob: Client, app: App, photo: Upload, alice: Member, bob: Member
) -> None:
    run = run_of(alice, app, photo)
    preset = save(as_alice, f"from={run.public_id}", "Ours", is_team="1")

    assert photo.public_id in as_bob.get(preset.get_absolute_url()).text

    started = as_bob.post(app.get_absolute_url(), fields(app, bob, photo, preset=preset.public_id))
    own, made = Upload.objects.get(member=bob), Run.objects.get(member=bob)
    assert own.file == photo.file
    assert list(made.inputs.get(name="Photo").uploads.all()) == [own]
    assert started["Location"] == made.get_absolute_url()
    assert made.preset == preset
    assert "Ours" in as_bob.get(made.get_absolute_url()).text


def test_a_name_is_needed_and_is_ones_own_once(as_alice: Client, app: App, photo: Upload, alice: Member) -> None:
    run = run_of(alice, app, photo)
    save(as_alice, f"from={run.public_id}", "Twice")

    for name, words in ((" ", "Enter a name."), ("Twice", views_presets.NAME_IN_USE)):
        answer = as_alice.post(f"/presets/new/?from={run.public_id}", {"name": name})
        assert answer.status_code == 422
        assert Page(answer.text).first(id="preset-error").words == words
    assert Preset.objects.count() == 1


def test_an_open_preset_takes_the_forms_values(as_alice: Client, app: App, photo: Upload, alice: Member) -> None:
    preset = save(as_alice, f"from={run_of(alice, app, photo).public_id}", "Sea")
    posted = fields(app, alice, photo, preset=preset.public_id, act="preset-update", p1="in snow")

    answer = as_alice.post(app.get_absolute_url(), posted)

    preset.refresh_from_db()
    assert answer["Location"] == preset.get_absolute_url()
    assert [a.value for a in preset.answers][1] == "in snow"
    assert not Draft.objects.exists()


def test_nobody_writes_over_a_teammates_preset(
    as_alice: Client, as_bob: Client, app: App, photo: Upload, alice: Member, bob: Member
) -> None:
    preset = save(as_alice, f"from={run_of(alice, app, photo).public_id}", "Ours", is_team="1")

    as_bob.post(app.get_absolute_url(), fields(app, bob, preset=preset.public_id, act="preset-update", p1="mine now"))

    preset.refresh_from_db()
    assert "mine now" not in str(preset.answers)


def test_a_preset_of_a_changed_form_keeps_what_fits_and_names_the_rest(
    as_alice: Client, app: App, photo: Upload, alice: Member
) -> None:
    preset = save(as_alice, f"from={run_of(alice, app, photo).public_id}", "Sea")
    app.schema = make_schema(app, parameters=[{**STYLE, "options": ["Other"]}, PROMPT])
    app.save()

    page = as_alice.get(preset.get_absolute_url()).text

    assert "at sea" in page
    assert "“Photo” and “Style”" in Page(page).first(css="app-notes").words


def test_a_presets_files_stay(as_alice: Client, app: App, photo: Upload, alice: Member) -> None:
    from runs.storage.orphans import remove_uploads

    preset = save(as_alice, f"from={run_of(alice, app, photo).public_id}", "Sea")
    Run.objects.all().delete()

    assert remove_uploads(Upload.objects.all()) == 0
    preset.delete()
    assert remove_uploads(Upload.objects.all()) == 1


def test_an_admin_sees_the_pictures_of_the_teams_preset(
    as_alice: Client, as_bob: Client, as_admin: Client, app: App, photo: Upload, alice: Member
) -> None:
    """This must work even if the preset's run has been deleted or never existed."""
    preset = save(as_alice, f"from={run_of(alice, app, photo).public_id}", "Ours", is_team="1")
    Run.objects.all().delete()

    page = as_admin.get(f"/presets/{preset.public_id}/").text

    assert photo.file is not None
    assert photo.file.small_url in html.unescape(page)
    assert as_admin.get(photo.file.small_url).status_code == 200
    as_alice.post(f"/presets/{preset.public_id}/", {"name": "Mine"})
    assert as_admin.get(photo.file.small_url).status_code == 404
    assert as_bob.get(photo.file.small_url).status_code == 404


@pytest.mark.parametrize("act", ["preset-new", "preset-update"])
def test_a_preset_takes_no_file_of_somebody_else(
    as_bob: Client, app: App, photo: Upload, alice: Member, bob: Member, act: str
) -> None:
    """Bob posts the id of Alice's upload, hoping that opening his preset will make her picture his own."""
    kept = Preset.objects.create(app=app, member=bob, name="Bob's")
    known = {"preset": kept.public_id} if act == "preset-update" else {}
    answer = as_bob.post(app.get_absolute_url(), fields(app, bob, photo, act=act, **known))
    preset = kept if act == "preset-update" else save(as_bob, answer["Location"].partition("?")[2], "Stolen")

    as_bob.get(preset.get_absolute_url())

    assert not Upload.objects.filter(member=bob).exists()
    assert photo.file is not None
    assert as_bob.get(photo.file.small_url).status_code == 404


# --- Drafts, and forms opened with other values ---


def test_a_draft_outlives_a_form_that_opens_with_something_else(
    as_alice: Client, alice: Member, app: App, photo: Upload
) -> None:
    run = run_of(alice, app, photo)
    as_alice.post(f"/drafts/{app.public_id}/", fields(app, alice, p1="my long thought"))

    page = as_alice.get(f"{app.get_absolute_url()}?from={run.public_id}").text
    assert Page(page).first(css="app-notes").first("a").attributes["href"] == app.get_absolute_url()
    assert "my long thought" not in page
    assert "my long thought" in as_alice.get(app.get_absolute_url()).text  # the draft stays until somebody types here

    aside = page.partition('name="aside" value="')[2].partition('"')[0]
    opened = {"aside": aside, "seen": seen_in(page), "from": run.public_id}
    changed = fields(app, alice, photo, p1="at the lake", **opened)
    for _ in range(2):  # the second autosave must not set aside another draft
        as_alice.post(f"/drafts/{app.public_id}/", changed)

    kept = Preset.objects.get()
    assert kept.name.startswith("Draft from ")
    chip = Page(as_alice.get(app.get_absolute_url()).text).first(css="preset-name")
    assert chip.first("time").attributes["datetime"]
    assert Page(as_alice.get(f"/presets/{kept.public_id}/").text).first("h1").find(css="moment")
    Preset.objects.update(name=f"{kept.name} (<i>)")
    assert Page(as_alice.get(app.get_absolute_url()).text).first(css="preset-name").words.endswith(" (<i>)")
    assert "my long thought" in str(kept.answers)
    assert "at the lake" in as_alice.get(app.get_absolute_url()).text


def test_a_draft_begun_from_a_run_comes_back_and_the_run_is_offered(
    as_alice: Client, alice: Member, app: App, photo: Upload
) -> None:
    run = run_of(alice, app, photo)
    url = f"{app.get_absolute_url()}?from={run.public_id}"
    as_alice.post(f"/drafts/{app.public_id}/", fields(app, alice, photo, p1="at the lake", **{"from": run.public_id}))

    page = as_alice.get(url).text
    assert "at the lake" in page
    assert "fresh=1" in page
    fresh = as_alice.get(f"{url}&fresh=1").text
    assert "at sea" in fresh
    assert "at the lake" not in fresh

    as_alice.post(app.get_absolute_url(), fields(app, alice, photo, p1="at the lake", **{"from": run.public_id}))
    assert Run.objects.exclude(pk=run.pk).get().parent == run


def test_a_teammates_shared_run_opens_with_files_of_ones_own(
    as_bob: Client, alice: Member, bob: Member, app: App, photo: Upload
) -> None:
    run = run_of(alice, app, photo, shared_at=timezone.now())

    assert photo.public_id in as_bob.get(f"{app.get_absolute_url()}?from={run.public_id}").text

    as_bob.post(app.get_absolute_url(), fields(app, bob, photo, **{"from": run.public_id}))
    own, made = Upload.objects.get(member=bob), Run.objects.get(member=bob)
    assert own.file == photo.file
    assert list(made.inputs.get(name="Photo").uploads.all()) == [own]
    assert made.parent == run
    assert "Started from" in as_bob.get(made.get_absolute_url()).text
    Run.objects.filter(pk=run.pk).update(shared_at=None)
    assert "Started from" not in as_bob.get(made.get_absolute_url()).text


def test_a_preset_says_if_it_is_an_example(as_alice: Client, alice: Member, app: App, photo: Upload) -> None:
    preset = save(as_alice, f"from={run_of(alice, app, photo).public_id}", "Mine")
    assert not Page(as_alice.get(app.get_absolute_url()).text).find(css="is-example")

    Preset.objects.filter(pk=preset.pk).update(is_example=True)

    assert Page(as_alice.get(app.get_absolute_url()).text).first(css="is-example").words
