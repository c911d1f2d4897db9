"""The apps on offer: `catalog.json`, plus what can only be counted out in code."""

import copy
import json
from pathlib import Path
from typing import Any

App = dict[str, Any]
PATH = Path(__file__).with_name("catalog.json")
# What an output costs, in credits: Cartoonify with its two pictures is 12.
PRICES = {"image": 6.0, "video": 18.0, "audio": 2.5, "text": 0.5}
PRICE_OF_OTHERS = 4.0


def load_catalogue() -> dict[str, App]:
    """Every app by its id, the good ones first, then the test cards."""
    apps = json.loads(PATH.read_text(encoding="utf-8"))
    return {app["appId"]: complete(app) for app in apps}


def complete(app: App) -> App:
    """A copy with everything the server relies on; "@many" options are counted out."""
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


def counted_options(count: int) -> list[str]:
    """Plausible style names, as many as asked for (at most 100)."""
    moods = ["Quiet", "Bright", "Faded", "Warm", "Cold", "Hand-made", "Bold", "Soft", "Grainy", "Glossy"]
    styles = ["Linocut", "Watercolour", "Pastel", "Collage", "Gouache", "Etching", "Poster", "Fresco", "Ink", "Mosaic"]
    return [f"{mood} {style}" for style in styles for mood in moods][:count]


def cost(outputs: list[dict[str, Any]]) -> float:
    """Credits for these outputs; where none are listed, as much as one picture."""
    return sum(PRICES.get(output["type"], PRICE_OF_OTHERS) for output in outputs) or PRICES["image"]


def full_cost(app: App) -> float:
    """Credits for a whole run."""
    return cost(app.get("outputs") or [])


def credits(value: float) -> float | int:
    """Whole numbers without a fraction, as on the wire."""
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
