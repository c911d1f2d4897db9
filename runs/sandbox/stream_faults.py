"""Faults that tests can cause in a stream. They change how the stream's events are written, or insert something between
them."""

import json
import time
from collections.abc import Callable, Generator, Iterator

from runs.sandbox.errors import Dropped
from runs.sandbox.faults import Fault
from runs.sandbox.stream import Event, Stream, end_event, event_bytes

MIB = 1024 * 1024
DRIP_PIECES = 8
FILLER = b"x" * 65_536
ODD = "caf\u00e9 \u2028 \x85 \U0001f375" * 20  # has Unicode line separators, which don't end a line in an event stream
JUNK = (
    b'\x00\xff\xfe not an event \r\r\n\n{"status": "failed"}\n\n'
    b'event: complete\ndata: {"status": "comp\n\n'
    b"event: error\ndata: null\n\n"
    b"event: complete\ndata: []\n\n"
    b"event: complete\n\n"
    b"event: progress\ndata: {}\n\n"
    b"event: ping\ndata: soon\n\n"
    b"event: surprise\ndata: 1\n\n"
    b"data: no name\n\n"
)


def pieces(stream: Stream, fault: Fault | None) -> Generator[bytes, None, None]:
    """Yield the bytes that `stream` sends, with `fault` applied. Raises Dropped to break the connection."""
    fault = fault or Fault("stream", "")
    write = WRITERS.get(fault.fault, _plain)
    disturb = DISTURBANCES.get(fault.fault)
    with stream.world.open_stream(stream.run.run_id):
        events, count = stream.events(is_endless=fault.fault == "endless"), 0
        while True:
            if disturb and count == fault.after:
                yield from disturb(stream, fault)
                if fault.fault in LAST_WORDS:
                    return
            if (event := next(events, None)) is None:
                break
            yield from write(event, stream, fault)
            count += 1
        if fault.fault == "late":
            yield from _late(stream)


# How events are written


def _plain(event: Event, stream: Stream, fault: Fault) -> Iterator[bytes]:
    yield event_bytes(event)


def _crlf(event: Event, stream: Stream, fault: Fault) -> Iterator[bytes]:
    yield event_bytes(event).replace(b"\n", b"\r\n")


def _cr(event: Event, stream: Stream, fault: Fault) -> Iterator[bytes]:
    yield event_bytes(event).replace(b"\n", b"\r")


def _comments(event: Event, stream: Stream, fault: Fault) -> Iterator[bytes]:
    """Use everything that the format allows: comments, ids, unknown fields, multi-line data, any characters."""
    name, data = _with(event, ODD)
    lines = "".join(f"data:{line}\n" for line in json.dumps(data, indent=1, ensure_ascii=False).split("\n"))
    yield f": hello\n\n:\nid: 7\nretry: 10\nevent:{name}\nmood: good\n{lines}: bye\n\n".encode()


def _huge(event: Event, stream: Stream, fault: Fault) -> Iterator[bytes]:
    """Make each event `size` bytes longer (by default 1 MiB)."""
    yield event_bytes(_with(event, "x" * (fault.size or MIB)))


