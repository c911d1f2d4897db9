"""Simplifies a page's source for tests, so that its formatting doesn't matter."""

import re


def flat(html: str | bytes) -> str:
    """Remove the source's formatting: collapse white space to single spaces, and drop it next to the brackets of tags.

    `<a\\n  href="/x/"\\n>\\n  Open\\n</a>` becomes `<a href="/x/">Open</a>`.
    """
    text = html.decode() if isinstance(html, bytes) else html
    return re.sub(r"\s*([<>])\s*", r"\1", re.sub(r"\s+", " ", text))
