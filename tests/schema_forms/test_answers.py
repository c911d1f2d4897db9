"""The stored format of answers never changes, and whatever an older version stored can still be read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs.schema_forms.answers import Answer, Files, Value, dump_answers, load_answers, upload_ids

HANDLES: dict[str, Any] = {"name": "Photo", "key": "", "id": "u-1", "type": "url"}
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
values = st.one_of(words, st.none(), st.builds(Files, st.lists(words).map(tuple), words))


def test_the_stored_shape_does_not_change() -> None:
    """Drafts and presets survive an upgrade, even one that's rolled back."""
    answers = [
        Answer(**HANDLES, value=Files(("a", "b"), "https://x.test")),
        Answer(**HANDLES, value=Files(("a",))),
        Answer(**HANDLES | {"type": "text"}, value=" two\nlines ", is_default=True),
    ]
    assert dump_answers(answers) == [
        HANDLES | {"value": {"uploads": ["a", "b"], "link": "https://x.test"}, "is_default": False},
        HANDLES | {"value": {"uploads": ["a"]}, "is_default": False},
        HANDLES | {"type": "text", "value": " two\nlines ", "is_default": True},
    ]


@pytest.mark.parametrize(
    ("stored", "value"),
    [
        ({"uploads": ["a"], "link": ""}, Files(("a",))),
        ({"link": "https://x.test"}, Files((), "https://x.test")),
        ({"uploads": None, "link": None}, Files()),
        ({"uploads": ["a", 7, None]}, Files(("a",))),
        ({}, Files()),
        ("Ghibli ", "Ghibli "),
        (None, None),
        (7, "7"),
        (["a", "b"], "a, b"),
    ],
)
def test_whatever_was_stored_is_read(stored: Any, value: Value) -> None:
    assert load_answers([HANDLES | {"value": stored, "is_default": False}]) == [Answer(**HANDLES, value=value)]


@pytest.mark.parametrize("stored", [None, {}, "x", ["x", None, 7]])
def test_what_is_no_answer_is_left_out(stored: object) -> None:
    assert load_answers(stored) == []


def test_an_answer_without_its_handles_is_read() -> None:
    assert upload_ids(load_answers([{"value": {"uploads": ["a"]}}, {"value": "a"}, {}])) == ["a"]


@given(st.lists(st.builds(Answer, words, words, words, words, values, st.booleans())))
def test_what_is_stored_comes_back(answers: list[Answer]) -> None:
    assert load_answers(dump_answers(answers)) == answers


@pytest.mark.parametrize(
    ("value", "is_empty"), [("", True), (None, True), (Files(), True), (" ", False), (Files(("a",)), False)]
)
def test_only_what_a_person_put_there_is_given(value: Value, is_empty: bool) -> None:
    assert Answer(**HANDLES, value=value).is_empty is is_empty
    assert Answer(**HANDLES, value=value).is_given is not is_empty
    assert not Answer(**HANDLES, value=value, is_default=True).is_given


def test_other_files_leave_the_link_in_its_box() -> None:
    given_here = Answer(**HANDLES, value=Files(("a",), "https://x.test"), is_default=False)
    assert given_here.with_uploads(["b"]).value == Files(("b",), "https://x.test")
