"""An app's form: which fields must be filled in, what they hold, and what is wrong with them."""

from typing import Any

import pytest

from runs.schema_forms.answers import Files
from runs.schema_forms.build import SchemaForm
from runs.schema_forms.file_words import add_words
from runs.schema_forms.types import UploadInfo
from tests.schema_forms.browser_like import PageReader, build_form, filled, posted, rendered
from tests.support.form_examples import (
    CARTOONIFY,
    SAMPLE,
    TWO_OF_ONE_NAME,
    VIEWS,
    answer,
    lookup,
    options,
    text,
    upload,
    url,
)


def bound(
    parameters: list[dict[str, Any]], *fields: tuple[str, str], uploads: tuple[UploadInfo, ...] = ()
) -> SchemaForm:
    return build_form(parameters, [])(posted(list(fields)), uploads=lookup(*uploads))


def test_what_has_no_default_comes_first_and_the_sample_picture_is_never_folded() -> None:
    form = build_form(CARTOONIFY, [])()
    assert [field.question.name for field in form.needed] == ["Style"]
    assert [field.question.name for field in form.optional] == ["Upload", "Aspect Ratio"]
    assert [field.question.name for field in form.unfolded] == ["Upload"]
    assert [field.question.name for field in form.folded] == ["Aspect Ratio"]
    page = PageReader(rendered(form)).text
    assert page.index("Style") < page.index("Using the sample picture") < page.index("More options")
    assert "Aspect Ratio 1:1" in " ".join(page[page.index("More options") :].split())


@pytest.mark.parametrize("default", ["", [], 0, False, "words"])
def test_any_default_but_null_makes_a_field_optional(default: object) -> None:
    assert not build_form([text(default=default, required=True)], [])().needed


def names(fields: list[Any]) -> list[str]:
    return [field.question.name for field in fields]


def test_the_text_that_the_result_depends_on_is_not_folded_away() -> None:
    form = build_form([options("a", "b"), text("Prompt", default=""), text("Avoid", default="")], [])()
    assert names(form.unfolded) == ["Prompt"]
    assert names(form.folded) == ["Avoid"]
    written = build_form([text("Idea"), text("Avoid", default="")], [])()  # the required text comes first
    assert names(written.folded) == ["Avoid"]


def test_an_empty_prompt_alone_is_not_called_ready_to_run() -> None:
    html = rendered(build_form([text("Prompt", default="")], [])())
    assert "Nothing to fill in" not in html
    assert "More options" not in html
    assert 'name="p0"' in html


def test_fields_stand_open_if_nothing_else_does() -> None:
    parameters = [text("Idea", default="a fox"), {**options("a", "b"), "default": "a"}]
    form = build_form(parameters, [])()
    assert names(form.unfolded) == ["Idea", "Style"]
    assert form.folded == []
    assert "Nothing to fill in. Press Run" in rendered(form)


def test_required_is_not_trusted() -> None:
    assert build_form([text(required=False), text(required=False, default=None)], [])().optional == []


def test_an_app_without_parameters_needs_nothing() -> None:
    form = build_form([], TWO_OF_ONE_NAME)
    assert "Nothing to fill in. Press Run" in rendered(form())
    assert form(posted(filled(form()))).is_valid()


def test_all_errors_come_at_once_in_the_order_of_the_page() -> None:
    parameters = [text("Hue", default="red"), text("Idea"), url("Photo"), options("a", "b")]
    form = build_form(parameters, VIEWS)(posted([("p0", "blue")]))
    assert not form.is_valid()
    assert form.error_list == [
        ("p1", "Idea", "Write something here."),
        ("p2_file", "Photo", "Add a file."),
        ("p3-0", "Style", "Choose one."),
        ("outputs-0", "Results", "Tick at least one result."),
    ]
    html = rendered(form)
    for target, _, sentence in form.error_list:
        assert f'href="#{target}"' in html
        assert html.count(sentence) >= 2
    assert html.count('aria-invalid="true"') == 4
    assert ">\nblue</textarea>" in html
    assert "autofocus" in html


def test_the_field_points_at_its_error_and_its_help() -> None:
    html = rendered(bound([text(description="One line.")]))
    assert 'aria-describedby="p0-error p0-help"' in html
    assert 'id="p0-error"' in html
    assert 'id="p0-help"' in html


@pytest.mark.parametrize(("count", "control"), [(1, "cards"), (6, "cards"), (7, "select"), (20, "select")])
def test_few_options_are_cards_and_more_a_select(count: int, control: str) -> None:
    form = build_form([options(*[f"Choice {n}" for n in range(count)])], [])()
    assert form.questions[0].control == control
    assert "select-search" not in rendered(form)


def test_a_long_select_gets_a_search_box() -> None:
    assert "Search 60 options" in rendered(build_form([options(*[f"Choice {n}" for n in range(60)])], [])())


