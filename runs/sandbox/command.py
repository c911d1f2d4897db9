"""The command line of the sandbox, shared by `manage.py lamina_sandbox` and `python -m runs.sandbox`."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from runs.sandbox.server import DEFAULT_PER_MINUTE, start_sandbox
from runs.sandbox.state import DEFAULT_SECONDS

DEFAULT_PORT = 8900
DEFAULT_DATA = Path("var/sandbox/lamina")


def add_arguments(parser: argparse.ArgumentParser, default_data: Path = DEFAULT_DATA) -> None:
    """Add the options; `default_data` is the folder for runs and uploads if --data is not given."""
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="TCP port on 127.0.0.1 (0: any free port)")
    parser.add_argument("--data", type=Path, default=default_data, help="folder for runs and uploads")
    parser.add_argument("--seconds", type=float, default=DEFAULT_SECONDS, help="seconds an ordinary run takes")
    parser.add_argument("--per-minute", type=int, default=DEFAULT_PER_MINUTE, help="requests allowed in 60 seconds")
    parser.add_argument("--test-cards", action="store_true", help="also show the test apps, each with one oddity")


def serve_until_signalled(
    port: int, data: Path, seconds: float, per_minute: int, *, has_test_cards: bool = False
) -> int:
    """Serve until SIGTERM, SIGINT or SIGHUP. Return the exit code: 0 after a clean stop, 1 if the port was taken."""
    stop = threading.Event()
    # Handle SIGINT explicitly, because shells make background jobs ignore it.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    try:
        sandbox = start_sandbox(port, data, seconds, per_minute, has_test_cards=has_test_cards)
    except (OSError, OverflowError) as error:
        sys.stderr.write(f"The sandbox cannot listen on 127.0.0.1:{port}: {error}\n")
        return 1
    sys.stdout.write(f"Sandbox Lamina on {sandbox.url} (nothing here is real)\n")
    sys.stdout.flush()
    stop.wait()
    sandbox.stop()
    return 0


def main(argv: Sequence[str]) -> int:
    """Parse the options and serve; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m runs.sandbox", description="A stand-alone sandbox Lamina.")
    add_arguments(parser)
    options = parser.parse_args(argv)
    return serve_until_signalled(
        options.port, options.data, options.seconds, options.per_minute, has_test_cards=options.test_cards
    )
