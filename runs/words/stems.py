"""Light stemming for English and German: "videos", "Schuhe" and "removing" lose their endings.

We don't know what language a text is in, so there's just one list of endings. Stems needn't be grammatically correct as
long as all forms of a word have the same stem. Words keep enough letters to be recognizable.
"""

import re
from functools import lru_cache

SHORTEST = 4  # in letters; shorter words have no endings worth removing
VOWELS = re.compile("[aeiouy]")
SIBILANT = re.compile("(?:ss|x|zz|ch|sh)$")
# Endings, each with the minimum number of letters that must be left after removing it. The first ending that fits is
# removed, and then the next one that fits.
ENDINGS = (
    *(("ierungen", 4), ("ierung", 4), ("ieren", 4), ("ungen", 4), ("ements", 4), ("ement", 4)),
    *(("ments", 4), ("ment", 4), ("ions", 4), ("ings", 3), ("heit", 4), ("keit", 4), ("lich", 4)),
    *(("ung", 4), ("ing", 3), ("ion", 4), ("ers", 4), ("ern", 4), ("als", 5), ("est", 5), ("end", 5)),
    *(("er", 4), ("en", 4), ("em", 5), ("ed", 3), ("es", 4), ("al", 5), ("or", 5), ("ly", 4)),
    *(("e", 4), ("n", 4), ("t", 5)),
)


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Return `word` (folded) without its endings; words in other scripts or with digits stay as they are."""
    if len(word) < SHORTEST or not (word.isascii() and word.isalpha()):
        return word
    if word.endswith("ies") and len(word) > 5:
        return f"{word[:-3]}i"
    if word.endswith("ie") and len(word) > 4:
        return word[:-2] if len(word) > 7 else word[:-1]  # "fotografie" loses "ie"; "movie" is treated like "movies"
    bare = word[:-1] if _has_plural_s(word) else word
    while (shorter := _shorter(bare)) != bare:
        bare = shorter
    if len(bare) > 4 and bare.endswith("our"):
        return f"{bare[:-3]}or"
    return f"{bare[:-1]}i" if len(bare) > 3 and bare.endswith("y") and not VOWELS.match(bare[-2]) else bare


def _has_plural_s(word: str) -> bool:
    """Return whether the final "s" is an ending on its own. The "s" in "glass" and "virus" isn't an ending, and in
    "boxes", the ending is "es"."""
    return (word[-1] == "s" and word[-2] not in "esui") or word.endswith(("oes", "ees", "ies"))


def _shorter(word: str) -> str:
    for ending, least in ENDINGS:
        left = word[: -len(ending)]
        if not word.endswith(ending) or not VOWELS.search(left):
            continue
        if len(left) >= least and _may_lose(left, ending):
            return _single(left) if ending in ("ing", "ings", "ed") else left
        if ending == "es" and len(left) >= 3:
            return left if SIBILANT.search(left) else f"{left}e"
    return word


def _may_lose(left: str, ending: str) -> bool:
    """Return whether `ending` may be removed after `left`: for example "n" after "e" as in "Rosen", "t" after "l" as in
    "erstellt"."""
    if ending == "n":
        return left[-1] in "el"
    return ending != "t" or left[-1] in "bnrlz"


def _single(left: str) -> str:
    """Undo the doubled letter in words such as "cutting": return "cut" for "cutt"."""
    return left[:-1] if len(left) > 3 and left[-1] == left[-2] and left[-1] not in "aeiouls" else left
