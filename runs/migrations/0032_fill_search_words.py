"""Fill the index of the words in runs and the table of known words, and store the words of apps in the new form.

The functions are copies of those that search used when this migration was written, because the originals may change.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from django.db import migrations

BATCH = 500
SHORTEST_KNOWN = 4
# Letters with a stroke, and ligatures, which Unicode doesn't decompose.
STROKED = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "\u0131": "i", "æ": "ae", "œ": "oe", "\x00": " "}
)
LONGEST = 40  # in letters; the rest of a longer word is ignored
SPACELESS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
SIGNS = "\u0900-\u0dff"  # Indic scripts, whose vowel signs aren't letters to Python
WORD = re.compile(rf"[{SPACELESS}]+|(?:(?![{SPACELESS}])(?:[^\W_]|[{SIGNS}]))+")
JOINED = re.compile(r"[^\W_]+(?:-[^\W_]+)+")
SPACELESS_WORD = re.compile(rf"[{SPACELESS}]+")
SHORTEST_STEMMED = 4  # in letters; shorter words have no endings worth removing
VOWELS = re.compile("[aeiouy]")
SIBILANT = re.compile("(?:ss|x|zz|ch|sh)$")
# Endings, each with the minimum number of letters that must be left after removing it. The first ending that fits is
# removed, then the next one that fits.
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
    if len(word) < SHORTEST_STEMMED or not (word.isascii() and word.isalpha()):
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
    """Return whether the final "s" is an ending on its own. In "glass" and "virus", it isn't an ending; in "boxes", the
    ending is "es"."""
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


def fold(text: str) -> str:
    """Return `text` in the form that search stores and compares.

    "Crème BRÛLÉE" becomes "creme brulee", "ﬁ" becomes "fi", wide letters become normal ones, and "か" finds "が". Vowel
    signs in Indic scripts stay, because they carry meaning.
    """
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return bare.casefold().translate(STROKED)


def split(folded: str) -> list[str]:
    """Return the words in a folded text, in order."""
    return [word[:LONGEST] for word in WORD.findall(folded)]


def stored_words(text: str) -> str:
    """Return what search stores for `text`: its folded words and stems, sorted, without duplicates and separated by
    spaces."""
    return " ".join(sorted(set(_stored(fold(text)))))


def _stored(folded: str) -> Iterator[str]:
    for word in split(folded):
        if SPACELESS_WORD.match(word):
            yield from word
            yield from _pairs(word)
        else:
            yield from (word, stem(word))
    for joined in JOINED.findall(folded):  # "try-on" is also "tryon"
        yield joined.replace("-", "")[:LONGEST]


def _pairs(word: str) -> list[str]:
    return [word[i : i + 2] for i in range(len(word) - 1)]


def is_learned(word: str) -> bool:
    return SHORTEST_KNOWN <= len(word) < LONGEST and word.isalpha()


def trigrams(word: str) -> set[str]:
    """Return the groups of three adjacent letters in `word`, which is padded with spaces so that its beginning and end
    count more."""
    padded = f"  {word} "
    return {padded[i : i + 3] for i in range(len(padded) - 2)}


class Learner:
    """Collects words, and stores those that aren't known yet."""

    def __init__(self, apps):
        self.words, self.trigrams = apps.get_model("runs", "KnownWord"), apps.get_model("runs", "WordTrigram")
        self.known = set(self.words.objects.values_list("word", flat=True))

    def learn(self, words):
        new = sorted({word for word in words if is_learned(word)} - self.known)
        self.known.update(new)
        self.words.objects.bulk_create([self.words(word=word) for word in new], batch_size=BATCH)
        rows = [self.trigrams(trigram=three, length=len(word), word_id=word) for word in new for three in trigrams(word)]
        self.trigrams.objects.bulk_create(rows, batch_size=BATCH)


def fill_runs(apps, connection, learner):
    runs, last = apps.get_model("runs", "Run").objects.order_by("pk"), 0
    words = "array_to_tsvector(string_to_array(%s, ' '))" if connection.vendor == "postgresql" else "%s"
    while batch := list(runs.filter(pk__gt=last).values_list("pk", "search_text")[:BATCH]):
        rows = [(pk, stored_words(text)) for pk, text in batch]
        with connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO runs_runwords (rowid, words) VALUES (%s, {words})", rows)
        learner.learn(word for _, text in batch for word in split(fold(text)))
        last = batch[-1][0]


def fill_apps(apps, learner):
    model = apps.get_model("runs", "App")
    for app in model.objects.select_related("schema"):
        labels = [str(output["label"])[:500] for output in app.schema.outputs] if app.schema else []
        rest = " ".join([app.description, *labels, *app.makes])
        app.search_text = f"{stored_words(app.name)}\n{stored_words(rest)}"
        app.save(update_fields=["search_text"])
        learner.learn(split(fold(f"{app.name} {rest}")))


def fill(apps, schema_editor):
    learner = Learner(apps)
    fill_runs(apps, schema_editor.connection, learner)
    fill_apps(apps, learner)
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("CREATE INDEX run_words ON runs_runwords USING gin (words) WITH (fastupdate = off)")


def empty(apps, schema_editor):
    schema_editor.execute("DELETE FROM runs_runwords")
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX run_words")
    for name in ("WordTrigram", "KnownWord"):
        apps.get_model("runs", name).objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("runs", "0031_dropped_drafts")]
    operations = [migrations.RunPython(fill, empty)]
