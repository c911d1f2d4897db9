"""A result's page: the right viewer, its neighbours, and where it came from; and how much its run's page asks for."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from runs.connection import status as health
from runs.launching import prefill
from runs.models import Draft, Member, Output, OutputFile, Run, StoredFile, Upload
from runs.models.run import RunInputUpload
from runs.schema_forms.answers import load_answers
from tests.support.clients import client_of
from tests.support.factories import PICTURE, PROMPT, STYLE, make_app, make_kept, make_run, make_stored
from tests.support.html import flat
from tests.support.page import Page

pytestmark = pytest.mark.django_db
PROMPT_ANSWER = {"name": "Prompt", "key": "prompt_text", "id": "p-1", "type": "text", "value": "A red shoe"} | {
    "is_default": False
}
NASTY = '<b>"\u202e../../' + "x" * 190


def add_file(output: Output, **fields: object) -> StoredFile:
    """Add a saved picture to `output`, with `fields` set on its stored file."""
    file = make_stored()
    StoredFile.objects.filter(pk=file.pk).update(**fields)
    file.refresh_from_db()
    OutputFile.objects.create(
        output=output, source_url="https://x.test/a.png", status="saved", file=file, position=output.files.count()
    )
    return file


@pytest.fixture
def run(alice: Member) -> Run:
    return make_run(alice, make_app(), status="completed", title="Autumn shoes")


@pytest.fixture
def outputs(run: Run) -> list[Output]:
    return list(run.outputs.all())


def page(client: Client, output: Output, query: str = "") -> str:
    return source(client, output.get_absolute_url() + query)


def source(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return flat(answer.content)


def test_a_picture_stands_uncropped_in_its_own_shape(as_alice: Client, outputs: list[Output]) -> None:
    file = add_file(outputs[0], width=400, height=300, colour="#336699")

    body = page(as_alice, outputs[0])

    assert 'viewBox="0 0 400 300"' in body
    assert 'fill="#336699"' in body
    assert re.search(r'<img [^>]*width="400" height="300" alt="Front · Ghibli"', body)
    assert f'<a class="frame-link" href="{file.original_url}"' in body  # without scripts, a click opens this


@pytest.mark.parametrize(
    ("kind", "media_type", "expected"),
    [
        ("video", "video/mp4", '<video controls playsinline preload="metadata"'),
        ("audio", "audio/mpeg", "<audio controls"),
        ("other", "application/pdf", 'class="stage stage-of-download"'),
    ],
)
def test_each_kind_has_its_viewer(
    as_alice: Client, outputs: list[Output], kind: str, media_type: str, expected: str
) -> None:
    add_file(outputs[0], kind=kind, media_type=media_type)

    body = page(as_alice, outputs[0])

    assert expected in body
    assert "autoplay" not in body


def test_a_video_of_unknown_measures_is_as_large_as_the_page_lets_it(as_alice: Client, outputs: list[Output]) -> None:
    add_file(outputs[0], kind="video", media_type="video/mp4", width=None, height=None)

    body = page(as_alice, outputs[0])

    assert '<svg class="frame-space" width="10000" height="10000" viewBox="0 0 1 1"' in body
    assert "data-shapeless" in body  # the page learns the real shape when the first bytes arrive


def test_a_text_can_be_read_and_copied(as_alice: Client, outputs: list[Output]) -> None:
    Output.objects.filter(pk=outputs[0].pk).update(kind="text", text="<b>Bold</b> words")

    body = page(as_alice, outputs[0])

    assert "&lt;b&gt;Bold&lt;/b&gt; words" in body
    assert 'data-copy="file-text"' in body
    assert "2 words, 17 characters" in body


@pytest.mark.parametrize(
    ("fields", "file_status", "kind", "place"),
    [
        ({"status": "error", "error": "The safety filter stopped it."}, "", "error", "stage-said"),
        ({"status": "cancelled"}, "", "cancelled", "stage-said"),
        ({}, "failed", "unsaved", "stage-said"),
        ({}, "saving", "saving", "file-state"),
        ({}, "", "unknown", "stage-said"),
    ],
)
def test_what_cannot_be_seen_says_why(
    as_alice: Client, outputs: list[Output], fields: dict[str, str], file_status: str, kind: str, place: str
) -> None:
    Output.objects.filter(pk=outputs[0].pk).update(**fields)
    if file_status:
        OutputFile.objects.create(output=outputs[0], source_url="https://x.test/a.png", status=file_status)

    body = page(as_alice, outputs[0])

    shown = Page(body)
    assert f"stage-of-{kind}" in shown.first(css="stage").classes
    words = shown.first(css=place).words
    assert words
    assert fields.get("error", "") in words
    assert ('href="https://x.test/a.png"' in body) is (file_status == "failed")


def test_a_page_that_waits_is_swapped_only_for_news(as_alice: Client, outputs: list[Output]) -> None:
    OutputFile.objects.create(output=outputs[0], source_url="https://x.test/a.png", status="saving")
    asked = re.search(r"""hx-get="[^"]+" hx-vals='{"v": "(\d+)", "auto": "1"}'""", page(as_alice, outputs[0]))
    assert asked

    def ask() -> int:
        headers = {"HX-Request": "true", "HX-Target": "file"}
        return as_alice.get(outputs[0].get_absolute_url(), {"v": asked[1]}, headers=headers).status_code

    assert ask() == 204
    Output.objects.filter(pk=outputs[0].pk).update(changed_in=int(asked[1]) + 1)
    assert ask() == 200


