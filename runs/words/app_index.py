"""The words that a search for apps matches against."""

from runs.words.fold import fold
from runs.words.known_words import learn
from runs.words.terms import split, stored_words


def app_words(name: str, rest: str) -> str:
    """Return `App.search_text`: the words of the name on the first line, all other words on the second.

    This also adds new words to the known words, so that typos in searches can be corrected.
    """
    learn(split(fold(f"{name} {rest}")))
    return f"{stored_words(name)}\n{stored_words(rest)}"
