"""gunicorn's threaded worker, changed so that slow clients don't keep threads waiting.

gunicorn gives each new connection to a thread, so 16 clients that send just a byte now and then could tie up every
thread. Here, a single non-blocking loop reads headers and bodies of up to 64 KB, sends responses to slow readers and
closes connections. Threads only get complete requests. Everything has a deadline (`deadlines`, `sockets`). Clients use
plain HTTP/1.1; TLS is left to the proxy.
"""

import errno
import resource
import selectors
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from lamina_portal.server.deadlines import BODY_SECONDS, HEAD_SECONDS, UPLOAD_SECONDS, Arrival, Progress
from lamina_portal.server.fair_shares import Share
from lamina_portal.server.sockets import ClientSocket, TimeAllowance
from lamina_portal.server.threads import Threads

SPARE_THREADS = 16  # extra threads while others are waiting for uploads or slow readers
STALLED_SECONDS = 60.0  # how long the loop waits for a client that isn't reading its response
LINGER_SECONDS = 10.0  # how long a client gets in total to read the last response before we close the connection
LINGER_QUIET_SECONDS = 2.0
LINGER_BYTES = 64 * 1024  # how much to read from a client that keeps sending; the rest is ignored
GIVE_WAY_SECONDS = 0.01  # how long to leave new connections to a less busy worker
SWEEP_SECONDS = 0.5
RECEIVE = 64 * 1024  # how many bytes to read at once
NEARLY_FULL = 0.9  # as a share of gunicorn's worker_connections
FAULT_OF_CLIENT = (errno.EAGAIN, errno.ECONNABORTED)
OUT_OF_FILES = (errno.EMFILE, errno.ENFILE)
OPEN_FILES = 4096  # the limit we set if the system allows it; each client and each file being sent needs a descriptor

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# Django adds headers like these to its own responses
REFUSAL = (
    "HTTP/1.1 {}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nCache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\nContent-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n\r\n{}"
)
TIMED_OUT = "408 Request Timeout"


class Connection(TConn):  # type: ignore[misc]  # gunicorn has no types
    """A connection to one client.

    While the main loop has the connection, it waits until `due` for an event, which `waits_for` then handles. The rest
    of the time, the connection belongs to a thread.
    """

    sock: ClientSocket

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        now = time.monotonic()
        self.data_ready = True
        self.arrival = Arrival(now + HEAD_SECONDS, is_first=True)
        self.since = now
        self.due = self.arrival.due
        self.waits_for: Callable[[Connection], None] | None = None
        self.is_kept = False  # whether to keep it open for another request
        self.lingers_until = 0.0
        self.discarded = 0  # how many bytes the client has sent since the last response


