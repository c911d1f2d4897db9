"""Examples next to the form: the app's latest good results. One press copies their inputs, including files."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from runs.launching import app_runs
from runs.models import App, Draft, Member, Preset, Run, Upload
from runs.review import overall_verdict
from tests.support.app_forms import fields, run_of, seen_in
from tests.support.factories import make_app, make_kept, make_run
from tests.support.page import Page

pytestmark = pytest.mark.django_db


def offered(client: Client, app: App) -> list[str]:
    """Return the ids of the runs that the form offers as examples."""
    buttons = Page(client.get(app.get_absolute_url()).text).find("button", css="example")
    return [button.attributes["value"].removeprefix("example:") for button in buttons]


@pytest.mark.parametrize("kind", ["text", "picture", "hologram", "3d"])
def test_an_example_with_nothing_to_show_has_an_icon(as_alice: Client, alice: Member, kind: str) -> None:
    """The example's text may have been removed in the meantime, and its kind may be anything that Lamina has sent."""
    app = make_app()
    run = make_run(alice, app, status="completed")
    run.outputs.update(kind=kind, text="")

    assert offered(as_alice, app) == [run.public_id]


def test_the_latest_good_results_that_the_member_may_see_are_examples(
    as_alice: Client, alice: Member, bob: Member
) -> None:
    app, now = make_app(), timezone.now()
    own = make_run(alice, app, status="completed", created_at=now - timedelta(days=1))
    shared = make_run(bob, app, status="completed", shared_at=now)
    make_run(bob, app, status="completed")  # this run is private
    make_run(alice, app, status="completed", outputs_failed=1)
    make_run(alice, app, status="failed")
    make_run(alice, app, status="completed", deleted_at=now)
    make_run(alice, status="completed")  # a run of another app

    assert offered(as_alice, app) == [shared.public_id, own.public_id]
    Member.objects.filter(pk=alice.pk).update(role="admin")
    # as an admin, she could see all of these runs, but nobody's private work is offered as an example
    assert len(offered(as_alice, app)) == 2


@pytest.mark.parametrize("verdicts", [["rejected", "rejected"], ["changes", "rejected"], ["approved", "rejected"]])
def test_a_run_is_no_example_if_all_its_results_are_rejected(
    as_alice: Client, alice: Member, verdicts: list[str]
) -> None:
    app = make_app(outputs=[{"index": n, "label": f"View {n}", "type": "image"} for n in range(2)])
    run = make_run(alice, app, status="completed")
    assert offered(as_alice, app) == [run.public_id]
    for output, verdict in zip(run.outputs.all(), verdicts, strict=True):
        run.outputs.filter(pk=output.pk).update(verdict=verdict)

    overall_verdict.count([run.pk])

    is_offered = bool({"changes", "approved"} & {*verdicts})
    assert offered(as_alice, app) == [run.public_id] * is_offered


def test_runs_with_an_approved_result_come_first_then_the_newest(as_alice: Client, alice: Member) -> None:
    app, now = make_app(), timezone.now()
    runs = [make_run(alice, app, status="completed", created_at=now - timedelta(days=n)) for n in range(6)]
    runs[0].outputs.update(verdict="rejected")
    for approved in (runs[3], runs[5]):
        approved.outputs.update(verdict="approved")

    overall_verdict.count([run.pk for run in runs])

    assert offered(as_alice, app) == [run.public_id for run in (runs[3], runs[5], runs[1])]


def test_an_approved_run_comes_first_however_many_came_later_and_even_if_other_results_failed(
    as_alice: Client, alice: Member
) -> None:
    app, now = make_app(), timezone.now()
    old = make_run(alice, app, status="completed", outputs_failed=1, created_at=now - timedelta(days=9))
    old.outputs.filter(position=0).update(verdict="approved")
    newer = [make_run(alice, app, status="completed") for _ in range(51)]

    overall_verdict.count([old.pk])

    assert offered(as_alice, app) == [run.public_id for run in (old, newer[-1], newer[-2])]


def test_an_example_shows_the_approved_result_and_says_so(as_alice: Client, alice: Member) -> None:
    app = make_app()
    run = make_run(alice, app, status="completed")
    files = [make_kept(run, position=position) for position in range(2)]
    assert files[1].file

    [before] = Page(as_alice.get(app.get_absolute_url()).text).find("button", css="example")
    run.outputs.filter(position=1).update(verdict="approved")
    overall_verdict.count([run.pk])
    [button] = Page(as_alice.get(app.get_absolute_url()).text).find("button", css="example")

    assert "(approved)" not in before.attributes["aria-label"]
    assert "(approved)" in button.attributes["aria-label"]
    assert files[1].file.public_id in button.first("img").attributes["src"]


def test_an_index_alone_finds_the_newest_runs(alice: Member) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("small tables are read whole")
    for query in (app_runs.approved_query, app_runs.undecided_query):
        plan = query(alice, make_app()).values("pk").explain()
        assert "USING COVERING INDEX run_find_app " in plan
        assert "TEMP B-TREE" not in plan


