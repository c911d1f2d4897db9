"""The search for runs on Home: among a member's own runs and the runs shared with the team."""

from dataclasses import dataclass, field

from runs.history import query_timeout
from runs.history.filter_choices import Directory
from runs.history.order import page_of
from runs.history.search import Filter
from runs.history.widen import elsewhere
from runs.models import Member, Run
from runs.words.highlight import NONE, Marker

SHOWN = 4


@dataclass(frozen=True)
class FoundRuns:
    """The newest matching runs, and URLs to see all of them. If `is_wider`, not every word matches exactly."""

    runs: list[Run] = field(default_factory=list)
    is_wider: bool = False
    own_url: str = ""
    team_url: str = ""
    marker: Marker = NONE


def find_runs(member: Member, q: str) -> FoundRuns:
    """Return the newest runs that match `q`, among the member's own runs and those shared with the team (even if the
    member is an admin)."""
    found = Filter(tab="both", q=" ".join(q.split()))
    if not found.words:
        return FoundRuns()
    directory = Directory.load(member, found.q)
    try:
        with query_timeout.at_most(query_timeout.SEARCH_SECONDS):
            runs, wider = page_of(found.runs(member, directory), size=SHOWN).runs, None
            if not runs:
                instead = elsewhere(found, member, directory)
                wider = instead.wider
                runs = page_of(wider.filter.runs(member, instead.directory), size=SHOWN).runs if wider else []
    except query_timeout.TookTooLong:
        return FoundRuns()
    own, team = (Filter(tab=tab, q=found.q).url() for tab in ("mine", "team"))
    return FoundRuns(runs, wider is not None, own, team, Marker.of(found.words, directory.similar))
