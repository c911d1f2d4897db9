"""Follow one run through server-sent events: for up to 10 minutes, Lamina sends every change, with pings in between.

A stream is read in its own thread, which spends most of its time waiting for Lamina; any other thread may close it. If
anything goes wrong with a stream, it ends without an error; the caller must then get the run's state some other way.
"""

import codecs
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager

from runs.lamina import answers
from runs.lamina.call_observers import CallOutcome, Key
from runs.lamina.deadline import Cutter
from runs.lamina.transport import Flow, NoReply, Reply
from runs.lamina.types import RunSnapshot

SILENT_SECONDS = 40.0  # close a stream after this long without any data; Lamina pings about every 15 s
LONGEST_SECONDS = 660.0  # close a stream that has been open longer than this; Lamina ends streams after 10 minutes
LARGEST_EVENT = 4_000_000  # maximum length of an event, in characters
LARGEST_STREAM = 20_000_000  # maximum size of a stream, in bytes
MOST_EVENTS = 1000  # maximum number of events in a stream; Lamina checks for changes every 2 s
WITH_A_RUN = {"progress", "complete", "error"}


class Garbage(Exception):
    """Raised when a stream is too long, or contains anything other than events about its run."""


class RunStream:
    """A stream of one run's changes. The request is sent only when `events` is read."""

    def __init__(
        self,
        run_id: str,
        connect: Callable[[Cutter], AbstractContextManager[Flow | Reply | NoReply]],
        judge: Callable[[Flow | Reply | NoReply], CallOutcome],
        key: Key,
    ) -> None:
        self._run_id = run_id
        self._connect = connect
        self._judge = judge
        self._key = key
        self._cutter = Cutter()
        self.opened_at = self.heard_at = time.monotonic()
        self.end = ""  # why the stream ended: "final", "timeout" (sent by Lamina), "garbage", "refused" or "cut"

    def __repr__(self) -> str:
        return f"RunStream({self._run_id!r})"

    @property
    def is_stale(self) -> bool:
        """Whether to close the stream because nothing has arrived for too long, or because it should have ended
        long ago."""
        now = time.monotonic()
        return now - self.heard_at > SILENT_SECONDS or now - self.opened_at > LONGEST_SECONDS

    def close(self) -> None:
        """Shut down the connection, which ends `events`. Any thread may call this."""
        self._cutter.cut()

    def events(self) -> Iterator[CallOutcome | RunSnapshot]:
        """First yield Lamina's response to the request. Unless it's an error, then yield the run each time it changes.
        Stops after the run's final state, or when the stream ends for any other reason. Never raises."""
        self.end = "cut"
        with self._connect(self._cutter) as flow:
            if isinstance(flow, Reply):
                self.end = "refused"
            yield self._judge(flow)
            if isinstance(flow, Flow):
                try:
                    yield from self._snapshots(flow.pieces)
                except (Garbage, answers.UnreadableAnswer):
                    self.end = "garbage"

    def _snapshots(self, pieces: Iterable[bytes]) -> Iterator[RunSnapshot]:
        for number, (kind, data) in enumerate(_events(self._lines(pieces))):
            if number > MOST_EVENTS:
                raise Garbage
            if kind == "timeout":
                self.end = kind
                return
            if kind in WITH_A_RUN:
                snapshot = answers.snapshot(answers.decode(data.encode(), self._key.secret), self._run_id)
                yield snapshot
                if snapshot.is_final:
                    self.end = "final"
                    return

    def _lines(self, pieces: Iterable[bytes]) -> Iterator[str]:
        """Yield each line. Lines may end with LF, CRLF or CR; pieces may end anywhere, even in the middle of a
        character."""
        decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        begun: list[str] = []
        begun_length = length = 0
        is_after_cr = False
        for piece in pieces:
            text = decoder.decode(piece)
            whole = text.removeprefix("\n") if is_after_cr else text
            is_after_cr = text.endswith("\r") if text else is_after_cr
            *ends, rest = whole.replace("\r\n", "\n").replace("\r", "\n").split("\n")
            for end in ends:
                self.heard_at = time.monotonic()
                yield "".join([*begun, end])
                begun, begun_length = [], 0
            begun.append(rest)
            begun_length += len(rest)
            length += len(piece)
            if begun_length > LARGEST_EVENT or length > LARGEST_STREAM:
                raise Garbage


def _events(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the kind and data of each event. An event that doesn't end with an empty line is dropped."""
    kind, length = "", 0
    data: list[str] = []
    for line in lines:
        if not line:
            if data:
                yield kind, "\n".join(data)
            kind, data, length = "", [], 0
            continue
        field, _, value = line.partition(":")
        length += len(line)
        if length > LARGEST_EVENT:
            raise Garbage
        if field == "event":
            kind = value.removeprefix(" ")
        elif field == "data":
            data.append(value.removeprefix(" "))
