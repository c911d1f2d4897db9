"""Webhooks sent to the portal: which of them are trusted, which are refused, and what effect they have."""

import io
import json
import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import Settings

from runs.connection.status import lamina_status, record_status
from runs.engine import progress, start_claim, webhooks
from runs.models import App, Incident, LaminaStatus, Member, OutputFile, Run
from runs.sandbox.server import Sandbox
from tests.engine.courier import Courier, post
from tests.engine.steps import hand_over, look, start_as_stranger, watch_once
from tests.support import webhook_vector as vector
from tests.support.cartoonify import press
from tests.support.clients import client_of
from tests.support.factories import make_run
from tests.support.sandbox_door import SandboxDoor
from tests.support.work import queued

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def courier(_sandbox_server: Sandbox, sandbox: SandboxDoor) -> Iterator[Courier]:
    """Return a courier that makes genuine deliveries to a portal that already has Lamina's keys."""
    key = _sandbox_server._deliveries._key
    webhooks.request_keys()
    webhooks.refresh_keys()
    yield Courier(_sandbox_server, sandbox)
    _sandbox_server._deliveries._key = key


@pytest.fixture
def run(alice: Member, app: App, sandbox: SandboxDoor) -> Run:
    """Make a run that has ended on Lamina without the portal knowing it yet."""
    run = hand_over(press(alice, app))
    sandbox.control(f"runs/{run.remote_id}", status="completed")
    return run


def as_it_is(run: Run) -> tuple[Any, ...]:
    return Run.objects.filter(pk=run.pk).values_list("status", "version", "remote_id", "outputs_ready").get()


def asked_tasks() -> list[str]:
    return [task["func"] for task in queued() if task["func"] == "runs.tasks.refresh_keys"]


def test_a_genuine_delivery_is_applied_at_once(courier: Courier, run: Run, sandbox: SandboxDoor) -> None:
    reads = len(sandbox.requests_to("run"))
    body = courier.body(run.remote_id)

    assert courier.deliver(run, body) == 200

    run.refresh_from_db()
    assert (run.status, run.outputs_ready) == ("completed", 2)
    assert len(sandbox.requests_to("run")) == reads + 1  # this one request came from the courier; the portal sent none
    assert lamina_status().delivered_at is not None


def test_laminas_own_test_vector_through_the_view(alice: Member, settings: Settings) -> None:
    record_status(signing_keys=[vector.KEY], signing_keys_at=datetime(2026, 1, 1, tzinfo=UTC))
    run = make_run(alice, remote_id=vector.RUN_ID)

    with time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False):
        for changed in (vector.BODY + b"\n", json.dumps(json.loads(vector.BODY)).encode()):
            assert post(run.hook_token, changed, vector.HEADERS) != 200
        assert as_it_is(run)[0] == "running"
        assert post(run.hook_token, vector.BODY, vector.HEADERS) == 200

    assert as_it_is(run)[0] == "completed"
    assert OutputFile.objects.get().source_url == "https://cdn.example.com/a/b.png"


def test_a_list_told_in_part_and_again_is_one_result_per_file(
    courier: Courier, alice: Member, app: App, sandbox: SandboxDoor
) -> None:
    sandbox.control("script", appId=None, times=1, outcome="never", values={"0": "@list", "1": "@list"})
    run = hand_over(press(alice, app))
    sandbox.control(f"runs/{run.remote_id}", status="running", ready=1)
    partial = courier.body(run.remote_id)
    sandbox.control(f"runs/{run.remote_id}", status="completed")
    final = courier.body(run.remote_id)

    told = []
    for body in [partial, partial, final, partial, final, final, final, final]:
        assert courier.deliver(run, body) == 200
        told.append((run.outputs.count(), OutputFile.objects.count(), as_it_is(run)[0]))

    assert told == [(4, 3, "running")] * 2 + [(6, 6, "completed")] * 6
    assert list(run.outputs.values_list("list_number", flat=True)) == [1, 2, 3] * 2
    assert as_it_is(run)[3] == 6


def test_five_times_the_same_is_one_change(courier: Courier, run: Run) -> None:
    body = courier.body(run.remote_id)
    assert courier.deliver(run, body) == 200
    after_first, files, tasks = as_it_is(run), OutputFile.objects.count(), OrmQ.objects.count()

    for _ in range(4):
        assert courier.deliver(run, body) == 200

    assert as_it_is(run) == after_first
    assert (OutputFile.objects.count(), OrmQ.objects.count()) == (files, tasks)


def test_a_result_that_is_completed_before_it_has_a_value_is_kept(courier: Courier, run: Run) -> None:
    final = json.loads(courier.body(run.remote_id))
    outputs = final["data"]["outputs"]
    early = final["data"] | {"status": "running", "outputs": [one | {"value": None} for one in outputs]}

    assert courier.deliver(run, json.dumps({"data": early}).encode()) == 200

    assert set(run.outputs.values_list("status", flat=True)) == {"pending"}
    assert courier.deliver(run, json.dumps(final).encode()) == 200
    assert as_it_is(run)[0] == "completed"
    assert set(run.outputs.values_list("status", flat=True)) == {"completed"}
    assert set(OutputFile.objects.values_list("source_url", flat=True)) == {one["value"] for one in outputs}


