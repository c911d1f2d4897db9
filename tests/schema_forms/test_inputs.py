"""What is sent to Lamina, how answers survive a new version of the app, and which fields Lamina's refusals refer to."""

import pytest

from runs.schema_forms.answers import Answer
from runs.schema_forms.inputs import fit_answers, map_field_errors, to_inputs
from runs.schema_forms.questions import questions_of
from tests.support.form_examples import answer, options, text, url

URLS = {"a": "https://files.test/a", "b": "https://files.test/b"}


def files(*ids: str, name: str = "Picture") -> Answer:
    return answer({"uploads": list(ids)}, name, type="url")


def test_the_exact_name_and_value_are_sent() -> None:
    questions = questions_of([text("Model  Ethnicity "), options("Standard ", "Plus", name="Body")])
    answers = [answer(" two\nlines ", "Model  Ethnicity "), answer("Standard ", "Body", type="options")]
    assert to_inputs(questions, answers, {}) == {"Model  Ethnicity ": " two\nlines ", "Body": "Standard "}


def test_defaults_and_blanks_are_left_out() -> None:
    parameters = [text("A", default="x"), text("B"), url("C")]
    answers = [answer("x", "A", is_default=True), answer("", "B"), files(name="C")]
    assert to_inputs(questions_of(parameters), answers, {}) == {}


def test_of_fields_with_one_name_none_is_guessed() -> None:
    """A guess could put an answer into a field that it wasn't meant for."""
    answers = [answer("front", "Text", key="a"), answer("back", "Text", key="b")]
    for now in ([text("Text", key="b"), text("Text", key="c")], [text("Text", key="c")]):
        fitted = fit_answers(questions_of(now), answers)
        assert fitted.initial == ({"p0": "back"} if len(now) == 2 else {})
        assert "Text" in fitted.dropped
    assert fit_answers(
        questions_of([text("Text"), text("Text")]), [answer("x", "Text"), answer("y", "Text")]
    ).initial == {
        "p0": "x",
        "p1": "y",
    }


def test_an_empty_label_that_was_chosen_is_sent() -> None:
    assert to_inputs(questions_of([options("", "B")]), [answer("", "Style", type="options")], {}) == {"Style": ""}


@pytest.mark.parametrize(
    ("is_multiple", "ids", "sent"),
    [
        (False, ["a"], "https://files.test/a"),
        (True, ["a"], "https://files.test/a"),
        (True, ["b", "a"], ["https://files.test/b", "https://files.test/a"]),
        (False, ["b", "a"], "https://files.test/b"),
    ],
)
def test_one_file_is_a_string_and_several_a_list(is_multiple: bool, ids: list[str], sent: object) -> None:
    assert to_inputs(questions_of([url(multiple=is_multiple)]), [files(*ids)], URLS) == {"Picture": sent}


def test_a_file_without_an_address_is_an_error() -> None:
    with pytest.raises(KeyError):
        to_inputs(questions_of([url()]), [files("z")], URLS)


def test_where_names_repeat_the_key_is_sent_else_the_id() -> None:
    parameters = [text("Text", key="small", id="1"), text("Text", id="2"), text("Text", key="small", id="3")]
    answers = [
        answer(v, "Text", key=k, id=i) for v, k, i in [("one", "small", "1"), ("two", "", "2"), ("three", "small", "3")]
    ]
    assert to_inputs(questions_of(parameters), answers, {}) == {"1": "one", "2": "two", "3": "three"}


def test_a_name_that_is_the_key_of_another_is_not_sent() -> None:
    parameters = [text("style", id="1", key="look"), text("Other", key="style")]
    assert to_inputs(questions_of(parameters), [answer("x", "style", id="1", key="look")], {}) == {"look": "x"}


def test_answers_find_a_parameter_that_was_renamed_or_moved() -> None:
    old = [answer("kept", "Old name", id="7"), answer("B", "Style", type="options"), answer("lost", "Gone")]
    fitted = fit_answers(questions_of([options("A", "B"), text("New name", id="7")]), old)
    assert fitted.initial == {"p0": "1", "p1": "kept"}
    assert fitted.dropped == ["Gone"]


def test_answers_that_no_longer_fit_are_named() -> None:
    old = [answer("Manga", "Style", type="options"), files("a", name="Photo"), answer("", "Empty gone")]
    fitted = fit_answers(questions_of([options("A", "B"), text("Photo")]), old)
    assert fitted.initial == {}
    assert fitted.dropped == ["Style", "Photo"]


def test_a_default_answer_follows_the_new_default() -> None:
    old = [answer("red", "Hue", is_default=True)]
    assert fit_answers(questions_of([text("Hue", default="blue")]), old).initial == {}
    assert fit_answers(questions_of([text("Hue")]), old).initial == {"p0": "red"}


def test_answers_of_one_name_are_used_once_each_in_order() -> None:
    fitted = fit_answers(questions_of([text("T"), text("T"), text("T")]), [answer("1", "T"), answer("2", "T")])
    assert fitted.initial == {"p0": "1", "p1": "2"}


def test_refusals_find_their_field_by_name_key_id_and_loosely() -> None:
    parameters = [text("Idea", key="idea_text", id="i-1"), options("A", name="Visual style")]
    errors = [
        {"field": "idea_text", "message": "too long"},
        {"field": "i-1", "message": "too rude"},
        {"field": " visual  STYLE", "message": ""},
        {"field": "Colour", "message": "unknown"},
        {"field": "", "message": "Invalid inputs"},
    ]
    assert map_field_errors(questions_of(parameters), errors) == {
        "p0": "too long too rude",
        "p1": "Lamina didn't accept this input.",
        "": "Colour: unknown Invalid inputs",
    }


def test_the_key_decides_between_equal_names() -> None:
    questions = questions_of([text("Text", key="one"), text("Text", key="two")])
    assert map_field_errors(questions, [{"field": "Text", "key": "two", "message": "no"}]) == {"p1": "no"}


def test_thousands_of_parameters_of_one_name_take_no_time() -> None:
    many = [text("T", id=str(n)) for n in range(4000)]
    answers = [answer(str(n), "T", id=str(n)) for n in range(4000)]
    assert len(to_inputs(questions_of(many), answers, {})) == 4000
