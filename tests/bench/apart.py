"""Runs one benchmark in its own process, for `tests.bench`: `python -m tests.bench.apart NAME RESULT_FILE RUNS
ONLY`."""

import signal
import sys
import tempfile
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from tests.bench.portal import Portal
from tests.bench.processes import Processes
from tests.bench.report import NO_ERROR, Report
from tests.support.engines import engine


@dataclass(frozen=True)
class Bench:
    """How to set up a benchmark: how many seconds a run takes in the sandbox, the requests allowed per minute, the time
    limit in seconds, the module (default: the name of the benchmark), and the engine (see `tests.support.engines`)."""

    run_seconds: float
    per_minute: int
    timeout_seconds: float
    module: str = ""
    engine: str = "sqlite"
    by_default: bool = True  # if False, the benchmark runs only when it's asked for by name


BENCHES = {
    "quick": Bench(run_seconds=3, per_minute=100_000, timeout_seconds=600, by_default=False),
    "first_view": Bench(run_seconds=0.5, per_minute=100_000, timeout_seconds=180),
    "memory": Bench(run_seconds=5, per_minute=100_000, timeout_seconds=600),
    "server_time": Bench(run_seconds=5, per_minute=100_000, timeout_seconds=600),
    "history": Bench(run_seconds=5, per_minute=100, timeout_seconds=180),
    "history_postgres": Bench(run_seconds=5, per_minute=100, timeout_seconds=180, module="history", engine="postgres"),
    "history_search": Bench(run_seconds=5, per_minute=100, timeout_seconds=600),
    "history_search_postgres": Bench(
        run_seconds=5, per_minute=100, timeout_seconds=3600, module="history_search", engine="postgres"
    ),
    "review": Bench(run_seconds=5, per_minute=100, timeout_seconds=900),
    "notices": Bench(run_seconds=5, per_minute=100, timeout_seconds=900),
    "notices_postgres": Bench(run_seconds=5, per_minute=100, timeout_seconds=3600, module="notices", engine="postgres"),
    "review_postgres": Bench(run_seconds=5, per_minute=100, timeout_seconds=3600, module="review", engine="postgres"),
    "seen": Bench(run_seconds=5, per_minute=100, timeout_seconds=900),
    "sent": Bench(run_seconds=5, per_minute=100, timeout_seconds=600),
    "files": Bench(run_seconds=3, per_minute=100_000, timeout_seconds=300),
    "damaged": Bench(run_seconds=0.5, per_minute=100_000, timeout_seconds=3600),
    "damaged_http": Bench(run_seconds=0.5, per_minute=100_000, timeout_seconds=900),
    "slow_clients": Bench(run_seconds=5, per_minute=100, timeout_seconds=600),
    "economy": Bench(run_seconds=30, per_minute=100, timeout_seconds=2700),
}


def main(name: str, result: str, runs: str, only: str = "") -> None:
    """Run the benchmark `name` and write its rows to the file `result`."""
    signal.signal(signal.SIGTERM, leave)
    setup, report = BENCHES[name], Report(Path(result))
    with (
        report.part(name.replace("_", " ")),
        engine(setup.engine) as where,
        tempfile.TemporaryDirectory(prefix=f"portal-bench-{name}-", ignore_cleanup_errors=True) as folder,
        Processes(Path(folder)) as processes,
    ):
        portal = Portal(
            Path(folder),
            processes,
            run_seconds=setup.run_seconds,
            per_minute=setup.per_minute,
            runs=int(runs),
            env=where.env,
        )
        portal.only = only
        import_module(f"tests.bench.{setup.module or name}").bench(portal, report)
        if any(row.target == NO_ERROR for row in report.rows()):
            processes.print_logs()


def leave(_signum: int, _frame: object) -> NoReturn:
    """Exit in a way that runs all `with` and `finally` cleanup, so that nothing is left behind."""
    sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
