"""The search for runs on Home: among a member's own runs and the runs shared with the team."""

from dataclasses import dataclass, field, replace

from runs.history import query_timeout
from runs.history.filter_choices import Directory
from runs.history.filters import Filter
from runs.history.order import page_of
from runs.history.widen import elsewhere
from runs.models import Member, Run
from runs.words.highlight import NONE, Marker

MOST_RUNS = 4


@dataclass(frozen=True)
class FoundRuns:
    """The newest matching runs, and the URLs of the lists that contain all of them. If `is_wider`, the runs don't match
    every word exactly."""

    runs: list[Run] = field(default_factory=list)
    is_wider: bool = False
    own_url: str = ""
    team_url: str = ""
    marker: Marker = NONE


def find_runs(member: Member, q: str) -> FoundRuns:
    """Return the newest runs that match `q`, among the member's own runs and those shared with the team. Even for
    admins, other people's private runs aren't included."""
    filters = Filter(tab="both", q=" ".join(q.split()))
    if not filters.words:
        return FoundRuns()
    directory = filters.directory(member)
    try:
        with query_timeout.at_most(query_timeout.SEARCH_SECONDS):
            runs = _newest(filters, member, directory)
            is_wider = not runs
            if is_wider:
                runs = _wider(filters, member, directory)
    except query_timeout.TookTooLong:
        return FoundRuns()
    own, team = (Filter(tab=tab, q=filters.q).url() for tab in ("mine", "team"))
    return FoundRuns(runs, bool(runs) and is_wider, own, team, Marker.of(filters.words, directory.lookups.similar))


def _wider(filters: Filter, member: Member, directory: Directory) -> list[Run]:
    """Return runs with similar words; if there are none, return runs that match when one word is left out."""
    similar = replace(filters, is_similar=True)
    directory.lookups.look_up(similar.word_queries(member, directory))
    if runs := _newest(similar, member, directory):
        return runs
    instead = elsewhere(filters, member, directory)
    return _newest(instead.wider.filter, member, directory) if instead.wider else []


def _newest(filters: Filter, member: Member, directory: Directory) -> list[Run]:
    """Return the newest runs that match `filters`. Own and shared runs are read separately, because each has an index
    in this order, and no index covers both."""
    runs = filters.runs(member, directory)
    lists = (runs.owned_by(member), runs.shared_by_others(member))
    newest = {run.pk: run for one in lists for run in page_of(one, size=MOST_RUNS).runs}
    return sorted(newest.values(), key=lambda run: (run.created_at, run.pk), reverse=True)[:MOST_RUNS]