def test_previous_and_next_walk_files_and_results(as_alice: Client, outputs: list[Output]) -> None:
    front, back = outputs
    add_file(front)
    add_file(front)
    add_file(back)
    walked, url = [], front.get_absolute_url()

    while url:
        body = source(as_alice, url)
        walked.append(re.findall(r"<h1[^>]*>([^<]*)<", body)[0])
        onward = re.search(r'rel="next" href="([^"]*)"', body)
        url = onward[1] if onward else ""

    assert walked == ["Front, 1 of 2", "Front, 2 of 2", "Back"]
    assert 'rel="prev"' not in page(as_alice, front)
    assert f'rel="prev" href="{front.get_absolute_url()}?n=2"' in page(as_alice, back)


@pytest.mark.parametrize("number", ["0", "3", "-1", "9" * 40, "٢", "x"])
def test_a_number_that_is_none_shows_the_first_file(as_alice: Client, outputs: list[Output], number: str) -> None:
    add_file(outputs[0])
    add_file(outputs[0])

    assert "Front, 1 of 2</h1>" in page(as_alice, outputs[0], f"?n={number}")


def test_it_tells_where_it_came_from(as_alice: Client, run: Run, outputs: list[Output], alice: Member) -> None:
    file = add_file(outputs[0], width=40, height=30)
    Output.objects.filter(pk=outputs[0].pk).update(remote_id="remote-output-7")
    source = make_stored((50, 30))
    given = run.inputs.create(position=1, name=NASTY, type="url", value=[])
    upload = Upload.objects.create(member=alice, file=source, status="ready", name="shoe.png")
    RunInputUpload.objects.create(input=given, upload=upload, position=0)

    body = page(as_alice, outputs[0])

    for told in ("Cartoonify!", "Autumn shoes", "Alice", "Style", "Ghibli", source.small_url.replace("&", "&amp;")):
        assert told in body
    for proof in (run.remote_id, run.app.remote_id, "remote-output-7", file.sha256, "30 pixels", "PNG picture"):
        assert proof in body
    assert "<b>" not in body


def test_what_was_said_comes_before_what_can_be_done_and_proof_is_folded(
    as_alice: Client, run: Run, outputs: list[Output]
) -> None:
    kept = make_kept(run)
    main = Page(as_alice.get(outputs[0].get_absolute_url()).text).root.first("article", css="file-page")
    parts = ("verdict-on-page", "comments", "file-actions", "describe", "provenance")
    assert [css for it in main.walk() for css in parts if css in it.classes] == list(parts)
    proof = main.first("details", css="proof")
    assert "open" not in proof.attributes
    assert kept.file
    assert kept.file.sha256 in proof.words
    assert main.words.count(run.remote_id) == proof.words.count(run.remote_id) == 1


