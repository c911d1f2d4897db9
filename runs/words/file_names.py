"""Download names made from app or title, result and day, safe in any file system."""

import re

from django.utils import timezone
from django.utils.text import slugify

from runs.models import Run

PART_BYTES = 90  # file systems allow 255 bytes, and in most scripts a letter takes up to three
PLAIN = re.compile(r"[^\w-]")


def result_stem(run: Run, label: str, number: int = 1) -> str:
    """ "cartoonify_front-view_2026-11-24", with `number` if a result has several files."""
    parts = [slug(run.title or run.app_name), slug(label), f"{timezone.localtime(run.created_at):%Y-%m-%d}"]
    if number > 1:
        parts.append(str(number))
    return "_".join(part for part in parts if part)


def slug(words: str) -> str:
    """Return `words` in lower case with hyphens, in any script, safe for shells and file systems."""
    kept = slugify(words, allow_unicode=True)[:50].encode()[:PART_BYTES].decode(errors="ignore")
    return PLAIN.sub("", kept).strip("-_")


def unique(name: str, taken: set[str]) -> str:
    """Return `name`, with a number before its extension if it is `taken` (ignoring case); add the result to `taken`."""
    stem, dot, ending = name.rpartition(".")
    stem, ending = (stem, f".{ending}") if dot else (name, "")
    found, number = name, 1
    while found.casefold() in taken:
        number += 1
        found = f"{stem}_{number}{ending}"
    taken.add(found.casefold())
    return found
