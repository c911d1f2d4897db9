"""Credit amounts as shown to people: whole phrases with the right plural, in the reader's language."""

from decimal import Decimal

import pytest

from runs.schema_forms.results import makes_words
from runs.words.credits import about_credits


@pytest.mark.parametrize(
    ("expected", "low", "high", "words"),
    [
        ("1", None, None, "about 1 credit"),
        ("0.5", None, None, "about 0.5 credits"),
        ("4250", "4250", "4250", "about 4,250 credits"),
        ("12", "8", "20", "about 12 credits (8\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}20)"),
    ],
)
def test_credits(expected: str, low: str | None, high: str | None, words: str) -> None:
    bounds = [Decimal(bound) if bound else None for bound in (low, high)]
    assert about_credits(Decimal(expected), *bounds) == words


def test_unknown_amounts_say_nothing() -> None:
    assert (about_credits(None), makes_words({})) == ("", "")
