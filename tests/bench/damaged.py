"""Opens ten thousand damaged files, covering every accepted kind, in the picture process."""

import tempfile
from pathlib import Path

from tests.bench.portal import Portal
from tests.bench.report import Report, number
from tests.support.damaged_files import kinds, look_at_all

COUNT = 10_000


def bench(_: Portal, report: Report) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tally = look_at_all(COUNT, Path(folder))
    for end, count in tally.ends.most_common():
        report.note(f"of {COUNT} files of {len(kinds())} kinds: {end}", str(count))
    report.at_most("uncaught errors", len(tally.uncaught), 0, aside=", ".join(tally.uncaught[:5]))
    report.at_most("died or timed out", tally.ends["follows"], 0)
    report.note("seconds", f"{number(tally.seconds)} (slowest file {number(tally.slowest_seconds)})")
