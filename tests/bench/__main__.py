"""`python -m tests.bench [NAME…] [--runs N] [--only WORDS] [--keep]`: prints one table and writes it to
docs/benchmarks.md. The exit code is 1 if a target was missed or nothing was measured."""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from runs.background.prctl import die_with_parent
from tests.bench import kept, page
from tests.bench.apart import BENCHES, leave
from tests.bench.report import NO_ERROR, Report, Row, header
from tests.support import engines
from tests.support.processes import ROOT

STOP_SECONDS = 30.0
COMPARED = {"quick"}  # benchmarks compared with stored figures, so not written to docs/benchmarks.md
LOG_SHOWN = 3_000  # how many characters of a benchmark's output to show if something goes wrong


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one or more of {', '.join(BENCHES)}; default: all")
    parser.add_argument("--runs", type=int, default=100_000, help="runs in History (default: 100,000)")
    only = "only rows of `economy` with WORDS in the title"
    parser.add_argument("--only", default="", metavar="WORDS", help=only)
    parser.add_argument(
        "--keep", action="store_true", help="store the figures of `quick`, to compare later ones with them"
    )
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(BENCHES):
        parser.error(f"there is no benchmark named {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    for sig in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sig, leave)  # must be explicit: a job started with `&` inherits an ignored SIGINT
    print(f"On {os.cpu_count()} cores, {os.getloadavg()[0]:.1f} of them busy in the last minute.\n")
    print(header(), flush=True)
    verdicts: list[bool] = []
    left_out = []
    for name in options.names or [name for name, setup in BENCHES.items() if setup.by_default]:
        if BENCHES[name].engine not in engines.names():
            print(Row(name, "needs TEST_DATABASE_URL and TEST_REDIS_URL").as_line(), flush=True)
            left_out.append(name)
            continue
        rows = run_apart(name, options.runs, options.only)
        for row in rows:
            print(row.as_line(), flush=True)
            verdicts += [] if row.met is None else [row.met]
        if options.keep and name in COMPARED and not any(row.target == NO_ERROR for row in rows):
            kept.keep(rows)
            print("\nKept: the next figures are compared with these.")
            return 0
        if name not in COMPARED and not options.only:
            page.write(name, rows)
    print(f"\n{verdict_of(verdicts)}")
    if left_out:
        print(f"Not measured: {', '.join(left_out)}.")
    return 0 if verdicts and all(verdicts) else 1


def verdict_of(verdicts: Sequence[bool]) -> str:
    """Return the summary. `verdicts` says whether each measured target was met."""
    if not verdicts:
        return "Nothing was measured."
    return "Every measured target is met." if all(verdicts) else "Not every target is met."


def run_apart(name: str, runs: int, only: str = "") -> list[Row]:
    """Run one benchmark in its own process, with a time limit. If anything goes wrong, the last row says so."""
    # A large history takes longer to create: about one minute more per 10,000 runs.
    timeout = BENCHES[name].timeout_seconds + (
        runs / 10_000 * 60 if name.startswith(("history", "review", "notices")) else 0
    )
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        report, log = Report(Path(folder) / "rows"), Path(folder) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.bench.apart", name, str(report.path), str(runs), only],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=partial(die_with_parent, os.getpid(), signal.SIGTERM),
            )
        problem = ""
        try:
            code = process.wait(timeout)
            problem = f"ended with {code}" if code else ""
        except subprocess.TimeoutExpired:
            problem = f"took longer than {timeout:.0f} s"
        finally:
            stop(process)
        rows = report.rows()
        if problem or not rows:
            rows.append(Row(name, problem or "found nothing", NO_ERROR, False))
        if any(row.target == NO_ERROR for row in rows):
            print(log.read_text(errors="replace")[-LOG_SHOWN:], file=sys.stderr)
        return rows


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Ask the process to exit, so that it can stop its child processes; then kill whatever is left."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
