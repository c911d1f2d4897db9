"""A result with fields or list items is shown as a tree or a table, in its original order and up to a maximum size."""

import json
from typing import Any

import pytest
from django.test import Client

from runs.display.json_results import (
    DEEPEST,
    MOST_SHOWN,
    FileNames,
    JsonValue,
    excerpt,
    field_words,
    read_start,
    tree_of,
)
from runs.engine.apply_outputs import TEXT_LIMIT
from runs.models import GuestLink, Member, Output, OutputFile, Run
from runs.sharing import links
from tests.support.factories import make_kept, make_run, make_stored
from tests.support.guest_links import path_of
from tests.support.html import flat
from tests.support.page import Page
from tests.support.processes import busy_at_most

PALETTE = {
    "zTitle": "Autumn",
    "a": True,
    "hex_code": None,
    "sizes": [{"name": "S", "px": 10}, {"name": "M", "px": 20.5}],
    "tags": ["calm", "<b>loud</b>"],
    "imageURL": {"main": "https://x.test/a.png", "none": {}},
}
PLAIN = """\
Z title: Autumn
A: Yes
Hex code: –
Sizes:
  - Name: S
    Px: 10
  - Name: M
    Px: 20.5
Tags:
  - calm
  - <b>loud</b>
Image URL:
  Main: front.png
  None: –"""  # noqa: RUF001 - the dash is meant


def output_of(value: Any) -> Output:
    return Output(text=json.dumps(value, indent=2, ensure_ascii=False), raw_value=value)


def test_a_value_is_read_in_words_and_in_its_own_order() -> None:
    tree = tree_of(output_of(PALETTE), FileNames({"https://x.test/a.png": "front.png"}))

    assert tree is not None
    assert tree.plain == PLAIN
    assert [part.label for part in tree.root.fields] == ["Z title", "A", "Hex code", "Sizes", "Tags", "Image URL"]
    assert tree.root.fields[3] == JsonValue("Sizes", columns=["Name", "Px"], rows=[["S", "10"], ["M", "20.5"]])
    assert not tree.is_cut


@pytest.mark.parametrize("value", ["a text", 12, None, {}, []])
def test_other_values_are_no_trees(value: Any) -> None:
    assert tree_of(Output(text="" if value in (None, {}, []) else str(value), raw_value=value), FileNames()) is None


@pytest.mark.parametrize(
    ("name", "words"),
    [("hexCode", "Hex code"), ("SKU", "SKU"), ("imageURL", "Image URL"), ("Größe (cm)", "Größe (cm)"), ("_x", "_x")],
)
def test_names_of_fields_are_words(name: str, words: str) -> None:
    assert field_words(name) == words


@pytest.mark.parametrize(
    "value",
    [
        {str(n): n for n in range(100_000)},
        [[n] for n in range(100_000)],
        [{"a": "x" * 150, "b": n} for n in range(5_000)],
        {"a" * 100_000: "b" * 900_000},
    ],
    ids=["wide", "long", "table", "fat"],
)
def test_huge_values_are_cut(value: Any) -> None:
    output = output_of(value)
    output.text = f"{output.text[:TEXT_LIMIT]}\n\n[…]"

    with busy_at_most(seconds=2):
        tree = tree_of(output, FileNames())

    assert tree is not None
    assert tree.is_cut
    assert _count(tree.root) <= MOST_SHOWN + 1


def test_deep_values_are_cut_on_the_page_and_whole_in_the_copy() -> None:
    value: Any = "deep inside"
    for level in range(39):
        value = {"in": value} if level % 2 else [value]

    tree = tree_of(output_of(value), FileNames())

    assert tree is not None
    assert tree.is_cut
    assert "deep inside" in tree.plain
    assert _depth(tree.root) == DEEPEST


@pytest.mark.parametrize("end", ["", "\\", "\\u00", '", "c', '", "c":', '"', '"}'])
def test_a_value_that_was_cut_off_is_read_as_far_as_it_goes(end: str) -> None:
    assert read_start(f'{{"a": "b{end}', 9)[0]["a"] == "b"


def test_an_excerpt_has_no_signs_of_code() -> None:
    assert excerpt(json.dumps(PALETTE)[:90]) == "Z title: Autumn · A: Yes · Name: S · Px: 10"
    assert excerpt('{"picture": "https://x.test/a.png", "seed": 7}') == "Seed: 7"