def test_equal_labels_are_one_choice_and_keep_their_position() -> None:
    form = build_form([options("A", "B", "A", "C")], [])
    assert [choice.value for choice in form().questions[0].choices] == ["0", "1", "3"]
    late = form(posted([("p0", "2")]))
    assert late.is_valid()
    assert [choice.is_chosen for choice in late.questions[0].choices] == [True, False, False]


def test_labels_that_differ_in_spaces_only_show_them() -> None:
    shown = [
        choice.label
        for choice in build_form([options("Standard", "Standard ", "Plus Size")], [])().questions[0].choices
    ]
    assert shown == ["Standard", "Standard␣", "Plus Size"]


def test_invisible_labels_get_a_name() -> None:
    form = build_form([options("A", " ", "", "\u200b", name="\u200b")], [{"label": " "}, {"label": "B"}])()
    field = form.questions[0]
    assert [choice.label for choice in field.choices] == ["A", "Blank option 2", "Blank option 3", "Blank option 4"]
    assert field.question.label == "Field 1"
    assert form.results[0].shown == "Result 1"


def test_a_default_outside_the_options_is_shown_and_left_to_the_app() -> None:
    form = build_form([options("Ghibli", "Anime", default="Manga")], [])
    own = form().questions[0].choices[0]
    assert (own.label, own.value, own.is_chosen) == ("Manga", "", True)
    assert form(posted(filled(form()))).draft_answers()[0].is_default


@pytest.mark.parametrize("position", ["9", "-1", "Ghibli", "\u0660", "0 ", "99999999999", "1e1"])
def test_an_unknown_position_is_refused(position: str) -> None:
    form = bound([options("Ghibli", "Anime", default="Anime")], ("p0", position))
    assert form.errors["p0"] == ["Choose one of the listed options."]


@pytest.mark.parametrize(
    ("default", "prefilled", "note"),
    [(3, "3", ""), (True, "true", ""), ([1, 2], "", "1, 2"), ({"a": 1}, "", '{"a": 1}'), ("", "", "")],
)
def test_defaults_of_odd_types_are_shown(default: object, prefilled: str, note: str) -> None:
    form = build_form([text(default=default)], [])
    field = form().questions[0]
    assert field.text == prefilled
    assert note in field.note
    assert form(posted(filled(form()))).draft_answers()[0].is_default


def test_unknown_types_and_lists_of_nothing_are_asked_as_text_with_a_note() -> None:
    for parameter in (text(type="hologram"), options(), options(options=None), text(type=None)):
        form = build_form([parameter], [])()
        assert form.questions[0].control == "text"
        assert "recognize this kind of field" in rendered(form)


def test_text_with_crlf_default_left_alone_is_the_default() -> None:
    form = build_form([text(default="one\r\ntwo")], [])
    assert form(posted(filled(form()))).draft_answers()[0].is_default


def test_the_shape_of_a_ratio_is_drawn() -> None:
    drawn = [choice.ratio for choice in build_form([options("16:9", "Wide", "9:16 tall")], [])().questions[0].choices]
    assert drawn[0] is not None
    assert (drawn[0].width, drawn[0].height) == (18, 10.1)
    assert drawn[1] is None
    assert drawn[2] is not None
    assert drawn[2].height > drawn[2].width


# --- Files ---


def test_one_file_is_replaced_by_the_newest_and_several_keep_their_order() -> None:
    kept = [("p0_kept", "a"), ("p0_kept", "b"), ("p0_kept", "a")]
    known = (upload("a"), upload("b"))
    assert bound([url()], *kept, uploads=known).draft_answers()[0].value == Files(("b",))
    many = bound([url(multiple=True)], *kept, uploads=known)
    assert many.is_valid()
    assert many.answers()[0].value == Files(("a", "b"))


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (upload("a", status="failed"), "“a.png” can't be used. Remove or replace it."),
        (upload("a", kind="video"), "“a.png” can't be used here. Add a picture."),
        (upload("b"), "One file is no longer available. Add it again."),
    ],
)
def test_files_that_cannot_be_sent_say_why(one: UploadInfo, sentence: str) -> None:
    form = bound([url(accept=["image"])], ("p0_kept", "a"), uploads=(one,))
    assert form.errors["p0"] == [sentence]
    assert 'name="p0_kept" value="a"' in rendered(form)


def test_a_link_that_is_still_being_read_may_go() -> None:
    fetching = upload("a", status="fetching", kind="", source_url="https://x.test/a.png")
    form = bound([url(accept=["image"])], ("p0_kept", "a"), ("p0_link", "https://x.test/a.png"), uploads=(fetching,))
    assert form.is_valid()
    assert form.answers()[0].value == Files(("a",))
    assert form.questions[0].link == ""


def test_a_link_half_typed_is_kept_in_the_draft() -> None:
    draft = bound([url()], ("p0_link", " https://x.te ")).draft_answers()
    assert draft[0].to_stored()["value"] == {"uploads": [], "link": "https://x.te"}
    assert 'value="https://x.te"' in rendered(build_form([url()], [])(answers=draft))


