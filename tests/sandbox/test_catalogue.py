"""Every app in the catalogue can be read and run, and its results fetched. There's a test card for each of Lamina's
quirks."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from runs.sandbox.catalogue import load_catalogue, load_test_cards
from runs.sandbox.server import start_sandbox
from tests.sandbox.box import Box

APPS = load_catalogue(has_test_cards=True)


def inputs_for(app: dict[str, Any], url: str) -> dict[str, Any]:
    """Return a value for every parameter without a default."""
    values: dict[str, Any] = {}
    for parameter in app["parameters"]:
        if parameter.get("default") is None:
            name = parameter.get("key") or parameter.get("id")
            first = (parameter.get("options") or ["some text"])[0]
            values[name] = f"{url}/samples/anything.png" if parameter.get("type") == "url" else first
    return values


@pytest.mark.parametrize("app_id", APPS)
def test_every_app_runs_and_makes_its_files(box: Box, app_id: str) -> None:
    app = APPS[app_id]
    detail = box.get(f"/v1/apps/{app_id}").json()["data"]
    assert detail["name"] == app["name"]
    box.control("script", seconds=0, outcome=app["sandbox"].get("outcome", "completed"))
    run = box.finished(box.start(app_id, inputs_for(app, box.url)))
    expected = app["sandbox"].get("outcome", "completed")
    assert run["status"] == ("failed" if expected == "failed" else "completed")
    for address in own_addresses(run["outputs"], box.url):
        assert requests.get(address, timeout=60).ok, address


def own_addresses(value: Any, url: str) -> list[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [found for one in value for found in own_addresses(one, url)]
    return [value] if isinstance(value, str) and value.startswith(url) else []


def test_every_thumbnail_is_small_and_of_the_promised_size(box: Box) -> None:
    for app in box.get("/v1/apps", params={"limit": 200}).json()["data"]:
        thumbnail = app.get("thumbnail")
        if thumbnail and thumbnail["type"] == "image" and thumbnail["url"].startswith(box.url):
            answer = requests.get(thumbnail["url"], timeout=60)
            picture = Image.open(io.BytesIO(answer.content))
            assert (picture.format, picture.size) == ("WEBP", (640, 400)), app["name"]
            assert len(answer.content) < 90_000


def test_every_oddity_has_a_test_card() -> None:
    parameters = [p for app in APPS.values() for p in app["parameters"]]
    outputs = [app["outputs"] for app in APPS.values() if app.get("outputs")]
    counts = {len(p["options"]) for p in parameters if p.get("options")}
    assert {25, 60} <= counts
    assert any(app["description"] is None and app["parameters"] for app in APPS.values())
    assert any(not app["parameters"] for app in APPS.values())
    assert any(app.get("outputs") == [] for app in APPS.values())
    assert any(app.get("outputs") is None for app in APPS.values())
    assert any(len({one["label"] for one in some}) < len(some) for some in outputs)
    assert any(len({p["name"] for p in app["parameters"]}) < len(app["parameters"]) for app in APPS.values())
    names = [app["name"] for app in APPS.values()]
    assert any(len(name) == 200 for name in names)
    assert any("<script>" in name for name in names)
    assert any("{{ 7*7 }}" in name for name in names)
    kinds = {type(p["default"]) for p in parameters if "default" in p}
    assert {str, int, bool, list, dict} <= kinds
    accepted = {kind for p in parameters for kind in p.get("accept", [])}
    assert {"image", "video", "audio"} <= accepted
    assert any(p.get("multiple") and p.get("default") == [] for p in parameters)


def test_test_cards_say_what_they_are() -> None:
    for app in load_test_cards().values():
        assert f"{app['name']} {app['description']}".count("Test card"), app["name"]


def test_values_may_be_lists_objects_and_text_with_markup(box: Box) -> None:
    in_list = box.finished(box.start("card-value-list", {}))["outputs"][0]["value"]
    assert len(in_list) == len(set(in_list)) == 3
    in_object = box.finished(box.start("card-value-object", {}))["outputs"]
    assert isinstance(in_object[0]["value"], dict)
    assert "<b>" in json.dumps(in_object[1]["value"])
    text = box.finished(box.start("card-hostile-text", {}))["outputs"][0]["value"]
    assert "<script>" in text
    assert "two spaces  \n" in text
    assert len(box.finished(box.start("card-long-text", {}))["outputs"][0]["value"]) > 15_000


def test_half_failed_failed_and_empty_runs(box: Box) -> None:
    half = box.finished(box.start("card-half-fails", {}))
    assert half["status"] == "completed"
    assert [(one["type"], one["status"]) for one in half["outputs"]] == [("image", "completed"), ("pending", "error")]
    failed = box.finished(box.start("card-always-fails", {}))
    assert failed["status"] == "failed"
    assert failed["errorMessage"].startswith("Model refused: <b>unsafe</b>")
    assert failed["outputs"][0]["status"] == "error"
    empty = box.finished(box.start("card-nothing", {}))
    assert (empty["status"], empty["outputs"][0]["value"]) == ("completed", None)


def test_a_text_result_quotes_the_prompt(box: Box) -> None:
    run = box.finished(box.start("sandbox-caption", {"Prompt": "Tea at four"}))
    assert "“Tea at four”" in run["outputs"][0]["value"]


def test_equal_inputs_give_another_picture_the_next_time(box: Box) -> None:
    first, second = (box.finished(box.start()) for _ in range(2))
    pictures = [requests.get(run["outputs"][0]["value"], timeout=60).content for run in (first, second)]
    assert pictures[0] != pictures[1]


def test_people_get_two_dozen_good_apps_and_no_test_card() -> None:
    apps = load_catalogue()
    assert len(apps) == 24
    assert not [app_id for app_id in apps if app_id.startswith("card-")]
    assert all(app["parameters"] and app["outputs"] for app in apps.values())
    kinds = {output["type"] for app in apps.values() for output in app["outputs"]}
    assert kinds == {"image", "video", "audio", "text"}
    assert max(len(app["parameters"]) for app in apps.values()) >= 12
    films = [app["sandbox"] for app in apps.values() if "video" in {one["type"] for one in app["outputs"]}]
    # Long enough for people to stop a run.
    assert all(max(own.get("seconds", 0), own.get("leastSeconds", 0)) >= 40 for own in films)
    assert len({app["sandbox"]["art"] for app in apps.values()}) == len(apps)


def test_test_cards_are_shown_only_where_somebody_asks_for_them(tmp_path: Path) -> None:
    sandbox = start_sandbox(data_dir=tmp_path, per_minute=None)
    try:
        box = Box(sandbox)
        assert (len(listed(box)), cards(box)) == (24, 0)
        box.control("test-cards", shown=True)
        assert (len(listed(box)), cards(box)) == (61, 37)
        box.control("test-cards", shown=False)
        assert (len(listed(box)), cards(box)) == (24, 0)
    finally:
        sandbox.stop()


def test_a_sandbox_started_with_test_cards_keeps_them_after_a_reset(box: Box) -> None:
    assert (len(listed(box)), cards(box)) == (61, 37)  # this sandbox was started with test cards
    box.control("reset")
    assert cards(box) == 37


def listed(box: Box) -> list[str]:
    return [app["appId"] for app in box.get("/v1/apps", params={"limit": 200}).json()["data"]]


def cards(box: Box) -> int:
    return sum(app_id.startswith("card-") for app_id in listed(box))
