"""How long an app usually takes, based on its own runs, and the sentence shown when a run takes longer."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from runs.display.run_sentences import slow_words
from runs.engine import durations, progress
from runs.lamina.types import RunRow, RunSnapshot
from runs.models import App, Member, Run
from runs.words.time_spans import usual_words
from tests.support.factories import make_app, make_run

pytestmark = pytest.mark.django_db


def ended(member: Member, app: App, *seconds: float) -> None:
    now = timezone.now()
    for n in seconds:
        make_run(member, app, status="completed", started_at=now - timedelta(seconds=n), finished_at=now)
    durations.on_run_ended(Run.objects.filter(app=app).newest_first()[0])
    app.refresh_from_db()


def test_no_guess_before_five_runs(alice: Member) -> None:
    app = make_app()

    ended(alice, app, 10, 20, 30, 40)

    assert (app.usual_seconds, app.slow_seconds) == (None, None)


def test_median_and_nine_in_ten_of_the_last_twenty(alice: Member) -> None:
    app = make_app()
    ended(alice, app, *[1000] * 5)

    ended(alice, app, *range(1, 21))

    assert app.usual_seconds == pytest.approx(10.5)
    assert app.slow_seconds == pytest.approx(18.1)


def test_a_run_is_likely_to_end_a_little_beyond_the_10th_to_95th_percentile(alice: Member) -> None:
    app, now = make_app(), timezone.now()
    begun = make_run(alice, app, status="running", started_at=now - timedelta(seconds=9), running_at=now)
    assert durations.usual_end(begun, now) is None, "nothing is known yet"

    ended(alice, app, *range(1, 21))

    begun.app.refresh_from_db()
    assert durations.usual_end(begun, now + timedelta(seconds=1)) == pytest.approx((0.75 * 2.9 - 1, 1.5 * 19.05 - 1))
    for status in ("starting", "completed"):
        assert durations.usual_end(make_run(alice, app, status=status), now) is None


def test_waiting_in_laminas_queue_is_not_usual(alice: Member) -> None:
    """Twenty runs started at once wait for each other in Lamina's queue. Those waits mustn't make the app look slow to
    everyone else."""
    app, now = make_app(), timezone.now()
    for n in range(20):
        accepted, began = now - timedelta(seconds=10 * n + 10), now - timedelta(seconds=10)
        make_run(alice, app, status="completed", started_at=accepted, running_at=began, finished_at=now)

    durations.on_run_ended(Run.objects.filter(app=app).newest_first()[0])

    app.refresh_from_db()
    assert (app.usual_seconds, app.slow_seconds) == (10, 10)
    waiting = make_run(alice, app, status="queued", started_at=now - timedelta(minutes=5))
    assert durations.slow_level(waiting, now) == 0


@pytest.mark.parametrize(("told", "seconds"), [("2026-11-26T10:00:30Z", 30), (None, 45)], ids=["told", "noticed"])
def test_when_lamina_begins_is_remembered(alice: Member, told: str | None, seconds: int) -> None:
    now = timezone.now()
    run = make_run(alice, status="queued", started_at=now - timedelta(seconds=45))
    state = {"runId": run.remote_id, "createdAt": "2026-11-26T10:00:00Z", "startedAt": told}

    progress.record_row(run, RunRow.model_validate(state | {"status": "running"}), now)
    snapshot = RunSnapshot.model_validate(state | {"status": "completed"})
    progress.apply_snapshot(run, snapshot, now + timedelta(seconds=20))

    run.refresh_from_db()
    assert run.started_at
    assert run.running_at == run.started_at + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("usually", "slow", "words"),
    [
        (None, None, ""),
        (120, 180, "usually 2 to 3 min"),
        (8.2, 9.4, "usually 8 to 9 s"),
        (21, 39, "usually 20 to 40 s"),
        (50, 100, "usually 50 s to 1 min 30 s"),
        (30, 31, "usually about 30 s"),
        (700, 1300, "usually 12 to 22 min"),
    ],
)
def test_usual_times_in_words(usually: float | None, slow: float | None, words: str) -> None:
    assert usual_words(usually, slow) == words


def run_page(client: Client, run: Run) -> str:
    return client.get(run.get_absolute_url()).content.decode()


def test_the_run_page_says_what_is_usual_and_when_it_is_slow(as_alice: Client, alice: Member) -> None:
    app = make_app()
    ended(alice, app, *[20] * 6)
    run = make_run(alice, app, status="running")

    assert "usually about 20 s" in run_page(as_alice, run)
    assert escape(slow_words(1)) not in run_page(as_alice, run)

    Run.objects.filter(pk=run.pk).update(started_at=timezone.now() - timedelta(seconds=40))
    assert escape(slow_words(1)) in run_page(as_alice, run)

    Run.objects.filter(pk=run.pk).update(started_at=timezone.now() - timedelta(minutes=31))
    assert escape(slow_words(2)) in run_page(as_alice, run)


def test_after_a_day_without_an_end_a_person_may_give_up(as_alice: Client, alice: Member) -> None:
    run = make_run(alice, status="running")
    as_alice.post(f"/runs/{run.public_id}/leave/")
    run.refresh_from_db()
    assert run.is_active

    Run.objects.filter(pk=run.pk).update(started_at=timezone.now() - timedelta(hours=25))
    assert 'data-busy="Giving up…"' in run_page(as_alice, run)
    as_alice.post(f"/runs/{run.public_id}/leave/")

    run.refresh_from_db()
    assert (run.status, run.failure) == ("failed", "silent")


def test_the_app_card_says_what_is_usual(as_alice: Client, alice: Member) -> None:
    ended(alice, make_app(), *[20] * 6)

    assert "usually about 20 s" in as_alice.get("/apps/").content.decode()


def test_a_delayed_start_shows_its_place_in_the_queue(as_alice: Client, alice: Member, bob: Member) -> None:
    app, other, now = make_app(), make_app("Another"), timezone.now()

    def starting(member: Member, app: App, seconds: int, wait: str, status: str = "starting") -> Run:
        return make_run(member, app, status=status, wait=wait, created_at=now - timedelta(seconds=seconds))

    starting(bob, app, 40, "", "checking")
    starting(bob, other, 35, "budget")
    starting(bob, app, 30, "app")
    mine = starting(alice, app, 20, "app")
    starting(bob, app, 10, "app")
    waiting = starting(alice, other, 5, "budget")
    away = starting(alice, other, 1, "lamina")

    def shown(run: Run) -> str:
        return as_alice.get(run.get_absolute_url()).content.decode()

    assert "2 runs are ahead of this one." in shown(mine)
    assert "One run is ahead of this one." in shown(waiting)
    assert "ahead of this one." not in shown(away)
    # that run is now waiting for a person, so it no longer holds up other runs
    Run.objects.filter(status="checking").update(due_at=None)
    assert "One run is ahead of this one." in shown(mine)
