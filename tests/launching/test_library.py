"""The library: choosing from the files that a field accepts, with and without scripts, without losing the draft."""

import re
from datetime import timedelta
from urllib.parse import quote_plus

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from runs.engine.create_run import LaunchRequest, launch_run, new_form_token
from runs.launching import library
from runs.models import App, Draft, Member, OutputFile, Run, StoredFile, Upload
from runs.schema_forms.answers import Answer, Files
from runs.words.file_names import stem_in_run
from runs.words.fold import name_fields
from tests.support.factories import PICTURE, PROMPT, make_app, make_run, make_stored
from tests.support.page import Page

pytestmark = pytest.mark.django_db
MOODS = {"id": "u-2", "key": "", "name": "Moods", "type": "url", "accept": ["image", "video"], "multiple": True}


def made(run: Run, **fields: object) -> StoredFile:
    """Make a saved result of `run`. Its content is unique unless `fields` says otherwise."""
    file = make_stored()
    StoredFile.objects.filter(pk=file.pk).update(**({"sha256": file.public_id} | fields))
    output = run.outputs.all()[0]
    place = output.files.count()
    OutputFile.objects.create(output=output, source_url="https://x.test/", status="saved", file=file, position=place)
    return file


def brought(member: Member, name: str = "shoe.png", **fields: object) -> StoredFile:
    """Make a file that `member` has uploaded. Its content is unique unless `fields` says otherwise."""
    file = make_stored()
    StoredFile.objects.filter(pk=file.pk).update(**({"sha256": file.public_id} | fields))
    Upload.objects.create(member=member, file=file, status="ready", **name_fields(name))
    return file


@pytest.fixture
def app() -> App:
    return make_app("Try on", parameters=[PROMPT, PICTURE, MOODS])


def address(app: App, field: str = "p1", **query: str) -> str:
    return f"/library/?app={app.public_id}&field={field}" + "".join(f"&{key}={value}" for key, value in query.items())


def offered(client: Client, url: str) -> list[str]:
    elements = Page(client.get(url).text).root.walk()
    return [element.attributes["value"] for element in elements if element.attributes.get("name") == "pick"]


def test_each_list_holds_what_it_says(as_alice: Client, alice: Member, bob: Member, app: App) -> None:
    mine = made(make_run(alice, app, status="completed"))
    theirs = made(make_run(bob, app, status="completed", shared_at=timezone.now()))
    made(make_run(bob, app, status="completed"))  # Bob hasn't shared it
    made(make_run(alice, app, status="completed", deleted_at=timezone.now()))
    made(make_run(alice, app, status="completed"), kind="audio", media_type="audio/mpeg")
    own = brought(alice)
    brought(bob)
    Upload.objects.create(member=alice, file=mine, status="ready", name="taken before.png")

    assert offered(as_alice, address(app)) == [mine.public_id]
    assert offered(as_alice, address(app, source="team")) == [theirs.public_id]
    assert offered(as_alice, address(app, source="uploads")) == [own.public_id]
    assert offered(as_alice, address(app, source="nonsense")) == [mine.public_id]


def test_only_kinds_that_the_field_takes(as_alice: Client, alice: Member, app: App) -> None:
    picture = brought(alice)
    video = brought(alice, kind="video", media_type="video/mp4")
    brought(alice, kind="audio", media_type="audio/mpeg")

    assert offered(as_alice, address(app, "p1", source="uploads")) == [picture.public_id]
    assert offered(as_alice, address(app, "p2", source="uploads")) == [video.public_id, picture.public_id]


@pytest.mark.parametrize(("q", "is_found"), [("GHIBLI", True), ("front+try", True), ("<>", False), ("none", False)])
def test_search_by_words(as_alice: Client, alice: Member, app: App, q: str, is_found: bool) -> None:
    made(make_run(alice, app, status="completed"))

    assert bool(offered(as_alice, address(app, q=q))) is is_found


def test_a_made_file_is_found_by_its_name(as_alice: Client, alice: Member, app: App) -> None:
    run = make_run(alice, app, status="completed", title="Red shoe")
    file = made(run)
    made(make_run(alice, app, status="completed", title="Red shoe", created_at=run.created_at - timedelta(days=1)))

    name = stem_in_run(run.outputs.all()[0]).named("png")

    assert offered(as_alice, address(app, q=name)) == [file.public_id]


