"""Lamina's webhooks over HTTP: signed, early, repeated, lost or retried. The run ends once, with the right outcome."""

from functools import partial

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from runs.engine import submit, sweep, webhooks
from runs.models import App, LaminaStatus, Member, Run
from tests.engine.steps import begin, hand_over, starts
from tests.support.cartoonify import press
from tests.support.processes import wait_until
from tests.support.sandbox_door import SandboxDoor
from tests.support.work import work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _delivering(live_server: LiveServer, settings: Settings, sandbox: SandboxDoor) -> None:
    settings.PORTAL_URL = live_server.url
    settings.LAMINA_WEBHOOKS = "on"
    settings.LAMINA_POLL_SECONDS = 0.3
    webhooks.request_keys_if_wanted()
    webhooks.refresh_keys()


def ended(run: Run) -> Run:
    def is_final() -> bool:
        run.refresh_from_db()
        return run.is_final

    wait_until(is_final, "the run's end to be known")
    return run


def test_a_run_ends_without_a_request(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    run = ended(hand_over(press(alice, app)))

    assert (run.status, run.outputs_ready) == ("completed", 2)
    assert sandbox.requests_to("run") + sandbox.requests_to("runs") == []


@pytest.mark.parametrize("outcome", ["failed", "partial", "no_output", "unknown_status"])
def test_every_delivered_end(alice: Member, app: App, sandbox: SandboxDoor, outcome: str) -> None:
    sandbox.control("script", appId=None, outcome=outcome, seconds=0.3)

    run = ended(hand_over(press(alice, app)))

    expected = {"failed": "remote", "no_output": "nothing"}.get(outcome, "")
    assert (run.status, run.failure) == ("failed" if expected else "completed", expected)


def test_it_may_come_before_the_answer_to_the_post(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    sandbox.control("webhooks", early=True)

    run = hand_over(press(alice, app))  # by the time it arrives, the response to the POST changes nothing

    assert (run.status, run.remote_id, run.outputs_ready) == ("completed", sandbox.runs[0]["runId"], 2)


@pytest.mark.parametrize("is_early", [True, False])
def test_it_settles_a_start_without_an_answer(alice: Member, app: App, sandbox: SandboxDoor, is_early: bool) -> None:
    sandbox.control("webhooks", early=is_early)
    sandbox.control("script", appId=None, outcome="completed" if is_early else "never")
    sandbox.control("faults", endpoint="run_start", fault="drop_after")

    run = hand_over(press(alice, app))

    assert run.status == ("completed" if is_early else "checking")
    if not is_early:
        sandbox.control(f"runs/{sandbox.runs[0]['runId']}", status="completed")
    assert ended(run).status == "completed"
    assert sandbox.requests_to("runs") == []
    assert starts(sandbox) == 1


def test_repeated_deliveries_are_one_change(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    sandbox.control("webhooks", repeat=4, early=True)

    run = hand_over(press(alice, app))

    version = run.version
    sweep.sweep()
    run.refresh_from_db()
    assert (run.status, run.version) == ("completed", version)


def test_starts_of_one_app_need_not_wait_for_each_other(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    sandbox.control("faults", endpoint="run_start", fault="delay", seconds=600, times=None)
    runs = [press(alice, app) for _ in range(4)]

    workers = [begin(partial(submit.submit_run, run.pk)) for run in runs]
    wait_until(lambda: Run.objects.exclude(sent_at=None).count() == 4, "all four to be sent, though none is answered")
    sandbox.clear_faults()
    for worker in workers:
        worker.join()

    assert {ended(run).status for run in runs} == {"completed"}
    assert {run.remote_id for run in runs} == {run["runId"] for run in sandbox.runs}
    assert starts(sandbox) == 4


def test_without_keys_the_second_try_counts(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    LaminaStatus.objects.update(signing_keys=[], signing_keys_asked_at=None)
    sandbox.control("webhooks", delays=[0.5] * 200)  # a refused webhook is sent again every 0.5 s
    run = hand_over(press(alice, app))
    wait_until(
        lambda: LaminaStatus.objects.filter(signing_keys_asked_at__isnull=False).exists(), "the first try to be refused"
    )

    webhooks.refresh_keys()

    assert ended(run).status == "completed"


def test_the_poller_makes_up_for_a_lost_delivery(alice: Member, app: App, sandbox: SandboxDoor) -> None:
    sandbox.control("webhooks", lose=1)
    run = press(alice, app)

    work()

    run.refresh_from_db()
    assert run.status == "completed"
    assert len(sandbox.requests_to("runs")) >= 1
