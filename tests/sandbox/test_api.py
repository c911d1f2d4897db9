"""The endpoints respond as Lamina's documentation says."""

import io
import time
from typing import Any

import pytest
import requests
from PIL import Image

from tests.sandbox.box import CAPTION, CARTOONIFY, KEY, Box

TRY_ON = "a76e85ec-20b4-4fbc-99ad-055423a868a2"
CATALOG = "173692dd-0258-41bd-8a56-2cf9bbe89910"


def test_the_list_starts_with_the_apps_that_need_nothing(box: Box) -> None:
    answer = box.get("/v1/apps", params={"limit": 200})
    apps = answer.json()["data"]
    assert [app["inputSummary"]["required"] for app in apps[:3]] == [[], [], []]
    apps = apps[3:]
    assert [app["name"] for app in apps[:6]] == [
        "Cartoonify!",
        "Full Set Catalog Generation",
        "Product Try on",
        "Product Shoot (With Mood Board) (10)",
        "🎬 Quick Reel Maker",
        "Légendes & Captions",
    ]
    assert apps[0]["outputFormats"] == ["image"]
    assert apps[0]["inputSummary"]["required"] == [{"name": "Style", "type": "options"}]
    assert apps[0]["thumbnail"] == {"url": f"{box.url}/thumbs/{CARTOONIFY}.webp", "type": "image"}
    assert answer.headers["X-Lamina-Sandbox"] == "1"
    assert answer.headers["X-Request-Id"]
    assert answer.headers["Date"]


def test_the_list_can_be_searched_and_limited(box: Box) -> None:
    assert [app["appId"] for app in box.get("/v1/apps", params={"search": "CARTOON"}).json()["data"]] == [CARTOONIFY]
    assert len(box.get("/v1/apps", params={"limit": 2}).json()["data"]) == 2
    assert box.get("/v1/apps", params={"limit": "two"}).status_code == 400


def test_an_app_keeps_exact_labels_and_its_samples_are_served_here(box: Box) -> None:
    app = box.get(f"/v1/apps/{CATALOG}").json()["data"]
    assert app["parameters"][3]["name"] == "Model  Ethnicity"
    assert app["parameters"][4]["options"][0] == "Standard "
    assert app["parameters"][0]["default"].startswith(f"{box.url}/samples/")
    assert "sandbox" not in app
    sample = requests.get(app["parameters"][0]["default"], timeout=60)
    assert Image.open(io.BytesIO(sample.content)).size == (960, 1200)


def test_an_unknown_app_or_run_is_404(box: Box) -> None:
    for path in ("/v1/apps/nope", "/v1/runs/nope"):
        answer = box.get(path)
        assert answer.status_code == 404
        assert answer.json()["code"] == "NOT_FOUND"
    assert box.get("/v1/nothing").status_code == 404


def test_the_key_is_checked(box: Box) -> None:
    without = requests.get(f"{box.url}/v1/account", timeout=60)
    wrong = requests.get(f"{box.url}/v1/account", headers={"x-api-key": "lma_other"}, timeout=60)
    bearer = requests.get(f"{box.url}/v1/account", headers={"Authorization": "Bearer lma_sandbox"}, timeout=60)
    assert (without.status_code, without.json()["code"]) == (401, "AUTH_MISSING_KEY")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "AUTH_INVALID_KEY")
    assert wrong.json()["requestId"] == wrong.headers["X-Request-Id"]
    assert bearer.json()["data"]["workspace"]["name"] == "Sandbox"


