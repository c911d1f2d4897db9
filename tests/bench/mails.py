"""Measures whether each email arrives exactly once: 300 emails while the sender is killed 50 times, and 1,000 through a
mail server that defers emails, drops connections, and stalls for a minute. Runs on both database engines if both are
available."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench.portal import Portal
from tests.bench.report import Report
from tests.support import mail_trials
from tests.support.engines import engine, names
from tests.support.mail_trials import Verdict

KILLED, KILLS = 300, 50
MANY = 1_000
SEED = 1
STALL_SECONDS = 60.0


def bench(_portal: Portal, report: Report) -> None:
    """Start separate portals that only send emails. The benchmark's usual portal stays idle."""
    for name in names():
        with report.part(f"{KILLED} mails, kill -9 of the sender, {name}"):
            verdict = _tried(name, lambda folder, env: mail_trials.killed(folder, KILLED, KILLS, SEED, **env))
            report.note("kills", str(verdict.kills))
            _tell(report, verdict, doubled=verdict.kills)
        with report.part(f"{MANY:,} mails, a server that puts off, drops and stalls, {name}"):
            verdict = _tried(name, lambda folder, env: mail_trials.difficult(folder, MANY, SEED, STALL_SECONDS, **env))
            _tell(report, verdict, doubled=0)


def _tried(name: str, trial: Callable[[Path, dict[str, str]], Verdict]) -> Verdict:
    with (
        engine(name) as where,
        tempfile.TemporaryDirectory(prefix="portal-mails-", ignore_cleanup_errors=True) as folder,
    ):
        return trial(Path(folder), where.env)


def _tell(report: Report, verdict: Verdict, *, doubled: int) -> None:
    report.note("arrived, in", f"{verdict.arrived} of {verdict.mails}, {verdict.seconds:.0f} s")
    report.at_most("never arrived", verdict.mails - verdict.arrived, 0)
    report.at_most("arrived twice", verdict.doubled, doubled)
    report.at_most("arrived twice under two Message-IDs", verdict.other_ids, 0)
    report.at_most("tries of one mail", verdict.tries, 5)
