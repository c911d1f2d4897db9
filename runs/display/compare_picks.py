"""The results that people can choose from for a comparison."""

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime

from runs.display.compare import AT_MOST, columns_of
from runs.history import query_timeout
from runs.history.filter_choices import Directory
from runs.history.filters import Filter
from runs.models import Member, Run, StoredFile, for_page

RUNS_OFFERED = 18
PICKS_OFFERED = 24
EXCERPT = 200


@dataclass(frozen=True)
class Pick:
    """A result that can be chosen for a comparison."""

    key: str
    run: Run
    label: str
    file: StoredFile | None
    excerpt: str
    created_at: datetime
    is_ticked: bool


def picks_of(run: Run, ticked: Sequence[str]) -> list[Pick]:
    """Return the results of a run (fetched with `for_page()`) that can be compared."""
    return [
        Pick(
            key=column.key,
            run=run,
            label=column.label,
            file=column.file,
            excerpt=column.box.text[:EXCERPT],
            created_at=run.created_at,
            is_ticked=column.key in ticked,
        )
        for column in columns_of(run)
        if column.kind
    ]


def suggested_picks(runs: Sequence[Run]) -> list[str]:
    """Return the keys ticked by default: all results of a single run, or the first result of each of several runs."""
    picks = [picks_of(run, []) for run in runs]
    suggested = picks[0] if len(picks) == 1 else [pick for of_run in picks for pick in of_run[:1]]
    return [pick.key for pick in suggested[:AT_MOST]]


def latest_picks(member: Member, words: str, ticked: Sequence[str], without: Iterable[Run]) -> list[Pick]:
    """Return the newest results from `member`'s own runs and teammates' shared runs, leaving out the runs in `without`.

    The search works the same way as in History: if no run has all the words, similar words count too.
    """
    left_out = {run.pk for run in without}
    directory = Filter(tab="both", q=words).directory(member)
    try:
        with query_timeout.at_most(query_timeout.SEARCH_SECONDS) if words else nullcontext():
            runs = _latest(member, Filter(q=words), directory)
            if words and not runs:
                runs = _latest(member, Filter(q=words, is_similar=True), directory)
    except query_timeout.TookTooLong:
        runs = []
    return [pick for run in runs if run.pk not in left_out for pick in picks_of(run, ticked)][:PICKS_OFFERED]


def _latest(member: Member, filters: Filter, directory: Directory) -> list[Run]:
    """Return the latest finished runs that match `filters`, both `member`'s own and teammates', newest first."""
    latest: list[Run] = []
    for tab in ("mine", "team"):
        runs = replace(filters, tab=tab).runs(member, directory).filter(status="completed")
        latest += for_page(runs.newest_first())[:RUNS_OFFERED]
    return sorted(latest, key=lambda run: run.created_at, reverse=True)
