"""Build URLs. A page of cards has hundreds of URLs with random ids, so `reverse` is called only once for each URL
pattern."""

from functools import cache, lru_cache

from django.urls import reverse
from django.utils.text import slugify

PLACE = "0" * 16  # placeholder for an id; our ids never contain a 0


def path_to(name: str, public_id: str = "", *rest: int) -> str:
    """Return the same path as `reverse` would for the URL pattern `name`; pass `public_id` if the URL contains one."""
    before, after = _around(name, bool(public_id), *rest)
    return f"{before}{public_id}{after}"


def url_with(name: str, /, **query: str) -> str:
    """Return the URL for the pattern `name` with a query string of all values in `query` that aren't empty."""
    return reverse(f"runs:{name}", query={key: value for key, value in query.items() if value})


@cache
def _around(name: str, has_id: bool, *rest: int) -> tuple[str, str]:
    before, _, after = reverse(f"runs:{name}", args=[PLACE, *rest] if has_id else []).partition(PLACE)
    return before, after


@lru_cache(maxsize=4_096)
def path_to_app(slug: str, public_id: str) -> str:
    """Return the path of an app's page."""
    return reverse("runs:app-detail", args=[slug, public_id])


@lru_cache(maxsize=4_096)
def slug_of(name: str) -> str:
    """Return the readable part of an app's path, made from its name."""
    return slugify(name)[:60].strip("-") or "app"