@pytest.mark.parametrize(
    ("q", "is_wider"),
    [
        ("orchards quiet", False),
        ("QUIÉT the orchard", False),
        ("cartoonify ghibli orchard", False),
        ("quit orchad", True),
        ("Obstgarten", None),
        ("orchard zeppelin", None),
    ],
)
@pytest.mark.parametrize("source", ["results", "uploads"])
def test_words_match_as_in_history(
    as_alice: Client, alice: Member, app: App, q: str, is_wider: bool | None, source: str
) -> None:
    file = made(make_run(alice, status="completed", title="A quiet orchard"))
    made(make_run(alice, make_app("Other"), status="completed", title="Zeppelin"))
    if source == "uploads":
        file = brought(alice, "A_quiet orchard Cartoonify-ghibli.png")
        brought(alice, "zeppelin.png")

    page = as_alice.get(address(app, source=source, q=quote_plus(q)))

    assert [item.file.public_id for item in page.context["items"]] == ([] if is_wider is None else [file.public_id])
    assert page.context["is_similar"] is (is_wider is not False)
    if is_wider is not None:
        assert re.search("<mark>orchard</mark>", page.text)
        assert ("Here are the closest matches." in page.text) is is_wider


def test_pages_of_a_wider_search_follow(as_alice: Client, alice: Member, app: App) -> None:
    for _ in range(library.PER_PAGE + 3):
        made(make_run(alice, app, status="completed", title="A quiet orchard"))
    first = as_alice.get(address(app, q="orchad"))
    second = as_alice.get(first.context["older_url"])
    assert [len(page.context["items"]) for page in (first, second)] == [library.PER_PAGE, 3]


@pytest.mark.parametrize("q", ["ÉTÉ", "ete", "ÄRMEL+été"])
def test_uploads_are_found_whatever_the_case_and_accents(as_alice: Client, alice: Member, app: App, q: str) -> None:
    file = brought(alice, "Ärmel Été.png")
    brought(alice, "winter.png")

    assert offered(as_alice, address(app, source="uploads", q=q)) == [file.public_id]


@pytest.mark.parametrize("q", ["RÜCKSEITE", "ruckseite", "try+Rückseite"])
def test_results_are_found_by_their_label_whatever_the_case_and_accents(
    as_alice: Client, alice: Member, q: str
) -> None:
    app = make_app(
        "Try on", parameters=[PROMPT, PICTURE], outputs=[{"index": 0, "label": "Rückseite", "type": "image"}]
    )
    assert app.schema is not None
    file = made(launch_run(alice, LaunchRequest(app, app.schema, [], [], new_form_token(alice))))
    made(make_run(alice, make_app(), status="completed"))

    assert offered(as_alice, address(app, q=q)) == [file.public_id]


def test_pages_follow_without_gap_or_repeat(as_alice: Client, alice: Member, app: App) -> None:
    files = [brought(alice).public_id for _ in range(library.PER_PAGE + 3)]
    first = as_alice.get(address(app, source="uploads"))
    second = as_alice.get(first.context["older_url"])

    shown = [item.file.public_id for page in (first, second) for item in page.context["items"]]

    assert shown == files[::-1]
    assert not second.context["older_url"]


def test_without_scripts_the_form_is_kept_and_found_again(as_alice: Client, alice: Member, app: App) -> None:
    file = made(make_run(alice, app, status="completed"))
    page = as_alice.get(app.get_absolute_url()).content.decode()
    hidden = {name: re.findall(rf'name="{name}" value="([^"]*)"', page)[0] for name in ("token", "schema")}

    sent = as_alice.post(app.get_absolute_url(), hidden | {"p0": "A red shoe", "act": "library:p1"})
    assert offered(as_alice, sent.headers["Location"]) == [file.public_id]
    back = as_alice.post("/library/", {"app": app.public_id, "field": "p1", "pick": file.public_id})

    assert back.headers["Location"] == f"{app.get_absolute_url()}?added=p1#p1-field"
    form = as_alice.get(app.get_absolute_url()).content.decode()
    upload = Upload.objects.get()
    assert (upload.member, upload.file) == (alice, file)
    assert f'name="p1_kept" value="{upload.public_id}"' in form
    assert "A red shoe</textarea>" in form


def test_several_are_added_one_replaces(as_alice: Client, alice: Member, app: App) -> None:
    files = [brought(alice).public_id for _ in range(3)]
    kept = {upload.file.public_id: upload.public_id for upload in Upload.objects.all() if upload.file}

    for field, ids in (("p2", files[:1]), ("p2", files[1:]), ("p1", files[:1]), ("p1", files[1:])):
        as_alice.post("/library/", {"app": app.public_id, "field": field, "pick": ids})

    answers = Draft.objects.get(member=alice).answers
    assert answers[2].upload_ids == tuple(kept[file_id] for file_id in files)
    assert answers[1].upload_ids == (kept[files[1]],)


def test_a_draft_begun_from_a_run_stays_one(as_alice: Client, alice: Member, app: App) -> None:
    run = make_run(alice, app, status="completed")
    Draft.objects.create(member=alice, app=app, source=run.public_id, wanted_outputs=[1])
    file = brought(alice)

    back = as_alice.post("/library/", {"app": app.public_id, "field": "p1", "pick": file.public_id})

    assert back.headers["Location"] == f"{app.get_absolute_url()}?from={run.public_id}&added=p1#p1-field"
    assert Draft.objects.get().wanted_outputs == [1]


