"""The runs that an app's page shows: examples to start from, and runs that people made with the app."""

from collections.abc import Iterable

from runs.models import App, Member, Run
from runs.models.run import CARD_COLUMNS, RunQuerySet

RESULTS_SHOWN = 4
EXAMPLES_SHOWN = 3
REJECTED = " rejected "  # the value of `Run.verdicts` if all results are rejected
APPROVED = " approved "  # part of the value of `Run.verdicts` if any result is approved
# The columns that cards need, except those of the app and the people, which are loaded separately
COLUMNS = (
    *(name for name in CARD_COLUMNS if not name.startswith(("app__", "member__", "made_by__", "starred_by__"))),
    *("app_id", "member_id", "made_by_id"),
)


def _ready(runs: RunQuerySet, app: App) -> RunQuerySet:
    """Return good runs of `app`. The people behind them aren't loaded, because often that's just the viewer."""
    ready = runs.filter(app=app).in_state("ready").newest_first()
    return ready.select_related("input_picture").only(*COLUMNS)


def approved_query(member: Member, app: App) -> RunQuerySet:
    """Return the query for the newest runs with an approved result, even if other results of the run failed."""
    seen = Run.objects.own_or_shared(member).filter(app=app, status=Run.Status.COMPLETED)
    return _newest(seen.filter(verdicts__contains=APPROVED))


def undecided_query(member: Member, app: App) -> RunQuerySet:
    """Return the query for the newest good runs without an approved result."""
    seen = Run.objects.own_or_shared(member).filter(app=app).in_state("ready")
    return _newest(seen.exclude(verdicts=REJECTED).exclude(verdicts__contains=APPROVED))


def _newest(runs: RunQuerySet) -> RunQuerySet:
    """Return the first of `runs` for `examples`. They are found by an index alone, however many runs there are."""
    newest = runs.newest_first().values("pk")[:EXAMPLES_SHOWN]
    return Run.objects.filter(pk__in=newest).select_related("input_picture").only(*COLUMNS).newest_first()


def examples(member: Member, app: App) -> list[Run]:
    """Return the latest good runs of `app` by the member and the team, which the form offers as examples. Runs with an
    approved result come first; runs whose results are all rejected are left out."""
    approved = list(approved_query(member, app))
    missing = EXAMPLES_SHOWN - len(approved)
    return [*approved, *list(undecided_query(member, app))[:missing]] if missing else approved


def made(member: Member, app: App, but: Iterable[Run] = ()) -> list[Run]:
    """Return the member's latest good runs of `app`, except those in `but`. Viewers get the team's runs."""
    if not member.can_run:
        return list(_ready(Run.objects.shared_by_others(member), app)[:RESULTS_SHOWN])
    own = Run.objects.owned_by(member).exclude(pk__in=[run.pk for run in but])
    return list(_ready(own, app)[:RESULTS_SHOWN])


def load_for_cards(runs: list[Run], app: App, viewer: Member) -> None:
    """Load what cards still need for `runs`, all of which belong to `app`: the app, and the people other than the
    viewer."""
    others = {key for run in runs for key in (run.member_id, run.made_by_id) if key} - {viewer.pk}
    people = {viewer.pk: viewer} | Member.objects.in_bulk(others)
    for run in runs:
        run.app, run.member = app, people[run.member_id]
        run.made_by = people[run.made_by_id] if run.made_by_id else None
