"""Endpoints that find apps: the list, its search, and `discover`, which ranks apps by the number of matching words."""

import re
from typing import Any

from runs.sandbox import catalogue, views
from runs.sandbox.catalogue import App
from runs.sandbox.errors import ApiError
from runs.sandbox.state import World
from runs.sandbox.wire import Request, SandboxReply, json_reply

DEFAULT_MATCHES, MOST_MATCHES = 5, 50
MEDIA = ("image", "video", "audio", "text")
WORD = re.compile(r"\w{3,}")
MINOR_WORDS = """
all and any are but can for from have into make makes making need needs our out please some that the their them this
want wants was what which who with you your
aus aller bei bitte brauche das dem den der des die ein eine einem einen einer eines fur für ich ist kann mache mein
meine meinen mit nach oder soll und uns unser unsere unseren unserer von wir zum zur
"""
MINOR = frozenset(MINOR_WORDS.split())


class Finding:
    """The endpoints, one method each. Every method returns a Reply or raises ApiError."""

    def __init__(self, world: World) -> None:
        self.world = world

    def apps(self, request: Request) -> SandboxReply:
        """Return the listed apps, up to the limit, in an order that a test can make random."""
        return self._page(request, [app for app in list(self.world.apps.values()) if catalogue.is_listed(app)])

    def search(self, request: Request) -> SandboxReply:
        """Return the apps, including unlisted ones, that match `search=`."""
        text = request.query["search"].casefold()
        findable = (app for app in list(self.world.apps.values()) if catalogue.is_findable(app))
        return self._page(request, [app for app in findable if text in _text(app)])

    def _page(self, request: Request, apps: list[App]) -> SandboxReply:
        orders = self.world.list_orders
        with self.world.lock:
            length = orders.length(request.query.get("limit"))
            page = orders.arranged(apps)[:length]
        return json_reply({"data": [views.app_summary(app, request.origin) for app in page]})

    def discover(self, request: Request) -> SandboxReply:
        """Take `{intent, constraints?: {maxCredits?, outputFormat?}, limit?}` and return the best matches first."""
        body = request.json_object()
        intent, constraints = body.get("intent"), body.get("constraints") or {}
        if not isinstance(intent, str) or not intent.strip():
            raise ApiError(400, "intent must be a non-empty text")
        if not isinstance(constraints, dict):
            raise ApiError(400, "constraints must be an object")
        most = constraints.get("maxCredits")
        if most is not None and (isinstance(most, bool) or not isinstance(most, int | float)):
            raise ApiError(400, "maxCredits must be a number")
        limit = _count(body.get("limit"))
        words = set(WORD.findall(intent.casefold())) - MINOR
        findable = (app for app in list(self.world.apps.values()) if catalogue.is_findable(app))
        ranked = [
            (app, matching) for app in findable if (matching := _matching_words(app, words)) and _fits(app, constraints)
        ]
        ranked.sort(key=lambda pair: -len(pair[1]))
        matches = [_match(app, matching, words, request.origin) for app, matching in ranked[:limit]]
        medium = next((kind for kind in MEDIA if kind in words), "image")
        return json_reply({"data": {"matches": matches, "intent": {"medium": medium, "summary": intent.strip()}}})


def _text(app: App) -> str:
    return f"{app['name']}\n{app.get('description') or ''}".casefold()


def _matching_words(app: App, words: set[str]) -> set[str]:
    """Return the `words` that occur in the app's name, description or output types. A plural also matches the
    singular."""
    text = " ".join([_text(app), *(output["type"] for output in app.get("outputs") or [])])
    return {word for word in words if word.removesuffix("s") in text}


def _fits(app: App, constraints: dict[str, Any]) -> bool:
    most, kind = constraints.get("maxCredits"), constraints.get("outputFormat")
    if most is not None and catalogue.full_cost(app) > most:
        return False
    return kind is None or any(output["type"] == kind for output in app.get("outputs") or [])


def _match(app: App, matching: set[str], words: set[str], origin: str) -> dict[str, Any]:
    has_price = not app["sandbox"].get("noEstimate")
    return {
        "appId": app["appId"],
        "name": app["name"],
        "description": app.get("description"),
        "relevanceScore": round(len(matching) / len(words), 2),
        "whyMatch": f"Matches {', '.join(sorted(matching))}.",
        "estimatedCredits": catalogue.credits(catalogue.full_cost(app)) if has_price else None,
        "capabilities": None if app["sandbox"].get("legacy") else views.capabilities(app),
        "thumbnail": views.thumbnail(app, origin),
    }


def _count(value: Any) -> int:
    if value is None:
        return DEFAULT_MATCHES
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ApiError(400, "limit must be a whole number of at least 1")
    return min(value, MOST_MATCHES)
