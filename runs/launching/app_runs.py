"""The runs that an app's page shows: examples to start from, and runs that people made with the app."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from runs.models import App, Member, Run
from runs.models.run import RUN_CARD_COLUMNS, RunQuerySet

RESULTS_SHOWN = 4
LATELY = timedelta(days=1)  # for how long a member's last run matters to the form
EXAMPLES_SHOWN = 3
REJECTED = " rejected "  # the value of `Run.verdicts` if all results are rejected
APPROVED = " approved "  # part of the value of `Run.verdicts` if any result is approved


@dataclass(frozen=True)
class AppRuns:
    """The runs for one app's page. `latest` is the last run that the member started within a day, whatever became of
    it."""

    examples: list[Run]
    recent: list[Run]
    latest: Run | None


def approved_query(member: Member, app: App) -> RunQuerySet:
    """Return the query for the newest runs with an approved result, even if other results of the run failed."""
    visible = Run.objects.own_or_shared(member).filter(app=app, status=Run.Status.COMPLETED)
    return visible.filter(verdicts__contains=APPROVED).newest_first()[:EXAMPLES_SHOWN]


def undecided_query(member: Member, app: App) -> RunQuerySet:
    """Return the query for the newest good runs without an approved result."""
    visible = Run.objects.own_or_shared(member).filter(app=app).in_state("ready")
    return visible.exclude(verdicts=REJECTED).exclude(verdicts__contains=APPROVED).newest_first()[:EXAMPLES_SHOWN]


def app_runs(member: Member, app: App, *, has_form: bool = True) -> AppRuns:
    """Return the runs of `app` for its page, using a single query.

    A form offers examples: the latest good runs by the member and the team. Runs with an approved result come first;
    runs whose results are all rejected are left out. `recent` are the member's latest good runs that aren't examples.
    Viewers get the team's runs, and no examples.
    """
    if not member.can_run:
        recent = Run.objects.shared_by_others(member).filter(app=app).in_state("ready").newest_first()
        return AppRuns([], _load([recent[:RESULTS_SHOWN]]), None)
    day_ago = timezone.now() - LATELY
    own = Run.objects.owned_by(member).filter(app=app).newest_first()
    ready = own.in_state("ready")[: RESULTS_SHOWN + EXAMPLES_SHOWN]
    lately = own.exclude(is_example=True).filter(created_at__gte=day_ago)[:1]
    runs = _load([approved_query(member, app), undecided_query(member, app), ready, lately])
    approved = [run for run in runs if APPROVED in run.verdicts and run.status == Run.Status.COMPLETED]
    good = [run for run in runs if run.status == Run.Status.COMPLETED and not run.outputs_failed]
    undecided = [run for run in good if run.verdicts != REJECTED and run not in approved]
    examples = [*approved, *undecided][:EXAMPLES_SHOWN] if has_form else []
    mine = [run for run in runs if run.belongs_to(member)]
    return AppRuns(
        examples,
        [run for run in mine if run in good and run not in examples][:RESULTS_SHOWN],
        next((run for run in mine if not run.is_example and run.created_at >= day_ago), None),
    )


def _load(newest: list[RunQuerySet]) -> list[Run]:
    """Return the runs that any of the queries in `newest` finds, newest first, with what their cards need.

    An index alone answers each of these queries, however many runs there are.
    """
    pks = [Run.objects.filter(pk__in=query.values("pk")).values("pk") for query in newest]
    runs = Run.objects.filter(pk__in=pks[0].union(*pks[1:])).for_cards().newest_first()
    return list(runs.only(*RUN_CARD_COLUMNS, "verdicts", "parent", "preset"))
