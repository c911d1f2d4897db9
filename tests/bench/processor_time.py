"""Measures the processor time that the portal and PostgreSQL use for one piece of work. Other work on the machine
hardly affects the figures."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from django.db import connection

from tests.bench.report import Report, number

MS_PER_TICK = 1000 / os.sysconf("SC_CLK_TCK")
ROUNDS = 20


def report_processor_time(report: Report, work: Callable[[], object], per_round: int = 1) -> None:
    """Report the mean processor time, in milliseconds, for one piece of work. Each call to `work` does `per_round`
    pieces. With SQLite, the database's time is part of the portal's."""
    work()
    server, begun = _ticks_of_postgres(), time.process_time()
    for _ in range(ROUNDS):
        work()
    own = (time.process_time() - begun) * 1000 / ROUNDS / per_round
    told = f"{number(own)} ms"
    if server is not None:
        database = ((_ticks_of_postgres() or server) - server) * MS_PER_TICK / ROUNDS / per_round
        told += f", the database's {number(database)} ms"
    report.note("processor time", told)


def _ticks_of_postgres() -> int | None:
    """Return how many ticks of processor time this connection's server process has used, or None if it isn't running on
    this machine."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists() or "postgres" not in stat.read_text():
        return None
    fields = stat.read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