class Worker(ThreadWorker):  # type: ignore[misc]
    """The worker class for gunicorn; see the module docstring."""

    def __init__(self, age: int, *arguments: Any, **options: Any) -> None:
        super().__init__(age, *arguments, **options)
        self.share = Share(age)
        self.waiting: set[Connection] = set()  # the connections that belong to the main loop
        self.gives_way_until = self.gave_way_at = 0.0
        self.swept_at = 0.0

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        if cfg.is_ssl:
            raise RuntimeError("The portal's web server speaks plain HTTP; use a proxy in front of it for https.")

    def init_process(self) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < OPEN_FILES:
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(OPEN_FILES, hard) if hard >= 0 else OPEN_FILES, hard))
        super().init_process()

    def get_thread_pool(self) -> Threads:
        return Threads(self.cfg.threads, SPARE_THREADS, close_database_connections)

    # --- gunicorn's loop, where it differs ---------------------------------------------------------------------------

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled and time.monotonic() >= self.gives_way_until)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        now = time.monotonic()
        if self.gives_way_until > now:
            timeout = self.gives_way_until - now
        elif not self.alive:
            timeout = min(timeout, SWEEP_SECONDS)  # don't delay the shutdown
        self.share.tell(self.nr_conns)
        super().wait_for_and_dispatch_events(timeout)
        self._sweep()

    def murder_keepalived(self, force: bool = False) -> None:
        if force:
            self.share.leave()
            for conn in list(self.waiting):
                self._drop(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        """Give clients until `deadline` to start a request; called when the worker is stopping."""
        for conn in self.waiting:
            if conn.waits_for == self._receive and not conn.arrival.has_begun:
                conn.due = min(conn.due, deadline)

    def _sweep(self) -> None:
        """Disconnect any clients that have run out of time."""
        now = time.monotonic()
        if now - self.swept_at < SWEEP_SECONDS:
            return
        self.swept_at = now
        for conn in [conn for conn in self.waiting if conn.due <= now]:
            if conn.waits_for == self._receive and conn.arrival.has_begun:
                self._refuse(conn, TIMED_OUT)
                continue
            if conn.waits_for == self._send:
                conn.sock.give_up()
            self._drop(conn)

    # --- opening and closing connections -----------------------------------------------------------------------------

    def accept(self, listener: Any) -> None:
        now = time.monotonic()
        if self.share.is_above(self.nr_conns) and now > self.gave_way_at + 2 * GIVE_WAY_SECONDS:
            self._give_way(now)
            return
        self.gave_way_at = 0.0
        try:
            accepted, address = listener.accept()
        except OSError as error:
            if error.errno in OUT_OF_FILES:
                self._make_room()
                self._give_way(now)
            elif error.errno not in FAULT_OF_CLIENT:
                raise
            return
        if self.nr_conns >= self.worker_connections * NEARLY_FULL:
            self._make_room()
        conn = Connection(self.cfg, ClientSocket(accepted, self.tpool.away), address, listener.getsockname())
        self.nr_conns += 1
        self.share.tell(self.nr_conns)
        self._receive(conn)

    def _give_way(self, now: float) -> None:
        """Leave the next connection to another worker, but only for a moment, because that worker may be busy."""
        self.gave_way_at, self.gives_way_until = now, now + GIVE_WAY_SECONDS
        self.set_accept_enabled(False)

    def _make_room(self) -> None:
        """Disconnect the client that has kept us waiting the longest for its request.

        Well-behaved clients send their requests right away.
        """
        silent = [conn for conn in self.waiting if conn.waits_for != self._send]
        if silent:
            self._drop(min(silent, key=lambda conn: conn.since))

    def _watch(self, conn: Connection, event: int, waits_for: Callable[[Connection], None], due: float) -> None:
        """Call `waits_for` when `event` happens; `_sweep` disconnects the client after `due`."""
        if conn.waits_for != waits_for:
            change = self.poller.modify if conn in self.waiting else self.poller.register
            change(conn.sock, event, partial(self._happened, conn))
            self.waiting.add(conn)
            conn.waits_for, conn.since = waits_for, time.monotonic()
        conn.due = due

    def _happened(self, conn: Connection, _: Any) -> None:
        if conn.waits_for is not None:  # otherwise the client has just been disconnected
            conn.waits_for(conn)

    def _unwatch(self, conn: Connection) -> None:
        if conn in self.waiting:
            self.waiting.remove(conn)
            if conn.waits_for is not None:
                self.poller.unregister(conn.sock)
        conn.waits_for = None

    def _leave_until_due(self, conn: Connection) -> None:
        """Stop watching; `_sweep` disconnects the client later."""
        self.poller.unregister(conn.sock)
        conn.waits_for = None

    def _drop(self, conn: Connection) -> None:
        self._unwatch(conn)
        self.nr_conns -= 1
        conn.close()

    # --- receiving requests ------------------------------------------------------------------------------------------

    def _receive(self, conn: Connection) -> None:
        try:
            data = conn.sock.recv_now(RECEIVE)
        except OSError:
            data = b""
        if data is None:
            self._watch(conn, selectors.EVENT_READ, self._receive, conn.arrival.due)
        elif data:
            self._take(conn, data)
        else:
            self._drop(conn)

    def _take(self, conn: Connection, data: bytes) -> None:
        """Add `data` to the request; once enough has arrived, hand it to a thread."""
        progress = conn.arrival.add(data, time.monotonic())
        if progress in (Progress.NO_LENGTH, Progress.TOO_LARGE):
            self._refuse(conn, progress.value)
            return
        if progress is Progress.READY:
            self._hand_over(conn)
            return
        self._watch(conn, selectors.EVENT_READ, self._receive, conn.arrival.due)
        if progress is Progress.CONTINUE:
            with suppress(OSError):  # if this fails, the loop will notice that the client has disconnected
                conn.sock.sendall(CONTINUE)

    def _hand_over(self, conn: Connection) -> None:
        self._unwatch(conn)
        arrival = conn.arrival
        if arrival.is_large:
            is_upload = arrival.is_upload
            conn.sock.uploading = TimeAllowance(UPLOAD_SECONDS) if is_upload else TimeAllowance.in_all(BODY_SECONDS)
        else:
            conn.sock.uploading = None
        conn.sock.taking = TimeAllowance()
        conn.init()
        conn.parser.unreader.unread(bytes(arrival.received))
        arrival.received = bytearray()
        self.enqueue_req(conn)

    def _refuse(self, conn: Connection, status: str) -> None:
        """Send an error without using a thread, then close the connection."""
        with suppress(OSError):  # `_send` will get the same error and handle it
            conn.sock.sendall(REFUSAL.format(status, len(status), status).encode())
        conn.is_kept = False
        self._send(conn)

    # --- in a thread -------------------------------------------------------------------------------------------------

    def handle_request(self, req: Any, conn: Connection) -> Any:
        """Handle a request. If its body still hasn't been read to the end, the response says that the connection will
        be closed."""
        if conn.sock.uploading:
            should_close = req.should_close

            def closes() -> bool:
                if req.body.reader.length:
                    req.force_close()
                return bool(should_close())

            req.should_close = closes
        return super().handle_request(req, conn)

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        conn.sock.uploading = None
        return super()._keepalive_after(conn, keepalive)  # type: ignore[no-any-return]

    # --- sending responses -------------------------------------------------------------------------------------------

    def finish_request(self, conn: Connection, future: Future[bool]) -> None:
        """Send the response from the loop, now that the thread is done with the request."""
        conn.is_kept = not future.cancelled() and future.exception() is None and bool(future.result())
        self._send(conn)

    def _send(self, conn: Connection) -> None:
        try:
            is_sent = conn.sock.flush()
        except OSError:
            self._drop(conn)
            return
        if not is_sent:
            self._watch(conn, selectors.EVENT_WRITE, self._send, time.monotonic() + STALLED_SECONDS)
        elif conn.is_kept:
            self._await_next(conn)
        else:
            self._linger(conn)

    def _await_next(self, conn: Connection) -> None:
        seconds = self.cfg.keepalive if self.alive else min(self.cfg.keepalive, STOP_KEEPALIVE_LINGER)
        conn.arrival = Arrival(time.monotonic() + seconds, is_first=False)
        if ahead := conn.parser.unreader.take_buffered():
            self._take(conn, ahead)
        else:
            self._watch(conn, selectors.EVENT_READ, self._receive, conn.arrival.due)

    def _linger(self, conn: Connection) -> None:
        """Stop sending, and wait for the client to close the connection.

        If we closed it while data from the client was still unread, the connection would be reset, and the client might
        lose the last response.
        """
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(conn)
            return
        now = time.monotonic()
        conn.lingers_until = now + LINGER_SECONDS
        self._watch(conn, selectors.EVENT_READ, self._discard, now + LINGER_QUIET_SECONDS)

    def _discard(self, conn: Connection) -> None:
        try:
            data = conn.sock.recv_now(RECEIVE)
        except OSError:
            data = b""
        if data:
            conn.due = min(time.monotonic() + LINGER_QUIET_SECONDS, conn.lingers_until)
            conn.discarded += len(data)
            if conn.discarded >= LINGER_BYTES:
                self._leave_until_due(conn)
        elif data is not None:
            self._drop(conn)


def close_database_connections() -> None:
    """Close this thread's database connections."""
    from django.db import connections

    connections.close_all()
