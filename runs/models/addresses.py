"""Addresses of single things by their random id. A page of cards has hundreds, so each pattern is looked up once
instead of once per card."""

from functools import cache

from django.urls import reverse

PLACE = "0" * 16  # placeholder for an id; our ids have no 0


def path_to(name: str, public_id: str = "", *rest: int) -> str:
    """The path of the URL `name`, with `public_id` (`ids.new_public_id`) if it takes one, as `reverse` would return."""
    before, after = _around(name, bool(public_id), *rest)
    return f"{before}{public_id}{after}"


@cache
def _around(name: str, has_id: bool, *rest: int) -> tuple[str, str]:
    before, _, after = reverse(f"runs:{name}", args=[PLACE, *rest] if has_id else []).partition(PLACE)
    return before, after