def test_a_run_isnt_shown_twice(as_alice: Client, alice: Member) -> None:
    app = make_app()
    runs = [make_run(alice, app, status="completed") for _ in range(4)]

    body = as_alice.get(app.get_absolute_url()).text

    cards = Page(body).find("article", css="run-card")
    assert [card.attributes["data-run"] for card in cards] == [runs[0].public_id]


def test_one_press_takes_over_inputs_and_files_and_keeps_what_was_typed(
    as_alice: Client, alice: Member, bob: Member, app: App, photo: Upload
) -> None:
    Upload.objects.filter(pk=photo.pk).update(member=bob)
    run = run_of(bob, app, Upload.objects.get(pk=photo.pk), status="completed", shared_at=timezone.now())
    typed = fields(app, alice, act=f"example:{run.public_id}", p0="", p1="my own words")

    url = as_alice.post(app.get_absolute_url(), typed).headers["Location"]
    page = as_alice.get(url).text

    assert "These are the values from that run. Your draft is saved." in page
    assert "at sea" in page
    assert "a.png" in page  # the teammate's file, under its stored name
    assert "my own words" in as_alice.get(app.get_absolute_url()).text  # "Go back to my draft" leads here
    assert not Run.objects.filter(member=alice).exists()


def test_an_untouched_form_gets_no_word_about_a_draft(as_alice: Client, alice: Member, app: App, photo: Upload) -> None:
    run = run_of(alice, app, photo, status="completed")
    empty = fields(app, alice, act=f"example:{run.public_id}", p0="", p1="")

    page = as_alice.get(as_alice.post(app.get_absolute_url(), empty).headers["Location"]).text

    assert "Your draft is saved" not in page
    assert "at sea" in page
    assert Draft.objects.count() <= 1


def test_pressing_examples_sets_aside_one_draft_at_most(
    as_alice: Client, alice: Member, app: App, photo: Upload
) -> None:
    """What people typed themselves is kept. An unchanged example isn't kept, and a changed example replaces the draft
    that was set aside last."""
    runs = [run_of(alice, app, photo, status="completed") for _ in range(3)]
    words = {"p0": "", "p1": "my own words"}

    def set_aside() -> list[str]:
        return [str(answer.value) for kept in Preset.objects.filter(is_set_aside=True) for answer in kept.answers
                if answer.name == "Prompt"]  # fmt: skip

    def press_and_touch(run: Run, given: dict[str, Any], **touched: Any) -> dict[str, Any]:
        pressed = fields(app, alice, **{**given, "act": f"example:{run.public_id}"})
        form = Page(as_alice.get(as_alice.post(app.get_absolute_url(), pressed).headers["Location"]).text)
        inputs = {one.attributes.get("name"): one.attributes.get("value", "") for one in form.find("input")}
        hidden = {name: inputs.get(name, "") for name in ("from", "aside", "seen")}
        given = {**hidden, "p0": "0", "p1": "at sea", "p2_kept": photo.public_id, **touched}
        as_alice.post(f"/drafts/{app.public_id}/", fields(app, alice, **given))
        again = as_alice.get(f"{app.get_absolute_url()}?from={run.public_id}").text
        return given | {"aside": "", "seen": seen_in(again)}

    given = press_and_touch(runs[0], words)
    assert set_aside() == ["my own words"]
    given = press_and_touch(runs[1], given, p1="changed by hand")
    assert set_aside() == ["my own words"]
    press_and_touch(runs[2], given)
    assert set_aside() == ["changed by hand"]
    assert Preset.objects.count() == 1


def test_an_apps_page_asks_for_all_its_runs_at_once(as_alice: Client, alice: Member, bob: Member) -> None:
    app, now = make_app(), timezone.now()
    approved = make_run(bob, app, status="completed", shared_at=now)
    approved.outputs.update(verdict="approved")
    overall_verdict.count([approved.pk])
    mine = [make_run(alice, app, status="completed") for _ in range(8)]

    with time_machine.travel(timezone.now(), tick=False):  # while what is cached for a few seconds stays so
        as_alice.get(app.get_absolute_url())
        with CaptureQueriesContext(connection) as queries:
            page = Page(as_alice.get(app.get_absolute_url()).text)

        Preset.objects.create(member=alice, app=app, name="Night", is_team=False)
        with CaptureQueriesContext(connection) as with_presets:
            as_alice.get(app.get_absolute_url())

    assert len(queries) <= 7
    assert len(with_presets) <= 8
    examples = [button.attributes["value"] for button in page.find("button", css="example")]
    assert examples == [f"example:{run.public_id}" for run in (approved, mine[-1], mine[-2])]
    cards = [card.attributes["data-run"] for card in page.find("article", css="run-card")]
    assert cards == [run.public_id for run in reversed(mine[2:6])]
