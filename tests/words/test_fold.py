"""Search ignores case, accents and look-alike forms, in any script."""

import pytest

from runs.words.fold import fold, kinds_text


@pytest.mark.parametrize(
    ("written", "looked_for"),
    [
        ("Crème BRÛLÉE", "creme brulee"),
        ("Straße", "STRASSE"),
        ("İstanbul", "istanbul"),
        ("Łódź, Tromsø", "lodz, tromso"),
        ("ﬁnal \uff21\uff22\uff23", "final abc"),
        ("赤い靴がほしい", "靴か"),
        ("Ελλάς", "ΕΛΛΑΣ"),
        ("한국어 신발", "신발"),
        ("\u0643\u064e\u062a\u064e\u0628\u064e", "كتب"),
    ],
)
def test_what_was_written_is_found(written: str, looked_for: str) -> None:
    assert fold(looked_for) in fold(written)


def test_vowel_signs_still_tell_words_apart() -> None:
    assert fold("कि") != fold("कु")


def test_folding_twice_changes_nothing() -> None:
    assert all(fold(fold(text)) == fold(text) for text in ("ẞ İ Ǆ ﬃ ½ ½", "ŉ ǰ ΐ", "Ⅷ ㍿ ℡"))


@pytest.mark.parametrize(("kinds", "kept"), [(["video", "image", "video"], " image video "), ([], " "), ([""], " ")])
def test_kinds_are_kept_as_words_between_spaces(kinds: list[str], kept: str) -> None:
    assert kinds_text(kinds) == kept
