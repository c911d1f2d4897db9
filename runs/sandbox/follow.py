"""Follow a run without polling (`wait`, `stream`), and refine a finished run in place (`feedback`)."""

import time
from dataclasses import dataclass
from typing import Any

from runs.sandbox import catalogue, lifecycle, stream_faults, views
from runs.sandbox.errors import ApiError, Dropped
from runs.sandbox.lifecycle import Run
from runs.sandbox.lookup import run_of, whole_number
from runs.sandbox.state import World
from runs.sandbox.stream import Stream
from runs.sandbox.wire import Request, SandboxReply, json_reply

LOOK_SECONDS = 0.05  # how often a waiting call checks whether the run has ended


@dataclass
class Following:
    """The endpoints, one method each. Every method returns a Reply or raises ApiError."""

    world: World

    def wait(self, request: Request, run_id: str) -> SandboxReply:
        """Respond as soon as the run has ended, or after `timeout` seconds (1 to 120; 60 by default) if it hasn't."""
        run, seconds = run_of(self.world, run_id), whole_number(request.query, "timeout", 60, 1, 120)
        body: dict[str, Any] = {} if self._is_final_within(run, seconds, request) else {"timeout": True}
        return json_reply({"data": self._status(run, request.origin)} | body)

    def stream(self, request: Request, run_id: str) -> SandboxReply:
        """Send server-sent events until the run has ended."""
        stream = Stream(self.world, run_of(self.world, run_id), request)
        return SandboxReply(content_type="text/event-stream", events=stream_faults.pieces(stream, request.fault))

    def feedback(self, request: Request, run_id: str) -> SandboxReply:
        """Remake outputs of a completed run under the same run id. This call is slow and costs credits.

        Only outputs whose labels appear in the text (ignoring case) are remade; if no label appears, all outputs are.
        """
        run, text = run_of(self.world, run_id), request.json_object().get("feedback")
        if not isinstance(text, str) or not text.strip():
            raise ApiError(400, "feedback must be a non-empty text")
        with self.world.lock:
            if lifecycle.status_at(run, self.world.clock()) != "completed":
                raise ApiError(400, "Only completed runs can be refined")
            numbers = [n for n, one in enumerate(run.outputs) if one["label"].casefold() in text.casefold()]
            positions = numbers or list(range(len(run.outputs)))
            cost = catalogue.cost([run.outputs[n] for n in positions])
            if cost > self.world.balance:
                raise ApiError(400, "Insufficient credits to refine this run")
            seconds = self.world.follow_orders.feedback_seconds
            self.world.refine(run, positions, cost, run.seconds if seconds is None else seconds)
        if self.world.follow_orders.feedback_waits:
            self._is_final_within(run, 600, request)
        return json_reply({"data": self._refinement(run, positions, text, request.origin)}, run_id=run_id)

    def _refinement(self, run: Run, positions: list[int], text: str, origin: str) -> dict[str, Any]:
        status = self._status(run, origin)
        refined = [{"nodeId": lifecycle.node_id(run.run_id, n), "reason": text.strip()} for n in positions]
        return {
            "runId": run.run_id,
            "status": status["status"],
            "summary": f"Refined {len(positions)} of {len(run.outputs)} outputs.",
            "refinedNodes": refined,
            "outputs": status["outputs"],
            "errorMessage": status["errorMessage"],
        }

    def _status(self, run: Run, origin: str) -> dict[str, Any]:
        with self.world.lock:
            return views.run_status(run, self.world.clock(), origin)

    def _is_final_within(self, run: Run, seconds: float, request: Request) -> bool:
        deadline = time.monotonic() + seconds
        while not lifecycle.is_final(run, self.world.clock()):
            if time.monotonic() >= deadline:
                return False
            if request.stopping.wait(LOOK_SECONDS):
                raise Dropped
        return True
