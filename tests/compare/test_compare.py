"""Two to four results side by side, with the inputs that differ."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from runs.display.differences import inline, side_by_side
from runs.models import App, Member, Output, OutputFile, Run, RunInput, StoredFile, Upload
from runs.models.run import RunInputUpload
from tests.support.clients import client_of
from tests.support.factories import make_app, make_run, make_stored
from tests.support.html import flat
from tests.support.page import Page
from tests.support.processes import busy_at_most

pytestmark = pytest.mark.django_db


@pytest.fixture
def app() -> App:
    return make_app()


def made(
    member: Member, app: App, *, style: str = "Ghibli", prompt: str = "", kind: str = "image", **fields: Any
) -> Run:
    """Make a finished run whose first result is a picture or, if `kind` is "text", a copy of the prompt."""
    run = make_run(member, app, status="completed", **fields)
    run.inputs.update(value=style)
    RunInput.objects.create(run=run, position=1, name="Prompt", key="prompt_text", type="text", value=prompt)
    output = run.outputs.all()[0]
    if kind == "text":
        Output.objects.filter(pk=output.pk).update(kind="text", text=prompt)
    else:
        OutputFile.objects.create(output=output, source_url="https://x.test/a.png", status="saved", file=make_stored())
    return run


def first(run: Run) -> str:
    return run.outputs.all()[0].public_id


def address(*runs: Run, more: str = "") -> str:
    return f"/compare/?f={','.join(map(first, runs))}{more}"


def test_only_the_inputs_that_differ_are_shown(as_alice: Client, alice: Member, app: App) -> None:
    runs = [made(alice, app, style="Ghibli", prompt="at sea"), made(alice, app, style="Plain ", prompt="at sea")]

    whole = flat(as_alice.get(address(*runs)).text)
    page = whole.partition('class="compare-inputs"')[2]
    everything = as_alice.get(address(*runs, more="&all=1")).text.partition('class="compare-inputs"')[2]

    assert '<th role="rowheader" scope="row" dir="auto">Style' in page
    assert "Ghibli" in page
    assert "Plain" in page
    assert "at sea" not in page
    assert "at sea" in everything
    assert everything.count("compare-differs") == 1
    assert f"?from={runs[0].public_id}" in whole


def test_source_pictures_differ_by_their_bytes(as_alice: Client, alice: Member, app: App) -> None:
    files = [make_stored((40, 30)), make_stored((44, 33)), make_stored((40, 30))]
    runs = [made(alice, app) for _ in files]
    for run, file in zip(runs, files, strict=True):
        given = RunInput.objects.create(run=run, position=2, name="Photo", parameter_id="u-1", type="url", value=[])
        upload = Upload.objects.create(member=alice, file=file, status="ready", name="a.png")
        RunInputUpload.objects.create(input=given, upload=upload, position=0)

    assert files[1].small_url in as_alice.get(address(runs[0], runs[1])).text
    assert "Photo" not in as_alice.get(address(runs[0], runs[2])).text


def test_the_app_and_what_was_asked_for_stand_there_when_they_differ(as_alice: Client, alice: Member, app: App) -> None:
    runs = [made(alice, app, wanted_outputs=[0]), made(alice, make_app("Other app"), wanted_outputs=[])]

    page = as_alice.get(address(*runs)).text

    assert "Other app" in page
    assert "Requested" in page
    assert "Everything the app makes" in page


def test_results_of_one_run_say_that_their_inputs_are_the_same(as_alice: Client, alice: Member, app: App) -> None:
    run = made(alice, app)
    ids = [output.public_id for output in run.outputs.all()]

    page = as_alice.get(f"/compare/?f={ids[0]}&f={ids[1]}").text

    assert "These results are from the same run" in page
    assert "Not ready yet" not in page


def test_a_missing_one_is_named_and_the_rest_shown(as_bob: Client, as_alice: Client, alice: Member, app: App) -> None:
    shared = [made(alice, app, shared_at=timezone.now()) for _ in range(2)]
    private = made(alice, app, title="Secret shoes")
    binned = made(alice, app, shared_at=timezone.now(), deleted_at=timezone.now())

    page = as_bob.get(address(*shared, private)).text
    both = as_bob.get(address(*shared, private, binned)).text

    assert "Compare 2 pictures" in page
    assert "1 result is no longer available" in page
    assert "Secret shoes" not in page
    assert "2 results are no longer available" in both


def test_of_more_than_four_the_first_four_are_shown(as_alice: Client, alice: Member, app: App) -> None:
    runs = [made(alice, app, style=f"Style {n}") for n in range(5)]

    page = as_alice.get(address(*runs, runs[0])).text

    assert "the first four of 5" in page
    assert "Style 3" in page
    assert "Style 4" not in page


def test_fewer_than_two_is_a_choice_from_this_run_and_the_latest(
    as_alice: Client, as_bob: Client, alice: Member, app: App
) -> None:
    one, other = made(alice, app), made(alice, app, prompt="a red boat", search_text="a red boat")

    page = flat(as_alice.get(address(one)).text)
    assert f'value="{first(one)}" checked' in page
    assert f'value="{first(other)}"' in page
    assert f'value="{first(one)}" checked' in flat(as_alice.get(f"/compare/?r={one.public_id}").text)
    for words in ("boat", "boats red", "booat"):
        found = as_alice.get(f"/compare/?f={first(one)}&q={words}&pick=1").text
        assert f'value="{first(other)}"' in found, words
    assert f'value="{first(other)}"' not in as_alice.get(f"/compare/?f={first(one)}&q=oat&pick=1").text
    assert "Nothing to compare yet" in as_bob.get(address(one)).text


def test_a_video_among_what_can_be_compared_is_marked(as_alice: Client, alice: Member, app: App) -> None:
    made(alice, app)
    made(alice, app)
    film = made(alice, app).outputs.all()[0].files.get().file
    StoredFile.objects.filter(pk=film.pk).update(kind="video")  # type: ignore[union-attr]

    page = as_alice.get("/compare/").text

    assert page.count('class="pick-label"') == 3
    assert page.count('class="kind-mark"') == 1


def test_many_pages_cost_few_queries(
    as_alice: Client, alice: Member, app: App, django_assert_max_num_queries: Any
) -> None:
    runs = [made(alice, app) for _ in range(4)]
    with django_assert_max_num_queries(24):
        as_alice.get(address(*runs))
    with django_assert_max_num_queries(40):
        as_alice.get("/compare/")


def test_two_texts_bear_marks_where_they_differ(as_alice: Client, alice: Member, app: App) -> None:
    runs = [
        made(alice, app, kind="text", prompt=f"A {word} boat <b>at</b> sea\nand nothing else")
        for word in ("red", "blue")
    ]

    page = Page(as_alice.get(address(*runs)).text)

    first_text, second_text = page.find(css="compare-text")
    assert first_text.text.rstrip() == "A red boat <b>at</b> sea\nand nothing else"
    assert [mark.text for mark in first_text.find("del")] == ["red"]
    assert second_text.text.rstrip() == "A blue boat <b>at</b> sea\nand nothing else"
    assert [mark.text for mark in second_text.find("ins")] == ["blue"]


def test_viewers_are_offered_no_new_run(make_member: Callable[..., Member], alice: Member, app: App) -> None:
    runs = [made(alice, app, shared_at=timezone.now()) for _ in range(2)]

    page = client_of(make_member("vera", role="viewer")).get(address(*runs)).text

    assert "Compare 2 pictures" in page
    assert "?from=" not in page


# --- Marks ---


def test_the_other_sides_words_are_left_out_side_by_side() -> None:
    left, right = side_by_side("one two three\nfour", "one 2 three\nfour five") or ([], [])

    assert "".join(piece.text for piece in left).split() == ["one", "two", "three", "four"]
    assert [piece.text for piece in left if piece.mark] == ["two"]
    assert [piece.text for piece in right if piece.mark] == ["2", "five"]
    assert "".join(piece.text for piece in right) == "one 2 three\nfour five"


def test_more_than_two_are_held_against_the_first() -> None:
    found = inline("a b c", "a c d") or []

    assert [(piece.text, piece.mark) for piece in found if piece.mark] == [("b", "del"), ("d", "ins")]


@pytest.mark.parametrize("text", ["x " * 300_000, "a b\n" * 100_000, "y" * 1_000_000])
def test_marks_are_bounded_in_time(text: str) -> None:
    with busy_at_most(seconds=2):
        side_by_side(text, f"{text[5:]}z")


def test_any_result_of_several_runs_can_be_chosen(as_alice: Client, alice: Member, app: App) -> None:
    """Every result of each run is offered, even during a search, and each run's first result is ticked."""
    runs = [made(alice, app), made(alice, app)]
    for run in runs:
        Output.objects.filter(run=run, position=1).update(kind="text", text="words")

    page = Page(as_alice.get(f"/compare/?r={runs[0].public_id},{runs[1].public_id}").text)

    boxes = {box.attributes.get("value"): "checked" in box.attributes for box in page.find("input")}
    for run in runs:
        front, back = run.outputs.all()
        assert (boxes[front.public_id], boxes[back.public_id]) == (True, False)
        assert run.public_id in boxes  # a hidden field keeps the chosen runs during a search
    chosen = [run.outputs.all()[1].public_id for run in runs]
    assert "Compare 2 texts" in as_alice.get(f"/compare/?r={runs[0].public_id}&f={chosen[0]}&f={chosen[1]}").text


