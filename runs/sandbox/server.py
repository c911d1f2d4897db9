"""A threading HTTP/1.1 server on loopback, and `start_sandbox` for tests and benches."""

import contextlib
import shutil
import socket
import sys
import tempfile
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path

from runs.sandbox.api import Api
from runs.sandbox.control import Control
from runs.sandbox.files import Files
from runs.sandbox.follow import Following
from runs.sandbox.gallery import Gallery
from runs.sandbox.handler import Handler
from runs.sandbox.routing import Router
from runs.sandbox.search import Finding
from runs.sandbox.state import World
from runs.sandbox.transfers import Transfers
from runs.sandbox.webhooks import Deliveries

DEFAULT_SECONDS = 7.0
DEFAULT_PER_MINUTE = 100


class Server(ThreadingHTTPServer):
    """Keeps track of open connections, so that a stopped sandbox goes silent at once, like a killed one."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self, port: int, router: Router) -> None:
        self.router = router
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), Handler)

    def process_request_thread(self, request: socket.socket, client_address: tuple[str, int]) -> None:  # type: ignore[override]
        with self._lock:
            self._open.add(request)
        super().process_request_thread(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore callers that disconnected; print a traceback for anything else."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def close_connections(self) -> None:
        self.stopping.set()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class Sandbox:
    """A running sandbox; `url` has no trailing slash."""

    def __init__(self, port: int, data_dir: Path | None, seconds: float, per_minute: int | None) -> None:
        self._own_folder = None if data_dir else Path(tempfile.mkdtemp(prefix="lamina-sandbox-"))
        self.data_dir = data_dir or self._own_folder or Path()
        self.world = World(self.data_dir, seconds, per_minute)
        self._deliveries = Deliveries(self.world)
        gallery = Gallery(self.world)
        files = Files(self.world, gallery)
        router = Router(
            self.world,
            Api(self.world, self._deliveries),
            [Finding(self.world), Following(self.world), Transfers(self.world, files)],
            files,
            Control(self.world, self._deliveries),
        )
        self._server = Server(port, router)
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="sandbox", daemon=True)

    def start(self) -> None:
        self._deliveries.start()
        self._thread.start()

    def stop(self) -> None:
        """Stop at once: close open connections, free the port, keep the data."""
        self._server.shutdown()
        self._server.server_close()
        self._server.close_connections()
        self.world.end_delays(is_void=True)
        self._deliveries.stop()
        with self.world.lock:
            self.world.store.close()
        self._thread.join(timeout=5)
        if self._own_folder:
            shutil.rmtree(self._own_folder, ignore_errors=True)


def start_sandbox(
    port: int = 0,
    data_dir: Path | None = None,
    seconds: float = DEFAULT_SECONDS,
    per_minute: int | None = DEFAULT_PER_MINUTE,
) -> Sandbox:
    """Start a sandbox in threads of this process. Without `data_dir`, `stop()` deletes the data.

    Port 0 means any free port. `seconds` is how long an ordinary run takes. Raises OSError if the port is taken.
    """
    sandbox = Sandbox(port, data_dir, seconds, per_minute)
    sandbox.start()
    return sandbox
