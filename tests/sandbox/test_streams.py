"""A run's stream: what it reports, when the sandbox checks for updates, and every fault."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.sandbox.box import Box, wait_for
from tests.support.event_streams import events_of
from tests.support.processes import TIMEOUT_SECONDS

WRITTEN_ODDLY = ("crlf", "cr", "comments", "huge", "drip")
# Maps each of these faults to whether it breaks the connection.
BROKEN_OFF = {"break": True, "close": False, "half_event": False, "open_event": False}


@pytest.fixture(autouse=True)
def _looks_often(box: Box) -> None:
    box.control("follow", look_seconds=0.02)


def never_ending(box: Box) -> str:
    box.control("script", outcome="never", seconds=0)
    return box.start()


def open_stream(box: Box, run_id: str) -> requests.Response:
    answer = box.get(f"/v1/runs/{run_id}/stream", stream=True)
    assert answer.headers["Content-Type"] == "text/event-stream"
    return answer


def pieces(answer: requests.Response) -> Iterator[bytes]:
    """Whenever more arrives, yield everything received so far. Closing the generator closes the stream."""
    body = b""
    with answer:
        for piece in answer.iter_content(None):
            body += piece
            yield body


def read(box: Box, run_id: str, until: Callable[[bytes], bool] = lambda _: False) -> tuple[bytes, bool]:
    """Read a stream to its end, or close it once `until` accepts what has arrived; return what has arrived, and whether
    the connection broke."""
    body = b""
    try:
        for body in pieces(open_stream(box, run_id)):
            if until(body):
                break
    except requests.RequestException:
        return body, True
    return body, False


def events(box: Box, run_id: str) -> list[tuple[str, Any]]:
    body, is_broken = read(box, run_id)
    assert not is_broken
    return [(name, json.loads(data)) for name, data in events_of(body)]


def names(body: bytes) -> list[str]:
    return [name for name, _ in events_of(body)]


def with_fault(box: Box, fault: str, **more: Any) -> None:
    box.control("faults", endpoint="stream", fault=fault, **more)


def test_it_reports_changes_and_closes_at_the_end(box: Box) -> None:
    run_id = never_ending(box)
    stream = pieces(open_stream(box, run_id))

    ((name, status),) = ((name, json.loads(data)) for name, data in events_of(next(stream)))
    assert (name, status["status"], status["progress"]["completedOutputs"]) == ("progress", "running", 0)
    assert box.state["streams"] == [run_id]
    box.control(f"runs/{run_id}", status="running", ready=1)
    name, data = events_of(next(stream))[-1]
    assert (name, json.loads(data)["progress"]["completedOutputs"]) == ("progress", 1)
    box.control(f"runs/{run_id}", status="completed")
    name, data = events_of(list(stream)[-1])[-1]
    assert (name, json.loads(data)) == ("complete", box.run(run_id))
    assert (box.state["streams"], box.state["most_streams"]) == ([], 1)


@pytest.mark.parametrize(("outcome", "name"), [("completed", "complete"), ("failed", "error"), ("cancelled", "error")])
def test_the_stream_of_a_finished_run_is_one_event(box: Box, outcome: str, name: str) -> None:
    box.control("script", outcome=outcome, seconds=0)
    run_id = box.start()
    assert events(box, run_id) == [(name, box.run(run_id))]


def test_it_looks_every_two_seconds_unless_told_otherwise(box: Box) -> None:
    box.control("reset")
    box.control("follow", phase=1)
    run_id, started = never_ending(box), time.monotonic()
    stream = pieces(open_stream(box, run_id))
    next(stream)
    box.control(f"runs/{run_id}", status="completed")
    assert names(next(stream)) == ["progress", "complete"]
    assert time.monotonic() - started >= 2


def test_nobody_can_tell_when_it_looks(box: Box) -> None:
    """Each stream's second check follows the first after a random fraction of the interval."""
    box.control("follow", look_seconds=0.8)
    run_id = never_ending(box)
    streams = [pieces(open_stream(box, run_id)) for _ in range(8)]
    for stream in streams:
        next(stream)
    box.control(f"runs/{run_id}", status="completed")

    def told_at(stream: Iterator[bytes]) -> float:
        assert names(list(stream)[-1]) == ["progress", "complete"]
        return time.monotonic()

    with ThreadPoolExecutor(len(streams)) as readers:
        moments = sorted(readers.map(told_at, streams))
    assert moments[-1] - moments[0] > 0.1


def test_it_pings_and_times_out(box: Box) -> None:
    box.control("follow", ping_seconds=0, stream_seconds=1)  # a ping at every check
    told = events(box, never_ending(box))
    assert [name for name, _ in told][:2] == ["progress", "ping"]
    assert abs(told[1][1] / 1000 - time.time()) < TIMEOUT_SECONDS
    assert told[-1][0] == "timeout"
    assert set(told[-1][1]) == {"message"}


