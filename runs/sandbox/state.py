"""The sandbox's state: apps, runs, uploads, credits and whatever tests have set, all guarded by one lock."""

import json
import math
import secrets
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runs.sandbox import catalogue, faults, lifecycle
from runs.sandbox.lifecycle import Run
from runs.sandbox.limits import Limiter
from runs.sandbox.list_cuts import ListOrders
from runs.sandbox.store import Store

KEY = "lma_sandbox"
WORKSPACE_ID = "ws-sandbox"
START_BALANCE = 4250.0
LOG_LENGTH = 20_000
DEFAULT_SECONDS = 7.0  # how long an ordinary run takes


@dataclass
class WebhookOrders:
    """A test's instructions for sending the next webhooks. `lose` is the number of runs whose webhooks get lost (-1
    means all); `repeat` is how many extra times each webhook is sent."""

    lose: int = 0
    repeat: int = 0
    early: bool = False
    body: Any = None
    delays: tuple[float, ...] = (5.0, 30.0, 120.0)


@dataclass
class FollowOrders:
    """The pace of streams and feedback, in seconds; if `feedback_seconds` is None, feedback takes as long as the run
    did.

    `phase` (0 to 1) is the share of `look_seconds` that passes between a stream's first two checks for changes; None
    means a random share. Without `feedback_waits`, the feedback endpoint responds right away, while the outputs to be
    remade are still pending.
    """

    look_seconds: float = 2.0
    phase: float | None = None
    ping_seconds: float = 15.0
    stream_seconds: float = 600.0
    feedback_seconds: float | None = None
    feedback_waits: bool = True


@dataclass
class Delays:
    """Shared by all delayed requests. Setting `over` ends the delays: the requests continue or, if `is_void` is set,
    their connections are dropped."""

    over: threading.Event = field(default_factory=threading.Event)
    is_void: bool = False


@dataclass
class Upload:
    upload_id: str
    filename: str
    media_type: str
    content_type: str
    token: str
    is_stored: bool = False


