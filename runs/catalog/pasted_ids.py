"""Finds app ids in what people paste: URLs or ids of apps on Lamina. The URLs are never fetched."""

import re
from collections.abc import Sequence
from urllib.parse import unquote

from django.db.models import Q

from runs.models import App

ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|app_[\w-]{1,190}", re.IGNORECASE | re.ASCII)
MOST_IDS = 3  # maximum number of ids to try in one search; each one costs a request to Lamina


def ids_in(words: str) -> list[str]:
    """Return possible app ids in `words`: path segments that are a UUID or start with `app_`, in reverse order.

    The last one in `words` is the most likely, because a workspace's id usually comes before the app's. Host, query and
    fragment are ignored. Ids are opaque, so each is returned as it is; those that may just have been typed in upper
    case follow in lower case.
    """
    ids = [segment for word in words.split() for segment in _path_of(word) if ID.fullmatch(segment)][::-1]
    in_lower_case = [one.lower() for one in ids if not one.startswith("app_")]
    return list(dict.fromkeys([*ids, *in_lower_case]))[:MOST_IDS]


def own_app(ids: Sequence[str]) -> App | None:
    """Return the app that we know by one of `ids`; None if there is none. Makes at most one query.

    Upper and lower case only matter if we know several such apps. Otherwise, an app that an admin has hidden could be
    opened by spelling its id differently.
    """
    if not ids:
        return None
    is_alike = Q()
    for one in ids:
        is_alike |= Q(remote_id__iexact=one)
    apps = list(App.objects.filter(is_alike).select_related("rule"))
    exact, alike = {app.remote_id: app for app in apps}, {app.remote_id.lower(): app for app in apps}
    return next((app for app in [*map(exact.get, ids), *(alike.get(one.lower()) for one in ids)] if app), None)


def _path_of(word: str) -> list[str]:
    """Return the path segments of a URL; a plain word counts as a path."""
    address = re.split(r"[?#]", word, maxsplit=1)[0]
    scheme, mark, rest = address.partition("://")
    path = rest.partition("/")[2] if mark else scheme
    return [unquote(segment) for segment in path.split("/")]
