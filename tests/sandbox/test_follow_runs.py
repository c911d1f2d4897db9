"""Waiting for a run, giving feedback on results, cancelling early, and making permanent copies."""

import time
from typing import Any

import pytest
import requests

from tests.sandbox.box import CAPTION, CARTOONIFY, KEY, Box


def never_ending(box: Box) -> str:
    box.control("script", outcome="never", seconds=0)
    return box.start()


def test_wait_answers_when_the_run_ends(box: Box) -> None:
    answer = box.get(f"/v1/runs/{box.start()}/wait").json()
    assert answer["data"]["status"] == "completed"
    assert not answer.get("timeout")


def test_wait_gives_up_without_an_error(box: Box) -> None:
    run_id, started = never_ending(box), time.monotonic()
    answer = box.get(f"/v1/runs/{run_id}/wait", params={"timeout": 1})
    assert (answer.status_code, answer.json()["timeout"]) == (200, True)
    assert answer.json()["data"]["status"] == "running"
    assert time.monotonic() - started >= 1
    for wrong in ("0", "soon"):
        assert box.get(f"/v1/runs/{run_id}/wait", params={"timeout": wrong}).status_code == 400
    assert box.get("/v1/runs/nope/wait").status_code == 404


def test_feedback_remakes_outputs_of_the_same_run(box: Box) -> None:
    run_id = box.start()
    before = box.finished(run_id)
    old = [one["value"] for one in before["outputs"]]
    pictures = [requests.get(url, timeout=60).content for url in old]
    balance = box.state["balance"]
    answer = box.post(f"/v1/runs/{run_id}/feedback", json={"feedback": "Warmer, please"}).json()["data"]
    assert set(answer) == {"runId", "status", "summary", "refinedNodes", "outputs", "errorMessage"}
    assert (answer["runId"], answer["status"], answer["errorMessage"]) == (run_id, "completed", None)
    assert [one["nodeId"] for one in answer["refinedNodes"]] == [one["id"] for one in before["outputs"]]
    new = [one["value"] for one in answer["outputs"]]
    assert not set(new) & set(old)
    for url, picture in zip(new, pictures, strict=True):
        assert requests.get(url, timeout=60).content != picture
    assert [requests.get(url, timeout=60).content for url in old] == pictures
    after = box.run(run_id)
    assert after["outputs"] == answer["outputs"]
    assert after["completedAt"] > before["completedAt"]
    assert (after["createdAt"], after["startedAt"]) == (before["createdAt"], before["startedAt"])
    assert box.state["balance"] == balance - 12
    assert len(box.state["runs"]) == 1


def test_feedback_that_names_an_output_remakes_only_that_one(box: Box) -> None:
    run_id = box.start(CAPTION, {"Prompt": "Tea"})
    before = box.finished(run_id)["outputs"]
    body = {"feedback": "The caption is too long"}
    after = box.post(f"/v1/runs/{run_id}/feedback", json=body).json()["data"]["outputs"]
    assert [one["value"] == other["value"] for one, other in zip(before, after, strict=True)] == [False, True]


def test_feedback_can_answer_before_it_is_done(box: Box) -> None:
    run_id = box.start()
    box.finished(run_id)
    box.control("follow", feedback_seconds=60, feedback_waits=False)
    answer = box.post(f"/v1/runs/{run_id}/feedback", json={"feedback": "More"}).json()["data"]
    assert (answer["status"], [one["status"] for one in answer["outputs"]]) == ("running", ["pending"] * 2)
    assert box.run(run_id)["completedAt"] is None
    again = box.post(f"/v1/runs/{run_id}/feedback", json={"feedback": "And more"})
    assert again.status_code == 400
    assert box.post(f"/v1/runs/{run_id}/cancel").json()["data"]["status"] == "cancelled"
    assert box.run(run_id)["status"] == "cancelled"


