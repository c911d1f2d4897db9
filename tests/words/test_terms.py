"""How text and queries are split into words, and which words are highlighted."""

import time

import pytest

from runs.words.highlight import Marker
from runs.words.terms import MOST_TERMS, holds, query_words, similar_ways_of, stored_words, ways_of


@pytest.mark.parametrize(
    ("q", "words"),
    [
        ("a video of my shoes", ["video", "shoes"]),
        ("ein Bild von unseren Schuhen", ["bild", "schuhen"]),
        ("the of", ["the", "of"]),  # common words count if there are no others
        ("Shoe shoes SHOES", ["shoe"]),
        ("crème.png", ["creme", "png"]),
        ("100%_", ["100"]),
        ("!?", []),
        ("赤い靴", ["赤い靴"]),
    ],
)
def test_the_words_of_a_query(q: str, words: list[str]) -> None:
    assert query_words(q) == words


def test_a_long_query_is_cut() -> None:
    assert len(query_words(" ".join(f"word{n}" for n in range(50)))) == MOST_TERMS


@pytest.mark.parametrize(
    ("text", "word", "is_held"),
    [
        ("Product Reel", "products", True),
        ("Produktfotos", "produktfoto", True),
        ("Schuhfoto", "schuh", True),
        ("Schuhfoto", "foto", False),  # a query finds words by how they start, not how they end
        ("Shoe Try-On", "tryon", True),
        ("赤い靴がほしい", "靴か", True),
        ("赤い靴がほしい", "靴赤", False),
        ("snake_case", "case", True),
        ("shop", "shoe", False),
    ],
)
def test_a_text_holds_a_word(text: str, word: str, is_held: bool) -> None:
    assert holds(stored_words(text), ways_of(word)) is is_held


@pytest.mark.parametrize(
    ("text", "word", "known"),
    [
        ("Background Removal", "hintergrund", []),
        ("a leather shoe", "lether", ["leather"]),
        ("Product video", "produktvideo", []),
        ("schöne Farben", "schoene", []),
        ("Katzen", "cats", []),
        ("Fotos vom Regal", "regalfotos", ["regal"]),
    ],
)
def test_similar_words_are_held(text: str, word: str, known: list[str]) -> None:
    stored = stored_words(text)

    assert holds(stored, similar_ways_of(word, known))
    assert not holds(stored, ways_of(word))


@pytest.mark.parametrize(
    ("words", "text", "marked"),
    [
        (["shoe"], "Red <b>shoes</b>, a shop", "Red &lt;b&gt;<mark>shoes</mark>&lt;/b&gt;, a shop"),
        (["creme"], "Crème brûlée", "<mark>Crème</mark> brûlée"),
        (["靴"], "赤い靴", "赤い<mark>靴</mark>"),
        (["tryon"], "A try-on of red-shoes", "A <mark>try-on</mark> of red-shoes"),
        (["grosse"], "Gro\u0308ße", "<mark>Größe</mark>"),  # file names from a Mac have separate accents, like this
        (["shoe", "shoes"], "shoes", "<mark>shoes</mark>"),
        ([], "a & b", "a &amp; b"),
    ],
)
def test_what_was_searched_for_is_marked(words: list[str], text: str, marked: str) -> None:
    assert Marker.of(words, {}).marked(text) == marked


@pytest.mark.parametrize(
    ("text", "excerpt"),
    [
        ("A red\nshoe", "A red <mark>shoe</mark>"),
        (f"{'far ' * 30}red shoe {'away ' * 30}", f"… {'far ' * 5}red <mark>shoe</mark>{' away' * 10} …"),
        (f"<b>{'x' * 99}+shoe", f"… {'x' * 75}+<mark>shoe</mark>"),
    ],
)
def test_an_excerpt_shows_a_little_around_the_first_match(text: str, excerpt: str) -> None:
    assert Marker.of(["shoe"], {}).excerpt(text) == excerpt


def test_words_that_are_shown_are_left_out() -> None:
    unseen = Marker.of(["red", "shoe"], {}).without(["Red", "hat"])

    assert [term.word for term in unseen.terms] == ["shoe"]


@pytest.mark.parametrize("text", [f"red{'a' * 200_000}-x", "red-hot " * 25_000, "red-" * 50_000])
def test_a_long_text_is_marked_within_seconds(text: str) -> None:
    """Backtracking, or comparing each word with all the matches before it, would take minutes."""
    begun = time.thread_time()

    Marker.of(["red", "redhot"], {}).excerpt(text)

    assert time.thread_time() - begun < 10
