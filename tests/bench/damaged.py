"""Opens ten thousand damaged files, covering every accepted kind, in the picture process. Makes guests' copies of
twenty thousand damaged files with planted words, and of the files that take the strippers longest."""

import tempfile
from pathlib import Path

from tests.bench.portal import Portal
from tests.bench.report import Report, number
from tests.support import planted_words, slow_files
from tests.support.damaged_files import kinds, look_at_all

COUNT = 10_000
COPIES = 20_000
SLOW_BYTES = 500_000


def bench(_: Portal, report: Report) -> None:
    with tempfile.TemporaryDirectory() as folder:
        look(report, Path(folder))
        plant(report, Path(folder))
        grow(report, Path(folder))


def look(report: Report, folder: Path) -> None:
    tally = look_at_all(COUNT, folder)
    for end, count in tally.ends.most_common():
        report.note(f"of {COUNT} files of {len(kinds())} kinds: {end}", str(count))
    report.at_most("uncaught errors", len(tally.uncaught), 0, aside=", ".join(tally.uncaught[:5]))
    report.at_most("died or timed out", tally.ends["follows"], 0)
    report.note("seconds", f"{number(tally.seconds)} (slowest file {number(tally.slowest_seconds)})")


def plant(report: Report, folder: Path) -> None:
    tally = planted_words.strip_all(range(COPIES), folder)
    for end, count in tally.ends.most_common():
        report.note(f"of {COPIES} copies for guests: {end}", str(count))
    report.at_most("with a planted word elsewhere", len(tally.holes), 0, aside=", ".join(tally.holes[:5]))


def grow(report: Report, folder: Path) -> None:
    for name in slow_files.MAKERS:
        small = slow_files.seconds_for(name, SLOW_BYTES, folder)
        large = slow_files.seconds_for(name, 10 * SLOW_BYTES, folder)
        aside = f"{number(small * 1000)} ms, then {number(large * 1000)} ms"
        report.at_most(f"{name}, ten times larger: times longer", round(large / small), 10, aside=aside)
