"""Numbers as shown to people, and as read from text that anyone may have written."""

import pytest

from runs.words.numbers import number_in


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("300", 300),
        ("007", 7),
        ("0", None),
        ("301", None),
        ("", None),
        (" 7", None),
        ("-1", None),
        ("+1", None),
        ("1.0", None),
        ("1_0", None),
        ("1e2", None),
        ("²", None),
        ("٣", None),
        ("1\0", None),
        ("0" * 20 + "7", None),
        ("9" * 5000, None),  # `int` raises an error
    ],
)
def test_only_numbers_in_range_are_read(text: str, number: int | None) -> None:
    assert number_in(text, 1, 300, None) == number
