"""Arbitrary responses: whatever Lamina sends, a call either returns its object or raises one of our errors."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runs.lamina.client import LaminaClient
from runs.lamina.errors import LaminaError
from runs.lamina.types import AppDetail, OutputDescriptor, Parameter, RemoteOutput, RunRows, RunSnapshot
from tests.lamina.scripted import Scripted, storable

Call = Callable[[LaminaClient], Any]
CALLS: list[Call] = [
    lambda client: client.list_apps(),
    lambda client: client.get_app("r1"),
    lambda client: client.estimate("r1"),
    lambda client: client.start_run("r1", {"a": "b"}),
    lambda client: client.get_run("r1"),
    lambda client: client.list_runs(),
    lambda client: client.cancel_run("r1"),
    lambda client: client.account(),
    lambda client: client.usage(),
    lambda client: client.upload_urls([("a.png", "image")]),
    lambda client: client.signing_keys(),
]
WORDS = (
    "data error code details requestId retryAfter message errors field appId name description parameters outputs "
    "options default accept multiple runId executionId workflowId status value type id key label index pagination "
    "total capabilities produces thumbnail url inputs credits balance estimatedCredits expected affordable uploads "
    "filename uploadUrl assetUrl keys createdAt completedAt progress totalOutputs dimensions width height user "
    "workspace durationSeconds"
)
NAMES = st.sampled_from(WORDS.split())
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.text(alphabet=st.characters(categories=["Cs", "Cc"]), max_size=3)
    | st.sampled_from(
        ["r1", "completed", "queued", "https://a.example/b.png", "2026-01-01T00:00:00Z", "insufficient credits"]
    )
)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=6),
    max_leaves=25,
)
ANSWERS = ANYTHING | ANYTHING.map(lambda data: {"data": data}) | ANYTHING.map(lambda item: {"data": [item, item]})


def touch(value: Any) -> None:
    """Read every attribute that pages use, and check that the database accepts whatever we store."""
    for item in value if isinstance(value, list) else [value]:
        match item:
            case RunRows():
                touch(list(item.rows))
            case RunSnapshot():
                assert item.state in {"queued", "running", "completed", "failed", "cancelled"}
                touch(list(item.outputs))
            case RemoteOutput():
                assert all(url.lower().startswith("http") for url in item.urls)
                storable([item.text, item.value, item.label, item.state])
            case AppDetail():
                touch([*item.parameters, *item.outputs])
            case Parameter():
                storable(item.as_json())
                assert Parameter.model_validate(item.as_json()) == item
            case OutputDescriptor():
                storable(item.as_json())


@pytest.mark.parametrize("number", range(len(CALLS)))
@settings(max_examples=60)
@given(status=st.sampled_from([200, 202, 400, 401, 404, 429, 500]), answer=ANSWERS)
@example(status=200, answer={"data": {"runId": "r1", "status": "completed", "outputs": [{"value": float("inf")}]}})
@example(status=200, answer={"data": [[[[]]]]})
def test_no_answer_raises_anything_but_our_errors(
    scripted: Scripted, client: LaminaClient, number: int, status: int, answer: Any
) -> None:
    scripted.answer(status, answer)
    try:
        touch(CALLS[number](client))
    except LaminaError as error:
        assert error.message  # noqa: PT017 - most responses are nonsense, and that is fine
        storable([error.message, error.quote, error.code, error.request_id])


@pytest.mark.parametrize("number", range(len(CALLS)))
@settings(max_examples=30)
@given(raw=st.binary(max_size=200))
@example(raw=b"HTTP/1.1 200 OK\r\n\r\n{")
@example(raw=b"HTTP/1.1 200 OK\r\n\xff\xfe: \xff\r\nDate: \x80\r\n\r\n")
@example(raw=b"HTTP/1.1 429 x\r\nRetry-After: \xb2\r\n\r\n")
def test_no_bytes_raise_anything_but_our_errors(
    scripted: Scripted, client: LaminaClient, number: int, raw: bytes
) -> None:
    scripted.send(raw)
    with contextlib.suppress(LaminaError):
        assert CALLS[number](client) == "", "only a cancel may get an empty response"
