"""Finds app ids in what people paste: URLs or ids of apps on Lamina. The URLs are never fetched."""

import re
from urllib.parse import unquote

ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|app_[\w-]{1,190}", re.IGNORECASE | re.ASCII)
MOST_IDS = 3  # maximum number of ids to try in one search; each one costs a request to Lamina


def ids_in(words: str) -> list[str]:
    """Return possible app ids in `words`: path segments that are a UUID or start with `app_`, in reverse order.

    The last one in `words` is the most likely, because a workspace's id usually comes before the app's. Host, query and
    fragment are ignored.
    """
    found = [segment for word in words.split() for segment in _path_of(word) if ID.fullmatch(segment)]
    ids = [one if one.startswith("app_") else one.lower() for one in reversed(found)]
    return list(dict.fromkeys(ids))[:MOST_IDS]


def _path_of(word: str) -> list[str]:
    """Return the path segments of a URL; a plain word counts as a path."""
    address = re.split(r"[?#]", word, maxsplit=1)[0]
    scheme, mark, rest = address.partition("://")
    path = rest.partition("/")[2] if mark else scheme
    return [unquote(segment) for segment in path.split("/")]
