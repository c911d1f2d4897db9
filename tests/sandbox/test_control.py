"""Tests can make the sandbox do whatever Lamina might do."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.sandbox.box import CAPTION, CARTOONIFY, Box, wait_for

RUNS = f"/v1/apps/{CARTOONIFY}/runs"
BODY = {"inputs": {"Style": "Ghibli"}}


def test_a_status_fault_replaces_the_response_so_many_times(box: Box) -> None:
    box.control("faults", endpoint="run_start", fault="status", status=503, times=2)
    assert [box.post(RUNS, json=BODY).status_code for _ in range(3)] == [503, 503, 202]
    assert len(box.state["runs"]) == 1


def test_a_lasting_fault_lasts_until_cleared(box: Box) -> None:
    box.control("faults", endpoint="*", fault="status", status=500, times=None, headers={"X-Proxy": "yes"})
    answers = [box.get("/v1/apps"), box.get("/v1/account"), requests.get(f"{box.url}/samples/a.png", timeout=60)]
    assert [answer.status_code for answer in answers] == [500, 500, 500]
    assert answers[0].headers["X-Proxy"] == "yes"
    assert answers[0].json()["retryable"] is True
    requests.delete(f"{box.url}/control/faults", timeout=60)
    assert box.get("/v1/apps").ok


def test_drop_before_does_nothing_and_drop_after_acts(box: Box) -> None:
    for fault, count in (("drop_before", 0), ("drop_after", 1)):
        box.control("faults", endpoint="run_start", fault=fault)
        with pytest.raises(requests.ConnectionError):
            box.post(RUNS, json=BODY)
        assert len(box.state["runs"]) == count
    last = box.state["requests"][-1]
    assert (last["endpoint"], last["status"], last["runId"]) == ("run_start", 0, box.state["runs"][0]["runId"])


def test_a_status_may_come_after_acting(box: Box) -> None:
    box.control("faults", endpoint="run_start", fault="status", status=502, acts=True)
    assert box.post(RUNS, json=BODY).status_code == 502
    assert len(box.state["runs"]) == 1


def test_a_delayed_call_acts_even_when_the_caller_has_gone(box: Box) -> None:
    box.control("faults", endpoint="run_start", fault="delay", seconds=600)
    with pytest.raises(requests.Timeout):
        requests.post(box.url + RUNS, json=BODY, headers={"x-api-key": "lma_sandbox"}, timeout=(60, 0.1))
    assert box.state["runs"] == []
    requests.delete(f"{box.url}/control/faults", timeout=60)
    wait_for(lambda: box.state["runs"], len)


@pytest.mark.parametrize(
    ("order", "status", "starts"),
    [
        ({"fault": "garbage"}, 200, b"\x00\xff"),
        ({"fault": "html"}, 502, b"<!doctype html>"),
        ({"fault": "empty"}, 200, b""),
        ({"fault": "old_error"}, 400, b'{"error": "Invalid inputs", "details": ["\\"Style\\"'),
        ({"fault": "old_error", "status": 401}, 401, b'{"error": "Invalid API key"}'),
        ({"fault": "status", "status": 418, "body": {"any": "body"}}, 418, b'{"any": "body"}'),
        ({"fault": "status", "status": 200, "body": "plain"}, 200, b"plain"),
        ({"fault": "plain_429"}, 429, b"Too many requests"),
    ],
)
def test_responses_instead_of_the_true_one(box: Box, order: dict[str, Any], status: int, starts: bytes) -> None:
    box.control("faults", endpoint="apps", **order)
    answer = box.get("/v1/apps")
    assert answer.status_code == status
    assert answer.content.startswith(starts)
    assert (answer.content == b"") == (starts == b"")


def test_a_plain_429_has_retry_after_only_if_requested(box: Box) -> None:
    box.control("faults", endpoint="apps", fault="plain_429")
    box.control("faults", endpoint="apps", fault="plain_429", seconds=7)
    assert [box.get("/v1/apps").headers.get("Retry-After") for _ in range(2)] == [None, "7"]


def test_a_truncated_response_is_half_of_the_true_one(box: Box) -> None:
    box.control("faults", endpoint="apps", fault="truncate")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        box.get("/v1/apps")
    assert box.get("/v1/apps").ok


def test_faults_may_be_for_one_app_or_run_only(box: Box) -> None:
    first, second = box.start(), box.start()
    box.control("faults", endpoint="run", fault="status", status=404, runId=second, times=None)
    box.control("faults", endpoint="app", fault="status", status=403, appId=CAPTION, times=None)
    assert [box.get(f"/v1/runs/{run}").status_code for run in (first, second)] == [200, 404]
    assert [box.get(f"/v1/apps/{app}").status_code for app in (CARTOONIFY, CAPTION)] == [200, 403]


def test_scripts_decide_how_the_next_runs_end(box: Box) -> None:
    box.control("script", appId=CARTOONIFY, outcome="failed", error="Too dark")
    box.control("script", outcome="partial", failed_outputs=[0], error="Half of it")
    other, failed, half, plain = box.start(CAPTION, {}), box.start(), box.start(), box.start()
    runs = {run_id: box.finished(run_id) for run_id in (other, failed, half, plain)}
    assert [one["status"] for one in runs[other]["outputs"]] == ["error", "completed"]
    assert (runs[failed]["status"], runs[failed]["errorMessage"]) == ("failed", "Too dark")
    assert [one["status"] for one in runs[half]["outputs"]] == ["completed", "completed"]
    assert runs[plain]["status"] == "completed"


def test_scripted_values_types_and_refusals(box: Box) -> None:
    box.control("script", values={"0": {"any": 1}}, types={"1": "hologram"})
    outputs = box.finished(box.start())["outputs"]
    assert outputs[0]["value"] == {"any": 1}
    assert outputs[1]["type"] == "hologram"
    box.control("script", outcome="insufficient_credits")
    answer = box.post(RUNS, json=BODY)
    assert (answer.status_code, "Insufficient credits" in answer.json()["error"]) == (400, True)
    box.control("script", outcome="cancelled", seconds=0)
    assert box.run(box.start())["status"] == "cancelled"
    box.control("script", outcome="unknown_status", seconds=600)
    run_id = box.start()
    # before that, the run spends a second in the queue
    wait_for(lambda: box.run(run_id), lambda run: run["status"] == "reviewing")
    box.control(f"runs/{run_id}", status="completed")
    assert box.run(run_id)["status"] == "completed"


def test_a_run_that_never_ends_until_told(box: Box) -> None:
    box.control("script", outcome="never", seconds=0, times=None)
    run_id, other = box.start(), box.start()
    assert box.run(run_id)["status"] == "running"
    box.control(f"runs/{run_id}", status="running", ready=1)
    assert [one["status"] for one in box.run(run_id)["outputs"]] == ["completed", "pending"]
    box.control(f"runs/{run_id}", status="completed")
    assert [one["status"] for one in box.run(run_id)["outputs"]] == ["completed", "completed"]
    box.control(f"runs/{other}", status="failed", error="Told so", ready=1)
    run = box.run(other)
    assert (run["status"], run["errorMessage"]) == ("failed", "Told so")
    assert [one["status"] for one in run["outputs"]] == ["completed", "error"]


def test_files_expire(box: Box) -> None:
    first, second = (one["value"] for one in box.finished(box.start())["outputs"])
    box.control("expire", url=first)
    assert [requests.get(url, timeout=60).status_code for url in (first, second)] == [410, 200]
    box.control("expire", all=True)
    assert requests.get(second, timeout=60).status_code == 410
    box.control("expire", all=False)
    assert requests.get(second, timeout=60).status_code == 200


def test_files_are_missing_until_they_are_ready(box: Box) -> None:
    box.control("script", outcome="never")
    run_id = box.start()
    assert requests.get(f"{box.url}/outputs/{run_id}/0.jpg", timeout=60).status_code == 404


def test_apps_come_and_go_and_keys_change(box: Box) -> None:
    box.control("apps", app={"appId": "new", "name": "New", "parameters": [], "thumbnail": None})
    assert box.get("/v1/apps/new").json()["data"]["name"] == "New"
    run_id = box.start("new", {})
    requests.delete(f"{box.url}/control/apps/new", timeout=60)
    assert box.get("/v1/apps/new").status_code == 404
    assert box.finished(run_id)["status"] == "completed"
    box.control("keys", accepted=["lma_next"])
    assert box.get("/v1/account").status_code == 401


def test_reset_restores_everything(box: Box) -> None:
    box.start()
    box.control("faults", endpoint="*", fault="html", times=None)
    box.control("keys", accepted=[])
    box.control("reset")
    state = box.state
    assert (state["runs"], state["requests"], state["balance"], state["in_last_minute"]) == ([], [], 4250, 0)
    assert box.get("/v1/apps").ok


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "faults", {"endpoint": "nowhere", "fault": "html"}),
        ("POST", "faults", {"endpoint": "apps", "fault": "sulk"}),
        ("POST", "script", {"outcome": "maybe"}),
        ("POST", "runs/unknown", {"status": "completed"}),
        ("POST", "balance", {}),
        ("POST", "apps", {"app": {}}),
        ("DELETE", "apps/unknown", {}),
        ("GET", "reset", {}),
        ("POST", "nonsense", {}),
    ],
)
def test_invalid_calls_get_400(box: Box, method: str, path: str, body: dict[str, Any]) -> None:
    answer = requests.request(method, f"{box.url}/control/{path}", json=body, timeout=60)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_web_pages_cannot_use_the_control_api(box: Box) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = requests.post(f"{box.url}/control/reset", json={}, headers=headers, timeout=60)
        assert answer.status_code == 403


def test_a_delay_ends_when_it_is_told_to(box: Box) -> None:
    box.control("faults", endpoint="run_start", fault="delay", seconds=600, times=None)
    with ThreadPoolExecutor(1) as pool:
        for path in ("delays", "faults"):  # ending the delays doesn't remove the faults
            answer = pool.submit(box.start)
            while not answer.done():
                requests.delete(f"{box.url}/control/{path}", timeout=60)
            assert box.run(answer.result())
    assert box.run(box.start())


def test_a_reset_cancels_delayed_requests(box: Box) -> None:
    box.control("faults", endpoint="run_start", fault="delay", seconds=600)
    with pytest.raises(requests.Timeout):
        requests.post(box.url + RUNS, json=BODY, headers={"x-api-key": "lma_sandbox"}, timeout=(60, 0.1))
    wait_for(lambda: box.sandbox.world.faults, lambda faults: not faults)  # the request has arrived and is waiting
    box.control("reset")
    box.start()
    assert len(box.state["runs"]) == len(box.state["requests"]) == 1
