"""The runs that an app's page shows: examples to start from, and runs that people made with the app."""

from collections.abc import Iterable

from django.db.models import Case, IntegerField, When

from runs.models import App, Member, Run
from runs.models.prepared import Prepared, padded
from runs.models.run import CARD_COLUMNS, RunQuerySet

RESULTS_SHOWN = 4
EXAMPLES_SHOWN = 3
EXAMPLES_FROM = 50  # how many of the newest good runs the examples are chosen from
REJECTED = " rejected "  # the value of `Run.verdicts` if all results are rejected
# The columns that cards need, except those of the app and the people, which are loaded separately
COLUMNS = (
    *(name for name in CARD_COLUMNS if not name.startswith(("app__", "member__", "made_by__", "starred_by__"))),
    *("app_id", "member_id", "made_by_id"),
)


def _ready(runs: RunQuerySet, app: int) -> RunQuerySet:
    """Return good runs of the app with the primary key `app`. The people behind them aren't loaded, because often
    that's just the viewer."""
    ready = runs.filter(app_id=app).in_state("ready").newest_first()
    return ready.select_related("input_picture").only(*COLUMNS)


def examples_query(member: int, app: int) -> RunQuerySet:
    """Return the query for `examples`. It finds the newest runs using only an index, so it is fast no matter how many
    runs there are."""
    seen = Run.objects.own_or_shared(Member(pk=member))
    ready = seen.filter(app_id=app).in_state("ready").exclude(verdicts=REJECTED)
    newest = ready.newest_first().values("pk")[:EXAMPLES_FROM]
    is_approved = Case(When(outputs_approved__gt=0, then=1), default=0, output_field=IntegerField())
    found = Run.objects.filter(pk__in=newest).select_related("input_picture").only(*COLUMNS)
    return found.order_by(is_approved.desc(), "-created_at", "-pk")[:EXAMPLES_SHOWN]


_EXAMPLES = Prepared(examples_query)
_OWN = Prepared(
    lambda member, app, *but: _ready(Run.objects.owned_by(Member(pk=member)).exclude(pk__in=but), app)[:RESULTS_SHOWN]
)
_SHARED = Prepared(lambda member, app: _ready(Run.objects.shared_by_others(Member(pk=member)), app)[:RESULTS_SHOWN])
_PEOPLE = Prepared(lambda *keys: Member.objects.filter(pk__in=keys))


def examples(member: Member, app: App) -> list[Run]:
    """Return the latest good runs of `app` by the member and the team, which the form offers as examples. Runs with an
    approved result come first; runs whose results are all rejected are left out."""
    return _EXAMPLES.rows(member.pk, app.pk)


def made(member: Member, app: App, but: Iterable[Run] = ()) -> list[Run]:
    """Return the member's latest good runs of `app`, except those in `but`. Viewers get the team's runs."""
    if not member.can_run:
        return _SHARED.rows(member.pk, app.pk)
    return _OWN.rows(member.pk, app.pk, *(run.pk for run in but))


def load_for_cards(runs: list[Run], app: App, viewer: Member) -> None:
    """Load what cards still need for `runs`, all of which belong to `app`: the app, and the people other than the
    viewer."""
    others = sorted({key for run in runs for key in (run.member_id, run.made_by_id) if key} - {viewer.pk})
    people = {viewer.pk: viewer} | {one.pk: one for one in (_PEOPLE.rows(*padded(others)) if others else [])}
    for run in runs:
        run.app, run.member = app, people[run.member_id]
        run.made_by = people[run.made_by_id] if run.made_by_id else None
