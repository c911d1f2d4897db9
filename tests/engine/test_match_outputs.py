"""Which of a run's boxes each of Lamina's outputs fills, especially the box for the next version of a result."""

from typing import Any

import pytest
from django.utils import timezone

from runs.engine import progress
from runs.engine.apply_outputs import apply_outputs
from runs.lamina.types import RunSnapshot
from runs.models import App, HeldOutputs, Member, Output, ReviewItem, Run
from runs.review import requests
from tests.support.factories import make_app, make_run

pytestmark = pytest.mark.django_db
FRONT, BACK = "Front", "Back"


@pytest.fixture
def app() -> App:
    labels = enumerate((FRONT, BACK, BACK))
    return make_app(outputs=[{"index": index, "label": label, "type": "text"} for index, label in labels])


def run_for(member: Member, app: App, version: int, *places: int) -> Run:
    """Return a run in progress that makes the results at `places`; the one at `version` is version 2 of an earlier
    result."""
    first = make_run(member, app, status="completed").outputs.get(position=version)
    run = make_run(member, app, outputs_total=len(places))
    run.outputs.exclude(position__in=places).delete()
    for box in run.outputs.all():
        box.schema_index = box.position
        if box.position == version:
            box.line, box.number = first, 2
        box.save()
    return run


def tell(run: Run, *outputs: str, is_final: bool = False) -> None:
    """Apply a response from Lamina that contains `outputs`. "Back:b" stands for the text "b" with the label "Back" and
    the id "b". With "?" after the text, the output is still pending; "Back:?" has no text yet."""
    rows: list[dict[str, Any]] = []
    for label, text in (output.split(":") for output in outputs):
        status, value = "pending" if "?" in text else "completed", text.rstrip("?")
        rows.append({"id": text, "label": label, "type": "text", "value": value, "status": status})
    state = "completed" if is_final else "running"
    answer = {"runId": run.remote_id, "status": state, "outputs": rows}
    apply_outputs(run, RunSnapshot.model_validate(answer), run.version + 1)


def version_of(run: Run) -> tuple[str, str]:
    """Return the content and the status of version 2's box."""
    box = run.outputs.get(line__isnull=False)
    return box.text, box.status


def extras_of(run: Run) -> list[str]:
    return list(run.outputs.filter(line=None, status=Output.Status.COMPLETED).values_list("text", flat=True))


def test_a_sibling_with_the_same_label_is_an_extra_result(alice: Member, app: App) -> None:
    run = run_for(alice, app, 2, 2)
    tell(run, f"{BACK}:one")
    assert version_of(run) == ("", "pending")  # the text could belong in either box

    tell(run, f"{BACK}:one", f"{BACK}:two")

    assert version_of(run) == ("two", "completed")
    assert extras_of(run) == ["one"]
    assert run.outputs.get(text="one").schema_index == 1


def test_a_sibling_that_was_asked_for_keeps_its_own_box(alice: Member, app: App) -> None:
    run = run_for(alice, app, 1, 1, 2)
    tell(run, f"{BACK}:one", f"{BACK}:two", f"{BACK}:three", is_final=True)
    assert version_of(run) == ("one", "completed")
    assert extras_of(run) == ["two", "three"]


def test_a_sibling_that_is_not_made_leaves_the_result_that_was_asked_for(alice: Member, app: App) -> None:
    run = run_for(alice, app, 2, 2)
    tell(run, f"{BACK}:two", is_final=True)
    assert version_of(run) == ("two", "completed")


def test_an_intermediate_result_never_takes_the_place_of_the_next_version(alice: Member, app: App) -> None:
    run = run_for(alice, app, 0, 0)
    tell(run, "Sketch:s")
    assert version_of(run) == ("", "pending")
    tell(run, "Sketch:s", f"{FRONT}:f", is_final=True)
    assert version_of(run) == ("f", "completed")
    assert extras_of(run) == ["s"]


def test_a_renamed_result_still_becomes_the_next_version(alice: Member, app: App) -> None:
    run = run_for(alice, app, 0, 0)
    tell(run, "Front view:f", is_final=True)
    assert version_of(run) == ("f", "completed")


def test_other_boxes_take_what_comes(alice: Member, app: App) -> None:
    run = make_run(alice, app)
    tell(run, f"{BACK}:b", "Else:e", "front:f", "More:m")
    assert list(run.outputs.values_list("position", "text")) == [(0, "f"), (1, "b"), (2, "e"), (3, "m")]


def test_if_some_of_a_label_are_missing_the_others_keep_their_boxes(alice: Member) -> None:
    app = make_app(outputs=[{"index": index, "label": BACK, "type": "text"} for index in range(3)])
    run = run_for(alice, app, 2, 0, 1, 2)

    tell(run, f"{BACK}:one", f"{BACK}:two", is_final=True)

    assert version_of(run)[0] == ""  # there is no telling which result is missing
    assert list(run.outputs.exclude(text="").values_list("schema_index", "text")) == [(0, "one"), (1, "two")]


def test_results_that_wait_are_saved_when_somebody_gives_the_run_up(alice: Member, app: App) -> None:
    run = run_for(alice, app, 2, 2)
    app.asks_review = True
    app.save()
    requests.on_run_shared(run)
    tell(run, f"{BACK}:one")
    tell(run, f"{BACK}:one", "Side:two", "Side:three?", "Side:?")
    assert extras_of(run) == []  # any of them could be the next version

    assert progress.fail(run, "silent", timezone.now(), from_statuses=("running",))

    assert extras_of(run) == ["one", "two", "three"]
    assert version_of(run) == ("", "cancelled")
    asked = ReviewItem.objects.exclude(output__text="").values_list("output__text", flat=True)
    assert sorted(asked) == ["one", "three", "two"]  # reviewers are asked about them once the run has ended
    run.refresh_from_db()
    assert (run.outputs_ready, run.outputs_total) == (3, 4)
    assert not HeldOutputs.objects.exists()


@pytest.mark.parametrize("told", [[], ["Side:two"]])
def test_results_that_wait_are_saved_if_the_final_answer_lacks_them(alice: Member, app: App, told: list[str]) -> None:
    run = run_for(alice, app, 2, 2)
    tell(run, f"{BACK}:one", "Side:?")
    tell(run, *told, is_final=True)
    assert extras_of(run) == ["one"]
    assert version_of(run) == (("two", "completed") if told else ("", "error"))
    assert run.outputs.count() == 2
    assert not HeldOutputs.objects.exists()


def test_results_that_wait_are_saved_even_if_a_later_answer_lacks_them(alice: Member, app: App) -> None:
    run = run_for(alice, app, 2, 2)
    tell(run, f"{BACK}:one")
    tell(run, "Side:two")
    tell(run, "Side:two", is_final=True)
    assert sorted([version_of(run)[0], *extras_of(run)]) == ["one", "two"]
    assert not HeldOutputs.objects.exists()


def test_results_of_different_answers_never_become_the_next_version(alice: Member, app: App) -> None:
    run = run_for(alice, app, 2, 2)
    tell(run, f"{BACK}:one")
    tell(run, f"{BACK}:two")
    assert progress.fail(run, "silent", timezone.now(), from_statuses=("running",))
    assert sorted(extras_of(run)) == ["one", "two"]
    assert version_of(run) == ("", "cancelled")


def test_nothing_is_remembered_once_everything_has_its_box(alice: Member, app: App) -> None:
    run = run_for(alice, app, 2, 2)
    tell(run, f"{BACK}:one")
    assert HeldOutputs.objects.count() == 1
    tell(run, f"{BACK}:one", f"{BACK}:two")
    assert not HeldOutputs.objects.exists()