@dataclass
class World:
    """The whole state of the sandbox. Methods acquire the lock themselves; `clock` returns Unix seconds."""

    folder: Path
    seconds: float
    per_minute: int | None
    has_test_cards: bool = False
    clock: Callable[[], float] = time.time
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.default_per_minute = self.per_minute
        self.store = Store(self.folder / "sandbox.sqlite3")
        self.runs = {key: Run(**body) for key, body in self.store.load("run").items()}
        self.runs = dict(sorted(self.runs.items(), key=lambda item: item[1].created_at))
        self.uploads = {key: Upload(**body) for key, body in self.store.load("upload").items()}
        meta = self.store.load("meta")
        self.balance = float(meta.get("balance", START_BALANCE))
        self.seed_hex = str(meta.get("signing_seed") or secrets.token_hex(32))
        self.store.save("meta", "signing_seed", self.seed_hex)
        self._same_inputs: dict[str, int] = {}
        self.delays = Delays()
        self._begin()

    def _begin(self) -> None:
        self.apps = catalogue.load_catalogue(has_test_cards=self.has_test_cards)
        self.faults: list[faults.Fault] = []
        self.scripts: list[faults.Script] = []
        self.webhook_orders = WebhookOrders()
        self.list_orders = ListOrders()
        self.follow_orders = FollowOrders()
        self.transfer_shape = "both"
        self.accepted_keys = {KEY}
        self.limiter = Limiter(self.default_per_minute)
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self.expired: set[str] = set()
        self.is_all_expired = False
        self.price_factor = 1.0
        self.streams: dict[object, str] = {}  # the run of each open stream
        self.most_streams = 0

    def reset(self) -> None:
        """Remove runs, faults and counters, and restore the balance. Uploads stay readable."""
        with self.lock:
            self.runs.clear()
            self.store.clear("run")
            self._same_inputs.clear()
            self.set_balance(START_BALANCE)
            self.end_delays(is_void=True)
            self._begin()

    def end_delays(self, *, is_void: bool = False) -> None:
        """Let all delayed requests continue. With `is_void`, drop their connections instead."""
        with self.lock:
            self.delays.is_void = is_void
            self.delays.over.set()
            self.delays = Delays()

    @contextmanager
    def open_stream(self, run_id: str) -> Iterator[None]:
        """Count a stream of this run as open for the duration of the block."""
        key, streams = object(), self.streams  # hold on to this dict: a reset would replace it with a new one
        with self.lock:
            streams[key] = run_id
            self.most_streams = max(self.most_streams, len(streams))
        try:
            yield
        finally:
            with self.lock:
                del streams[key]

    def set_balance(self, balance: float) -> None:
        with self.lock:
            self.balance = balance
            self.store.save("meta", "balance", balance)

    def keep(self, run: Run) -> None:
        with self.lock:
            # A late webhook mustn't bring back a run that a reset has removed.
            if self.runs.get(run.run_id) is run:
                self.store.save("run", run.run_id, run.as_record())

    def start_run(
        self,
        app: catalogue.App,
        inputs: dict[str, Any],
        picture_inputs: list[dict[str, Any]],
        outputs: list[dict[str, Any]],
        *,
        script: faults.Script | None,
        webhook: str | None,
        origin: str,
    ) -> Run:
        """Charge the credits and store the run; the caller has already checked everything."""
        own = app["sandbox"]
        variant = self._next_variant(app["appId"], inputs)
        script = script or _script_of(app, inputs, is_first=variant == 0)
        seconds = script.seconds
        if seconds is None:
            seconds = self._usual_seconds(app, inputs, is_first=variant == 0)
        with self.lock:
            # Round the time to milliseconds, like the times in responses, so that `since` works. Round it down, so that
            # it's never in the future.
            now = math.floor(self.clock() * 1000) / 1000
            run = Run(
                run_id=str(uuid.uuid4()),
                app_id=app["appId"],
                app_name=app["name"],
                inputs=inputs,
                shown=picture_inputs,
                outputs=outputs,
                created_at=now,
                seconds=0.0 if webhook and self.webhook_orders.early else seconds,
                cost=catalogue.cost(outputs) * self.price_factor,
                outcome=script.outcome,
                error=script.error,
                failed=_failed_of(app, script, outputs),
                values=own.get("values", {}) | script.values,
                types=own.get("types", {}) | script.types,
                webhook=webhook,
                origin=origin,
                variant=variant,
                is_legacy=bool(own.get("legacy")),
            )
            self.runs[run.run_id] = run
            self.set_balance(self.balance - run.cost)
            self.keep(run)
        return run

    def _usual_seconds(self, app: catalogue.App, inputs: dict[str, Any], *, is_first: bool) -> float:
        """Return how long a run with these inputs takes.

        The app's `leastSeconds` is a minimum that leaves people enough time to stop a run. It doesn't apply if a test
        has sped up the sandbox, or to the first run with these inputs if they include the app's `quickFirst` value, as
        the portal's example does.
        """
        own = app["sandbox"]
        seconds = float(own.get("seconds", self.seconds))
        is_example = is_first and "quickFirst" in own and own["quickFirst"] in inputs.values()
        return (
            seconds if is_example or self.seconds < DEFAULT_SECONDS else max(seconds, float(own.get("leastSeconds", 0)))
        )

    def _next_variant(self, app_id: str, inputs: dict[str, Any]) -> int:
        key = json.dumps([app_id, inputs], sort_keys=True)
        count = self._same_inputs.get(key, 0)
        self._same_inputs[key] = count + 1
        return count % lifecycle.VARIANTS

    def override(self, run: Run, status: str, *, error: str | None = None, ready: int | None = None) -> None:
        """Switch a run to `status` now, whatever its script says."""
        with self.lock:
            run.override = {"status": status, "at": self.clock(), "error": error, "ready": ready}
            if status not in lifecycle.FINAL:
                run.delivered = False
            self.keep(run)

    def refine(self, run: Run, positions: list[int], cost: float, seconds: float) -> None:
        """Charge the credits and start remaking these outputs; the caller has already checked everything."""
        with self.lock:
            run.refinement = {"at": self.clock(), "seconds": seconds, "positions": positions}
            for position in positions:
                run.revisions[str(position)] = run.revisions.get(str(position), 0) + 1
            run.cost += cost
            self.set_balance(self.balance - cost)
            self.keep(run)

    def newest_first(self) -> list[Run]:
        with self.lock:
            return list(reversed(self.runs.values()))

    def add_upload(self, filename: str, media_type: str, content_type: str) -> Upload:
        upload = Upload(str(uuid.uuid4()), filename, media_type, content_type, secrets.token_hex(16))
        with self.lock:
            self.uploads[upload.upload_id] = upload
            self.keep_upload(upload)
        return upload

    def keep_upload(self, upload: Upload) -> None:
        with self.lock:
            self.store.save("upload", upload.upload_id, vars(upload))

    def upload_path(self, upload_id: str) -> Path:
        return self.folder / "assets" / upload_id


def _script_of(app: catalogue.App, inputs: dict[str, Any], *, is_first: bool) -> faults.Script:
    """Return the script that the app itself defines for a run with these inputs.

    If the inputs include the app's `failsFirst` value, some outputs of the first run with them fail, so that people can
    see what a partly failed run looks like. A retry succeeds.
    """
    own = app["sandbox"]
    fails = own.get("failsFirst")
    if fails and is_first and fails["value"] in inputs.values():
        return faults.Script(outcome="partial", failed_outputs=fails["outputs"])
    return faults.Script(outcome=own.get("outcome", "completed"), error=own.get("error"))


def _failed_of(app: catalogue.App, script: faults.Script, outputs: list[dict[str, Any]]) -> list[int]:
    """Return the positions of the outputs that will fail. If `script` says that some will fail but not which ones, use
    the ones that the app lists, or the last output if it lists none."""
    if script.failed_outputs is not None:
        return script.failed_outputs
    failed: list[int] = app["sandbox"].get("failedOutputs", [len(outputs) - 1])
    return failed if script.outcome == "partial" else []