def test_any_file_of_a_result_can_be_compared(as_alice: Client, alice: Member, app: App) -> None:
    run = made(alice, app)
    output = run.outputs.all()[0]
    second = OutputFile.objects.create(
        output=output, source_url="https://x.test/b.png", status="saved", file=make_stored((50, 20)), position=1
    ).file
    assert second
    key = f"{output.public_id}.2"

    assert f'href="/compare/?f={key}"' in as_alice.get(f"{output.get_absolute_url()}?n=2").text
    assert f'value="{key}" checked' in flat(as_alice.get(f"/compare/?f={key}").text)
    page = flat(as_alice.get(f"/compare/?f={output.public_id},{key}").text)
    assert second.original_url in page
    assert "Front, 2 of 2" in page
    assert f'href="{output.get_absolute_url()}?n=2"' in page
    assert "no longer available" in as_alice.get(f"/compare/?f={key},{output.public_id}.9").text


def test_a_comment_is_written_from_its_column_and_counted_there(as_alice: Client, alice: Member, app: App) -> None:
    url = address(made(alice, app), made(alice, app, style="Anime"))
    columns = Page(as_alice.get(url).content.decode()).find(css="compare-acts")
    links = [[link for link in column.find("a") if link.words.startswith("Comment")] for column in columns]
    assert [len(found) for found in links] == [1, 1]
    form = Page(as_alice.get(links[1][0].attributes["href"]).content.decode()).first("form", id="comment-form-new")
    back = next(field.attributes["value"] for field in form.find("input") if field.attributes["name"] == "back")
    answer = as_alice.post(form.attributes["action"], {"text": "Warmer", "back": back})
    assert answer["Location"].startswith(url)
    columns = Page(as_alice.get(answer["Location"]).content.decode()).find(css="compare-acts")
    assert ["1 comment on" in column.words for column in columns] == [False, True]
    assert "Warmer" in as_alice.get(columns[1].find("a")[-2].attributes["href"]).content.decode()