def _count(part: JsonValue) -> int:
    inner = sum(map(_count, [*part.fields, *part.items]))
    return 1 + inner + sum(1 + len(row) for row in part.rows)


def _depth(part: JsonValue) -> int:
    return max((1 + _depth(inner) for inner in [*part.fields, *part.items]), default=0)


# --- Pages ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def run(alice: Member) -> Run:
    """Return a run with two results: a value that contains a picture, and a value that doesn't."""
    made = make_run(alice, status="completed", title="Palette")
    kept = make_kept(made)
    OutputFile.objects.filter(pk=kept.pk).update(source_url="https://x.test/a.png")
    text = json.dumps(PALETTE, indent=2)
    Output.objects.filter(run=made).update(raw_value=PALETTE, text=text)
    alone = PALETTE | {"imageURL": {}}
    Output.objects.filter(run=made, position=1).update(kind="swatches", raw_value=alone, text=json.dumps(alone))
    return made


@pytest.mark.django_db
def test_people_see_no_code_on_any_page(as_alice: Client, run: Run, alice: Member) -> None:
    front, back = run.outputs.all()
    link = links.make_link(alice, [front, back])
    pages = [run.get_absolute_url(), front.get_absolute_url(), back.get_absolute_url(), path_of(link), "/history/"]
    pages += [f"/compare/?f={front.public_id},{back.public_id}", f"/compare/?f={back.public_id}"]

    for url in pages:
        page = flat((Client() if url.startswith("/s/") else as_alice).get(url).content)
        assert "hex_code" not in page, url
        assert "{&quot;" not in page, url
        assert "https://x.test" not in page, url
        assert "<b>loud" not in page, url
        assert url == "/history/" or "Z title" in page, url


@pytest.mark.django_db
def test_a_value_can_be_copied_and_downloaded_as_it_came(as_alice: Client, run: Run) -> None:
    back = run.outputs.all()[1]
    page = Page(as_alice.get(back.get_absolute_url()).content.decode())

    assert page.first(id="file-text").words.startswith("Z title: Autumn")
    assert "Image URL" in page.first(css="object-fields").words
    answer = as_alice.get(f"/results/{back.public_id}/text")
    assert list(json.loads(answer.content)) == list(PALETTE)
    assert answer.headers["Content-Disposition"].endswith('.json"')
    box = flat(as_alice.get(run.get_absolute_url()).content)
    assert f'href="/results/{back.public_id}/text"' in box


@pytest.mark.django_db
def test_a_value_beside_files_has_its_own_download(as_alice: Client, run: Run) -> None:
    front = run.outputs.all()[0]

    def downloads() -> list[str]:
        box = Page(as_alice.get(run.get_absolute_url()).text).first(css="output-of-image")
        return [a.attributes["href"] for a in box.find("a", css="output-tool") if "Download" in a.words]

    original, value = downloads()
    assert (original.startswith("/files/"), value) == (True, f"/results/{front.public_id}/text")

    second = {"source_url": "https://x.test/b.png", "file": make_stored((50, 40))}
    # If a result has several files, the run's page has no download links for them.
    OutputFile.objects.create(output=front, position=1, status="saved", **second)
    assert downloads() == [value]


@pytest.mark.django_db
def test_guests_download_a_value_as_they_see_it(run: Run, alice: Member) -> None:
    front, back = run.outputs.all()
    link = links.make_link(alice, [front])
    path = f"{path_of(link)}results/{front.public_id}/text"
    assert path not in Client().get(path_of(link)).text
    assert Client().get(path).status_code == 404

    GuestLink.objects.filter(pk=link.pk).update(may_download=True)
    downloads = Page(Client().get(path_of(link)).text).find("a", css="guest-download")
    assert downloads[-1].attributes["href"] == path
    assert "data" in downloads[-1].words
    answer = Client().get(path)
    assert answer.text.startswith("Z title: Autumn")
    assert "https://x.test" not in answer.text
    # The link doesn't include this result.
    assert Client().get(f"{path_of(link)}results/{back.public_id}/text").status_code == 404


@pytest.mark.django_db
def test_a_value_stands_below_its_picture(as_alice: Client, run: Run) -> None:
    page = flat(as_alice.get(run.get_absolute_url()).content)
    box = page[page.index("output-of-image") : page.index("</figure>")]
    assert box.index("output-picture") < box.index('<div class="output-text"')
    # the text is below the picture, not on top of it
    assert box.index("</figcaption>") < box.index('<div class="output-text"')
