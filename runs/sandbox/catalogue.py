"""The sandbox's apps: `catalog.json` contains the regular apps, and `test_cards.json` those that only tests need."""

import copy
import json
from pathlib import Path
from typing import Any

App = dict[str, Any]
PATH = Path(__file__).with_name("catalog.json")
TEST_CARDS_PATH = Path(__file__).with_name("test_cards.json")
# Credits per output: Cartoonify makes two pictures, for example, so it costs 12.
PRICES = {"image": 6.0, "video": 18.0, "audio": 2.5, "text": 0.5}
PRICE_OF_OTHERS = 4.0
FLAGS = {"listed", "found", "gone", "unknown_first"}
CHOICES = {"workspace": {"own", "other"}, "errors": {"structured", "strings", "legacy", "nested"}}


def load_catalogue(*, has_test_cards: bool = False) -> dict[str, App]:
    """Return the apps by id: the regular ones, followed by the test cards if requested."""
    return _read(PATH) | (load_test_cards() if has_test_cards else {})


def load_test_cards() -> dict[str, App]:
    """Return the test cards by id: apps that each reproduce one of Lamina's oddities."""
    return _read(TEST_CARDS_PATH)


def _read(path: Path) -> dict[str, App]:
    apps = json.loads(path.read_text(encoding="utf-8"))
    return {app["appId"]: complete(app) for app in apps}


def complete(app: App) -> App:
    """Return a copy of `app` that has every field the server relies on, with "@…" options expanded."""
    app = copy.deepcopy(app)
    app.setdefault("description", None)
    app.setdefault("parameters", [])
    app.setdefault("sandbox", {})
    if "thumbnail" in app:
        app["sandbox"]["thumbnail"] = app.pop("thumbnail")
    for parameter in app["parameters"]:
        options = parameter.get("options")
        if isinstance(options, str) and options.startswith("@"):
            parameter["options"] = counted_options(int(options.removeprefix("@")))
    return app


def set_flags(app: App, body: dict[str, Any]) -> None:
    """Apply the flags in `body`. Raises TypeError or ValueError for invalid values.

    `listed`, `found` (by search and discover), `gone` (requesting the app by id gives a 404) and `unknown_first`
    (unknown input names are reported before anything else is checked) are booleans. `workspace` is "own" or "other";
    another workspace's app is private and hidden by default. `names` lists which of "key", "id" and "name" identify the
    app's inputs. `errors` is the format of its error responses.
    """
    own = app["sandbox"]
    for flag in FLAGS & body.keys():
        if not isinstance(body[flag], bool):
            raise TypeError(f"{flag} must be true or false")
        own[flag] = body[flag]
    for flag, values in CHOICES.items():
        if flag in body:
            if body[flag] not in values:
                raise ValueError(f"{flag} must be one of {sorted(values)}")
            own[flag] = body[flag]
    if body.get("workspace") == "other":
        app.setdefault("isPublic", False)
    if "names" in body:
        if not body["names"] or not set(body["names"]) <= {"key", "id", "name"}:
            raise ValueError(f"names {body['names']!r}")
        own["names"] = list(body["names"])


def is_closed(app: App) -> bool:
    """Return whether the app is private to another workspace, which means that requesting it by id gives a 403."""
    return app["sandbox"].get("workspace") == "other" and not app.get("isPublic", True)


def is_listed(app: App) -> bool:
    return bool(app["sandbox"].get("listed", _is_open(app)))


def is_findable(app: App) -> bool:
    return bool(app["sandbox"].get("found", _is_open(app)))


def _is_open(app: App) -> bool:
    return not is_closed(app) and not app["sandbox"].get("gone")


def counted_options(count: int) -> list[str]:
    """Return `count` plausible style names (at most 100)."""
    moods = ["Quiet", "Bright", "Faded", "Warm", "Cold", "Hand-made", "Bold", "Soft", "Grainy", "Glossy"]
    styles = ["Linocut", "Watercolour", "Pastel", "Collage", "Gouache", "Etching", "Poster", "Fresco", "Ink", "Mosaic"]
    return [f"{mood} {style}" for style in styles for mood in moods][:count]


def cost(outputs: list[dict[str, Any]]) -> float:
    """Return the cost of these outputs in credits; if the list is empty, the price of one picture."""
    return sum(PRICES.get(output["type"], PRICE_OF_OTHERS) for output in outputs) or PRICES["image"]


def full_cost(app: App) -> float:
    """Return the cost of a whole run in credits."""
    return cost(app.get("outputs") or [])


def credits(value: float) -> float | int:
    """Round to two decimals, and turn whole numbers into integers, as Lamina does in its responses."""
    rounded = round(value, 2)
    return int(rounded) if rounded == int(rounded) else rounded


def estimate(app: App, balance: float) -> dict[str, Any]:
    expected = full_cost(app)
    body: dict[str, Any] = {"appId": app["appId"], "name": app["name"]}
    if not app["sandbox"].get("noEstimate"):
        body |= {
            "estimatedCredits": {
                "expected": credits(expected),
                "min": credits(expected * 0.75),
                "max": credits(expected * 1.25),
            },
            "breakdown": [
                {"nodeId": f"node-{n}", "nodeType": output["type"], "credits": credits(cost([output]))}
                for n, output in enumerate(app.get("outputs") or [])
            ],
            "affordable": balance >= expected,
        }
    return body | {"currentBalance": credits(balance)}