def test_each_column_has_its_star_and_its_decision(
    as_alice: Client, alice: Member, app: App, make_member: Callable[..., Member]
) -> None:
    runs = [made(alice, app, style=style, shared_at=timezone.now()) for style in ("Ghibli", "Anime")]
    outputs = [run.outputs.all()[0] for run in runs]
    Output.objects.filter(pk__in=[output.pk for output in outputs]).update(content_hash="a" * 64)
    url, as_sam = address(*runs), client_of(make_member("samuel", role="approver"))

    def columns() -> list[str]:
        found = Page(as_sam.get(url).text).find("li", css="compare-column")
        return [column.words for column in found]

    stars = [
        form for form in Page(as_alice.get(url).text).find("form") if "/star/" in form.attributes.get("action", "")
    ]
    assert [output.public_id in form.attributes["action"] for output, form in zip(outputs, stars, strict=True)] == [
        True
    ] * 2
    sent = {one.attributes["name"]: one.attributes["value"] for one in stars[1].find("input")}
    as_alice.post(stars[1].attributes["action"], sent)
    as_sam.post(f"{outputs[0].get_absolute_url()}decide/", {"verdict": "approved", "seen": "0", "next": url})
    first, second = columns()
    assert ("Starred" in first, "Starred" in second) == (False, True)
    assert ("Approved" in first, "Approved" in second) == (True, False)