@pytest.mark.parametrize(
    ("role", "verdict", "main"),
    [
        ("maker", "", "Ask for a decision"),
        ("maker", "changes", "Make the next version"),
        ("maker", "approved", "Download"),
        ("maker", "rejected", "Download"),
        ("viewer", "", "Download"),
        ("viewer", "changes", "Download"),
    ],
)
def test_the_main_action_follows_the_decision(
    alice: Member, run: Run, outputs: list[Output], role: str, verdict: str, main: str
) -> None:
    make_kept(run)
    Output.objects.filter(pk=outputs[0].pk).update(verdict=verdict)
    Member.objects.filter(pk=alice.pk).update(role=role)
    body = client_of(Member.objects.get(pk=alice.pk)).get(outputs[0].get_absolute_url()).text
    actions = Page(body).root.first(css="file-actions")
    assert actions.find(css="primary")[0].words == main
    assert not actions.find(css="main-next") or verdict == "changes"


@pytest.mark.parametrize("maker", ["Alice", "Unknown"])
def test_it_says_who_made_it_whoever_has_it_now(
    as_bob: Client, run: Run, outputs: list[Output], bob: Member, maker: str
) -> None:
    Run.objects.filter(pk=run.pk).update(member=bob)
    if maker == "Unknown":
        Run.objects.filter(pk=run.pk).update(made_by=None)

    body = page(as_bob, outputs[0])
    assert f'<dt>Made by</dt><dd dir="auto">{maker}</dd>' in body
    assert '<dt>Now owned by</dt><dd dir="auto">Bob</dd>' in body
    crumb = Page(as_bob.get(run.get_absolute_url()).content.decode()).first(css="run-crumb").words
    assert "now owned by Bob" in crumb
    assert ("by Alice" in crumb) == (maker == "Alice")


def test_a_run_that_its_maker_still_has_names_no_owner(as_alice: Client, run: Run, outputs: list[Output]) -> None:
    assert "Now owned by" not in page(as_alice, outputs[0])
    assert "owned by" not in source(as_alice, run.get_absolute_url())


def test_shortcuts_can_be_switched_off(as_alice: Client, alice: Member, outputs: list[Output]) -> None:
    assert 'id="file" data-keys' in page(as_alice, outputs[0])
    Member.objects.filter(pk=alice.pk).update(has_shortcuts=False)
    assert 'id="file" data-keys' not in page(as_alice, outputs[0])


def test_boxes_of_the_run_page_lead_to_their_pages(as_alice: Client, run: Run, outputs: list[Output]) -> None:
    add_file(outputs[0])
    add_file(outputs[0])

    body = source(as_alice, run.get_absolute_url())

    for output in outputs:
        assert f'<a class="output-label" href="{output.get_absolute_url()}"' in body
    assert f'<a class="output-picture" href="{outputs[0].get_absolute_url()}?n=2"' in body


def test_the_script_is_small() -> None:
    code = re.sub(r"/\*.*?\*/", "", Path("static/viewer.js").read_text(), flags=re.DOTALL)
    assert len(code) < 8 * 1024


def test_previous_and_next_walk_the_list_in_history(as_alice: Client, alice: Member) -> None:
    now = timezone.now()
    newest, middle, oldest, other = (
        make_run(alice, make_app(name), status="completed", title=name, created_at=now - timedelta(hours=hours))
        for hours, name in ((1, "shoe 3"), (3, "shoe 2"), (4, "shoe 1"), (2, "hat"))
    )
    query = "?in=q%3Dshoe"

    walked, url = [], newest.outputs.all()[0].get_absolute_url() + query
    while url:
        body = source(as_alice, url)
        walked.append(re.findall(r"/results/(\w+)/", url)[0])
        onward = re.search(r'rel="next" href="([^"]*)"', body)
        url = onward[1] if onward else ""

    assert walked == [output.public_id for run in (newest, middle, oldest) for output in run.outputs.all()]
    assert other.public_id not in walked
    assert 'rel="next"' not in page(as_alice, newest.outputs.all()[1])  # there is no next run if no list was open
    listed = as_alice.get("/history/?q=shoe").content.decode()
    assert f'href="{newest.get_absolute_url()}{query}"' in listed
    assert f'href="{newest.get_absolute_url()}?in="' in as_alice.get("/history/").content.decode()
    assert f'rel="next" href="{other.outputs.all()[0].get_absolute_url()}?in="' in page(
        as_alice, newest.outputs.all()[1], "?in="
    )
    of_run = as_alice.get(newest.get_absolute_url() + query).content.decode()
    assert f'href="{newest.outputs.all()[0].get_absolute_url()}{query}"' in of_run
    assert f'href="{newest.get_absolute_url()}{query}"' in page(as_alice, newest.outputs.all()[0], query)