@pytest.mark.parametrize("outputs", [{}, {"outputs": None}, {"outputs": "none"}, {"outputs": []}])
@pytest.mark.parametrize("is_empty", [False, True])
def test_an_end_without_any_outputs_is_read_once_more(
    courier: Courier, run: Run, sandbox: SandboxDoor, outputs: dict[str, object], is_empty: bool
) -> None:
    told = {name: value for name, value in json.loads(courier.body(run.remote_id))["data"].items() if name != "outputs"}
    bare = {"data": told | outputs}
    Run.objects.filter(pk=run.pk).update(started_at=timezone.now() - timedelta(minutes=1))  # old enough to be polled
    reads = len(sandbox.requests_to("run"))

    for _ in range(2):
        assert courier.deliver(run, json.dumps(bare).encode()) == 200

    run.refresh_from_db()
    assert run.is_active
    assert run.ended_at is not None
    if is_empty:
        sandbox.control("faults", endpoint="run", fault="status", status=200, body=bare)
    watch_once()
    run.refresh_from_db()
    assert (run.status, run.failure) == (("failed", "nothing") if is_empty else ("completed", ""))
    assert len(sandbox.requests_to("run")) == reads + 1


Forge = Callable[[Courier, Run, bytes], tuple[bytes, dict[str, str]]]


def signed(courier: Courier, run: Run, body: bytes, **more: str) -> tuple[bytes, dict[str, str]]:
    return body, courier.headers(body, run.remote_id) | more


