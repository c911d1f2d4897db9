"""The client against the sandbox: a run from start to end, and what can go wrong."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import requests

from runs.lamina.call_observers import CallOutcome
from runs.lamina.client import LaminaClient
from runs.lamina.errors import LaminaError, LaminaRateLimited, LaminaRejected, LaminaUnavailable
from runs.lamina.types import RunSnapshot
from tests.support.processes import TIMEOUT_SECONDS
from tests.support.sandbox_door import SandboxDoor

CARTOONIFY = "3f68debe-df0a-4fc9-bdd3-9d45a4160587"
CATALOG = "173692dd-0258-41bd-8a56-2cf9bbe89910"
CAPTION = "sandbox-caption"


def until_final(
    lamina: LaminaClient, run_id: str, is_enough: Callable[[RunSnapshot], bool] | None = None
) -> RunSnapshot:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        snapshot = lamina.get_run(run_id)
        if snapshot.is_final if is_enough is None else is_enough(snapshot):
            return snapshot
        time.sleep(0.1)
    raise AssertionError(f"{run_id} didn't get that far in time")


def test_the_catalogue_and_an_app(lamina: LaminaClient) -> None:
    apps = {app.app_id: app for app in lamina.list_apps()}
    assert apps[CARTOONIFY].name == "Cartoonify!"
    assert apps["a76e85ec-20b4-4fbc-99ad-055423a868a2"].description == ""
    app = lamina.get_app(CATALOG)
    assert [parameter.name for parameter in app.parameters][3] == "Model  Ethnicity"
    assert "Standard " in app.parameters[4].options
    assert [output.index for output in app.outputs] == [0, 1, 2, 3]


def test_every_app_of_the_sandbox_can_be_read(lamina: LaminaClient) -> None:
    for app in lamina.list_apps():
        detail = lamina.get_app(app.app_id)
        assert detail.app_id == app.app_id
        assert all(parameter.name for parameter in detail.parameters)


def test_a_run_from_start_to_end(lamina: LaminaClient) -> None:
    t0 = datetime.now(UTC)
    started = lamina.start_run(CARTOONIFY, {"Style": "Ghibli"}, outputs=["AI Designer"])
    assert started.run_id
    assert started.status == "queued"
    snapshot = until_final(lamina, started.run_id)
    assert (snapshot.state, snapshot.workflow_id) == ("completed", CARTOONIFY)
    assert len(snapshot.outputs) == 2
    assert all(output.is_ready and len(output.urls) == 1 for output in snapshot.outputs)
    assert snapshot.created_at is not None
    assert snapshot.completed_at is not None
    page = lamina.list_runs(app_id=CARTOONIFY, since=t0 - timedelta(seconds=60))
    assert [row.run_id for row in page.rows] == [started.run_id]
    assert (page.total, page.skipped, page.rows[0].is_final) == (1, 0, True)
    assert lamina.list_runs(since=t0 + timedelta(hours=1)).rows == []


def test_pages_of_the_list(lamina: LaminaClient) -> None:
    ids = [lamina.start_run(CARTOONIFY, {"Style": "Ghibli"}).run_id for _ in range(3)]
    first, second = lamina.list_runs(limit=2), lamina.list_runs(limit=2, offset=2)
    assert [row.run_id for row in first.rows + second.rows] == ids[::-1]
    assert (first.total, second.total) == (3, 3)


def test_a_cancel(lamina: LaminaClient, sandbox: SandboxDoor) -> None:
    sandbox.control("script", outcome="never", times=1)
    run_id = lamina.start_run(CARTOONIFY, {"Style": "Ghibli"}).run_id
    lamina.cancel_run(run_id)
    assert until_final(lamina, run_id).state == "cancelled"
    assert lamina.cancel_run(run_id) == "cancelled"


def test_text_and_audio(lamina: LaminaClient) -> None:
    run_id = lamina.start_run(CAPTION, {"Prompt": "A cat\nand a \x00 and \ud800"}).run_id
    text, audio = until_final(lamina, run_id).outputs
    assert text.text
    assert text.urls == []
    assert len(audio.urls) == 1
    assert audio.text == ""


def test_what_is_sent_cannot_break_the_call(lamina: LaminaClient, sandbox: SandboxDoor) -> None:
    lamina.start_run(CAPTION, {"Prompt": "nul \x00 and lone \ud800, a pair \U0001f3ac"})
    assert sandbox.runs[-1]["inputs"] == {"Prompt": "nul \ufffd and lone \ufffd, a pair \U0001f3ac"}


def test_the_workspace(lamina: LaminaClient) -> None:
    assert lamina.account().email
    balance = lamina.usage().balance
    assert balance is not None
    estimate = lamina.estimate(CARTOONIFY)
    assert estimate.expected is not None
    assert estimate.expected > 0
    assert isinstance(balance, Decimal)


def test_an_upload(lamina: LaminaClient) -> None:
    targets = lamina.upload_urls([("a.png", "image"), ("b c.mp4", "video")])
    assert [target.filename for target in targets] == ["a.png", "b c.mp4"]
    answer = requests.put(targets[0].upload_url, data=b"\x89PNG\r\n", headers={"Content-Type": "image/png"}, timeout=60)
    assert answer.ok
    assert targets[0].asset_url.startswith("http")


def test_signing_keys(lamina: LaminaClient) -> None:
    assert all(key["kty"] == "OKP" for key in lamina.signing_keys())


def test_a_wrong_option_comes_back_to_its_field(lamina: LaminaClient) -> None:
    with pytest.raises(LaminaRejected) as caught:
        lamina.start_run(CARTOONIFY, {"Style": "Manga"})
    problem = next(iter(caught.value.field_errors))
    assert (caught.value.status, problem.field) == (400, "Style")
    assert caught.value.nothing_happened
    assert caught.value.request_id


def test_the_old_error_shape_comes_back_to_its_field_too(lamina: LaminaClient, sandbox: SandboxDoor) -> None:
    sandbox.control("faults", endpoint="run_start", fault="old_error", times=1, status=400)
    with pytest.raises(LaminaError) as caught:
        lamina.start_run(CARTOONIFY, {"Style": "Manga"})
    assert caught.value.quote


def test_an_unknown_id_is_not_found(lamina: LaminaClient) -> None:
    for call in (lamina.get_app, lamina.get_run, lamina.cancel_run, lamina.estimate):
        with pytest.raises(LaminaRejected) as caught:
            call("no/such?id#%2F")
        assert caught.value.is_not_found


def test_a_refused_key(sandbox: SandboxDoor) -> None:
    with pytest.raises(LaminaRejected) as caught:
        LaminaClient(sandbox.url, "lma_revoked_key").list_apps()
    assert caught.value.is_key_refused
    assert caught.value.code == "AUTH_INVALID_KEY"


def test_too_few_credits(lamina: LaminaClient, sandbox: SandboxDoor) -> None:
    sandbox.control("balance", balance=0)
    try:
        run_id = lamina.start_run(CARTOONIFY, {"Style": "Ghibli"}).run_id
    except LaminaRejected as error:
        refused_for_credits = error.is_insufficient_credits
    else:
        refused_for_credits = until_final(lamina, run_id).is_insufficient_credits
    assert refused_for_credits, "at the start or at the end, whichever the sandbox chooses"


def test_the_limit(lamina: LaminaClient, sandbox: SandboxDoor) -> None:
    sandbox.control("limit", per_minute=2)
    lamina.usage()
    lamina.usage()
    with pytest.raises(LaminaRateLimited) as caught:
        lamina.usage()
    assert 1 <= caught.value.retry_after <= 60
    assert caught.value.nothing_happened
    sandbox.control("limit", per_minute=100)


def test_a_plain_text_429_means_wait(lamina: LaminaClient, sandbox: SandboxDoor) -> None:
    sandbox.control("faults", endpoint="run_start", fault="plain_429", times=1)
    with pytest.raises(LaminaRateLimited) as caught:
        lamina.start_run(CARTOONIFY, {"Style": "Ghibli"})
    assert caught.value.nothing_happened


@pytest.mark.parametrize("fault", ["status", "drop_before", "drop_after", "garbage", "truncated", "html", "empty"])
def test_a_start_without_a_clear_answer_is_unclear(lamina: LaminaClient, sandbox: SandboxDoor, fault: str) -> None:
    sandbox.control("faults", endpoint="run_start", fault=fault, times=1, status=503)
    with pytest.raises(LaminaUnavailable) as caught:
        lamina.start_run(CARTOONIFY, {"Style": "Ghibli"})
    assert caught.value.was_connected
    assert not caught.value.nothing_happened
    assert len(sandbox.requests_to("run_start")) <= 1, "the client itself never repeats a start"


def test_the_hooks_are_told_of_every_call(sandbox: SandboxDoor) -> None:
    before: list[str] = []
    after: list[CallOutcome] = []
    client = LaminaClient(sandbox.url, "lma_sandbox", before=before.append, after=after.append)
    client.usage()
    with pytest.raises(LaminaRejected):
        client.get_run("unknown")
    assert before == [answered.endpoint for answered in after] == ["usage", "run"]
    good, bad = after
    assert (good.status, good.error, good.is_sandbox) == (200, None, True)
    assert good.rate_remaining == 99
    assert good.lamina_time is not None
    assert abs(good.lamina_time - good.at) < timedelta(seconds=60)  # the clocks agree, including their time zones
    assert bad.status == 404
    assert isinstance(bad.error, LaminaRejected)
