"""Folding: make text comparable for searching, so that case, accents and look-alike letters don't matter in any
script."""

import unicodedata
from collections.abc import Iterable

# Letters with a stroke, and ligatures: Unicode has no simpler form for these.
STROKED = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "\u0131": "i", "æ": "ae", "œ": "oe", "\x00": " "}
)


def fold(text: str) -> str:
    """Return `text` in the form that search stores and compares.

    "Crème BRÛLÉE" becomes "creme brulee", "ﬁ" becomes "fi", wide letters become normal ones, and a search for "か"
    finds "が". Vowel signs in Indic scripts are kept, because they carry meaning.
    """
    if text.isascii():  # most text is ASCII, which can be folded much faster
        return text.lower().replace("\x00", " ")
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return bare.casefold().translate(STROKED)


def name_fields(name: str) -> dict[str, str]:
    """Return the `name` and `search_text` fields of a row called `name`."""
    return {"name": name, "search_text": fold(name)}


def kinds_text(kinds: Iterable[str]) -> str:
    """Return output kinds in the format of `Run.kinds`, which filters use: " image video "."""
    names = sorted({kind.strip() for kind in kinds} - {""})
    return f" {' '.join(names)} "[:200] if names else " "
