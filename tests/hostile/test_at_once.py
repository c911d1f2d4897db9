"""Many simultaneous presses of Run, in real threads and two sessions, make only one run and one call to Lamina."""

import threading
from collections.abc import Callable
from typing import cast

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from runs.engine import create_run
from runs.models import Member, Run
from tests.hostile.apps import EVERYTHING, NOTE
from tests.hostile.browser import Browser
from tests.hostile.faults import known
from tests.hostile.form import Form
from tests.hostile.media import png
from tests.support.clients import client_of
from tests.support.factories import make_run
from tests.support.quick_portal import is_at_rest, work_until
from tests.support.sandbox_door import SandboxDoor

pytestmark = pytest.mark.django_db(transaction=True)
TIMES = 10


def at_once(*presses: Callable[[], HttpResponse]) -> list[HttpResponse]:
    """Run all `presses` at the same moment, each in a thread with its own connection."""
    start, lock = threading.Barrier(len(presses)), threading.Lock()
    answers: list[HttpResponse] = []
    trouble: list[BaseException] = []

    def do(press: Callable[[], HttpResponse]) -> None:
        try:
            start.wait(timeout=60)
            answer = press()
            with lock:
                answers.append(answer)
        except BaseException as error:  # noqa: BLE001 - reported in the test's thread
            trouble.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=(press,)) for press in presses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not trouble, trouble
    return answers


def pressing(browser: Browser, form: Form) -> Callable[[], HttpResponse]:
    return lambda: browser.send(form)


@pytest.mark.parametrize("with_file", [False, True], ids=["words", "with a file"])
def test_ten_equal_presses(lamina_door: SandboxDoor, alice: Member, with_file: bool) -> None:
    app = known(lamina_door, EVERYTHING if with_file else NOTE)
    browsers = [Browser.of(alice), Browser.of(alice)]
    form = browsers[0].open(app).set("p0", "x").set("p1", *(["1"] if with_file else []))
    if with_file:
        form.attach("p2", png())

    answers = at_once(
        *[pressing(Browser.of(alice), form) for _ in range(TIMES - 2)],
        *[pressing(browser, form) for browser in browsers],
    )
    work_until(is_at_rest)

    assert {(a.status_code, a.headers.get("Location")) for a in answers} == {
        (302, Run.objects.get().get_absolute_url())
    }
    assert len(answers) == TIMES
    assert len(lamina_door.requests_to("run_start")) == len(lamina_door.runs) == 1


def test_one_form_with_two_contents_at_once(lamina_door: SandboxDoor, browser: Browser, alice: Member) -> None:
    first = browser.open(known(lamina_door, NOTE))
    forms = [Form(first.action, list(first.pairs)).set("p0", text) for text in ("one", "two")]

    answers = at_once(*[pressing(Browser.of(alice), forms[n % 2]) for n in range(6)])
    work_until(is_at_rest)

    assert sorted(a.status_code for a in answers) == [302] * 3 + [422] * 3
    assert Run.objects.count() == len(lamina_door.requests_to("run_start")) == 1


def test_failed_results_are_retried_once_from_many_pages(alice: Member) -> None:
    run = make_run(alice, status="completed", outputs_failed=1)
    run.outputs.filter(position=1).update(status="error")
    tokens = [create_run.new_form_token(alice) for _ in range(TIMES)]
    clients = [client_of(alice) for _ in tokens]

    def trying(client: Client, token: str) -> Callable[[], HttpResponse]:
        return lambda: cast(HttpResponse, client.post(f"/runs/{run.public_id}/retry-failed/", {"token": token}))

    at_once(*map(trying, clients, tokens))

    assert Run.objects.filter(parent=run).count() == 1


def test_ten_forms_are_ten_runs(lamina_door: SandboxDoor, browser: Browser, alice: Member) -> None:
    """Ten forms make ten runs: no press is lost, and runs of the same app aren't mixed up."""
    app = known(lamina_door, NOTE)
    forms = [browser.open(app).set("p0", f"number {n}") for n in range(TIMES)]

    at_once(*[pressing(Browser.of(alice), form) for form in forms])
    work_until(is_at_rest)

    assert sorted(r["inputs"]["Note"] for r in lamina_door.runs) == sorted(f"number {n}" for n in range(TIMES))
    assert Run.objects.filter(status="completed").count() == TIMES
    for run in Run.objects.prefetch_related("inputs"):
        [record] = [r for r in lamina_door.runs if r["runId"] == run.remote_id]
        assert record["inputs"]["Note"] == run.inputs.get().value
