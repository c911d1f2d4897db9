"""Finds the URLs of the objects that entries are about, and the object that a URL shows."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Model, QuerySet
from django.urls import Resolver404, resolve, reverse

from runs.models import App, Entry, GuestLink, Member, Output, Run

PAGES: dict[str, tuple[str, type[Model]]] = {
    "run": ("run-detail", Run),
    "result": ("result-detail", Output),
    "person": ("manage-person", Member),
    "link": ("link-detail", GuestLink),
}
APP_PAGE = "app-detail"
KIND_OF = {name: kind for kind, (name, _) in PAGES.items()} | {APP_PAGE: "app", "manage-app": "app"}


def urls_of(entries: Iterable[Entry]) -> dict[tuple[str, str], str]:
    """Return the URLs of the objects that still exist, by kind and id. Takes one query per kind."""
    ids_by_kind: dict[str, set[str]] = {}
    for entry in entries:
        ids_by_kind.setdefault(entry.object_kind, set()).add(entry.object_id)
    urls: dict[tuple[str, str], str] = {}
    for kind, (name, model) in PAGES.items():
        if ids := ids_by_kind.get(kind):
            there = _there(model).filter(public_id__in=ids).values_list("public_id", flat=True)
            urls |= {(kind, one): reverse(f"runs:{name}", args=[one]) for one in there}
    if ids := ids_by_kind.get("app"):
        for app in App.objects.filter(public_id__in=ids).only("public_id", "name"):
            urls["app", app.public_id] = app.get_absolute_url()
    return urls


def _there(model: type[Model]) -> QuerySet[Any]:
    rows = model._default_manager.all()
    if model is Run:
        return rows.filter(deleted_at=None)
    return rows.filter(run__deleted_at=None) if model is Output else rows


def object_at(text: str) -> tuple[str, str] | None:
    """Return the kind and id of the object that `text` refers to. `text` is a page's URL, or a name such as
    "run:4f7k2m9p"; return None if it is neither."""
    kind, colon, object_id = text.strip().partition(":")
    if colon and kind.isalpha() and not object_id.startswith("/"):
        return kind, object_id
    try:
        match = resolve(urlsplit(text.strip()).path)
    except (Resolver404, ValueError):
        return None
    kind = KIND_OF.get(match.url_name or "", "")
    return (kind, str(list(match.kwargs.values())[-1])) if kind else None
