"""Streams: events are read correctly however they are split into chunks, and invalid data does nothing worse than end
the stream."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from runs.lamina import streams
from runs.lamina.call_observers import CallOutcome
from runs.lamina.client import LaminaClient
from runs.lamina.errors import LaminaError, LaminaRateLimited, LaminaRejected, LaminaUnavailable
from runs.lamina.streams import RunStream
from runs.lamina.types import RunSnapshot
from tests.lamina.scripted import KEY, Scripted
from tests.support.processes import TIMEOUT_SECONDS, wait_until

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
TEXT = "Ein Müller\n\n: no comment\ndata: nor data 🙂"


def status(word: str, run_id: str = "r-1", text: str = TEXT) -> str:
    output = {"id": "n", "label": "Text", "type": "text", "status": "completed", "value": text}
    return json.dumps({"runId": run_id, "status": word, "outputs": [output]}, ensure_ascii=False)


def event(kind: str, data: str) -> str:
    return f"event: {kind}\ndata: {data}\n\n"


RUNNING, DONE = event("progress", status("running")), event("complete", status("completed"))


def read(client: LaminaClient) -> tuple[RunStream, list[CallOutcome | RunSnapshot]]:
    stream = client.follow_run("r-1")
    return stream, list(stream.events())


def told(events: list[CallOutcome | RunSnapshot]) -> list[str]:
    return [one.status if isinstance(one, RunSnapshot) else str(one.status) for one in events]


@pytest.mark.parametrize(
    "text",
    [
        RUNNING + DONE,
        (RUNNING + DONE).replace("\n", "\r\n"),
        (RUNNING + DONE).replace("\n", "\r"),
        "\ufeff" + RUNNING + DONE,
        f": hello\n\n{RUNNING}:\n: ping\n{event('ping', '1764225134000')}id: 7\nretry: 10\nmood: good\n\n{DONE}",
        RUNNING + DONE.replace("\ndata: {", "\ndata:{").replace("event: ", "event:"),
        RUNNING + DONE.replace('{"runId"', '{\ndata: "runId"'),  # one event with two data lines
        RUNNING + event("surprise", "{}") + DONE,
        RUNNING + DONE + event("progress", status("failed")) + "garbage",  # events after the end are ignored
        RUNNING + event("error", status("completed")),  # only the status matters, not the name of the event
    ],
)
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_events_are_read_in_pieces_of_any_size(scripted: Scripted, client: LaminaClient, text: str, size: int) -> None:
    raw = text.encode()

    def act(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(HEAD)
        for at in range(0, len(raw), size):
            connection.sendall(raw[at : at + size])

    scripted.act = act

    stream, events = read(client)

    assert told(events) == ["200", "running", "completed"]
    assert isinstance(events[-1], RunSnapshot)
    assert events[-1].outputs[0].text == TEXT
    assert stream.end == "final"
    assert scripted.last.target == "/v1/runs/r-1/stream"
    assert scripted.last.headers["accept"] == "text/event-stream"
    assert scripted.last.headers["x-api-key"] == KEY


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("", "cut"),
        (DONE.removesuffix("\n"), "cut"),  # half an event
        (event("timeout", '{"message": "after 10 minutes"}') + DONE, "timeout"),
        (event("progress", status("completed", run_id="r-2")), "garbage"),
        (event("progress", "{"), "garbage"),
        (event("error", '{"message": "no run"}'), "garbage"),
        ("<html>\n\n<body>Bad gateway</body></html>\n", "cut"),  # meaningless lines are ignored
        ("x" * (streams.LARGEST_EVENT + 1), "garbage"),
        ("data: x\n" * (streams.LARGEST_EVENT // 6), "garbage"),
        (event("ping", "x" * 1_000_000) * (streams.LARGEST_STREAM // 1_000_000 + 1), "garbage"),
        (event("ping", "1") * (streams.MOST_EVENTS + 2), "garbage"),
    ],
)
def test_whatever_is_wrong_ends_a_stream(scripted: Scripted, client: LaminaClient, text: str, end: str) -> None:
    scripted.send(HEAD + (RUNNING + text).encode())

    stream, events = read(client)

    assert told(events) == ["200", "running"]
    assert stream.end == end


def test_a_large_event_with_line_breaks_is_read(scripted: Scripted, client: LaminaClient) -> None:
    text = "line\n" * 200_000
    scripted.send(HEAD + event("complete", status("completed", text=text)).encode())

    _, events = read(client)

    assert isinstance(events[-1], RunSnapshot)
    assert events[-1].outputs[0].text == text


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        *((403, LaminaRejected), (404, LaminaRejected), (429, LaminaRateLimited)),
        *((500, LaminaUnavailable), (204, LaminaUnavailable), (302, LaminaUnavailable)),
    ],
)
def test_a_refusal_is_told_as_for_any_other_call(
    scripted: Scripted, client: LaminaClient, code: int, kind: type[LaminaError]
) -> None:
    scripted.answer(code, {"error": f"no {KEY}"}, Retry_After="7", Set_Cookie=KEY)

    _, events = read(client)

    assert told(events) == [str(code)]
    assert isinstance(events[0], CallOutcome)
    assert isinstance(events[0].error, kind)
    assert KEY not in f"{events[0]} {dict(events[0].headers)} {events[0].error}"


def test_a_lamina_that_is_away_is_told(nobody: str) -> None:
    _, events = read(LaminaClient(nobody, KEY))

    assert isinstance(events[0], CallOutcome)
    assert isinstance(events[0].error, LaminaUnavailable)
    assert not events[0].error.was_connected


def test_the_key_is_masked_and_not_shown(scripted: Scripted, client: LaminaClient) -> None:
    scripted.send(HEAD + event("complete", status("completed", text=f"your key is {KEY}")).encode())

    stream, events = read(client)

    assert KEY not in f"{events} {stream!r} {vars(stream)}"


def headers_alone(stopping: threading.Event) -> Iterator[bytes]:
    yield HEAD
    stopping.wait()


def half_a_head(stopping: threading.Event) -> Iterator[bytes]:
    yield HEAD[:20]
    stopping.wait()


def endless_line(stopping: threading.Event) -> Iterator[bytes]:
    yield HEAD
    while not stopping.wait(0.01):
        yield b"x"


@pytest.mark.parametrize("pieces", [headers_alone, half_a_head, endless_line])
def test_any_thread_can_close_a_stream(
    scripted: Scripted, client: LaminaClient, pieces: Callable[[threading.Event], Iterator[bytes]]
) -> None:
    def act(connection: socket.socket) -> None:
        for piece in pieces(scripted.stopping):
            connection.sendall(piece)

    scripted.act = act
    stream = client.follow_run("r-1")
    thread = threading.Thread(target=lambda: list(stream.events()), daemon=True)
    thread.start()
    wait_until(lambda: scripted.asked, "the request")

    stream.close()

    thread.join(TIMEOUT_SECONDS)
    assert not thread.is_alive()
    assert stream.end == "cut"


def test_only_whole_lines_count_as_a_sign_of_life(
    scripted: Scripted, client: LaminaClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else would end a stream that sends one byte at a time, because every byte restarts the read time-out."""
    monkeypatch.setattr(streams, "SILENT_SECONDS", 0.3)
    dripped = threading.Event()

    def act(connection: socket.socket) -> None:
        connection.sendall(HEAD + b": hello\n")
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            connection.sendall(b"x")
            scripted.stopping.wait(0.05)
        dripped.set()
        scripted.stopping.wait()

    scripted.act = act
    stream = client.follow_run("r-1")
    events = stream.events()
    thread = threading.Thread(target=lambda: list(events), daemon=True)
    thread.start()
    assert dripped.wait(TIMEOUT_SECONDS)

    assert stream.is_stale
    stream.close()
    thread.join(TIMEOUT_SECONDS)
    assert not thread.is_alive()
