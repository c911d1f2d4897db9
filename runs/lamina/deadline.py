"""Connections that can be shut down from another thread, or at a deadline, even if headers are still trickling in.

Socket timeouts can't do this: they restart with every byte, so a slow server could hold a worker forever.
"""

import contextlib
import socket
import threading
import time
from functools import partial
from typing import Any, Self, cast

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool

SEND_SECONDS = 10.0


class Cutter:
    """Holds the connection of one call, so that any thread can shut it down."""

    def __init__(self) -> None:
        self.was_sent = False
        self.is_cut = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    @property
    def send_seconds(self) -> float:
        """How long sending the request may take."""
        return SEND_SECONDS

    def hold(self, connection: socket.socket) -> None:
        """Keep a duplicate of the socket, because TLS detaches the original. Shutting down either of them shuts down
        the connection."""
        self.let_go()
        with self._lock:
            self._socket = connection.dup()
            if self.is_cut:
                self._shut()

    def cut(self) -> None:
        """Shut the connection down now, or as soon as there is one."""
        with self._lock:
            self.is_cut = True
            self._shut()

    def let_go(self) -> None:
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    def _shut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # the other side has already closed it
                self._socket.shutdown(socket.SHUT_RDWR)


class Deadline(Cutter):
    """Shuts down a call's connection when its time is up."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._ends_at = time.monotonic() + seconds
        self._timer = threading.Timer(seconds, self.cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self.let_go()

    @property
    def send_seconds(self) -> float:
        return max(self._ends_at - time.monotonic(), 0.01)


class HeldConnection(HTTPConnection):
    """A connection that its `Cutter` can shut down."""

    def __init__(self, *args: Any, cutter: Cutter, **kwargs: Any) -> None:
        self.cutter = cutter
        super().__init__(*args, **kwargs)

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        self.cutter.hold(connection)
        return connection


class HeldTlsConnection(HeldConnection, HTTPSConnection):
    """The same over TLS."""


class CutAdapter(HTTPAdapter):
    """Opens connections that `cutter` can shut down."""

    kinds: tuple[type[HeldConnection], type[HeldConnection]] = HeldConnection, HeldTlsConnection

    def __init__(self, cutter: Cutter, **options: Any) -> None:
        super().__init__(**options)
        self._cutter = cutter

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        pool = cast(HTTPConnectionPool, super().get_connection_with_tls_context(*args, **kwargs))
        pool.ConnectionCls = partial(self.kinds[pool.scheme == "https"], cutter=self._cutter)  # type: ignore[assignment]
        return pool
