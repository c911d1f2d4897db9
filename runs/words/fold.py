"""Text as search compares it: no case, accents or look-alike forms, in any script."""

import unicodedata
from collections.abc import Iterable

# Letters with a stroke and ligatures, which Unicode doesn't decompose.
STROKED = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "\u0131": "i", "æ": "ae", "œ": "oe", "\x00": " "}
)


def fold(text: str) -> str:
    """`text` as stored for search, and as search words are compared: "Crème BRÛLÉE" is "creme brulee", "ﬁ" is "fi",
    wide letters are plain ones, "が" is found by "か". Vowel signs of Indic scripts stay: they carry meaning."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return bare.casefold().translate(STROKED)


def fold_words(text: str) -> list[str]:
    """The words of a search, folded, without repeats; longest first, since that rules out most."""
    return sorted(dict.fromkeys(fold(text).split()), key=len, reverse=True)


def named(name: str) -> dict[str, str]:
    """Fields of a row: `name` and its text for search."""
    return {"name": name, "search_text": fold(name)}


def kinds_text(kinds: Iterable[str]) -> str:
    """Kinds of output as stored in `Run.kinds` for the filter: " image video "."""
    told = sorted({kind.strip() for kind in kinds} - {""})
    return f" {' '.join(told)} "[:200] if told else " "
