"""Reading runs and outputs: states, times, and values of any shape."""

from datetime import UTC, datetime
from typing import Any

import pytest

from runs.lamina.types import RemoteOutput, RunSnapshot


@pytest.mark.parametrize(
    ("status", "state", "is_final"),
    [
        ("queued", "queued", False),
        ("running", "running", False),
        ("completed", "completed", True),
        ("failed", "failed", True),
        ("cancelled", "cancelled", True),
        ("canceled", "cancelled", True),
        (" Completed ", "completed", True),
        ("hibernating", "running", False),
        (7, "running", False),
    ],
)
def test_states(status: Any, state: str, is_final: bool) -> None:
    run = RunSnapshot.model_validate({"runId": "r", "status": status})
    assert (run.state, run.is_final) == (state, is_final)


def test_a_snapshot_with_everything_wrong_inside() -> None:
    run = RunSnapshot.model_validate(
        {
            "runId": "r",
            "status": "completed",
            "workflowId": None,
            "outputs": [None, {"id": None, "label": 3, "type": None, "dimensions": "big", "durationSeconds": "long"}],
            "errorMessage": {"a": 1},
            "createdAt": "yesterday",
            "startedAt": 1767225600,
            "completedAt": 1767225600123,
        }
    )
    assert (run.error_message, run.created_at) == ("", None)
    assert run.started_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert run.completed_at == datetime(2026, 1, 1, 0, 0, 0, 123000, tzinfo=UTC)
    assert run.outputs[0].label == "3"
    assert (run.outputs[0].dimensions, run.outputs[0].duration_seconds) == (None, None)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T00:00:00.250Z", datetime(2026, 1, 1, 0, 0, 0, 250000, tzinfo=UTC)),
        ("2026-01-01T01:00:00+01:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T00:00:00", datetime(2026, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59-14:00", None),
        (1e300, None),
        (True, None),
    ],
)
def test_times(text: Any, moment: datetime | None) -> None:
    assert RunSnapshot.model_validate({"runId": "r", "createdAt": text}).created_at == moment


@pytest.mark.parametrize(
    ("kind", "value", "urls", "text"),
    [
        ("image", "https://a/b.png", ["https://a/b.png"], ""),
        ("image", " HTTPS://a/b(1).png ", ["HTTPS://a/b(1).png"], ""),
        ("image", ["https://a/1", "https://a/2", "https://a/1"], ["https://a/1", "https://a/2"], ""),
        ("image", "https://a/1,https://a/2", ["https://a/1", "https://a/2"], ""),
        ("image", {"url": "https://a/1", "meta": {"more": ["http://b/2"]}}, ["https://a/1", "http://b/2"], ""),
        ("image", "See https://a/1.", ["https://a/1"], "See https://a/1."),
        ("image", {"u": "https://a/1", "n": 1}, ["https://a/1"], '{\n  "u": "https://a/1",\n  "n": 1\n}'),
        ("hologram", "javascript:alert(1)", [], "javascript:alert(1)"),
        ("hologram", '["https://a/1"]', ["https://a/1"], '["https://a/1"]'),
        ("text", "https://a/1", [], "https://a/1"),
        ("text", "<b>\n x ", [], "<b>\n x "),
        ("text", ["é"], [], '[\n  "é"\n]'),
        ("text", 3, [], "3"),
        ("text", False, [], "false"),
        ("image", None, [], ""),
        ("image", "", [], ""),
        ("image", {}, [], ""),
    ],
)
def test_values(kind: str, value: Any, urls: list[str], text: str) -> None:
    output = RemoteOutput.model_validate({"id": "o", "type": kind, "value": value, "status": "completed"})
    assert (output.urls, output.text) == (urls, text)


@pytest.mark.parametrize(
    ("status", "value", "state", "is_ready"),
    [
        ("completed", "x", "completed", True),
        ("completed", "", "completed", False),
        ("COMPLETED", "x", "completed", True),
        ("error", "x", "error", False),
        ("cancelled", None, "cancelled", False),
        ("pending", None, "pending", False),
        ("dreaming", "x", "pending", False),
        (None, "x", "completed", True),
        (None, None, "pending", False),
    ],
)
def test_output_states(status: Any, value: Any, state: str, is_ready: bool) -> None:
    output = RemoteOutput.model_validate({"type": "pending", "status": status, "value": value})
    assert (output.state, output.is_ready) == (state, is_ready)


def test_dimensions() -> None:
    read = [
        RemoteOutput.model_validate({"dimensions": value}).dimensions
        for value in ({"width": 3, "height": "4"}, [5, 6], {"width": 0, "height": 4}, {"width": 3}, None, "3x4")
    ]
    assert read == [(3, 4), (5, 6), None, None, None, None]
