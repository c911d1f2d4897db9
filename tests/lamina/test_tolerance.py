"""A wrong optional field never costs us the whole object; a response is refused only if it could be mistaken for an
empty one."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from runs.lamina.client import LaminaClient
from runs.lamina.errors import LaminaUnavailable
from runs.lamina.types import AppDetail, AppSummary, Estimate, UploadTarget
from tests.lamina.scripted import Scripted, storable


def test_an_app_list_loses_only_what_is_broken(scripted: Scripted, client: LaminaClient) -> None:
    good = {"appId": "a1", "name": "One", "surprise": {"x": 1}}
    scripted.answer(200, {"data": [None, 3, "x", [], {}, {"appId": ""}, {"appId": "..", "name": "Up"}, good]})
    assert [app.app_id for app in client.list_apps()] == ["a1"]


@pytest.mark.parametrize("data", [None, {}, "", 3, {"apps": []}, [None], [{}]])
def test_a_missing_list_is_not_an_empty_list(scripted: Scripted, client: LaminaClient, data: Any) -> None:
    scripted.answer(200, {"data": data})
    for call in (client.list_apps, client.list_runs):
        with pytest.raises(LaminaUnavailable):
            call()
    scripted.answer(200, {"data": []})
    assert (client.list_apps(), client.list_runs().rows) == ([], [])


def test_wrong_types_for_optional_fields(scripted: Scripted, client: LaminaClient) -> None:
    row = {
        "appId": 42,
        "name": 7,
        "description": None,
        "isPublic": "true",
        "capabilities": {"produces": ["image", 1, None, {"x": 1}], "outputFormats": "png"},
        "thumbnail": {"url": None},
        "modality": ["image"],
        "inputSummary": "x",
    }
    scripted.answer(
        200,
        {"data": [row, {"appId": "b", "capabilities": None, "thumbnail": "x"}, {"appId": "c", "capabilities": [1]}]},
    )
    first, second, third = client.list_apps()
    assert (first.app_id, first.name, first.description, first.modality) == ("42", "7", "", "")
    assert (first.produces, first.output_formats, first.thumbnail) == (["image", "1"], ["png"], None)
    assert (second.produces, second.thumbnail, third.produces) == ([], None, [])


def test_a_video_thumbnail_and_the_older_dialect() -> None:
    app = AppSummary.model_validate({"appId": "a", "thumbnail": {"url": "https://x/y.mp4", "type": "video"}})
    assert app.thumbnail is not None
    assert (app.thumbnail.url, app.thumbnail.type) == ("https://x/y.mp4", "video")
    app = AppSummary.model_validate({"appId": "a", "name": "n", "description": "d", "isPublic": False})
    assert (app.produces, app.output_formats, app.thumbnail) == ([], [], None)


def test_parameters(scripted: Scripted, client: LaminaClient) -> None:
    parameters = [
        {"id": "1", "name": "Model  Ethnicity ", "type": "options", "options": ["Straight ", 16, None, "16:9"]},
        {"key": "k", "type": None, "default": None, "options": None, "accept": "image", "multiple": 1},
        {"id": 5, "name": None, "default": False},
        {"type": "text"},
        "nonsense",
        {"name": "Same", "default": ""},
        {"name": "Same", "default": [], "accept": ["image", 3]},
        {"name": "Deep", "default": {"a": ["\ud800\x00"]}},
    ]
    scripted.answer(200, {"data": {"appId": "x", "name": None, "parameters": parameters, "outputs": None}})
    app = client.get_app("x")
    first, second, third, same, twin, deep = app.parameters
    assert (first.name, first.options, first.has_default) == ("Model  Ethnicity ", ["Straight ", "16", "16:9"], False)
    assert (second.name, second.type, second.options, second.accept) == ("k", "text", [], ["image"])
    assert (second.multiple, second.has_default) == (True, False)
    assert (third.name, third.default, third.has_default) == ("5", False, True)
    assert (same.has_default, twin.default, twin.accept) == (True, [], ["image", "3"])
    assert deep.default == {"a": ["\ufffd\ufffd"]}
    assert "default" not in first.as_json()
    assert app.outputs == []


@pytest.mark.parametrize(
    ("outputs", "indexes"),
    [
        ([{"index": 1}, {"index": 0}], [1, 0]),
        ([{"index": 0}, {"index": 0}], [0, 1]),
        ([{"label": "x"}, {"label": "y"}], [0, 1]),
        ([{"index": "2"}, None, {"index": 5}], [2, 5]),
        ([{"index": None}, {"index": 3}], [0, 1]),
    ],
)
def test_output_descriptors_are_distinct(outputs: list[Any], indexes: list[int]) -> None:
    app = AppDetail.model_validate({"appId": "x", "outputs": outputs})
    assert [output.index for output in app.outputs] == indexes
    assert all(output.label for output in app.outputs)


def test_an_app_without_its_id_is_the_one_that_was_asked_for(scripted: Scripted, client: LaminaClient) -> None:
    scripted.answer(200, {"data": {"name": "x", "parameters": []}})
    assert client.get_app("a1").app_id == "a1"


def test_an_app_with_an_id_and_a_name_may_have_no_fields(scripted: Scripted, client: LaminaClient) -> None:
    scripted.answer(200, {"data": {"appId": "a1", "name": "Fixed picture", "parameters": None}})
    assert client.get_app("a1").parameters == []


ERRORS: list[dict[str, Any]] = [
    {"error": "Internal error", "code": "INTERNAL_ERROR"},
    {"message": "Upstream is away"},
    {"data": {"error": "Internal error"}},
    {"error": "Internal error", "data": {}},
]


@pytest.mark.parametrize(
    "body",
    [
        *ERRORS,
        {"error": "Internal error", "parameters": []},
        {"error": "Internal error", "data": {"parameters": []}},
        {"data": {"name": "x"}},
        {"data": {"appId": "a1", "parameters": None}},
        {"data": {"appId": "a1", "parameters": {"name": "Photo"}}},
        {"data": {"appId": "a1", "parameters": ["Photo", {"type": "text"}]}},
    ],
)
def test_an_error_is_not_an_app_without_fields(scripted: Scripted, client: LaminaClient, body: Any) -> None:
    scripted.answer(200, body)
    with pytest.raises(LaminaUnavailable):
        client.get_app("a1")


@pytest.mark.parametrize("body", [*ERRORS, {"appId": "a1", "error": "Internal error"}, {"data": {"ok": True}}])
def test_an_error_is_neither_an_estimate_nor_a_balance(scripted: Scripted, client: LaminaClient, body: Any) -> None:
    scripted.answer(200, body)
    for call in (lambda: client.estimate("a1"), client.usage):
        with pytest.raises(LaminaUnavailable):
            call()


def test_an_unknown_cost_or_balance_is_no_error(scripted: Scripted, client: LaminaClient) -> None:
    for data in ({"appId": "a1", "currentBalance": 5}, {"estimatedCredits": None}):
        scripted.answer(200, {"data": data})
        assert client.estimate("a1").expected is None
    scripted.answer(200, {"data": {"credits": None, "rateLimit": {"limit": 100}}})
    assert client.usage().balance is None


@pytest.mark.parametrize("name", ["runId", "executionId"])
def test_both_dialects_of_a_run(scripted: Scripted, client: LaminaClient, name: str) -> None:
    scripted.answer(202, {"data": {name: "exec_1", "status": "queued"}})
    assert client.start_run("a", {}).run_id == "exec_1"
    scripted.answer(200, {"data": {name: "exec_1", "status": "running"}})
    assert client.get_run("exec_1").run_id == "exec_1"
    scripted.answer(200, {"data": [{name: "exec_1", "status": "failed"}]})
    assert client.list_runs().rows[0].run_id == "exec_1"


def test_a_start_is_read_with_a_number_for_an_id_and_broken_outputs(scripted: Scripted, client: LaminaClient) -> None:
    scripted.answer(201, {"data": {"runId": 77, "status": None, "outputs": {"x": 1}}})
    started = client.start_run("a", {})
    assert (started.run_id, started.outputs) == ("77", [])


def test_another_runs_answer_is_no_answer(scripted: Scripted, client: LaminaClient) -> None:
    for data in ({"runId": "other", "status": "completed"}, {"runId": "r1"}, {"runId": "r1", "status": None}):
        scripted.answer(200, {"data": data})
        with pytest.raises(LaminaUnavailable):
            client.get_run("r1")
    scripted.answer(200, {"data": {"runId": "R1", "status": "completed"}})
    assert client.get_run("r1").is_final


def test_credits_are_decimal_and_unknown_is_not_zero(scripted: Scripted, client: LaminaClient) -> None:
    scripted.answer(200, {"data": {"credits": {"balance": 4250.1}}})
    assert client.usage().balance == Decimal("4250.1")
    scripted.answer(200, b'{"data": {"credits": {"balance": 1e999}}}')
    assert client.usage().balance is None
    scripted.answer(200, {"data": {"estimatedCredits": {"expected": "12.5"}}})
    estimate = client.estimate("a")
    assert (estimate.expected, estimate.min) == (Decimal("12.5"), None)
    assert Estimate.model_validate({"estimatedCredits": 9}).expected is None


def test_account_without_workspace(scripted: Scripted, client: LaminaClient) -> None:
    scripted.answer(200, {"data": {"user": {"id": 1, "email": None}, "workspace": None}})
    account = client.account()
    assert (account.email, account.workspace_name) == ("", "")


def test_a_cancel_that_says_nothing(scripted: Scripted, client: LaminaClient) -> None:
    for status, body in ((204, ""), (200, ""), (200, {"data": None}), (200, {"data": {"status": None}}), (200, {})):
        scripted.answer(status, body)
        assert client.cancel_run("r") == ""
    scripted.answer(200, "<html>")
    with pytest.raises(LaminaUnavailable):
        client.cancel_run("r")


def test_uploads_are_matched_by_position_and_name(scripted: Scripted, client: LaminaClient) -> None:
    def upload(name: str | None, number: int) -> dict[str, Any]:
        return {"filename": name, "uploadUrl": f"https://u/{number}", "assetUrl": f"https://a/{number}"}

    def ask(*uploads: Any) -> list[str]:
        scripted.answer(200, {"data": {"uploads": list(uploads)}})
        targets: list[UploadTarget] = client.upload_urls([("a", "image"), ("b", "video")])
        return [target.upload_url for target in targets]

    assert ask(upload("a", 1), upload("b", 2)) == ["https://u/1", "https://u/2"]
    assert ask(upload("b", 1), upload("a", 2)) == ["https://u/2", "https://u/1"]
    assert ask(upload(None, 1), upload(None, 2)) == ["https://u/1", "https://u/2"]
    assert ask(upload("x-a", 1), upload("x-b", 2)) == ["https://u/1", "https://u/2"]
    broken: list[list[Any]] = [
        [],
        [upload("a", 1)],
        [upload("a", 1), None],
        [upload("a", 1), upload("a", 2)],
        [upload("a", 1), {"filename": "b"}],
    ]
    for uploads in broken:
        with pytest.raises(LaminaUnavailable):
            ask(*uploads)


def test_keys_wrapped_or_not(scripted: Scripted, client: LaminaClient) -> None:
    for body in ({"keys": [{"kty": "OKP"}, None]}, {"data": {"keys": [{"kty": "OKP"}]}}):
        scripted.answer(200, body)
        assert client.signing_keys() == [{"kty": "OKP"}]
    scripted.answer(200, {"data": []})
    with pytest.raises(LaminaUnavailable):
        client.signing_keys()


def test_deep_values_survive_as_text(scripted: Scripted, client: LaminaClient) -> None:
    deep = b'{"data": {"runId": "r", "status": "completed", "outputs": [{"type": "x", "value": ' + b"[" * 200
    scripted.answer(200, deep + b'"https://a/1"' + b"]" * 200 + b"}]}}")
    output = client.get_run("r").outputs[0]
    assert output.urls == ["https://a/1"]
    storable(output.value)


def test_a_list_page_counts_what_it_could_not_read(scripted: Scripted, client: LaminaClient) -> None:
    scripted.answer(200, {"data": [{"runId": "a"}, {"status": "queued"}], "pagination": {"total": "x"}})
    page = client.list_runs(limit=500, offset=10)
    assert (page.total, page.limit, page.offset, page.skipped) == (12, 100, 10, 1)
    assert scripted.last.target == "/v1/runs?limit=100&offset=10"
    scripted.answer(200, {"data": [], "pagination": None})
    client.list_runs(status="running", app_id="a b", since=datetime(2026, 1, 1, tzinfo=UTC))
    assert scripted.last.target == "/v1/runs?status=running&appId=a+b&limit=100&since=2026-01-01T00%3A00%3A00.000Z"


def test_a_complete_receipt_counts_even_if_the_connection_broke(scripted: Scripted, client: LaminaClient) -> None:
    scripted.send(b"HTTP/1.1 202 OK\r\nContent-Length: 500\r\n\r\n" + b'{"data": {"runId": "r1"}}')
    assert client.start_run("a", {}).run_id == "r1"