def _drip(event: Event, stream: Stream, fault: Fault) -> Iterator[bytes]:
    """Write each event in pieces, one every `gap` seconds (by default 0.02), splitting lines and even characters."""
    name, data = _with(event, ODD)
    whole = f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
    for piece in range(DRIP_PIECES):
        start, end = (len(whole) * n // DRIP_PIECES for n in (piece, piece + 1))
        yield whole[start:end]
        stream.wait(0.02 if fault.gap is None else fault.gap)


def _with(event: Event, more: str) -> Event:
    name, data = event
    return name, data | {"artifacts": [more]} if isinstance(data, dict) else data


# What comes between two events


def _break(stream: Stream, fault: Fault) -> Iterator[bytes]:
    yield b": breaks\n"
    raise Dropped


def _close(stream: Stream, fault: Fault) -> Iterator[bytes]:
    """End the response properly even though the run continues."""
    yield b": closes\n"


def _half_event(stream: Stream, fault: Fault) -> Iterator[bytes]:
    """End the response in the middle of an event."""
    whole = event_bytes(_failed(stream))
    yield whole[: len(whole) // 2]


def _open_event(stream: Stream, fault: Fault) -> Iterator[bytes]:
    """End the response before the empty line that would complete an event. The event's data is complete, but without
    that line the event doesn't count."""
    yield event_bytes(_failed(stream)).removesuffix(b"\n")


def _stranger(stream: Stream, fault: Fault) -> Iterator[bytes]:
    """Falsely report that another run (the newest one) has failed."""
    others = [run.run_id for run in stream.world.newest_first() if run is not stream.run]
    yield event_bytes(_failed(stream, runId=others[0] if others else "no-such-run"))


def _junk(stream: Stream, fault: Fault) -> Iterator[bytes]:
    yield JUNK


def _misnamed(stream: Stream, fault: Fault) -> Iterator[bytes]:
    """Send `complete` and `error` events whose status says that the run is still active."""
    for name in ("complete", "error"):
        yield event_bytes((name, stream.status() | {"status": "running", "completedAt": None}))


def _stale(stream: Stream, fault: Fault) -> Iterator[bytes]:
    """Report an outdated state: the run is queued and has no results."""
    yield event_bytes(("progress", stream.status() | {"status": "queued", "outputs": [], "startedAt": None}))


def _bare_end(stream: Stream, fault: Fault) -> Iterator[bytes]:
    """Report that the run has completed, but leave out its outputs."""
    yield event_bytes(("complete", stream.status() | {"status": "completed", "outputs": None}))


def _silence(stream: Stream, fault: Fault) -> Iterator[bytes]:
    """Send nothing, not even `ping`, for `seconds` (by default 600), or until a test ends all delays."""
    yield b": silence\n"
    over, until = stream.world.delays.over, time.monotonic() + (600.0 if fault.seconds is None else fault.seconds)
    while not over.is_set() and time.monotonic() < until:
        stream.wait(0.05)


def _endless_line(stream: Stream, fault: Fault) -> Iterator[bytes]:
    """Send a line that never ends, and break the connection after `size` bytes (by default 64 MiB)."""
    yield b"event: progress\ndata: "
    for _ in range((fault.size or 64 * MIB) // len(FILLER)):
        stream.wait(0)
        yield FILLER
    raise Dropped


def _late(stream: Stream) -> Iterator[bytes]:
    """Keep sending after the final event: an old state, another final event, then pings until the caller
    disconnects."""
    yield event_bytes(("progress", stream.status() | {"status": "running", "completedAt": None, "outputs": []}))
    yield event_bytes(_failed(stream))
    while True:
        stream.wait(stream.orders.look_seconds)
        yield event_bytes(stream.ping())


def _failed(stream: Stream, **more: str) -> Event:
    lie = {"status": "failed", "errorMessage": "This isn't true.", "outputs": []}
    return end_event(stream.status() | lie | more)


WRITERS: dict[str, Callable[[Event, Stream, Fault], Iterator[bytes]]] = {
    "crlf": _crlf,
    "cr": _cr,
    "comments": _comments,
    "huge": _huge,
    "drip": _drip,
}
LAST_WORDS = {"close", "half_event", "open_event"}  # after these, the response ends
DISTURBANCES: dict[str, Callable[[Stream, Fault], Iterator[bytes]]] = {
    "break": _break,
    "close": _close,
    "half_event": _half_event,
    "open_event": _open_event,
    "stranger": _stranger,
    "junk": _junk,
    "misnamed": _misnamed,
    "stale": _stale,
    "bare_end": _bare_end,
    "silence": _silence,
    "endless_line": _endless_line,
}