def test_feedback_needs_a_completed_run_and_credits(box: Box) -> None:
    box.control("script", outcome="failed", seconds=0)
    failed, done = box.start(), box.start()
    running = never_ending(box)
    box.finished(done)
    for run_id, body in (
        (failed, {"feedback": "x"}),
        (running, {"feedback": "x"}),
        (done, {}),
        (done, {"feedback": 3}),
    ):
        assert box.post(f"/v1/runs/{run_id}/feedback", json=body).status_code == 400
    box.control("balance", balance=1)
    answer = box.post(f"/v1/runs/{done}/feedback", json={"feedback": "x"})
    assert "insufficient credits" in answer.json()["error"].lower()
    assert box.state["balance"] == 1
    assert box.post("/v1/runs/nope/feedback", json={"feedback": "x"}).status_code == 404


def test_a_run_cancelled_while_queued_has_its_times_in_order(box: Box) -> None:
    box.control("script", seconds=60)
    run_id = box.start()
    assert box.run(run_id)["status"] == "queued"
    box.post(f"/v1/runs/{run_id}/cancel")
    run, row = box.run(run_id), box.get("/v1/runs").json()["data"][0]
    for seen in (run, row):
        assert (seen["status"], seen["startedAt"]) == ("cancelled", None)
        assert seen["createdAt"] <= seen["completedAt"]


def test_a_run_ended_early_has_its_times_in_order(box: Box) -> None:
    for status in ("completed", "running"):
        box.control("script", seconds=60)
        run_id = box.start()
        box.control(f"runs/{run_id}", status=status)
        run = box.run(run_id)
        assert run["createdAt"] <= run["startedAt"] <= (run["completedAt"] or run["startedAt"])


@pytest.mark.parametrize(
    ("shape", "known"),
    [
        ("both", {"cdnUrl", "assetId", "filename", "url"}),
        ("docs", {"url"}),
        ("sdk", {"cdnUrl", "assetId", "filename"}),
    ],
)
def test_a_transfer_copies_a_result_that_then_expires(box: Box, shape: str, known: set[str]) -> None:
    result = box.finished(box.start())["outputs"][0]["value"]
    content = requests.get(result, timeout=60).content
    box.control("transfer", shape=shape)
    body = {"sourceUrl": result, "mediaType": "image", "filename": "mine.jpg"}
    data = box.post("/v1/publishing/transfer-asset", json=body).json()["data"]
    assert set(data) == known
    box.control("expire", url=result)
    copied = requests.get(data.get("cdnUrl") or data["url"], timeout=60)
    assert (copied.content, copied.headers["Content-Type"]) == (content, "image/jpeg")
    assert box.post("/v1/publishing/transfer-asset", json=body).status_code == 400


def test_a_transfer_from_elsewhere_fetches_nothing(box: Box) -> None:
    body = {"sourceUrl": "https://cdn.uselamina.ai/outputs/a.png", "mediaType": "image"}
    data = box.post("/v1/publishing/transfer-asset", json=body).json()["data"]
    assert data["filename"] == "a.png"
    assert requests.get(data["url"], timeout=60).ok
    inputs = {"Style": "Ghibli", "Upload": data["url"]}
    assert box.finished(box.start(CARTOONIFY, inputs))["status"] == "completed"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"sourceUrl": "https://a.example.com/a.png"},
        {"sourceUrl": "ftp://a.example.com/a.png", "mediaType": "image"},
        {"sourceUrl": "http://10.0.0.1/a.png", "mediaType": "image"},
        {"sourceUrl": "https://[", "mediaType": "image"},
        {"sourceUrl": "https://a.example.com/a.png", "mediaType": "image", "filename": 3},
    ],
)
def test_a_wrong_transfer_is_refused(box: Box, body: dict[str, Any]) -> None:
    answer = requests.post(f"{box.url}/v1/publishing/transfer-asset", json=body, headers=KEY, timeout=60)
    assert answer.status_code == 400


@pytest.mark.parametrize(("path", "body"), [("follow", {"look_seconds": "fast"}), ("transfer", {"shape": "round"})])
def test_invalid_calls_get_400(box: Box, path: str, body: dict[str, Any]) -> None:
    assert requests.post(f"{box.url}/control/{path}", json=body, timeout=60).status_code == 400
