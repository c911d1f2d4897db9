"""When the poller reads the run list: soon enough for everybody, but never at the cost of a result."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from runs.connection import rate_limit
from runs.connection.rate_limit import Priority
from runs.engine.polling_schedule import PollingSchedule
from runs.models import App, Member, Run
from tests.engine.steps import start, watch_once
from tests.support.cartoonify import known_app
from tests.support.factories import make_app, make_run
from tests.support.sandbox_door import SandboxDoor

pytestmark = pytest.mark.django_db(transaction=True)

POLL = 3.0
LIMIT = 100


@pytest.fixture(autouse=True)
def _poll(settings: Settings) -> None:
    settings.LAMINA_POLL_SECONDS, settings.LAMINA_REQUESTS_PER_MINUTE = POLL, LIMIT


def ended(member: Member, app: App, *work_seconds: float | None) -> None:
    """Make past runs that ended 9 s before the portal noticed."""
    for seconds in work_seconds:
        started = NOW - timedelta(hours=1)
        took = timedelta(seconds=(seconds or 30) + 9)
        made = make_run(member, app, status="completed", started_at=started, finished_at=started + took)
        Run.objects.filter(pk=made.pk).update(work_seconds=seconds)


NOW = timezone.now()  # all runs here are dated relative to this, so that they don't age during a test


def aged(member: Member, app: App, seconds: float) -> Run:
    began = NOW - timedelta(seconds=seconds)
    return make_run(member, app, created_at=began, started_at=began)


def spend(count: int) -> None:
    for _ in range(count):
        assert rate_limit.take(Priority.START) == 0


def early(*runs: Run) -> bool:
    return PollingSchedule().too_early(list(runs), NOW) > 0


def test_a_young_run_is_left_alone_until_its_app_can_be_done(alice: Member) -> None:
    app = make_app()
    ended(alice, app, *[30] * 5)

    assert early(aged(alice, app, 23))
    assert not early(aged(alice, app, 25))


def test_few_past_runs_count_less(alice: Member) -> None:
    app = make_app()
    ended(alice, app, 30)

    assert early(aged(alice, app, 17))
    assert not early(aged(alice, app, 19))


def test_without_a_past_the_first_look_comes_after_five_seconds(alice: Member) -> None:
    app = make_app()

    assert early(aged(alice, app, 4))
    assert not early(aged(alice, app, 6))


def test_how_late_we_looked_does_not_make_the_next_look_later(alice: Member) -> None:
    """Durations are measured by Lamina's clock. If we measured them by ours, each late poll would delay later ones a
    little more."""
    app = make_app()
    ended(alice, app, *[10] * 20)

    assert not early(aged(alice, app, 9))


def test_without_times_from_lamina_ours_count(alice: Member) -> None:
    app = make_app()
    ended(alice, app, *[None] * 5)

    assert early(aged(alice, app, 30))
    assert not early(aged(alice, app, 32))


def test_watched_runs_are_looked_at_now(alice: Member) -> None:
    app = make_app()
    ended(alice, app, *[30] * 5)
    run = aged(alice, app, 2)
    run.opened_at = NOW

    assert not early(run)
    assert PollingSchedule().pause([run], NOW) == POLL


def test_while_the_budget_is_short_one_look_waits_for_many_ends(alice: Member) -> None:
    app = make_app()
    ended(alice, app, *[30] * 5)
    runs = [aged(alice, app, 33) for _ in range(21)]
    runs[0].opened_at = NOW
    spend(LIMIT - 26)
    assert not early(*runs), "26 are enough for 21 reads and a few polls"

    spend(5)

    assert early(*runs)
    assert not early(*runs, aged(alice, app, 35))
    assert PollingSchedule().pause(runs, NOW) == pytest.approx(4.5)
    assert not early(*runs[:20]), "few runs are polled sooner"
    assert PollingSchedule().pause(runs[:20], NOW) == POLL


def test_old_runs_are_looked_at_slowly(alice: Member) -> None:
    run = aged(alice, make_app(), 700)

    assert PollingSchedule().pause([run], NOW) == 15


def test_partial_results_are_read_from_spare_budget_only(
    alice: Member, sandbox: SandboxDoor, settings: Settings
) -> None:
    run = start(alice, known_app(), sandbox)
    sandbox.control(f"runs/{run.remote_id}", status="running", ready=1)
    Run.objects.filter(pk=run.pk).update(opened_at=timezone.now())
    settings.LAMINA_REQUESTS_PER_MINUTE = rate_limit.used() + 4  # one of them is for the poll itself

    watch_once()

    assert (len(sandbox.requests_to("runs")), sandbox.requests_to("run")) == (1, [])
    settings.LAMINA_REQUESTS_PER_MINUTE = LIMIT
    watch_once()
    assert len(sandbox.requests_to("run")) == 1


def test_the_end_by_laminas_clock_is_stored(alice: Member, sandbox: SandboxDoor) -> None:
    run = start(alice, known_app(), sandbox)
    sandbox.control(f"runs/{run.remote_id}", status="completed")

    watch_once()

    run.refresh_from_db()
    assert run.status == "completed"
    assert run.work_seconds is not None
    assert 0 <= run.work_seconds < 60
