"""One stream of a run's changes: which events it sends, and when."""

import json
import random
import time
from collections.abc import Iterator
from typing import Any

from runs.sandbox import lifecycle, views
from runs.sandbox.errors import Dropped
from runs.sandbox.lifecycle import Run
from runs.sandbox.state import World
from runs.sandbox.wire import Request

type Event = tuple[str, Any]  # an event's name and data


class Stream:
    """A caller following `run`. `wait` raises Dropped once the caller has disconnected or a reset has removed the
    run."""

    def __init__(self, world: World, run: Run, request: Request) -> None:
        self.world, self.run, self.request = world, run, request
        self.orders = world.follow_orders

    def events(self, *, is_endless: bool) -> Iterator[Event]:
        """Yield `progress` on every change and `ping` in between; end with `complete`, `error` or `timeout`.

        With `is_endless`, the stream hides the end of the run and never ends.
        """
        last_status, began = None, time.monotonic()
        pinged = began
        for now in self._looks():
            status = self.status()
            is_final = status["status"] in lifecycle.FINAL
            if is_final and not is_endless:
                self.run.told_at = self.run.told_at or self.world.clock()
                yield end_event(status)
                return
            if now - began >= self.orders.stream_seconds and not is_endless:
                yield "timeout", {"message": "The stream has ended. Open it again or poll the run."}
                return
            if status != last_status and not is_final:
                last_status = status
                yield "progress", status
            if now - pinged >= self.orders.ping_seconds:
                pinged = now
                yield self.ping()

    def _looks(self) -> Iterator[float]:
        """Yield the time of each check for changes: the first right away, the second after part of an interval (by
        default a random part), and every later one after a full interval."""
        now = time.monotonic()
        phase = random.random() if self.orders.phase is None else self.orders.phase  # noqa: S311 - a moment, no secret
        following = now + phase * self.orders.look_seconds
        while True:
            yield now
            self.wait(max(0.0, following - time.monotonic()))
            now = time.monotonic()
            following = max(following, now) + self.orders.look_seconds

    def wait(self, seconds: float) -> None:
        if self.request.is_gone_within(seconds) or self.run.run_id not in self.world.runs:
            raise Dropped

    def status(self) -> dict[str, Any]:
        with self.world.lock:
            return views.run_status(self.run, self.world.clock(), self.request.origin)

    def ping(self) -> Event:
        return "ping", int(self.world.clock() * 1000)


def end_event(status: dict[str, Any]) -> Event:
    return ("complete" if status["status"] == "completed" else "error"), status


def event_bytes(event: Event) -> bytes:
    name, data = event
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode("ascii")
