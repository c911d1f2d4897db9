"""Client for the Lamina API, with one method per endpoint. It chooses the time-outs, sends the key and turns failures
into our own exceptions, so that callers don't have to.

Nothing is retried here, because only callers know about the shared request budget.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from requests.structures import CaseInsensitiveDict

from runs.lamina import answers, coerce
from runs.lamina.call_observers import CallOutcome, Key
from runs.lamina.deadline import Cutter
from runs.lamina.error_answers import cut_off, error_from
from runs.lamina.errors import LaminaError, LaminaRejected, LaminaUnavailable
from runs.lamina.search_answers import AppMatch, matches
from runs.lamina.streams import SILENT_SECONDS, RunStream
from runs.lamina.transport import Flow, NoReply, Reply, Timeouts, exchange, open_flow
from runs.lamina.types import (
    Account,
    AppDetail,
    AppSummary,
    Estimate,
    RunRows,
    RunSnapshot,
    RunStarted,
    UploadTarget,
    Usage,
)

logger = logging.getLogger(__name__)

QUICK = Timeouts(read=5, total=8)
SLOW = Timeouts(read=10, total=20)
# The list is slow, because Lamina works out what each app can do; only the worker requests it
APP_LIST = Timeouts(read=30, total=45)
START = Timeouts(read=60, total=75)  # less than the 90 s that a task may take
INTERACTIVE = Timeouts(read=12, total=15)  # for calls that a person is waiting for
AT_ONCE = Timeouts(read=2, total=2)  # for calls that a page itself waits for
LIST_LIMIT = 100  # maximum number of rows in a list response
FOUND_LIMIT = 12  # maximum number of search results: more than anyone reads, but below any limit we've seen on Lamina
_ERROR_BYTES = 500_000  # read at most this many bytes of an error response's body; other bodies may be longer


def _nothing(_: Any) -> None:
    """Do nothing (the default for both hooks)."""


class LaminaClient:
    """A client for one Lamina server and one key; threads may share it.

    `before` is called with the endpoint name and may raise to prevent the call; `after` receives the outcome. If
    `at_most` is given, no call waits longer than that. Endpoint names are apps, app_search, discover, app, estimate,
    run_start, run, runs, stream, cancel, account, usage, upload_urls and signing_key. Every method may raise
    LaminaUnavailable, LaminaRateLimited or LaminaRejected, or whatever `before` raises.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        before: Callable[[str], None] = _nothing,
        after: Callable[[CallOutcome], None] = _nothing,
        at_most: Timeouts | None = None,
    ) -> None:
        self._at_most = at_most
        self._base_url = base_url.rstrip("/")
        self._key = Key(api_key)
        self._before = before
        self._after = after

    def __repr__(self) -> str:
        return f"LaminaClient({self._base_url!r})"

    # --- Apps ---------------------------------------------------------------------------------------------------------
    def list_apps(self, limit: int | None = 200) -> list[AppSummary]:
        """Return one page of apps, most popular first. Lamina may leave some out, and apps that can't be read are
        skipped.

        If `limit` is None, Lamina decides how many to send. Waits at most 45 s. Source: GET /v1/apps.
        """
        return self._call(
            "apps",
            "GET",
            "/v1/apps",
            lambda body: answers.rows(AppSummary, body)[0],
            query={"limit": limit},
            wait=APP_LIST,
        )

    def search_apps(self, words: str, limit: int = FOUND_LIMIT) -> list[AppSummary]:
        """Return apps with `words` in their name or description, including unlisted apps. Waits at most 15 s.

        Source: GET /v1/apps?search=.
        """
        query = {"search": words, "limit": limit}
        return self._call(
            "app_search",
            "GET",
            "/v1/apps",
            lambda body: answers.rows(AppSummary, body)[0],
            query=query,
            wait=INTERACTIVE,
        )

    def discover(self, intent: str, limit: int = FOUND_LIMIT) -> list[AppMatch]:
        """Return apps that fit `intent` (a task in someone's own words), best first, each with a reason.

        Waits at most 15 s, starts no run and costs no credits. Some workspaces don't have this endpoint (404).
        Source: POST /v1/apps/discover.
        """
        body = {"intent": intent, "limit": limit}
        return self._call("discover", "POST", "/v1/apps/discover", matches, body=body, wait=INTERACTIVE)

    def get_app(self, app_id: str) -> AppDetail:
        """Return one app with its parameters. Waits at most 20 s. Source: GET /v1/apps/{id}."""
        path = f"/v1/apps/{_segment(app_id)}"
        return self._call("app", "GET", path, lambda body: answers.app_like(AppDetail, body, app_id), wait=SLOW)

    def estimate(self, app_id: str) -> Estimate:
        """Return the estimated cost of a full run, which doesn't depend on its inputs.

        Source: POST /v1/apps/{id}/estimate.
        """
        path = f"/v1/apps/{_segment(app_id)}/estimate"
        return self._call("estimate", "POST", path, answers.estimate, wait=SLOW)

    # --- Runs ---------------------------------------------------------------------------------------------------------
    def start_run(
        self,
        app_id: str,
        inputs: Mapping[str, Any],
        outputs: Sequence[str] | None = None,
        webhook: str | None = None,
    ) -> RunStarted:
        """Start a run, which costs credits. Waits at most 75 s. `outputs` are the labels of the outputs to produce (all
        of them by default).

        Repeat the call only after an error whose `nothing_happened` is True; after any other LaminaUnavailable, a run
        may have started anyway. Source: POST /v1/apps/{id}/runs, which has no idempotency key.
        """
        body: dict[str, Any] = {"inputs": dict(inputs)}
        if outputs:
            body["outputs"] = list(outputs)
        return self._call(
            "run_start",
            "POST",
            f"/v1/apps/{_segment(app_id)}/runs",
            lambda answer: answers.one(RunStarted, answer),
            query={"webhook": webhook},
            body=body,
            wait=START,
        )

    def get_run(self, run_id: str) -> RunSnapshot:
        """Return the state of one run. Unknown statuses count as running. Source: GET /v1/runs/{id}."""
        return self._call("run", "GET", f"/v1/runs/{_segment(run_id)}", lambda body: answers.snapshot(body, run_id))

    def list_runs(
        self,
        status: str | None = None,
        app_id: str | None = None,
        limit: int = LIST_LIMIT,
        offset: int = 0,
        since: datetime | None = None,
    ) -> RunRows:
        """Return a page of at most 100 of the workspace's runs (including those of other clients), newest first.

        Source: GET /v1/runs.
        """
        limit = max(1, min(limit, LIST_LIMIT))
        query = {"status": status, "appId": app_id, "limit": limit, "offset": offset or None, "since": _iso(since)}
        return self._call("runs", "GET", "/v1/runs", lambda body: answers.page(body, limit, offset), query=query)

    def follow_run(self, run_id: str) -> RunStream:
        """Return a stream of one run's changes, which counts as one request. The stream may be read in another thread.
        This calls `before` but not `after`; instead, the stream yields what `after` would receive.

        Source: GET /v1/runs/{id}/stream.
        """
        url = f"{self._base_url}/v1/runs/{_segment(run_id)}/stream"
        self._ensure_key("stream")
        self._before("stream")

        def connect(cutter: Cutter) -> AbstractContextManager[Flow | Reply | NoReply]:
            headers = self._headers(None) | {"Accept": "text/event-stream", "Accept-Encoding": "identity"}
            return open_flow(url, headers=headers, cutter=cutter, read_seconds=SILENT_SECONDS)

        return RunStream(run_id, connect, self._stream_opened, self._key)

    def cancel_run(self, run_id: str) -> str:
        """Ask Lamina to cancel a run; asking again is safe. Returns the status in the response, or "" if there is none.

        That status (such as "cancel_requested") doesn't prove that the run was cancelled; only reading the run later
        does. Source: POST /v1/runs/{id}/cancel.
        """
        path = f"/v1/runs/{_segment(run_id)}/cancel"
        return self._call("cancel", "POST", path, answers.status_word, may_be_empty=True)

    # --- The workspace ------------------------------------------------------------------------------------------------
    def account(self) -> Account:
        """Return the account that the key belongs to. This is also a cheap way to check the key.

        Source: GET /v1/account.
        """
        return self._call("account", "GET", "/v1/account", lambda body: answers.one(Account, body))

    def usage(self) -> Usage:
        """Return the credit balance of the workspace. Source: GET /v1/account/usage."""
        return self._call("usage", "GET", "/v1/account/usage", answers.usage)

    def upload_urls(self, files: Sequence[tuple[str, str]]) -> list[UploadTarget]:
        """Return upload URLs for `files`, in the same order. Each file is a (name, kind) pair, where the kind is
        "image", "video" or "audio".

        Source: POST /v1/assets/upload-urls.
        """
        names = [coerce.clean_text(filename) for filename, _ in files]
        requests = [{"filename": name, "mediaType": kind} for name, (_, kind) in zip(names, files, strict=True)]
        return self._call(
            "upload_urls",
            "POST",
            "/v1/assets/upload-urls",
            lambda body: answers.targets(body, names),
            body={"files": requests},
        )

    def signing_keys(self) -> list[dict[str, Any]]:
        """Return the JWKs for verifying webhook signatures. Lamina's documentation says that this response isn't
        wrapped in `data`.

        Source: GET /v1/webhooks/signing-key.
        """
        return self._call("signing_key", "GET", "/v1/webhooks/signing-key", answers.keys)

    # --- One call -----------------------------------------------------------------------------------------------------
    def _call[T](
        self,
        endpoint: str,
        method: str,
        path: str,
        read: Callable[[Any], T],
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        wait: Timeouts = QUICK,
        may_be_empty: bool = False,
    ) -> T:
        """Make one request and call both hooks.

        Errors are raised outside `except` blocks, so that they aren't chained to an exception that contains the key.
        """
        self._ensure_key(endpoint)
        self._before(endpoint)
        payload = None if body is None else json.dumps(coerce.clean_json(body)).encode()
        url = self._base_url + path + _query_string(query or {})
        reply = exchange(method, url, headers=self._headers(payload), body=payload, timeouts=self._at_most or wait)
        if isinstance(reply, NoReply):
            raise self._report(endpoint, None, _unanswered(reply))
        result = self._judged(reply, read, may_be_empty=may_be_empty)
        if isinstance(result, LaminaError):
            raise self._report(endpoint, reply, result)
        self._report(endpoint, reply, None)
        return result

    def _ensure_key(self, endpoint: str) -> None:
        if not self._key.is_sendable:
            raise self._report(endpoint, None, _no_key())

    def _headers(self, payload: bytes | None) -> dict[str, str]:
        headers = {
            "x-api-key": self._key.reveal(),
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": "Lamina-Portal",
        }
        return headers if payload is None else {**headers, "Content-Type": "application/json"}

    def _judged[T](self, reply: Reply, read: Callable[[Any], T], *, may_be_empty: bool) -> T | LaminaError:
        """Return the requested object, or the error that matches the response."""
        is_success = HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES
        body: Any = None
        try:
            body = answers.decode(reply.body if is_success else reply.body[:_ERROR_BYTES], self._key.secret)
            if is_success:
                return read(body)  # complete JSON is enough, even if the connection broke afterwards
        except answers.UnreadableAnswer:
            if is_success and reply.is_cut_off:
                return cut_off(reply.status, self._key.masked(reply.headers))
            if is_success and reply.is_whole and may_be_empty and not reply.body:
                return read(None)
            if body is None:
                text = reply.body[:_ERROR_BYTES].decode("utf-8-sig", errors="replace")
                body = coerce.clean_json(text, self._key.secret)
        return error_from(reply.status, self._key.masked(reply.headers), body)

    def _stream_opened(self, reply: Flow | Reply | NoReply) -> CallOutcome:
        """Return what the `after` hook would receive for opening a stream."""
        match reply:
            case NoReply():
                return self._answered("stream", None, _unanswered(reply))
            case Flow():
                return self._answered("stream", reply, None)
            case Reply():
                return self._answered("stream", reply, self._judged(reply, _no_stream, may_be_empty=False))

    def _answered(self, endpoint: str, reply: Flow | Reply | None, error: LaminaError | None) -> CallOutcome:
        headers = self._key.masked(reply.headers) if reply else CaseInsensitiveDict()
        return CallOutcome(endpoint, reply.status if reply else None, headers, error, datetime.now(UTC))

    def _report[E: LaminaError | None](self, endpoint: str, reply: Reply | None, error: E) -> E:
        """Call the `after` hook and return `error`. If the hook fails, only log it, because callers still need the
        response, which may contain the id of a new run."""
        outcome = self._answered(endpoint, reply, error)
        try:
            self._after(outcome)
        except Exception:
            logger.exception("Lamina's response to %s could not be recorded", endpoint)
        return error


