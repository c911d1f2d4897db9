"""The control API, which tests use to script runs, cause faults and inspect state. It needs no key but is only
available on loopback.

All calls use JSON: to change something, send an object with `POST /control/NAME`. `POST reset` undoes everything.
Settings that a call doesn't mention stay unchanged. In tests, use `SandboxDoor`: `sandbox.control("list", most=25,
beyond="refuse")`.

    POST reset           {}
    GET  state           runs, requests (method, path, query, endpoint, status), balance, in_last_minute,
                         most_in_a_minute, refused_429, streams (ids of the runs whose streams are open now),
                         most_streams (the most that were open at the same time)
    POST faults          {"endpoint": "apps", "fault": "status", "status": 403, "times": null}; faults.py lists all
                         endpoints and faults; with "times": null, the fault lasts until DELETE faults; "appId",
                         "runId", "body" and "headers" are optional
                         {"endpoint": "apps", "fault": "delay", "seconds": 10}: responds after 10 s, or earlier on
                         DELETE faults or DELETE delays
                         {"endpoint": "apps", "fault": "drip", "seconds": 60, "gap": 20}: sends the headers and a
                         piece of the body at once, then a piece every 20 s, the last one after 60 s
                         {"endpoint": "stream", "fault": "break", "after": 2}: the connection breaks after two events;
                         "after": 0 means before the first; stream_faults.py describes all faults for streams
    DELETE faults
    DELETE delays        responds to delayed requests now; lasting faults remain
    POST script          {"appId": null, "times": 1, "seconds": 3, "outcome": "failed", "error": "Too dark"}
    POST runs/ID         {"status": "completed", "error": null, "ready": 1}
    POST expire          {"url": "http://..."} or {"all": true}
    POST limit           {"per_minute": 100}, or null for no limit
    POST balance         {"balance": 3.5}; or {"add": 12}
    POST price           {"factor": 1.2}: runs cost 1.2 times their estimate
    POST keys            {"accepted": ["lma_next"]}
    POST webhooks        {"lose": 1, "repeat": 2, "early": true, "body": null, "delays": [0.1]}

    POST follow          {"look_seconds": 0.1, "ping_seconds": 1, "stream_seconds": 5}: pace of `stream` (2, 15, 600)
                         {"phase": 1}: the second check comes one full step after the first; 0: at once; null
                         (default): at a random time in between, since we can't know when Lamina checks
                         {"feedback_seconds": 3}: how long feedback takes (null: as long as the run did)
                         {"feedback_waits": false}: feedback responds at once; the run is `running` while it is remade
    POST transfer        {"shape": "docs"}: `transfer-asset` returns only `url`; "sdk": cdnUrl, assetId, filename;
                         "both" (default): all four

The list of apps (`GET /v1/apps`; with `search=`, faults and the log call this endpoint "search"):

    POST list            {"most": 25, "beyond": "refuse"}: limit=26 is a 400; "clamp" (default): 25 apps, silently
                         {"refuse_limit": true}: any limit is a 400; without one, the list has {"default": 10} apps
                         {"most": 12, "order": "popularity", "seed": 1}: a new order on each call, with the
                         workspace's own private apps first; setting the same "seed" again repeats the series;
                         "order": "given" restores the original order
                         {"most": null, "default": null}: back to 500 and 100

Apps. POST apps, apps/ID and odd-apps accept these flags: "listed", "found" (by search and discover), "gone" (404 by
id), "unknown_first" (unknown input names are reported first): bool; "workspace": "own" or "other" (another workspace's
private app: 403 by id, hidden by default); "names": which of "key", "id", "name" identify inputs; "errors":
"structured", "strings", "legacy" or "nested".

    POST apps            {"app": {"appId": "new", "name": "New", "parameters": []}, "listed": false}
                         {"app": {"appId": "theirs", "name": "Theirs"}, "workspace": "other"}
                         {"app": {...}, "names": ["key"], "errors": "legacy"}
    POST apps/ID         {"gone": true}, {"workspace": "other"}, {"listed": false}: flags of an existing app
    DELETE apps/ID
    POST test-cards      {"shown": true}: add the test cards until the next reset; false: remove them
    POST odd-apps        {"kind": "many_parameters", "size": 3000}, with flags; returns {"ok": true, "appIds": [...]}
                         kinds and their default size: many_parameters 3000, many_options 501, long_description 3 MiB,
                         long_labels 1000, large_schema 512 KiB, only_key, only_id; {"kind": "plain", "count": 2000}
                         The first id is `odd-many-parameters`, the second `odd-many-parameters-2`.
"""

from typing import Any
from urllib.parse import unquote, urlsplit

from runs.sandbox import catalogue, faults, lifecycle, odd_apps, views
from runs.sandbox.errors import ApiError
from runs.sandbox.state import World
from runs.sandbox.webhooks import Deliveries
from runs.sandbox.wire import Request, SandboxReply, json_reply

RUN_STATUSES = {"completed", "failed", "cancelled", "running"}