def test_with_htmx_the_tiles_come_back(as_alice: Client, alice: Member, app: App) -> None:
    file = brought(alice)
    data = {"app": app.public_id, "field": "p1", "pick": file.public_id}

    answer = as_alice.post("/library/", data, HTTP_HX_REQUEST="true").content.decode()

    assert 'name="p1_kept"' in answer
    assert "<html" not in answer
    assert not Draft.objects.exists()  # the page itself saves its form
    inside = as_alice.get(address(app, source="uploads"), HTTP_HX_REQUEST="true").content.decode()
    assert "<html" not in inside
    assert 'popovertargetaction="hide"' in inside


def test_nothing_of_others_can_be_picked(as_alice: Client, bob: Member, app: App) -> None:
    theirs = [brought(bob).public_id, made(make_run(bob, app, status="completed")).public_id, "unknown"]

    as_alice.post("/library/", {"app": app.public_id, "field": "p2", "pick": theirs})

    assert not Upload.objects.exclude(member=bob).exists()


@pytest.mark.parametrize("field", ["p0", "p9", "", "outputs"])
def test_only_fields_for_files_have_a_library(as_alice: Client, app: App, field: str) -> None:
    assert as_alice.get(address(app, field)).status_code == 404


def test_newest_first(as_alice: Client, alice: Member, app: App) -> None:
    now = timezone.now()
    runs = [make_run(alice, app, status="completed", created_at=now - timedelta(hours=n)) for n in (3, 2, 1)]
    files = [made(run).public_id for run in runs]

    assert offered(as_alice, address(app)) == files[::-1]


def test_results_of_the_newest_run_come_first_even_if_they_were_saved_before(
    as_alice: Client, alice: Member, app: App
) -> None:
    older, newer = make_run(alice, app, status="completed"), make_run(alice, app, status="completed")
    saved_first, saved_last = made(newer), made(older)

    assert offered(as_alice, address(app)) == [saved_first.public_id, saved_last.public_id]


@pytest.mark.parametrize("source", ["results", "team"])
def test_pages_of_results_follow_without_gap_or_repeat(
    as_alice: Client, alice: Member, bob: Member, app: App, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.setattr(library, "PER_PAGE", 2)
    now = timezone.now()
    owner = bob if source == "team" else alice
    times = [now - timedelta(hours=2), now - timedelta(hours=1), now - timedelta(hours=1)]  # two in the same moment
    runs = [make_run(owner, app, status="completed", created_at=at, shared_at=now) for at in times]
    made(runs[0], sha256="same")
    files = [made(run).public_id for run in runs for _ in range(3)] + [made(runs[2], sha256="same").public_id]

    shown, url = [], address(app, source=source)
    while url:
        page = as_alice.get(url)
        shown += [item.file.public_id for item in page.context["items"]]
        url = page.context["older_url"]

    assert shown == files[::-1]


def test_a_picture_is_listed_once_however_often_it_was_made_or_added(
    as_alice: Client, alice: Member, bob: Member, app: App, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(3):
        made(make_run(alice, app, status="completed"), sha256="same")
        brought(alice, "same.png", sha256="same")
    other, added = made(make_run(alice, app, status="completed")), brought(alice, "other.png")
    brought(bob, sha256="same")
    newest = made(make_run(alice, app, status="completed"), sha256="same")
    last = brought(alice, "called something else.png", sha256="same")
    made(make_run(bob, app, status="completed"), sha256="same")  # this file is newer, but Alice can't see it

    assert offered(as_alice, address(app)) == [newest.public_id, other.public_id]
    with django_assert_max_num_queries(8):
        assert offered(as_alice, address(app, source="uploads")) == [last.public_id, added.public_id]
    found = offered(as_alice, address(app, source="uploads", q="same.png"))
    assert len(found) == 1
    assert last.public_id not in found


def test_what_was_used_last_comes_first(
    as_alice: Client, alice: Member, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "PER_PAGE", 1)
    files = [brought(alice, f"{n}.png") for n in range(3)]
    Upload.objects.update(used_at=timezone.now() - timedelta(minutes=1))
    photo = Answer("Photo", "", "", "url", Files((Upload.objects.get(file=files[0]).public_id,)))
    assert app.schema is not None
    launch_run(alice, LaunchRequest(app, app.schema, [photo], [], new_form_token(alice)))

    first = as_alice.get(address(app, source="uploads"))
    second = as_alice.get(first.context["older_url"])
    third = as_alice.get(second.context["older_url"])

    shown = [item.file for page in (first, second, third) for item in page.context["items"]]
    assert shown == [files[0], files[2], files[1]]
    assert not third.context["older_url"]
