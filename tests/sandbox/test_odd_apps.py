"""Extreme apps, as large as a test asks for, and the input names and values that the sandbox accepts."""

import json
from typing import Any

import pytest
import requests

from tests.sandbox.box import CAPTION, CARTOONIFY, Box


def detail(box: Box, app_id: str) -> Any:
    return box.get(f"/v1/apps/{app_id}").json()["data"]


def test_apps_beyond_every_limit(box: Box) -> None:
    for kind in ("many_parameters", "many_options", "long_description", "long_labels", "large_schema"):
        box.control("odd-apps", kind=kind)
    assert len(detail(box, "odd-many-parameters")["parameters"]) == 3000
    assert len(detail(box, "odd-many-options")["parameters"][0]["options"]) == 501
    assert len(detail(box, "odd-long-description")["description"]) == 3 * 1024 * 1024
    long = detail(box, "odd-long-labels")
    assert {len(long["name"]), len(long["parameters"][0]["options"][1])} == {1000}
    large = detail(box, "odd-large-schema")
    assert len(json.dumps(large)) > 512 * 1024
    assert len(large["parameters"]) <= 200
    assert max(len(one.get("options", [])) for one in large["parameters"]) <= 500
    listed = box.get("/v1/apps", params={"limit": 500}).json()["data"]
    assert {"odd-many-parameters", "odd-large-schema"} <= {app["appId"] for app in listed}
    for app_id in ("odd-many-parameters", "odd-long-description", "odd-large-schema"):
        assert box.finished(box.start(app_id, {}))["status"] == "completed"


def test_sizes_counts_and_flags_of_odd_apps(box: Box) -> None:
    made = box.control("odd-apps", kind="plain", count=3, listed=False)
    assert made["appIds"] == ["odd-plain", "odd-plain-2", "odd-plain-3"]
    box.control("odd-apps", kind="many_options", size=7)
    assert len(detail(box, "odd-many-options")["parameters"][0]["options"]) == 7
    listed = [app["appId"] for app in box.get("/v1/apps", params={"limit": 500}).json()["data"]]
    assert "odd-plain-2" not in listed
    assert "odd-many-options" in listed


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("odd-apps", {"kind": "nonsense"}),
        ("list", {"beyond": "sulk"}),
        ("list", {"order": "none"}),
        ("apps/unknown", {"gone": True}),
        (f"apps/{CAPTION}", {"gone": "yes"}),
        (f"apps/{CAPTION}", {"workspace": "mars"}),
        (f"apps/{CAPTION}", {"names": ["number"]}),
        (f"apps/{CAPTION}", {"errors": "rude"}),
    ],
)
def test_invalid_calls_get_400(box: Box, path: str, body: dict[str, Any]) -> None:
    assert requests.post(f"{box.url}/control/{path}", json=body, timeout=60).status_code == 400


@pytest.mark.parametrize(
    ("kind", "good"),
    [
        ("only_key", {"title_text": "A", "style_text": "Calm "}),
        ("only_id", {"on-1": "A", "on-2": "Calm "}),
    ],
)
def test_inputs_by_name_are_all_unknown_where_only_keys_or_ids_count(box: Box, kind: str, good: dict[str, Any]) -> None:
    (app_id,) = box.control("odd-apps", kind=kind)["appIds"]
    answer = box.post(f"/v1/apps/{app_id}/runs", json={"inputs": {"Title": "A", "Style": "Calm "}})
    assert answer.status_code == 400
    assert [(one["field"], one["code"]) for one in answer.json()["details"]] == [
        ("Title", "unknown_parameter"),
        ("Style", "unknown_parameter"),
    ]
    assert box.state["runs"] == []
    assert box.finished(box.start(app_id, good))["status"] == "completed"


def test_unknown_names_in_every_shape_of_error(box: Box) -> None:
    box.control("odd-apps", kind="only_key")

    def refusal(errors: str) -> Any:
        box.control("apps/odd-only-key", errors=errors)
        return box.post("/v1/apps/odd-only-key/runs", json={"inputs": {"Title": "A"}}).json()

    assert refusal("legacy") == {"error": "Invalid inputs", "details": ['"Title": unknown parameter']}
    strings = refusal("strings")
    assert (strings["code"], strings["details"]) == ("VALIDATION_ERROR", ['"Title": unknown parameter'])
    nested = refusal("nested")["details"]
    assert (nested["code"], nested["details"]["errors"][0]["error"]) == ("VALIDATION_ERROR", "unknown_parameter")
    assert refusal("structured")["details"][0]["code"] == "unknown_parameter"
    box.control("apps/odd-only-key", unknown_first=False)
    codes = [one["code"] for one in refusal("structured")["details"]]
    assert codes == ["unknown_parameter", "missing_no_default", "missing_no_default"]


def test_an_app_can_stop_accepting_names(box: Box) -> None:
    box.control(f"apps/{CAPTION}", names=["key", "id"])
    refused = box.post(f"/v1/apps/{CAPTION}/runs", json={"inputs": {"Prompt": "A"}})
    assert refused.json()["details"][0]["code"] == "unknown_parameter"
    assert box.finished(box.start(CAPTION, {"prompt_text": "A"}))["status"] == "completed"


@pytest.mark.parametrize("value", [3, 2.5, True, False, 0])
def test_numbers_and_booleans_count_as_text(box: Box, value: Any) -> None:
    assert box.finished(box.start(CAPTION, {"Prompt": value}))["status"] == "completed"
    wrong = box.post(f"/v1/apps/{CAPTION}/runs", json={"inputs": {"Prompt": [value]}})
    assert wrong.json()["details"][0]["code"] == "invalid_type"


def test_a_list_of_one_counts_as_a_single_url(box: Box) -> None:
    inputs = {"Style": "Ghibli", "Upload": [f"{box.url}/samples/a.png"]}
    run = box.finished(box.start(CARTOONIFY, inputs))
    assert requests.get(run["outputs"][0]["value"], timeout=60).ok
    wrong = {"Style": "Ghibli", "Upload": ["ftp://a.example.com/a.png"]}
    answer = box.post(f"/v1/apps/{CARTOONIFY}/runs", json={"inputs": wrong})
    assert answer.json()["details"][0]["code"] == "invalid_media"
