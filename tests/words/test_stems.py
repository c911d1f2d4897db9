"""Word endings: all forms of a word share a stem, and different words have different stems."""

import pytest

from runs.words.stems import stem


@pytest.mark.parametrize(
    "forms",
    [
        "video videos",
        "remove removes removed removing removal",
        "upscale upscaler upscaling",
        "animate animation animations",
        "replace replacement",
        "story stories",
        "shoe shoes",
        "rose roses rosen",
        "dress dresses",
        "cut cutting",
        "movie movies",
        "colour color colours",
        "schuh schuhe schuhen schuhs",
        "bild bilder bildern bildes",
        "katze katzen",
        "entfernen entfernt entfernung",
        "vergrossern vergrosserung vergrossert",
        "hintergrund hintergrunde",
        "haus hauser",
    ],
)
def test_forms_of_a_word_have_one_stem(forms: str) -> None:
    assert len({stem(form) for form in forms.split()}) == 1, [stem(form) for form in forms.split()]


@pytest.mark.parametrize("words", ["red reed rede", "shoe shop shot", "glass glas", "4k 4ks", "bus bush", "owl own"])
def test_different_words_stay_apart(words: str) -> None:
    assert len({stem(word) for word in words.split()}) == len(words.split())


@pytest.mark.parametrize("word", ["東京", "ロボット", "42nd", "as", "virus", "красный"])
def test_what_has_no_known_ending_stays(word: str) -> None:
    assert stem(word) == word
