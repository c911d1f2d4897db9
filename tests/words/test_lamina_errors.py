"""Lamina's complaints about inputs: its sentences are quoted, and its codes and choices are put into our words."""

import pytest

from runs.lamina.errors import FieldError
from runs.models.messages import Message
from runs.words.lamina_errors import CODES, field_message
from runs.words.messages import SENTENCES, say


def test_its_sentence_is_quoted() -> None:
    assert field_message(FieldError("Style", "invalid_option", "Not this.")) == Message(quote="Not this.")


def test_choices_it_did_not_name_follow_its_sentence() -> None:
    told = say(field_message(FieldError("Style", "", "Not this.", ("Ghibli", "Simpsons"))))
    assert "Not this." in told
    assert "Ghibli, Simpsons" in told


def test_choices_alone_are_a_sentence() -> None:
    assert "Ghibli, Simpsons" in say(field_message(FieldError("Style", "invalid_option", "", ("Ghibli", "Simpsons"))))


@pytest.mark.parametrize("code", CODES)
def test_a_code_has_a_sentence(code: str) -> None:
    assert field_message(FieldError("Style", code.upper(), "")).code in SENTENCES


def test_an_unknown_code_is_quoted_with_spaces() -> None:
    assert field_message(FieldError("Style", "value_too-long", "")) == Message(quote="value too long")
