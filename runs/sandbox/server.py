"""The running sandbox, and `start_sandbox` for tests and benchmarks."""

import shutil
import tempfile
import threading
from pathlib import Path

from runs.sandbox.api import Api
from runs.sandbox.control import Control
from runs.sandbox.files import FileEndpoints
from runs.sandbox.follow import Following
from runs.sandbox.gallery import Gallery
from runs.sandbox.handler import Handler
from runs.sandbox.http_server import HttpServer
from runs.sandbox.routing import Router
from runs.sandbox.search import Finding
from runs.sandbox.state import DEFAULT_SECONDS, World
from runs.sandbox.transfers import Transfers
from runs.sandbox.webhooks import Deliveries

DEFAULT_PER_MINUTE = 100


class Sandbox:
    """A running sandbox; `url` has no trailing slash."""

    def __init__(
        self, port: int, data_dir: Path | None, seconds: float, per_minute: int | None, *, has_test_cards: bool = False
    ) -> None:
        self._own_folder = None if data_dir else Path(tempfile.mkdtemp(prefix="lamina-sandbox-"))
        self.data_dir = data_dir or self._own_folder or Path()
        self.world = World(self.data_dir, seconds, per_minute, has_test_cards)
        self._deliveries = Deliveries(self.world)
        gallery = Gallery(self.world)
        files = FileEndpoints(self.world, gallery)
        router = Router(
            self.world,
            Api(self.world, self._deliveries),
            [Finding(self.world), Following(self.world), Transfers(self.world, files)],
            files,
            Control(self.world, self._deliveries),
        )
        self._server = HttpServer(port, router, Handler)
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="sandbox", daemon=True)

    def start(self) -> None:
        self._deliveries.start()
        self._thread.start()

    def stop(self) -> None:
        """Close open connections and free the port, without waiting for requests to finish. Also delete the data folder
        if it is temporary."""
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
    *,
    has_test_cards: bool = False,
) -> Sandbox:
    """Start a sandbox in threads of this process. Without `data_dir`, data goes into a temporary folder, which `stop()`
    deletes.

    Port 0 means any free port. `seconds` is how long an ordinary run takes. With `has_test_cards`, the catalogue also
    contains the test cards. Raises OSError if the port is taken.
    """
    sandbox = Sandbox(port, data_dir, seconds, per_minute, has_test_cards=has_test_cards)
    sandbox.start()
    return sandbox
