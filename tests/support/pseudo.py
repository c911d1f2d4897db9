"""A made-up language: all letters in marked strings are accented, and the strings are 40 % longer.

This lets tests find unmarked strings, because their letters stay plain, and layouts too narrow for other languages,
because they overflow.
"""

import re
from pathlib import Path

import django
import polib

CODE = "xx"
ROOT = Path(__file__).resolve().parents[2]
PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
ACCENTED = "åƀçđéƒğĥíĵķłɱñóþɋŕšţúṽŵẋýžÅƁÇĐÉƑĞĤÍĴĶŁḾÑÓÞɊŔŠŢÚṼŴẊÝŽ"
LETTERS = str.maketrans(PLAIN, ACCENTED)
# Parts that stay unchanged: placeholders, tags, entities, addresses.
KEPT = re.compile(r"%\(\w+\)[sd]|%%|%[sd]|\{\w*\}|<[^>]+>|&\w+;|https?://\S*")
LONGER = 0.4


def pseudo(text: str) -> str:
    """Translate `text` into the made-up language."""
    pieces, end = [], 0
    for found in KEPT.finditer(text):
        pieces += [text[end : found.start()].translate(LETTERS), found[0]]
        end = found.end()
    pieces.append(text[end:].translate(LETTERS))
    words = KEPT.sub("", text)
    return "".join(pieces) + "·" * round(len(words.strip()) * LONGER)


def write_catalogue(folder: Path) -> None:
    """Write the language's compiled catalogue: the portal's strings, and the Django strings that it shows."""
    made = polib.POFile()
    made.metadata = {
        "Content-Type": "text/plain; charset=UTF-8",
        "Language": CODE,
        "Plural-Forms": "nplurals=2; plural=(n != 1);",
    }
    own = ROOT / "runs/locale/de/LC_MESSAGES/django.po"
    djangos = Path(django.__file__).parent
    sources = [own, *(djangos / place / "locale/en/LC_MESSAGES/django.po" for place in ("conf", "contrib/auth"))]
    seen = set()
    for entry in [entry for path in sources for entry in polib.pofile(str(path))]:
        key = (entry.msgctxt, entry.msgid)
        if key in seen or entry.obsolete:
            continue
        seen.add(key)
        is_format = "format" in (entry.msgctxt or "")  # a date format, whose letters stand for parts of a date
        say = str if is_format else pseudo
        plurals = {0: say(entry.msgid), 1: say(entry.msgid_plural)} if entry.msgid_plural else {}
        made.append(
            polib.POEntry(
                msgid=entry.msgid,
                msgctxt=entry.msgctxt,
                msgid_plural=entry.msgid_plural,
                msgstr="" if plurals else say(entry.msgid),
                msgstr_plural=plurals,
            )
        )
    target = folder / CODE / "LC_MESSAGES/django.mo"
    target.parent.mkdir(parents=True)
    made.save_as_mofile(str(target))