def test_a_refused_file_explains_the_empty_field() -> None:
    form = build_form([url()], [])(posted([]), field_errors={"p0": "This file is too large.", "": "Nothing started."})
    assert form.error_list == [("p0_file", "Picture", "This file is too large.")]
    assert form.form_error == "Nothing started."


def test_errors_show_on_a_fresh_form_too() -> None:
    form = build_form([text()], VIEWS)(field_errors={"p0": "Too rude.", "outputs": "None of these.", "p9": "Lost."})
    assert [sentence for _, _, sentence in form.error_list] == ["Too rude.", "None of these."]
    assert form.form_error == "Lost."


def test_uploads_are_looked_up_once() -> None:
    asked: list[list[str]] = []

    def look(ids: list[str]) -> list[UploadInfo]:
        asked.append(ids)
        return [upload(one) for one in ids]

    form = build_form([url(), url("Other")], [])(posted([("p0_kept", "a"), ("p1_kept", "b")]), uploads=look)
    assert form.is_valid()
    rendered(form)
    assert asked == [["a", "b"]]


@pytest.mark.parametrize(
    ("accept", "attribute", "words"),
    [
        (["image"], "image/*", "Add a picture."),
        (["image", "video", "hologram"], "image/*,video/*", "Add a picture or a video."),
        (["video", "audio", "image"], "image/*,video/*,audio/*", "Add a picture, a video or an audio file."),
        (["hologram"], "", "Add a file."),
        (None, "", "Add a file."),
        ("audio", "audio/*", "Add an audio file."),
    ],
)
def test_accept_names_kinds(accept: object, attribute: str, words: str) -> None:
    field = build_form([url(accept=accept)], [])().questions[0]
    assert field.accept_attribute == attribute
    assert add_words(field.question.accept) == words


@pytest.mark.parametrize(
    ("accept", "is_multiple", "choose", "choose_next"),
    [
        (["image"], False, "Choose a picture", "Replace"),
        (["audio"], True, "Choose audio files", "Add more"),
        (["image", "video"], True, "Choose files", "Add more"),
        (None, False, "Choose a file", "Replace"),
    ],
)
def test_the_button_says_what_it_takes(accept: object, is_multiple: bool, choose: str, choose_next: str) -> None:
    words = build_form([url(accept=accept, multiple=is_multiple)], [])().questions[0].file_words
    assert (words.choose, words.choose_next) == (choose, choose_next)


def test_the_sample_picture_is_our_copy_and_never_a_foreign_address() -> None:
    form = build_form(CARTOONIFY, [])(samples=lambda: {SAMPLE: {"small_url": "/files/x/thumb/200", "card_url": ""}})
    html = rendered(form)
    assert 'src="/files/x/thumb/200"' in html
    assert "media.example" not in html


def test_samples_are_looked_up_when_the_page_shows_them() -> None:
    asked: list[str] = []

    def look() -> dict[str, dict[str, str]]:
        asked.append("once")
        return {}

    form = build_form([*CARTOONIFY, url("Other", default=SAMPLE)], [])(posted([("p1", "0")]), samples=look)
    assert form.is_valid()
    assert asked == []
    rendered(form)
    assert asked == ["once"]


# --- Results ---


def test_results_of_one_name_are_one_box() -> None:
    form = build_form([], VIEWS)
    html = rendered(form())
    assert html.count('type="checkbox"') == 2
    assert "(2 images)" in html
    assert form(posted([("outputs", "2")])).wanted_outputs() == [0, 2]
    assert form(posted([("outputs", "1"), ("outputs", "0")])).wanted_outputs() == [0, 1, 2]


def test_all_results_are_ticked_at_first() -> None:
    form = build_form([], VIEWS)
    assert form().ticked_values == ["0", "1"]
    assert form(wanted_outputs=["CATALOG video"]).ticked_values == ["1"]
    assert form(wanted_outputs=[2]).ticked_values == ["0"]
    assert form(wanted_outputs=["gone"]).ticked_values == ["0", "1"]


def test_a_single_result_needs_no_tick() -> None:
    form = build_form([], TWO_OF_ONE_NAME)
    assert "checkbox" not in rendered(form())
    assert form(posted([])).is_valid()
    assert form(posted([])).wanted_outputs() == [0, 1]


def test_no_results_listed_means_all() -> None:
    form = build_form([], [])(posted([]))
    assert form.is_valid()
    assert form.wanted_outputs() == []


def test_odd_indexes_are_replaced_by_positions() -> None:
    outputs: list[dict[str, Any]] = [{"label": "A", "index": 1}, {"label": "B", "index": 1}, {"label": "A"}]
    assert [result.indexes for result in build_form([], outputs)().results] == [(0, 2), (1,)]


# --- Drafts ---


def test_answers_come_back_and_open_what_is_folded() -> None:
    form = build_form(CARTOONIFY, [])(answers=[answer("16:9", "Aspect Ratio", id="a", type="options")])
    assert form.is_folded_open
    assert '<details class="more" open>' in rendered(form)
    assert form["p2"].value() == "2"


def test_fresh_forms_stay_folded() -> None:
    assert not build_form(CARTOONIFY, [])().is_folded_open
