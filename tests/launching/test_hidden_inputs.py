"""What an admin hides in a form stays hidden: no page, file, library or later form shows it, even for earlier runs."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from runs import tasks
from runs.catalog.app_settings import FieldSettings
from runs.launching.library import browse
from runs.models import App, AppRule, GuestLink, Member, Preset, Run, StoredFile, Upload
from runs.sharing import links
from tests.support.app_forms import press, run_of, token_in
from tests.support.app_settings import hidden, locked, set_rules
from tests.support.factories import make_kept, make_stored
from tests.support.guest_links import page_of
from tests.support.page import Page

pytestmark = pytest.mark.django_db
SECRET = "brand words"


@pytest.fixture
def logo() -> StoredFile:
    return make_stored((60, 20))


def urls_of(file: StoredFile) -> list[str]:
    return [file.original_url, file.small_url]


def statuses(client: Client, file: StoredFile) -> set[int]:
    return {client.get(url).status_code for url in urls_of(file)}


def pressed(client: Client, app: App, **more: Any) -> Run:
    text = client.get(app.get_absolute_url()).text
    schema = text.partition('name="schema" value="')[2].partition('"')[0]
    posted = {"token": token_in(text), "schema": schema, "p0": "0", "p1": "a fox", "outputs": ["0", "1"]}
    answer = client.post(app.get_absolute_url(), posted | more)
    assert answer.status_code == 302, answer.text
    return Run.objects.latest("pk")


def test_a_hidden_pictures_file_is_served_to_admins_alone(
    as_alice: Client, as_bob: Client, as_admin: Client, admin_member: Member, alice: Member, app: App, logo: StoredFile
) -> None:
    set_rules(app, admin_member, p2=hidden(file=logo))

    run = pressed(as_alice, app)
    Run.objects.filter(pk=run.pk).update(shared_at=timezone.now())

    upload = run.inputs.get(name="Photo").uploads.get()
    assert (upload.member, upload.file) == (alice, logo)  # Lamina gets this file
    assert {*statuses(as_alice, logo), *statuses(as_bob, logo)} == {404}
    assert statuses(as_admin, logo) == {200}
    assert as_alice.get(f"/uploads/{upload.public_id}/").status_code == 404
    assert browse(alice, ["image"], "uploads", "", "").items == []
    assert logo.public_id not in as_alice.get(run.get_absolute_url()).text
    assert logo.public_id in as_admin.get(run.get_absolute_url()).text

    set_rules(app, admin_member, p2=locked(file=logo))  # the logo is now visible to everyone
    assert statuses(as_alice, logo) == {200}
    seen = pressed(as_alice, app).inputs.get(name="Photo").uploads.get()
    assert (seen.is_hidden, seen.file) == (False, logo)


def test_a_colleague_who_retries_does_not_get_the_hidden_picture(
    as_alice: Client, as_bob: Client, bob: Member, admin_member: Member, app: App, logo: StoredFile
) -> None:
    set_rules(app, admin_member, p1=hidden(SECRET), p2=hidden(file=logo))
    run = pressed(as_alice, app)
    run.outputs.filter(position=0).update(status="error")
    ended = {"status": "completed", "outputs_failed": 1, "outputs_ready": 1, "finished_at": timezone.now()}
    Run.objects.filter(pk=run.pk).update(due_at=None, shared_at=timezone.now(), **ended)
    set_rules(app, admin_member, p1=FieldSettings(), p2=FieldSettings())  # neither field is hidden any more

    page = as_bob.get(run.get_absolute_url()).text
    token = token_in(page.partition("retry-failed/")[2])
    again = as_bob.post(f"/runs/{run.public_id}/retry-failed/", {"token": token}, follow=True)

    retry = Run.objects.get(parent=run)
    # the retry sends the hidden prompt of the original run
    assert dict(retry.inputs.values_list("name", "value"))["Prompt"] == SECRET
    assert retry.inputs.get(name="Photo").uploads.get().file == logo
    assert SECRET not in page + again.text
    assert SECRET not in retry.search_text
    assert statuses(as_bob, logo) == {404}
    assert not browse(bob, ["image"], "uploads", "", "").items


def test_a_field_that_is_open_again_tells_nothing_of_what_was_hidden(
    as_alice: Client, as_admin: Client, admin_member: Member, app: App, logo: StoredFile
) -> None:
    set_rules(app, admin_member, p1=hidden(SECRET), p2=hidden(file=logo))
    run = pressed(as_alice, app)
    Run.objects.filter(pk=run.pk).update(status="failed", finished_at=timezone.now(), due_at=None)
    set_rules(app, admin_member, p1=FieldSettings(), p2=FieldSettings())

    form_url, again_url = f"{app.get_absolute_url()}?from={run.public_id}", f"/runs/{run.public_id}/again/"
    preset_url = f"/presets/new/?from={run.public_id}"
    for url in (form_url, again_url, preset_url):
        text = as_alice.get(url).text
        assert SECRET not in text, url
        assert logo.public_id not in text, url
        assert run.inputs.get(name="Photo").uploads.get().public_id not in text, url
    assert "Check the values in the form." in as_alice.get(again_url).text
    assert press(as_alice, run).status_code == 422
    as_alice.post(preset_url, {"name": "Mine"})
    assert [answer.name for answer in Preset.objects.get().answers] == ["Style"]
    assert SECRET in as_admin.get(form_url).text


def test_earlier_runs_hide_what_is_hidden_now_and_keep_what_people_typed(
    as_alice: Client, as_bob: Client, as_admin: Client, admin_member: Member, app: App, photo: Upload, logo: StoredFile
) -> None:
    typed = run_of(photo.member, app, photo, status="completed", shared_at=timezone.now())
    set_rules(app, admin_member, p1=locked(SECRET), p2=locked(file=logo))
    told = pressed(as_alice, app)
    Run.objects.filter(pk=told.pk).update(shared_at=timezone.now())
    make_kept(told)
    link = links.make_link(told.member, list(told.outputs.all()))
    GuestLink.objects.filter(pk=link.pk).update(shows_inputs=True)
    assert SECRET in as_bob.get(told.get_absolute_url()).text
    assert statuses(as_bob, logo) == {200}

    set_rules(app, admin_member, p1=hidden(SECRET), p2=hidden(file=logo))
    assert AppRule.objects.get().hiding_due_at
    tasks.hide_inputs()

    told.refresh_from_db()
    assert AppRule.objects.get().hiding_due_at is None
    for client in (as_alice, as_bob):
        pages = [client.get(url).text for url in (told.get_absolute_url(), "/history/?tab=team", "/history/")]
        assert SECRET not in "".join(pages)
        assert statuses(client, logo) == {404}
    assert (SECRET in told.search_text, told.input_picture) == (False, None)
    assert SECRET not in page_of(link)
    assert "at sea" in as_bob.get(typed.get_absolute_url()).text  # a person typed these words
    assert {as_bob.get(url).status_code for url in urls_of(photo.file)} == {200}  # type: ignore[arg-type]
    inputs = Page(as_admin.get(told.get_absolute_url()).text)
    assert SECRET in inputs.words
    assert [e.words for e in inputs.find(css="went-in-hidden")] == ["only admins can see this"] * 2

    set_rules(app, admin_member, name="Only another name", p1=hidden(SECRET), p2=hidden(file=logo))
    assert AppRule.objects.get().hiding_due_at is None  # no further runs need checking


def test_a_worker_looks_through_earlier_runs_even_if_the_task_was_lost(
    as_alice: Client, admin_member: Member, app: App, photo: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_of(photo.member, app, photo, status="completed")
    set_rules(app, admin_member, p1=hidden("at sea"))
    queued: list[str] = []
    monkeypatch.setattr("runs.background.due_work.enqueue_long", lambda task, **_options: queued.append(task))
    tasks.sweep()
    assert queued == ["hide_inputs"]
    tasks.hide_inputs()
    assert "at sea" not in as_alice.get(run.get_absolute_url()).text
    tasks.sweep()
    assert queued == ["hide_inputs"]
