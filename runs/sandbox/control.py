"""The control door: how tests script runs, order faults and look behind the scenes. No key; loopback only."""

from typing import Any
from urllib.parse import unquote, urlsplit

from runs.sandbox import catalogue, faults, lifecycle, views
from runs.sandbox.errors import ApiError
from runs.sandbox.state import World
from runs.sandbox.webhooks import Deliveries
from runs.sandbox.wire import Reply, Request, json_reply

RUN_STATUSES = {"completed", "failed", "cancelled", "running"}


class Control:
    """Every order answers 200 with JSON; nonsense answers 400."""

    def __init__(self, world: World, deliveries: Deliveries) -> None:
        self.world = world
        self.deliveries = deliveries

    def handle(self, request: Request, rest: str) -> Reply:
        # A web page must not reach this door through somebody's browser.
        if request.headers.get("Origin") or request.headers.get("Sec-Fetch-Site", "none") != "none":
            raise ApiError(403, "The control door is not for browsers")
        head, _, tail = rest.partition("/")
        order = {
            ("POST", "reset"): self._reset,
            ("GET", "state"): self._state,
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): self._clear_faults,
            ("POST", "script"): self._script,
            ("POST", "runs"): self._set_run,
            ("POST", "expire"): self._expire,
            ("POST", "limit"): self._limit,
            ("POST", "balance"): self._balance,
            ("POST", "keys"): self._keys,
            ("POST", "apps"): self._add_app,
            ("DELETE", "apps"): self._remove_app,
            ("POST", "webhooks"): self._webhooks,
        }.get((request.method, head))
        if order is None:
            raise ApiError(400, f"The control door knows no {request.method} {rest}")
        try:
            with self.world.lock:
                return json_reply(order(request.json_object(), unquote(tail)))
        except (KeyError, TypeError, ValueError) as error:
            raise ApiError(400, f"Nonsense asked of the control door: {error!r}") from error

    def _reset(self, body: dict[str, Any], _: str) -> Any:
        self.world.reset()
        return {"ok": True}

    def _state(self, body: dict[str, Any], _: str) -> Any:
        world, now = self.world, self.world.clock()
        return {
            "runs": [views.run_for_tests(run, now) for run in world.runs.values()],
            "requests": list(world.log),
            "balance": catalogue.credits(world.balance),
            "in_last_minute": world.limiter.asked_in_last_minute(),
            "most_in_a_minute": world.limiter.most,
            "refused_429": world.limiter.refused,
        }

    def _add_fault(self, body: dict[str, Any], _: str) -> Any:
        fault = faults.Fault(
            endpoint=body["endpoint"],
            fault=body["fault"],
            times=body.get("times", 1),
            status=body.get("status"),
            body=body.get("body"),
            seconds=body.get("seconds"),
            headers={str(key): str(value) for key, value in (body.get("headers") or {}).items()},
            app_id=body.get("appId"),
            run_id=body.get("runId"),
            acts=bool(body.get("acts")),
        )
        if fault.endpoint not in faults.ENDPOINTS or fault.fault not in faults.INSTEAD | faults.AFTERWARDS:
            raise ValueError(f"{fault.endpoint} {fault.fault}")
        self.world.faults.append(fault)
        return {"ok": True}

    def _clear_faults(self, body: dict[str, Any], _: str) -> Any:
        self.world.faults.clear()
        return {"ok": True}

    def _script(self, body: dict[str, Any], _: str) -> Any:
        script = faults.Script(
            app_id=body.get("appId"),
            times=body.get("times", 1),
            seconds=None if body.get("seconds") is None else float(body["seconds"]),
            outcome=body.get("outcome") or "completed",
            error=body.get("error"),
            failed_outputs=body.get("failed_outputs"),
            values={str(key): value for key, value in (body.get("values") or {}).items()},
            types={str(key): str(value) for key, value in (body.get("types") or {}).items()},
        )
        if script.outcome not in faults.OUTCOMES:
            raise ValueError(script.outcome)
        self.world.scripts.append(script)
        return {"ok": True}

    def _set_run(self, body: dict[str, Any], run_id: str) -> Any:
        run, status = self.world.runs[run_id], body["status"]
        if status not in RUN_STATUSES:
            raise ValueError(status)
        ready = body.get("ready")
        self.world.override(run, status, error=body.get("error"), ready=None if ready is None else int(ready))
        if status in lifecycle.FINAL:
            self.deliveries.plan(run)
        return views.run_for_tests(run, self.world.clock())

    def _expire(self, body: dict[str, Any], _: str) -> Any:
        if "all" in body:
            self.world.is_all_expired = bool(body["all"])
        else:
            self.world.expired.add(urlsplit(body["url"]).path)
        return {"ok": True}

    def _limit(self, body: dict[str, Any], _: str) -> Any:
        limit = body["per_minute"]
        self.world.limiter.per_minute = None if limit is None else int(limit)
        return {"ok": True}

    def _balance(self, body: dict[str, Any], _: str) -> Any:
        self.world.set_balance(float(body["balance"]))
        return {"ok": True}

    def _keys(self, body: dict[str, Any], _: str) -> Any:
        self.world.accepted_keys = {str(key) for key in body["accepted"]}
        return {"ok": True}

    def _add_app(self, body: dict[str, Any], _: str) -> Any:
        app = catalogue.complete(body["app"])
        if not isinstance(app["name"], str):
            raise TypeError("an app needs a name")
        self.world.apps[str(app["appId"])] = app
        return {"ok": True}

    def _remove_app(self, body: dict[str, Any], app_id: str) -> Any:
        del self.world.apps[app_id]
        return {"ok": True}

    def _webhooks(self, body: dict[str, Any], _: str) -> Any:
        orders = self.world.webhook_orders
        if "lose" in body:
            orders.lose = -1 if body["lose"] is None else int(body["lose"])
        if "repeat" in body:
            orders.repeat = int(body["repeat"])
        if "early" in body:
            orders.early = bool(body["early"])
        if "body" in body:
            orders.body = body["body"]
        if "delays" in body:
            orders.delays = tuple(float(delay) for delay in body["delays"])
        return {"ok": True}
