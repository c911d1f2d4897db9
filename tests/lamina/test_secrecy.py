"""The key is sent to Lamina in its header and appears nowhere else."""

import copy
import logging
import pickle
import traceback
from pathlib import Path
from typing import Any

import pytest

from runs.lamina.call_observers import CallOutcome
from runs.lamina.client import LaminaClient
from runs.lamina.errors import LaminaError, LaminaRateLimited, LaminaRejected, LaminaUnavailable
from tests.lamina.scripted import KEY, Scripted


def everything(error: LaminaError) -> str:
    """Return everything about `error` that a log or a page could show, including the errors that led to it."""
    shown = [str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)]
    frames = [frame.f_locals for frame, _ in traceback.walk_tb(error.__traceback__)]
    shown += [
        repr(value) for values in frames for name, value in values.items() if name.startswith(("headers", "self"))
    ]
    assert error.__cause__ is None
    assert error.__context__ is None
    return "\n".join(shown)


@pytest.mark.parametrize("status", [200, 302, 400, 401, 429, 500])
def test_a_key_in_an_answer_is_masked(scripted: Scripted, status: int, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[CallOutcome] = []
    client = LaminaClient(scripted.url, KEY, after=heard.append)
    body: dict[str, Any] = {
        "error": f"Invalid API key {KEY}",
        "code": KEY,
        "requestId": KEY,
        "details": [{"field": KEY, "message": f"bad {KEY}"}, f'"{KEY}": {KEY}'],
    }
    with caplog.at_level(logging.DEBUG):
        for answer in (body, f"Invalid key {KEY}", f"<b>{KEY}"):
            scripted.answer(status, answer, X_Request_Id=KEY, Set_Cookie=f"k={KEY}")
            with pytest.raises(LaminaError) as caught:
                client.start_run("app", {})
            assert KEY not in everything(caught.value)
    assert all(KEY not in repr(answered) and KEY not in str(dict(answered.headers)) for answered in heard)
    assert KEY not in caplog.text
    assert scripted.last.headers["x-api-key"] == KEY


def test_malformed_headers_are_not_logged(
    scripted: Scripted, client: LaminaClient, caplog: pytest.LogCaptureFixture
) -> None:
    scripted.send(f"HTTP/1.1 200 OK\r\nno colon {KEY}\r\nX-More: {KEY}\r\n\r\n{{}}".encode())
    with caplog.at_level(logging.DEBUG), pytest.raises(LaminaUnavailable):
        client.usage()
    assert KEY not in caplog.text


def test_no_exception_chain_leads_to_the_key(nobody: str, scripted: Scripted) -> None:
    for url in (nobody, scripted.url, "http://[", "ftp://x"):
        with pytest.raises(LaminaUnavailable) as caught:
            LaminaClient(url, KEY).start_run("app", {})
        assert KEY not in everything(caught.value)
    with pytest.raises(LaminaRejected) as refused:
        LaminaClient(nobody, KEY + "\n" + KEY).start_run("app", {})
    assert KEY not in everything(refused.value)


def test_a_key_in_a_result_is_masked(scripted: Scripted, client: LaminaClient) -> None:
    scripted.answer(200, {"data": {"runId": "r", "status": "completed", "outputs": [{"type": "text", "value": KEY}]}})
    assert client.get_run("r").outputs[0].text == "•••"


def test_the_client_shows_only_its_address(client: LaminaClient) -> None:
    assert KEY not in repr(client)
    assert KEY not in repr(vars(client))


def test_the_key_is_sent_as_documented_and_nothing_else(scripted: Scripted, client: LaminaClient) -> None:
    scripted.answer(202, {"data": {"runId": "r1"}})
    client.start_run("a/b?c d", {"Stylé": "x"}, outputs=["One"], webhook="https://x.example/h?a=1&b=ü")
    asked = scripted.last
    assert asked.method == "POST"
    assert asked.target == "/v1/apps/a%2Fb%3Fc%20d/runs?webhook=https%3A%2F%2Fx.example%2Fh%3Fa%3D1%26b%3D%C3%BC"
    assert asked.headers["content-type"] == "application/json"
    assert asked.json == {"inputs": {"Stylé": "x"}, "outputs": ["One"]}
    assert "authorization" not in asked.headers
    assert "cookie" not in asked.headers
    client.start_run("a", {}, outputs=[])
    assert scripted.last.json == {"inputs": {}}


def test_a_password_from_netrc_is_not_sent(scripted: Scripted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", scripted.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    scripted.answer(200, {"data": {"credits": {"balance": 1}}})
    LaminaClient("http://lamina.example", KEY).usage()
    assert scripted.last.target == "http://lamina.example/v1/account/usage", "the environment's proxy is used"
    assert "authorization" not in scripted.last.headers


def test_a_local_sandbox_is_called_without_the_proxy(
    scripted: Scripted, client: LaminaClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    scripted.answer(200, {"data": {"credits": {"balance": 1}}})
    client.usage()
    assert scripted.last.target == "/v1/account/usage"


def test_a_redirect_is_not_followed(scripted: Scripted, client: LaminaClient) -> None:
    for status in (301, 302, 303, 307, 308):
        scripted.answer(status, "", Location=f"{scripted.url}/elsewhere")
        with pytest.raises(LaminaUnavailable):
            client.usage()
    assert {asked.target for asked in scripted.asked} == {"/v1/account/usage"}


@pytest.mark.parametrize(
    "error",
    [
        LaminaUnavailable("a", was_connected=False),
        LaminaRateLimited("b", retry_after=3, request_id="r"),
        LaminaRejected("c", status=401, code="X"),
    ],
)
def test_errors_can_be_pickled(error: LaminaError) -> None:
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301 - our own bytes
        assert type(twin) is type(error)
        assert vars(twin) == vars(error)


def test_a_hook_that_fails_does_not_lose_the_answer(scripted: Scripted, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: CallOutcome) -> None:
        raise RuntimeError("the database is away")

    scripted.answer(202, {"data": {"runId": "r1"}})
    assert LaminaClient(scripted.url, KEY, after=fail).start_run("a", {}).run_id == "r1"
    assert "the database is away" in caplog.text


def test_a_hook_may_refuse_the_call(scripted: Scripted) -> None:
    class NoBudget(Exception):
        pass

    def refuse(endpoint: str) -> None:
        raise NoBudget(endpoint)

    heard: list[CallOutcome] = []
    with pytest.raises(NoBudget, match="run_start"):
        LaminaClient(scripted.url, KEY, before=refuse, after=heard.append).start_run("a", {})
    assert (scripted.asked, heard) == ([], [])