def test_it_ends_when_the_caller_leaves_and_breaks_when_the_sandbox_stops_or_forgets(box: Box) -> None:
    box.control("follow", look_seconds=600)
    run_id = never_ending(box)
    assert names(read(box, run_id, until=bool)[0]) == ["progress"]
    wait_for(lambda: box.state["streams"], lambda streams: not streams)
    box.control("follow", look_seconds=0.02)
    forgotten = pieces(open_stream(box, run_id))
    next(forgotten)
    box.control("reset")
    with pytest.raises(requests.RequestException):
        list(forgotten)
    stream = pieces(open_stream(box, never_ending(box)))
    next(stream)
    box.sandbox.stop()
    with pytest.raises(requests.RequestException):
        list(stream)


def test_a_refused_stream_is_like_any_other_refusal(box: Box) -> None:
    run_id = never_ending(box)
    assert box.get("/v1/runs/nope/stream").status_code == 404
    for status in (403, 404, 500):
        with_fault(box, "status", status=status)
        assert box.get(f"/v1/runs/{run_id}/stream").status_code == status
    with_fault(box, "truncate")
    assert read(box, run_id)[1]
    with_fault(box, "drop_before")
    with pytest.raises(requests.ConnectionError):
        box.get(f"/v1/runs/{run_id}/stream")
    for endpoint, fault in (("run", "crlf"), ("stream", "boredom")):
        order = {"endpoint": endpoint, "fault": fault}
        assert requests.post(f"{box.url}/control/faults", json=order, timeout=60).status_code == 400


def test_however_it_is_written_it_tells_the_same(box: Box) -> None:
    for fault in WRITTEN_ODDLY:
        box.control("script", seconds=0.1)
        run_id = box.start()
        with_fault(box, fault)
        body, is_broken = read(box, run_id)
        assert not is_broken
        told = [(name, json.loads(data)) for name, data in events_of(body)]
        assert {name for name, _ in told[:-1]} == {"progress"}, fault
        name, status = told[-1]
        status.pop("artifacts", None)
        assert (name, status) == ("complete", box.run(run_id)), fault
        assert (b"\n" in body, b"\r\n" in body, b"\r" in body) == (
            fault != "cr",
            fault == "crlf",
            fault in ("cr", "crlf"),
        )
        assert (len(body) > 1024 * 1024) == (fault == "huge")


def test_it_can_break_off_at_any_point(box: Box) -> None:
    for fault, breaks in BROKEN_OFF.items():
        run_id = never_ending(box)
        for after in (0, 1):
            with_fault(box, fault, after=after)
            body, is_broken = read(box, run_id)
            assert (names(body), is_broken) == (["progress"] * after, breaks), fault
            assert (b"event: error" in body) == fault.endswith("event")


def test_false_news_comes_between_true_ones(box: Box) -> None:
    other = never_ending(box)
    for fault in ("stranger", "junk", "misnamed", "stale"):
        box.control("script", seconds=1)
        run_id = box.start()
        with_fault(box, fault)
        body, is_broken = read(box, run_id)
        assert not is_broken
        (_, first), *false = events_of(body)
        assert false[-1] == ("complete", json.dumps(box.run(run_id)))
        assert json.loads(first)["runId"] == run_id
        if fault == "stranger":
            assert (false[0][0], json.loads(false[0][1])["runId"]) == ("error", other)
        elif fault == "junk":
            assert ("error", "null") in false
            assert ("complete", "[]") in false
        elif fault == "misnamed":
            assert [(name, json.loads(data)["status"]) for name, data in false[:2]] == [
                ("complete", "running"),
                ("error", "running"),
            ]
        else:
            assert (false[0][0], json.loads(false[0][1])["status"]) == ("progress", "queued")


def test_it_can_go_on_after_the_end(box: Box) -> None:
    box.control("script", seconds=0)
    with_fault(box, "late")
    body, _ = read(box, box.start(), until=lambda body: b"event: ping" in body)
    assert names(body) == ["complete", "progress", "error", "ping"]
    assert [json.loads(data)["status"] for _, data in events_of(body)[:3]] == ["completed", "running", "failed"]


def test_it_can_hide_the_end(box: Box) -> None:
    box.control("follow", ping_seconds=0, stream_seconds=0)
    run_id = box.start()
    with_fault(box, "endless")
    ended: list[bool] = []

    def is_long_over(_: bytes) -> bool:
        ended.append(box.run(run_id)["status"] == "completed")
        return sum(ended) > 2

    body, _ = read(box, run_id, until=is_long_over)
    assert set(names(body)) == {"progress", "ping"}
    assert b'completedAt": "' not in body


def test_it_can_fall_silent(box: Box) -> None:
    run_id = box.start()
    with_fault(box, "silence")
    stream = pieces(open_stream(box, run_id))
    assert names(next(stream)) == ["progress"]
    box.finished(run_id)
    assert next(stream).endswith(b"\n\n: silence\n")
    requests.delete(f"{box.url}/control/delays", timeout=60)
    assert names(list(stream)[-1]) == ["progress", "complete"]


def test_a_line_can_be_endless(box: Box) -> None:
    with_fault(box, "endless_line", size=300_000)
    body, is_broken = read(box, never_ending(box))
    assert is_broken
    assert len(body) > 200_000
    assert b"\n" not in body.rpartition(b"data: ")[2]