def _no_stream(_: Any) -> LaminaError:
    """Raise `Unreadable`, because this response should have been a stream."""
    raise answers.UnreadableAnswer


def _segment(identity: str) -> str:
    """Quote an id for use in a URL's path. An id that can't be used in a path can't exist on Lamina, so it raises a 404
    error."""
    usable = coerce.as_id(coerce.clean_text(identity))
    if not usable:
        raise LaminaRejected("There is no such id.", status=HTTPStatus.NOT_FOUND, code="NOT_FOUND", is_from_lamina=True)
    return quote(usable, safe="")


def _query_string(query: Mapping[str, Any]) -> str:
    values = {name: coerce.clean_text(str(value)) for name, value in query.items() if value is not None}
    return f"?{urlencode(values)}" if values else ""


def _iso(moment: datetime | None) -> str | None:
    """Return `moment` in Lamina's time format: UTC with milliseconds, ending in Z."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _no_key() -> LaminaRejected:
    return LaminaRejected(
        "No usable Lamina key is set.", status=HTTPStatus.UNAUTHORIZED, code="AUTH_MISSING_KEY", nothing_happened=True
    )


def _unanswered(reply: NoReply) -> LaminaUnavailable:
    if not reply.was_sent:
        return LaminaUnavailable("Lamina could not be reached.", was_connected=False)
    if reply.is_timeout:
        return LaminaUnavailable("Lamina did not answer in time.")
    return LaminaUnavailable("The connection to Lamina broke off.")
