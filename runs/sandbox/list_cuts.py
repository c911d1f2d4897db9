"""Test settings for the app list: the highest limit, how to respond to a higher one, and a random order."""

import random
from dataclasses import dataclass
from typing import Any

from runs.sandbox.catalogue import App
from runs.sandbox.errors import ApiError

DEFAULT_LIMIT, MOST = 100, 500
BEYOND = {"clamp", "refuse"}
ORDERS = {"given", "popularity"}


@dataclass
class ListOrders:
    """Settings made by tests. `most` is the highest limit; `beyond` says whether a higher one is lowered to `most` or
    refused with a 400.

    With the order "popularity", each call shuffles the apps but puts the workspace's private ones first. The same
    `seed` and number of `calls` give the same order.
    """

    most: int = MOST
    beyond: str = "clamp"
    default: int = DEFAULT_LIMIT
    refuses_limit: bool = False
    order: str = "given"
    seed: int = 0
    calls: int = 0

    def change(self, body: dict[str, Any]) -> None:
        """Apply the settings in `body` and leave all others unchanged. Raises ValueError for invalid values."""
        self.beyond = _one_of(BEYOND, body.get("beyond", self.beyond))
        self.order = _one_of(ORDERS, body.get("order", self.order))
        if "most" in body:
            self.most = MOST if body["most"] is None else int(body["most"])
        if "default" in body:
            self.default = DEFAULT_LIMIT if body["default"] is None else int(body["default"])
        if "refuse_limit" in body:
            self.refuses_limit = bool(body["refuse_limit"])
        if "seed" in body:
            self.seed, self.calls = int(body["seed"]), 0

    def length(self, text: str | None) -> int:
        """Return the maximum number of apps to list for a call with this `limit` parameter. Raises ApiError 400 if the
        limit is refused."""
        if text is None:
            return min(self.default, self.most)
        if self.refuses_limit:
            raise ApiError(400, "Unknown query parameter: limit")
        if not text.isascii() or not text.isdigit() or int(text[:12]) < 1:
            raise ApiError(400, "limit must be a whole number of at least 1")
        limit = int(text[:12])
        if limit > self.most and self.beyond == "refuse":
            raise ApiError(400, f"limit must be at most {self.most}")
        return min(limit, self.most)

    def arranged(self, apps: list[App]) -> list[App]:
        """Return the apps in the order for this call, which is random if a test asked for that."""
        self.calls += 1
        if self.order == "given":
            return apps
        chance = random.Random(f"{self.seed}/{self.calls}")  # noqa: S311 - an order, not a secret
        return sorted(chance.sample(apps, len(apps)), key=lambda app: bool(app.get("isPublic", True)))


def _one_of(options: set[str], value: Any) -> str:
    if value not in options:
        raise ValueError(f"{value!r} is not one of {sorted(options)}")
    return str(value)
