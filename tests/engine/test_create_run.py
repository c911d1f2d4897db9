"""Pressing Run: each form starts only one run, however often the button is pressed, even several times at once."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from runs.engine import sweep, wakeups
from runs.engine.create_run import (
    LaunchRequest,
    TokenSpentError,
    expected_ratio,
    launch_run,
    new_form_token,
    read_form_token,
)
from runs.launching import drafts
from runs.models import App, Draft, Member, Run, form_hash
from runs.schema_forms.answers import Answer
from runs.team import members, transfers
from tests.support.factories import make_app
from tests.support.work import queued

pytestmark = pytest.mark.django_db(transaction=True)


def answer(name: str, value: Any, kind: str = "text", **more: Any) -> Answer:
    stored = {"name": name, "key": "", "id": "", "type": kind, "value": value, "is_default": False}
    return Answer.from_stored(stored | more)


def press(app: App, token: str, style: str = "Ghibli") -> LaunchRequest:
    assert app.schema is not None
    return LaunchRequest(app, app.schema, [answer("Style", style, "options"), answer("Prompt", "hi")], [0, 1], token)


def test_ten_equal_presses_at_once_make_one_run(alice: Member) -> None:
    app, token = make_app(), new_form_token(alice)
    found: list[int] = []
    gate = threading.Barrier(10)

    def go() -> None:
        gate.wait()
        try:
            found.append(launch_run(alice, press(app, token)).pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=go) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 10
    assert Run.objects.count() == 1


def test_other_inputs_with_a_spent_form_are_no_second_run(alice: Member) -> None:
    app, token = make_app(), new_form_token(alice)
    launch_run(alice, press(app, token))

    with pytest.raises(TokenSpentError):
        launch_run(alice, press(app, token, style="Plain "))

    assert Run.objects.count() == 1


def test_the_draft_ends_with_the_run(alice: Member) -> None:
    app, token = make_app(), new_form_token(alice)
    ghibli = [answer("Style", "Ghibli", "options")]
    drafts.save_draft(Draft(member=alice, app=app, answers=ghibli, wanted_outputs=[0], form=form_hash(token)))

    launch_run(alice, press(app, token))

    assert not Draft.objects.exists()


def test_the_draft_of_another_form_stays(alice: Member) -> None:
    app = make_app()
    plain = [answer("Style", "Plain ", "options")]
    other_form = form_hash(new_form_token(alice))
    drafts.save_draft(Draft(member=alice, app=app, answers=plain, wanted_outputs=[0], form=other_form))

    launch_run(alice, press(app, new_form_token(alice)))

    assert Draft.objects.exists()


def test_whoever_presses_made_the_run_and_owns_it(alice: Member, bob: Member) -> None:
    run = launch_run(alice, press(make_app(), new_form_token(alice)))

    run.refresh_from_db()
    assert (run.made_by, run.member) == (alice, alice)
    members.deactivate(alice)
    transfers.transfer(alice, bob)
    run.refresh_from_db()
    assert (run.made_by, run.member) == (alice, bob)
    assert [*Run.objects.owned_by(alice), *Run.objects.owned_by(bob)] == [run]


def test_exact_labels_are_kept(alice: Member) -> None:
    app = make_app()

    run = launch_run(alice, press(app, new_form_token(alice), style=" Plain  two "))

    assert run.answers[0].value == " Plain  two "


@pytest.mark.parametrize("token", ["", "x", "1.abc:def", "\x00", "1" * 200])
def test_invented_tokens_belong_to_nobody(token: str) -> None:
    assert read_form_token(token) is None


def test_a_token_belongs_to_one_member(alice: Member) -> None:
    assert read_form_token(new_form_token(alice)) == alice.pk


@pytest.mark.parametrize(
    ("name", "value", "ratio"),
    [
        ("Aspect Ratio", "16:9", (16, 9)),
        ("aspect_ratio", "3x4", (3, 4)),
        ("Aspect Ratio", "9:16 (vertical)", (9, 16)),
        ("Prompt", "16:9", (1, 1)),
        ("Aspect Ratio", "0:5", (1, 1)),
        ("Aspect Ratio", "square", (1, 1)),
        ("Aspect Ratio", "999:1", (1, 1)),
    ],
)
def test_boxes_have_the_requested_ratio(name: str, value: str, ratio: tuple[int, int]) -> None:
    assert expected_ratio([answer(name, value)]) == ratio


def test_a_start_whose_task_was_lost_gets_another_wakeup(alice: Member) -> None:
    from django_q.models import OrmQ

    run = launch_run(alice, press(make_app(), new_form_token(alice)))
    OrmQ.objects.all().delete()

    sweep.sweep(timezone.now() + wakeups.BELIEVED * 2)

    assert [task["args"] for task in queued()] == [(run.pk,)]
