"""From "needs changes" to the next version (D5): the form, pressing Run, and the sequence of versions."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from runs.engine.create_run import LaunchRequest, launch_run, new_form_token
from runs.launching.next_version import replaced_by
from runs.launching.retry import failed_indexes, retry_failed
from runs.models import App, Comment, Decision, Draft, Member, Output, ReviewRules, Run
from runs.review import requests
from runs.review.versions import newer_of_each, own_work, seen_among
from tests.support.app_forms import fields
from tests.support.factories import make_app, make_kept, make_run, make_schema, make_stored
from tests.support.page import Page

pytestmark = pytest.mark.django_db
SIBLINGS = [
    {"index": 0, "label": "Front", "type": "image"},
    {"index": 1, "label": "Back", "type": "image"},
    {"index": 2, "label": "Back", "type": "image"},
]


@pytest.fixture
def app() -> App:
    return make_app(outputs=SIBLINGS)


@pytest.fixture
def run(alice: Member, app: App) -> Run:
    return make_run(alice, app, status="completed")


def ask_for_changes(output: Output, member: Member, note: str) -> Output:
    Decision.objects.create(
        output=output,
        content_hash=output.content_hash,
        member=member,
        verdict="changes",
        note=note,
        is_standing=True,
    )
    Output.objects.filter(pk=output.pk).update(verdict="changes")
    output.refresh_from_db()
    return output


def box_of(run: Run, position: int) -> Output:
    return run.outputs.get(position=position)


def open_next(client: Client, output: Output) -> Page:
    return Page(client.get(f"{output.run.app.get_absolute_url()}?next={output.public_id}").text)


def test_the_earlier_pictures_are_beside_the_form(as_alice: Client, run: Run) -> None:
    for position in range(2):
        make_kept(run, make_stored((300, 200 + position)), position)
    again = Page(as_alice.get(f"{run.app.get_absolute_url()}?from={run.public_id}").text)
    side = again.root.first(css="form-side")
    assert [img.attributes["height"] for img in side.first("section", css="before").find("img")] == ["200", "201"]
    assert "Nothing to fill in" not in again.root.words
    side = open_next(as_alice, box_of(run, 1)).root.first(css="form-side")
    assert [img.attributes["height"] for img in side.first("section", css="before").find("img")] == ["201"]
    assert not Page(as_alice.get(run.app.get_absolute_url()).text).root.find("section", css="before")


def ticked(page: Page) -> list[str]:
    boxes = page.root.first("fieldset", id="outputs").find("input")
    return [box.attributes["value"] for box in boxes if "checked" in box.attributes]


def press_next(client: Client, output: Output, member: Member, *indexes: int) -> Run:
    app = output.run.app
    sent: dict[str, Any] = fields(app, member, outputs=list(map(str, indexes)), next=output.public_id)
    sent["from"] = output.run.public_id
    url = client.post(app.get_absolute_url(), sent).headers["Location"]
    return Run.objects.get(public_id=url.split("/")[2])


def test_the_form_shows_what_was_asked_for_and_ticks_only_that(as_alice: Client, bob: Member, run: Run) -> None:
    front = ask_for_changes(box_of(run, 0), bob, "Warmer light, please <b>")
    Comment.objects.create(run=run, output=front, member=bob, text="and a bigger logo")
    Comment.objects.create(run=run, output=box_of(run, 1), member=bob, text="elsewhere")

    page = open_next(as_alice, front)

    words = page.root.first("section", css="next-version").words
    assert "Making version 2 of Front" in words
    assert "Warmer light, please <b>" in words
    assert "and a bigger logo" in words
    assert "elsewhere" not in words
    assert ticked(page) == ["0"]


def test_other_results_that_need_changes_are_made_too_and_siblings_are_extra(
    as_alice: Client, alice: Member, bob: Member, run: Run
) -> None:
    front, back = (ask_for_changes(box_of(run, n), bob, "again") for n in (0, 1))
    assert ticked(open_next(as_alice, front)) == ["0", "1"]

    made = press_next(as_alice, front, alice, 0, 1, 2)

    assert made.parent_id == run.pk
    lines = [(o.schema_index, o.line_id, o.number) for o in made.outputs.all()]
    assert lines == [(0, front.pk, 2), (1, back.pk, 2), (2, None, 1)]


@pytest.mark.parametrize(
    ("state", "is_ticked"),
    [
        ({"status": "completed", "verdict": "approved"}, False),
        ({"status": "completed", "verdict": "changes"}, True),
        ({"status": "completed"}, False),
        ({"status": "pending"}, False),
        ({"status": "error"}, True),
        ({"status": "cancelled"}, True),
    ],
)
def test_a_result_is_ticked_only_if_its_newest_version_still_needs_changes(
    as_alice: Client, alice: Member, bob: Member, run: Run, state: dict[str, str], is_ticked: bool
) -> None:
    front, back = (ask_for_changes(box_of(run, n), bob, f"note {n}") for n in (0, 1))
    second = press_next(as_alice, front, alice, 0)
    second.outputs.update(**state)

    page = open_next(as_alice, back)

    assert ticked(page) == (["0", "1"] if is_ticked else ["1"])
    assert ("note 0" in page.words) is is_ticked
    assert "1 other result" in page.words if is_ticked else "other result" not in page.words
    made = press_next(as_alice, back, alice, *map(int, ticked(page)))
    versions = [(o.line_id, o.number) for o in made.outputs.filter(line__isnull=False)]
    assert versions == [*([(front.pk, 3)] if is_ticked else []), (back.pk, 2)]


def test_a_version_in_the_bin_settles_nothing(as_alice: Client, alice: Member, bob: Member, run: Run) -> None:
    front, back = (ask_for_changes(box_of(run, n), bob, "again") for n in (0, 1))
    second = press_next(as_alice, front, alice, 0)
    second.outputs.update(status="completed", verdict="approved")
    assert ticked(open_next(as_alice, back)) == ["1"]
    Run.objects.filter(pk=second.pk).update(deleted_at=second.created_at)
    assert ticked(open_next(as_alice, back)) == ["0", "1"]


def test_files_of_one_list_are_made_together_and_only_those_that_need_changes_are_versions(
    as_alice: Client, alice: Member, bob: Member
) -> None:
    app = make_app(outputs=[{"index": 4, "label": "Views", "type": "image"}, SIBLINGS[0] | {"index": 7}])
    run = make_run(alice, app, status="completed")
    views, front = run.outputs.all()
    run.outputs.filter(pk=front.pk).update(position=4, schema_index=7)
    run.outputs.filter(pk=views.pk).update(schema_index=4, remote_id="v")
    same = {"run": run, "label": "Views", "kind": "image", "status": "completed", "schema_index": 4, "remote_id": "v"}
    files = [views, *(Output.objects.create(position=n, list_number=n + 1, **same) for n in (1, 2, 3))]
    second, fourth = (ask_for_changes(files[n], bob, f"note {n}") for n in (1, 3))

    page = open_next(as_alice, second)

    words = page.root.first("section", css="next-version").words
    assert "Making version 2 of Views 2" in words
    assert "1 other result from that run needs changes" in words
    assert "2 other files will also be made again, as extra results." in words
    assert ticked(page) == ["4"]
    made = press_next(as_alice, second, alice, 4)
    boxes = made.outputs.values_list("position", "list_number", "line", "number", "schema_index")
    assert list(boxes) == [(0, 2, second.pk, 2, 4), (1, 4, fourth.pk, 2, 4)]
    assert (made.outputs_total, made.wanted_outputs) == (2, [4])

    # The fourth file is settled, so its next version isn't made by the way.
    made.outputs.filter(line=fourth).update(status="completed", verdict="approved")
    made.outputs.filter(line=second).update(status="completed", verdict="changes")
    again = press_next(as_alice, second, alice, 4)
    assert list(again.outputs.values_list("list_number", "line", "number")) == [(2, second.pk, 3)]
    assert "3 other files" in open_next(as_alice, second).words

    # A retry of a run whose list failed makes the same versions again.
    made.outputs.update(status="error", verdict="")
    Run.objects.filter(pk=made.pk).update(status="completed", finished_at=made.created_at, outputs_failed=2)
    failed = Run.objects.get(pk=made.pk)
    assert failed_indexes(failed) == [4]
    token = new_form_token(alice)
    retried = retry_failed(failed, alice, token)
    assert retried is not None
    assert list(retried.outputs.values_list("list_number", "line")) == [(2, second.pk), (4, fourth.pk)]


def test_the_form_says_that_the_team_will_see_the_run_that_it_waits_for(
    as_alice: Client, alice: Member, bob: Member, run: Run
) -> None:
    front = ask_for_changes(box_of(run, 0), bob, "again")
    told = "The team will see the new run once it's ready"
    assert told not in open_next(as_alice, front).words

    asked = requests.ask(alice, [front])

    assert told in open_next(as_alice, front).words
    requests.close(asked, alice)
    assert told not in open_next(as_alice, front).words


def test_a_result_that_is_not_ticked_is_not_replaced(as_alice: Client, alice: Member, bob: Member, run: Run) -> None:
    front, _back = (ask_for_changes(box_of(run, n), bob, "again") for n in (0, 1))
    made = press_next(as_alice, front, alice, 0)
    assert [(o.line_id, o.number) for o in made.outputs.all()] == [(front.pk, 2)]


def test_a_draft_of_the_next_version_stays_one_after_a_reload(
    as_alice: Client, alice: Member, bob: Member, run: Run
) -> None:
    front = ask_for_changes(box_of(run, 0), bob, "Warmer")
    sent = fields(run.app, alice, next=front.public_id, p1="my words") | {"from": run.public_id}
    as_alice.post(reverse("runs:draft-save", args=[run.app.public_id]), sent)
    assert Draft.objects.get().source == front.public_id

    page = Page(as_alice.get(run.app.get_absolute_url()).text)

    assert "Warmer" in page.root.first("section", css="next-version").words
    assert "my words" in page.root.text


def test_a_result_that_one_may_not_see_gives_404(as_alice: Client, bob: Member, app: App) -> None:
    hidden = box_of(make_run(bob, app, status="completed"), 0)
    assert as_alice.get(f"{app.get_absolute_url()}?next={hidden.public_id}").status_code == 404


def test_in_a_changed_form_only_the_same_place_with_the_same_label_is_replaced(bob: Member, run: Run) -> None:
    front, back = (ask_for_changes(box_of(run, n), bob, "again") for n in (0, 1))
    schema = make_schema(run.app, outputs=[SIBLINGS[0], {"index": 1, "label": "Reel", "type": "video"}])
    assert replaced_by(front, schema, []) == {0: [front]}
    assert replaced_by(back, schema, []) == {0: [front]}


def test_a_third_version_follows_the_second_and_a_failed_one_replaces_nothing(
    as_alice: Client, alice: Member, run: Run
) -> None:
    front = box_of(run, 0)
    second = press_next(as_alice, front, alice, 0).outputs.get()
    assert newer_of_each([front]).get(front.pk) is None  # the newer version is still being made
    Output.objects.filter(pk=second.pk).update(status="completed")
    assert newer_of_each([front]).get(front.pk) == second
    third = press_next(as_alice, second, alice, 0).outputs.get()
    Output.objects.filter(pk=third.pk).update(status="error")

    assert (third.line_id, third.number) == (front.pk, 3)
    assert newer_of_each([front]).get(front.pk) == second
    assert seen_among(Output.objects.in_line_of(second), alice) == [front, second, third]


def test_makers_count_back_to_the_last_approved_version(
    as_alice: Client, as_bob: Client, alice: Member, bob: Member, app: App
) -> None:
    front = box_of(make_run(alice, app, status="completed", shared_at="2026-01-01T00:00Z"), 0)
    second = press_next(as_bob, front, bob, 0).outputs.get()
    assert makers_of(second, alice, bob) == {alice.pk, bob.pk}
    Output.objects.filter(pk=front.pk).update(verdict="approved")
    assert makers_of(second, alice, bob) == {bob.pk}
    assert makers_of(front, alice, bob) == {alice.pk}
    third = press_next(as_bob, second, bob, 0).outputs.get()
    Output.objects.filter(pk=front.pk).update(verdict="changes")
    Output.objects.filter(pk=second.pk).update(verdict="approved")
    assert makers_of(third, alice, bob) == {bob.pk}
    Run.objects.filter(pk=third.run_id).update(made_by=None, member=alice)  # as if made before makers were recorded
    assert makers_of(third, alice, bob) == {alice.pk}


def makers_of(output: Output, *people: Member) -> set[int]:
    """Return which of `people` count as makers of the result and so may not approve it."""
    return {person.pk for person in people if own_work([output], person, ReviewRules(four_eyes=True))}


@pytest.mark.django_db(transaction=True)
def test_presses_of_two_people_at_once_make_versions_2_to_5(alice: Member, bob: Member, run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(shared_at=run.created_at)
    front, gate = ask_for_changes(box_of(run, 0), bob, "Warmer"), Barrier(4)

    def press(member: Member) -> tuple[int, str]:
        try:
            request = LaunchRequest(
                run.app, run.schema, run.answers, [0], new_form_token(member), parent=run, replaces={0: [front]}
            )
            gate.wait()
            made = launch_run(member, request).outputs.get()
            return made.number, made.verdict
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(press, [alice, bob] * 2)) == [(2, ""), (3, ""), (4, ""), (5, "")]
    assert list(Output.objects.in_line_of(front).values_list("number", flat=True)) == [1, 2, 3, 4, 5]


def test_fifty_versions_take_no_more_queries_than_three(as_alice: Client, alice: Member, run: Run) -> None:
    front, counts = box_of(run, 0), []
    for number in range(2, 51):
        later = make_run(alice, run.app, status="completed")
        later.outputs.filter(position=0).update(line=front, number=number)
        if number in (3, 50):
            as_alice.get(front.get_absolute_url())
            with CaptureQueriesContext(connection) as queries:
                page = as_alice.get(front.get_absolute_url()).text
            counts.append(len(queries))
    assert counts[0] == counts[1]
    assert "Version 50" in page
