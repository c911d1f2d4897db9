"""The runs that the page of an app shows: examples to start from, and what was made with it."""

from collections.abc import Iterable

from runs.models import App, Member, Run
from runs.models.prepared import Prepared
from runs.models.run import RunQuerySet

RESULTS_SHOWN = 4
EXAMPLES_SHOWN = 3


def _ready(runs: RunQuerySet, app: int) -> RunQuerySet:
    """Return good runs of the app with the primary key `app`, with what their cards show besides the app."""
    return runs.filter(app_id=app).in_state("ready").newest_first().select_related("member", "made_by", "input_picture")


def _seen(member: Member) -> RunQuerySet:
    return Run.objects.owned_by(member) | Run.objects.shared_by_others(member)


_EXAMPLES = Prepared(lambda member, app: _ready(_seen(Member(pk=member)), app)[:EXAMPLES_SHOWN])
_OWN = Prepared(
    lambda member, app, *but: _ready(Run.objects.owned_by(Member(pk=member)).exclude(pk__in=but), app)[:RESULTS_SHOWN]
)
_SHARED = Prepared(lambda member, app: _ready(Run.objects.shared_by_others(Member(pk=member)), app)[:RESULTS_SHOWN])


def examples(member: Member, app: App) -> list[Run]:
    """Return the latest good runs of `app`, by the member and the team, whose inputs the form offers."""
    return _of(app, _EXAMPLES.rows(member.pk, app.pk))


def made(member: Member, app: App, but: Iterable[Run] = ()) -> list[Run]:
    """Return the member's latest good runs of `app` that aren't among the runs `but`; for viewers, the team's."""
    if not member.can_run:
        return _of(app, _SHARED.rows(member.pk, app.pk))
    return _of(app, _OWN.rows(member.pk, app.pk, *(run.pk for run in but)))


def _of(app: App, runs: list[Run]) -> list[Run]:
    for run in runs:
        run.app = app
    return runs