def test_a_run_goes_from_queued_to_completed_with_outputs_one_by_one(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.time()
    monkeypatch.setattr(box.sandbox.world, "clock", lambda: began)
    box.control("script", seconds=10)
    started = box.post(f"/v1/apps/{CARTOONIFY}/runs", json={"inputs": {"Style": "Ghibli"}})
    data = started.json()["data"]
    assert started.status_code == 202
    assert data["status"] == "queued"
    assert [one["type"] for one in data["outputs"]] == ["pending", "pending"]
    seen: list[tuple[str, int]] = []
    for seconds in (0, 2, 8, 11):
        monkeypatch.setattr(box.sandbox.world, "clock", lambda seconds=seconds: began + seconds)
        run = box.run(data["runId"])
        seen.append((run["status"], run["progress"]["completedOutputs"]))
    assert seen == [("queued", 0), ("running", 0), ("running", 1), ("completed", 2)]
    assert run["startedAt"] > run["createdAt"]
    assert run["completedAt"].endswith("Z")
    assert run["progress"] == {
        "totalOutputs": 2, "completedOutputs": 2, "failedOutputs": 0, "percentComplete": 100,
    }  # fmt: skip


def test_the_pictures_have_the_requested_aspect_ratio(box: Box) -> None:
    run = box.finished(box.start(inputs={"Style": "Disney / Pixar", "Aspect Ratio": "16:9"}))
    answer = requests.get(run["outputs"][0]["value"], timeout=60)
    assert answer.headers["Content-Type"] == run["outputs"][0]["mimeType"] == "image/jpeg"
    assert Image.open(io.BytesIO(answer.content)).size == (1280, 720)


def test_only_the_wanted_outputs_are_made_and_paid_for(box: Box) -> None:
    run_id = box.start(CAPTION, {"Prompt": "A quiet harbour"}, outputs=["voice-OVER"])
    assert [one["label"] for one in box.run(run_id)["outputs"]] == ["Voice-over"]
    assert box.get("/v1/account/usage").json()["data"]["credits"] == {
        "balance": 4247.5, "totalEarned": 4250, "totalSpent": 2.5,
    }  # fmt: skip
    refused = box.post(f"/v1/apps/{CAPTION}/runs", json={"inputs": {}, "outputs": ["nothing"]})
    assert refused.status_code == 400


def test_a_shared_label_means_all_its_outputs(box: Box) -> None:
    assert len(box.run(box.start(outputs=["ai designer"]))["outputs"]) == 2


def test_the_estimate_is_the_cost_of_a_whole_run(box: Box) -> None:
    estimate = box.post(f"/v1/apps/{CARTOONIFY}/estimate").json()["data"]
    assert estimate["estimatedCredits"] == {"expected": 12, "min": 9, "max": 15}
    assert (estimate["currentBalance"], estimate["affordable"]) == (4250, True)
    box.start()
    box.control("balance", balance=3.5)
    estimate = box.post(f"/v1/apps/{CARTOONIFY}/estimate").json()["data"]
    assert (estimate["currentBalance"], estimate["affordable"]) == (3.5, False)
    assert "estimatedCredits" not in box.post("/v1/apps/card-no-price/estimate").json()["data"]


def test_a_run_without_enough_credits_is_refused(box: Box) -> None:
    box.control("balance", balance=11)
    answer = box.post(f"/v1/apps/{CARTOONIFY}/runs", json={"inputs": {"Style": "Ghibli"}})
    assert answer.status_code == 400
    assert "insufficient credits" in answer.json()["error"].lower()
    assert box.state["runs"] == []


@pytest.mark.parametrize(
    ("inputs", "field", "code"),
    [
        ({"Style": "Ghibli", "Sytle": "x"}, "Sytle", "unknown_parameter"),
        ({}, "Style", "missing_no_default"),
        ({"Style": "ghibli"}, "Style", "invalid_option"),
        ({"Style": 3}, "Style", "invalid_type"),
        ({"Style": "Ghibli", "Upload": ["https://a.example.com/a.png"] * 2}, "Upload", "invalid_type"),
        ({"Style": "Ghibli", "Upload": "ftp://a.example.com/a.png"}, "Upload", "invalid_media"),
        ({"Style": "Ghibli", "Upload": "http://10.0.0.1/a.png"}, "Upload", "invalid_media"),
        ({"Style": "Ghibli", "Upload": "https://a.example.com/a.mp4"}, "Upload", "invalid_media"),
        ({"Style": "Ghibli", "Upload": None}, "Upload", "invalid_type"),
    ],
)
def test_wrong_inputs_are_refused(box: Box, inputs: dict[str, Any], field: str, code: str) -> None:
    answer = box.post(f"/v1/apps/{CARTOONIFY}/runs", json={"inputs": inputs})
    assert answer.status_code == 400
    assert answer.json()["code"] == "VALIDATION_ERROR"
    assert [(one["field"], one["code"]) for one in answer.json()["details"]] == [(field, code)]
    assert box.state["runs"] == []


def test_all_problems_are_reported_at_once(box: Box) -> None:
    answer = box.post(f"/v1/apps/{TRY_ON}/runs", json={"inputs": {"location_text": "Moon", "extra": "x"}})
    codes = {one["code"] for one in answer.json()["details"]}
    assert codes == {"invalid_option", "unknown_parameter", "missing_no_default"}


def test_old_and_nested_error_shapes(box: Box) -> None:
    old = box.post("/v1/apps/card-older/runs", json={"inputs": {"Style": "Manga"}})
    assert old.json() == {
        "error": "Invalid inputs",
        "details": ['"Style": invalid option "Manga". Must be one of: Ghibli, Simpsons'],
    }
    nested = box.post("/v1/apps/card-nested-errors/runs", json={"inputs": {}})
    assert nested.json()["details"]["details"]["errors"][0]["field"] == "Title"


def test_inputs_are_found_by_key_id_and_name(box: Box) -> None:
    inputs = {"headline_text": "by key", "sn-3": "by id"}
    run_id = box.start("card-same-inputs", inputs)
    assert box.state["runs"][0]["inputs"] == inputs
    assert box.finished(run_id)["status"] == "completed"


def test_the_older_dialect(box: Box) -> None:
    assert set(box.get("/v1/apps", params={"search": "older"}).json()["data"][0]) == {
        "appId", "name", "description", "isPublic",
    }  # fmt: skip
    assert "outputs" not in box.get("/v1/apps/card-older").json()["data"]
    started = box.post("/v1/apps/card-older/runs", json={"inputs": {"Style": "Ghibli"}}).json()["data"]
    assert "runId" not in started
    assert "outputs" not in started
    run = box.finished(started["executionId"])
    assert "progress" not in run
    assert run["outputs"][0]["status"] == "completed"


def test_the_run_list_has_pages_and_filters(box: Box) -> None:
    first = box.start()
    since = box.run(first)["createdAt"]
    second, third = box.start(), box.start(CAPTION, {})
    box.finished(first)
    box.control("script", outcome="never")
    active = box.start()
    page = box.get("/v1/runs", params={"limit": 2, "offset": 1}).json()
    assert [row["runId"] for row in page["data"]] == [third, second]
    assert page["pagination"] == {"total": 4, "limit": 2, "offset": 1}
    assert set(page["data"][0]) == {
        "runId", "workflowId", "status", "source", "errorMessage", "startedAt", "completedAt", "createdAt",
    }  # fmt: skip

    def rows(**query: Any) -> list[str]:
        return [row["runId"] for row in box.get("/v1/runs", params=query).json()["data"]]

    assert rows(appId=CAPTION) == [third]
    assert first not in rows(since=since)
    assert active in rows(status="queued") + rows(status="running")
    assert first in rows(status="completed")
    for wrong in ({"status": "done"}, {"limit": 0}, {"since": "yesterday"}):
        assert box.get("/v1/runs", params=wrong).status_code == 400
    assert box.get("/v1/runs", params={"limit": 500}).json()["pagination"]["limit"] == 100


def test_cancelling_is_idempotent_and_leaves_finished_runs_alone(box: Box) -> None:
    done = box.start()
    box.finished(done)
    assert box.post(f"/v1/runs/{done}/cancel").json()["data"] == {"runId": done, "status": "completed"}
    box.control("script", seconds=60)
    run_id = box.start()
    for _ in range(2):
        assert box.post(f"/v1/runs/{run_id}/cancel").json()["data"]["status"] == "cancelled"
    run = box.run(run_id)
    assert run["completedAt"]
    assert [one["status"] for one in run["outputs"]] == ["cancelled", "pending"]
    assert box.state["runs"][1]["cancelled"]


def test_an_upload_can_be_used_as_an_input_and_is_served_back(box: Box) -> None:
    wanted = {"files": [{"filename": "mein foto ä.png", "mediaType": "image"}]}
    upload = box.post("/v1/assets/upload-urls", json=wanted).json()["data"]["uploads"][0]
    assert (upload["filename"], upload["contentTypeHint"]) == ("mein foto ä.png", "image/png")
    inputs = {"Style": "Cyberpunk", "Upload": upload["assetUrl"]}
    early = box.post(f"/v1/apps/{CARTOONIFY}/runs", json={"inputs": inputs})
    assert early.json()["details"][0]["code"] == "invalid_media"
    file = io.BytesIO()
    Image.new("RGB", (300, 200), (200, 30, 90)).save(file, "PNG")
    assert requests.put(upload["uploadUrl"].replace("signature=", "signature=0"), b"x", timeout=60).status_code == 403
    stored = requests.put(upload["uploadUrl"], file.getvalue(), headers={"Content-Type": "image/png"}, timeout=60)
    assert stored.ok
    served = requests.get(upload["assetUrl"], timeout=60)
    assert (served.content, served.headers["Content-Type"]) == (file.getvalue(), "image/png")
    run = box.finished(box.start(inputs=inputs))
    assert requests.get(run["outputs"][0]["value"], timeout=60).ok


def test_an_upload_may_come_in_chunks(box: Box) -> None:
    wanted = {"files": [{"filename": "a.mp3", "mediaType": "audio"}]}
    upload = box.post("/v1/assets/upload-urls", json=wanted).json()["data"]["uploads"][0]
    assert requests.put(upload["uploadUrl"], iter([b"one", b"two", b"three"]), timeout=60).ok
    assert requests.get(upload["assetUrl"], timeout=60).content == b"onetwothree"


def test_invalid_bodies_are_refused(box: Box) -> None:
    for body in (b"{", b"[]", b'{"inputs": []}', b'"text"'):
        assert box.post(f"/v1/apps/{CARTOONIFY}/runs", data=body).status_code == 400
    nonsense: list[dict[str, Any]] = [{}, {"files": []}, {"files": [{"filename": "a"}]}, {"files": ["a.png"]}]
    for wrong in nonsense:
        assert box.post("/v1/assets/upload-urls", json=wrong).status_code == 400


def test_a_hundred_requests_a_minute_with_headers() -> None:
    from runs.sandbox.limits import Limiter

    now = [0.0]
    limiter = Limiter(3, clock=lambda: now[0])
    assert [limiter.take() for _ in range(4)] == [True, True, True, False]
    assert limiter.headers() == {"RateLimit-Limit": "3", "RateLimit-Remaining": "0", "RateLimit-Reset": "60"}
    now[0] = 60.5
    assert limiter.take()
    assert limiter.refused == 1
    assert limiter.most == 4


def test_requests_over_the_limit_get_429(box: Box) -> None:
    box.control("limit", per_minute=2)
    first, second, third = (box.get("/v1/account") for _ in range(3))
    assert [one.headers["RateLimit-Remaining"] for one in (first, second, third)] == ["1", "0", "0"]
    assert third.status_code == 429
    assert third.json()["code"] == "RATE_LIMITED"
    assert third.json()["retryAfter"] == int(third.headers["Retry-After"]) > 0
    state = box.state
    assert (state["refused_429"], state["in_last_minute"], state["most_in_a_minute"]) == (1, 3, 3)
    box.control("limit", per_minute=None)
    assert "RateLimit-Limit" not in box.get("/v1/account").headers


def test_lone_surrogates_and_nuls_pass_through(box: Box) -> None:
    body = rb'{"inputs": {"Prompt": "a\u0000b \ud800 c"}}'
    answer = requests.post(f"{box.url}/v1/apps/{CAPTION}/runs", data=body, headers=KEY, timeout=60)
    run = box.finished(answer.json()["data"]["runId"])
    assert "ab" in run["outputs"][0]["value"]
    assert box.state["runs"][0]["inputs"]["Prompt"] == "a\x00b \ud800 c"
