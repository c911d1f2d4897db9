"""Reads a page's source in tests, ignoring its formatting."""

import re


def flat(html: str | bytes) -> str:
    """Remove formatting from the source: keep single spaces, but none next to the brackets of tags.

    `<a\\n  href="/x/"\\n>\\n  Open\\n</a>` becomes `<a href="/x/">Open</a>`.
    """
    text = html.decode() if isinstance(html, bytes) else html
    return re.sub(r"\s*([<>])\s*", r"\1", re.sub(r"\s+", " ", text))