class Control:
    """Responds to valid calls with 200 and JSON, and to invalid ones with 400."""

    def __init__(self, world: World, deliveries: Deliveries) -> None:
        self.world = world
        self.deliveries = deliveries

    def handle(self, request: Request, rest: str) -> SandboxReply:
        # Keep web pages from using this API through somebody's browser.
        if request.headers.get("Origin") or request.headers.get("Sec-Fetch-Site", "none") != "none":
            raise ApiError(403, "The control API is not for browsers")
        head, _, tail = rest.partition("/")
        act = {
            ("POST", "reset"): self._reset,
            ("GET", "state"): self._state,
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): self._clear_faults,
            ("DELETE", "delays"): self._end_delays,
            ("POST", "script"): self._script,
            ("POST", "runs"): self._set_run,
            ("POST", "expire"): self._expire,
            ("POST", "limit"): self._limit,
            ("POST", "balance"): self._balance,
            ("POST", "price"): self._price,
            ("POST", "keys"): self._keys,
            ("POST", "apps"): self._add_app,
            ("DELETE", "apps"): self._remove_app,
            ("POST", "odd-apps"): self._add_odd_apps,
            ("POST", "test-cards"): self._show_test_cards,
            ("POST", "list"): self._list,
            ("POST", "follow"): self._follow,
            ("POST", "transfer"): self._transfer,
            ("POST", "webhooks"): self._webhooks,
        }.get((request.method, head))
        if act is None:
            raise ApiError(400, f"The control API has no {request.method} {rest}")
        try:
            with self.world.lock:
                return json_reply(act(request.json_object(), unquote(tail)))
        except (KeyError, TypeError, ValueError) as error:
            raise ApiError(400, f"Invalid call of the control API: {error!r}") from error

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
            "streams": list(world.streams.values()),
            "most_streams": world.most_streams,
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
            gap=None if body.get("gap") is None else float(body["gap"]),
            after=int(body.get("after", 1)),
            size=None if body.get("size") is None else int(body["size"]),
        )
        names = faults.INSTEAD | faults.AFTERWARDS | (faults.STREAM if fault.endpoint == "stream" else set())
        if fault.endpoint not in faults.ENDPOINTS or fault.fault not in names:
            raise ValueError(f"{fault.endpoint} {fault.fault}")
        self.world.faults.append(fault)
        return {"ok": True}

    def _clear_faults(self, body: dict[str, Any], _: str) -> Any:
        self.world.faults.clear()
        return self._end_delays(body, _)

    def _end_delays(self, body: dict[str, Any], _: str) -> Any:
        self.world.end_delays()
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
        balance = self.world.balance + float(body["add"]) if "add" in body else float(body["balance"])
        self.world.set_balance(balance)
        return {"ok": True}

    def _price(self, body: dict[str, Any], _: str) -> Any:
        self.world.price_factor = float(body["factor"])
        return {"ok": True}

    def _keys(self, body: dict[str, Any], _: str) -> Any:
        self.world.accepted_keys = {str(key) for key in body["accepted"]}
        return {"ok": True}

    def _add_app(self, body: dict[str, Any], app_id: str) -> Any:
        if app_id:
            catalogue.set_flags(self.world.apps[app_id], body)
        else:
            self._put_app(body["app"], body)
        return {"ok": True}

    def _put_app(self, body: catalogue.App, flags: dict[str, Any]) -> str:
        app = catalogue.complete(body)
        if not isinstance(app["name"], str):
            raise TypeError("an app needs a name")
        catalogue.set_flags(app, flags)
        self.world.apps[str(app["appId"])] = app
        return str(app["appId"])

    def _add_odd_apps(self, body: dict[str, Any], _: str) -> Any:
        apps = odd_apps.make(body["kind"], int(body.get("count", 1)), body.get("size"))
        return {"ok": True, "appIds": [self._put_app(app, body) for app in apps]}

    def _show_test_cards(self, body: dict[str, Any], _: str) -> Any:
        cards = catalogue.load_test_cards()
        others = {app_id: app for app_id, app in self.world.apps.items() if app_id not in cards}
        self.world.apps = others | (cards if body["shown"] else {})
        return {"ok": True, "appIds": list(cards)}

    def _list(self, body: dict[str, Any], _: str) -> Any:
        self.world.list_orders.change(body)
        return {"ok": True}

    def _remove_app(self, body: dict[str, Any], app_id: str) -> Any:
        del self.world.apps[app_id]
        return {"ok": True}

    def _follow(self, body: dict[str, Any], _: str) -> Any:
        orders = self.world.follow_orders
        for name in ("look_seconds", "ping_seconds", "stream_seconds"):
            if name in body:
                setattr(orders, name, float(body[name]))
        for name in ("phase", "feedback_seconds"):
            if name in body:
                setattr(orders, name, None if body[name] is None else float(body[name]))
        if "feedback_waits" in body:
            orders.feedback_waits = bool(body["feedback_waits"])
        return {"ok": True}

    def _transfer(self, body: dict[str, Any], _: str) -> Any:
        if body["shape"] not in {"docs", "sdk", "both"}:
            raise ValueError(body["shape"])
        self.world.transfer_shape = body["shape"]
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