FORGED: dict[str, tuple[int, Forge]] = {
    "bad signature": (401, lambda c, r, b: signed(c, r, b, **{"X-Lamina-Webhook-Signature": "ab" * 64})),
    "signature no hex": (401, lambda c, r, b: signed(c, r, b, **{"X-Lamina-Webhook-Signature": "zz" * 64})),
    "body byte changed": (401, lambda c, r, b: (b.replace(b"completed", b"cOmpleted"), c.headers(b, r.remote_id))),
    "newline added": (401, lambda c, r, b: (b + b"\n", c.headers(b, r.remote_id))),
    "stale": (401, lambda c, r, b: (b, c.headers(b, r.remote_id, time.time() - 400))),
    "future": (401, lambda c, r, b: (b, c.headers(b, r.remote_id, time.time() + 400))),
    "other timestamp": (
        401,
        lambda c, r, b: signed(c, r, b, **{"X-Lamina-Webhook-Timestamp": str(int(time.time()) - 9)}),
    ),
    "unsigned": (401, lambda c, r, b: (b, {})),
    "request id of another": (400, lambda c, r, b: signed(c, r, b, **{"X-Lamina-Webhook-Request-Id": "another"})),
    "signed garbage": (400, lambda c, r, b: signed(c, r, b'\x00\xff{"data": [nonsense')),
    "signed nothing": (400, lambda c, r, b: signed(c, r, b"")),
    "signed list": (400, lambda c, r, b: signed(c, r, b"[]")),
    "signed deep": (400, lambda c, r, b: signed(c, r, b"[" * 100_000)),
    "huge": (413, lambda c, r, b: signed(c, r, b + b" " * 2_000_000)),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_delivery_changes_nothing(courier: Courier, run: Run, name: str) -> None:
    before, (status, forge) = as_it_is(run), FORGED[name]

    assert post(run.hook_token, *forge(courier, run, courier.body(run.remote_id))) == status

    assert as_it_is(run) == before
    assert lamina_status().delivered_at is None
    assert courier.deliver(run) == 200  # the genuine webhook still counts


def test_news_of_another_run_is_refused(courier: Courier, run: Run, alice: Member, app: App) -> None:
    other = hand_over(press(alice, app))
    before = as_it_is(run), as_it_is(other)

    assert courier.deliver(run, run_id=other.remote_id) == 409

    assert (as_it_is(run), as_it_is(other)) == before
    assert Incident.objects.get().kind == "delivery"


def test_an_unknown_path(courier: Courier, run: Run) -> None:
    body = courier.body(run.remote_id)

    assert post("x" * 43, body, courier.headers(body, run.remote_id)) == 404
    assert Client().get(f"/hooks/lamina/{run.hook_token}/").status_code == 405
    assert as_it_is(run)[0] != "completed"


def test_the_old_key_is_useless_after_a_rotation(courier: Courier, run: Run, sandbox: SandboxDoor) -> None:
    body = courier.body(run.remote_id)
    with_old_key = courier.headers(body, run.remote_id)
    courier.change_key()
    LaminaStatus.objects.update(signing_keys_asked_at=timezone.now() - timedelta(seconds=61))
    OrmQ.objects.all().delete()

    assert courier.deliver(run, body) == 503  # an unknown key, so the portal will fetch it
    for _ in range(10):
        assert courier.deliver(run, body) == 401  # keys are fetched at most once a minute
    assert len(asked_tasks()) == 1
    webhooks.refresh_keys()
    assert post(run.hook_token, body, with_old_key) == 401
    assert as_it_is(run)[0] != "completed"
    assert courier.deliver(run, body) == 200

    assert as_it_is(run)[0] == "completed"
    assert len(asked_tasks()) == 1
    assert len(sandbox.requests_to("signing_key")) == 2


def test_keys_that_cannot_be_fetched_leave_the_old_ones(courier: Courier, run: Run, sandbox: SandboxDoor) -> None:
    for fault in ({"fault": "status", "status": 500}, {"fault": "garbage"}, {"fault": "drop_before"}):
        sandbox.control("faults", endpoint="signing_key", **fault)
        webhooks.refresh_keys()
    sandbox.control("faults", endpoint="signing_key", fault="status", status=200, body={"keys": []})
    webhooks.refresh_keys()

    assert courier.deliver(run) == 200


def test_keys_are_requested_after_the_clock_was_set_back() -> None:
    LaminaStatus.objects.create(pk=1, signing_keys_asked_at=timezone.now() + timedelta(hours=2))

    assert webhooks.request_keys()
    assert not webhooks.request_keys()


def test_without_keys_lamina_is_asked_to_try_again(courier: Courier, run: Run) -> None:
    LaminaStatus.objects.update(signing_keys=[], signing_keys_asked_at=None)
    OrmQ.objects.all().delete()

    assert [courier.deliver(run), courier.deliver(run)] == [503, 503]
    assert len(asked_tasks()) == 1
    webhooks.refresh_keys()

    assert courier.deliver(run) == 200
    assert as_it_is(run)[0] == "completed"


def sent_without_answer(member: Member, app: App, sandbox: SandboxDoor) -> tuple[Run, str]:
    """Return a run whose start was sent but not answered, and the id that it has on Lamina, where it has ended."""
    run = press(member, app)
    assert progress.claim_start(run, timezone.now(), timezone.now() + start_claim.CLAIM)
    assert progress.mark_sent(run, timezone.now(), is_alone=True)
    remote_id = start_as_stranger(sandbox)
    sandbox.control(f"runs/{remote_id}", status="completed")
    return run, remote_id


@pytest.mark.parametrize("state", ["in flight", "checking", "a person is asked", "begins again"])
def test_a_delivery_settles_a_start(
    courier: Courier, alice: Member, app: App, sandbox: SandboxDoor, state: str
) -> None:
    run, remote_id = sent_without_answer(alice, app, sandbox)
    if state != "in flight":
        assert progress.doubt(run)
    if state == "a person is asked":
        assert progress.ask_person(run, ["a", "b"])
    if state == "begins again":
        assert progress.start_again(run, timezone.now())

    assert courier.deliver(run, run_id=remote_id) == 200

    assert as_it_is(run)[0] == "completed"
    assert as_it_is(run)[2] == remote_id
    assert not progress.accept(run, remote_id, "queued", timezone.now())  # our own POST's response, which arrives late
    assert not progress.doubt(run)
    look(run)
    assert hand_over(run).status == "completed"
    assert len(sandbox.runs) == 1


@pytest.mark.parametrize("status", ["cancelled", "failed", "completed"])
@pytest.mark.parametrize("is_known", [True, False])
def test_a_final_run_never_changes(
    courier: Courier, alice: Member, app: App, sandbox: SandboxDoor, status: str, is_known: bool
) -> None:
    remote_id = start_as_stranger(sandbox)
    sandbox.control(f"runs/{remote_id}", status="completed" if status != "completed" else "failed")
    run = make_run(alice, app, status=status, remote_id=remote_id if is_known else "", attempts=int(is_known))
    before = as_it_is(run)

    assert courier.deliver(run, run_id=remote_id) == 200

    assert as_it_is(run) == before


def test_a_run_that_was_given_up_says_that_it_started_after_all(
    courier: Courier, alice: Member, app: App, sandbox: SandboxDoor
) -> None:
    run, remote_id = sent_without_answer(alice, app, sandbox)
    assert progress.doubt(run)
    assert progress.ask_person(run, [])
    assert progress.leave_it(run, timezone.now())

    for _ in range(2):  # Lamina may deliver it again
        assert courier.deliver(run, run_id=remote_id) == 200

    run.refresh_from_db()
    assert (run.status, run.failure, run.remote_id) == ("failed", "late", remote_id)
    assert Incident.objects.get().text.code == "started_after_all"
    page = client_of(alice).get(run.get_absolute_url()).content.decode()
    assert "Lamina started it after all" in page
    assert "This run may have cost credits" in page


def test_the_path_is_in_no_log(courier: Courier, run: Run, caplog: pytest.LogCaptureFixture) -> None:
    console = next(h for h in logging.getLogger().handlers if h.filters)
    assert isinstance(console, logging.StreamHandler)
    written = io.StringIO()
    before = console.setStream(written)
    try:
        post(run.hook_token, b"", {})
        Client().get(f"/hooks/lamina/{run.hook_token}/")
        post("y" * 43, b"", {})
    finally:
        console.setStream(before)

    assert "/hooks/lamina/•••/" in written.getvalue()
    assert run.hook_token not in written.getvalue()
    assert "y" * 43 not in written.getvalue()