def test_a_result_goes_into_another_apps_form(as_alice: Client, alice: Member, outputs: list[Output]) -> None:
    file = add_file(outputs[0])
    taking = make_app("Try on", parameters=[PROMPT, PICTURE])
    make_app("Gone", parameters=[PICTURE], gone_at=timezone.now())
    Draft.objects.create(member=alice, app=taking, answers=load_answers([PROMPT_ANSWER]))

    answer = as_alice.get(f"/results/{outputs[0].public_id}/use/")
    assert [use.app.name for use in answer.context["uses"]] == ["Try on"]
    own = make_app("Aardvark", parameters=[PICTURE])
    Run.objects.filter(pk=outputs[0].run_id).update(app=own, schema=own.schema)
    uses = as_alice.get(f"/results/{outputs[0].public_id}/use/").context["uses"]
    assert [use.app.name for use in uses] == ["Try on", "Aardvark"]  # the app that made it comes last
    sent = as_alice.post(f"/results/{outputs[0].public_id}/use/", {"app": taking.public_id})

    assert sent.headers["Location"] == f"{taking.get_absolute_url()}?added=p1#p1-field"
    form = as_alice.get(sent.headers["Location"]).text
    assert "What you chose is now in “Photo”. The other fields are as you left them." in form
    assert prefill.FROM_LAST_TIME not in form
    assert prefill.FROM_LAST_TIME in as_alice.get(taking.get_absolute_url()).text
    prompt, picture = Draft.objects.get(app=taking).answers
    assert prompt.value == "A red shoe"
    assert picture.upload_ids == (Upload.objects.get(member=alice, file=file).public_id,)

    Draft.objects.filter(app=taking).update(answers=[prompt])  # somebody has since removed the picture
    assert prefill.FROM_LAST_TIME in as_alice.get(sent.headers["Location"]).text


def test_a_text_goes_into_a_text_field(as_alice: Client, alice: Member, outputs: list[Output]) -> None:
    Output.objects.filter(pk=outputs[0].pk).update(kind="text", text="Words that sell")
    taking = make_app("Reel", parameters=[PICTURE, PROMPT])

    as_alice.post(f"/results/{outputs[0].public_id}/use/", {"app": taking.public_id})

    assert Draft.objects.get(app=taking).answers[1].value == "Words that sell"


def test_the_form_opens_at_what_is_still_missing_above_the_file(as_alice: Client, outputs: list[Output]) -> None:
    taking = make_app("Cartoons", parameters=[STYLE, PICTURE | {"required": True, "default": None}])
    add_file(outputs[0])
    url = f"/results/{outputs[0].public_id}/use/"

    assert as_alice.post(url, {"app": taking.public_id}).headers["Location"].endswith("#p0-field")
    style = load_answers([STYLE | {"value": "Ghibli"}])
    Draft.objects.update(answers=[*style, *Draft.objects.get(app=taking).answers[1:]])
    assert as_alice.post(url, {"app": taking.public_id}).headers["Location"].endswith("#p1-field")


def test_what_takes_nothing_of_the_kind_is_refused(as_alice: Client, outputs: list[Output]) -> None:
    add_file(outputs[0], kind="audio", media_type="audio/mpeg")
    taking = make_app("Try on", parameters=[PICTURE])
    url = f"/results/{outputs[0].public_id}/use/"

    assert "No app accepts this kind of result" in as_alice.get(url).content.decode()
    assert as_alice.post(url, {"app": taking.public_id}).status_code == 404
    assert as_alice.post(f"/results/{outputs[1].public_id}/use/", {"app": taking.public_id}).status_code == 404


@pytest.mark.parametrize("results", [1, 12])
def test_a_runs_page_asks_14_queries_however_many_results_it_has(
    as_alice: Client,
    alice: Member,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    monkeypatch: pytest.MonkeyPatch,
    results: int,
) -> None:
    monkeypatch.setattr(health, "CACHE_SECONDS", 600)  # so that Lamina's status is read only once
    outputs = [{"id": f"o-{n}", "label": f"View {n}", "type": "image"} for n in range(results)]
    run = make_run(alice, make_app(outputs=outputs), status="completed")
    for output in run.outputs.all():
        add_file(output)
    as_alice.get(run.get_absolute_url())

    with django_assert_max_num_queries(14):
        as_alice.get(run.get_absolute_url())
