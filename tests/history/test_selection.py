"""Ticks are kept on the server: across pages, per member and tab, for a week, with and without scripts."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.http import urlencode

from runs import tasks
from runs.history import selection
from runs.models import Member, Output, Run, Selection
from tests.support.clients import HTMX, client_of
from tests.support.factories import make_app, make_kept, make_run
from tests.support.html import flat
from tests.support.page import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def runs(alice: Member) -> list[Run]:
    """Thirty finished runs by Alice, newest first, one minute apart: two pages of History."""
    app, now = make_app(), timezone.now()
    made = [
        make_run(alice, app, status="completed", created_at=now - timedelta(minutes=n), shared_at=now)
        for n in range(30)
    ]
    make_kept(made[0])
    return made


def select(client: Client, *ticks: Run, on: list[Run] | None = None, **more: str) -> str:
    """Tick the runs in `ticks` and untick the rest of the runs on the page (`on`); return the updated bar's HTML."""
    data = {"r": [run.public_id for run in ticks], "on": " ".join(run.public_id for run in on or []), **more}
    answer = client.post("/history/select/", data, headers=HTMX)
    assert answer.status_code == 200
    return flat(answer.content)


def ticked(client: Client, url: str = "/history/") -> set[str]:
    """Return the ids of the runs that are ticked on a page of History."""
    boxes = Page(client.get(url).text).root.walk()
    return {
        str(box.attributes["value"]) for box in boxes if "checked" in box.attributes and box.attributes["name"] == "r"
    }


def count(client: Client, place: str = "mine") -> int:
    member = Member.objects.get(pk=client.session["_auth_user_id"])
    member.browser = client.session["browser"]
    return selection.summary_of(member, place).count


def test_ticks_stay_across_pages_and_reloads(as_alice: Client, alice: Member, runs: list[Run]) -> None:
    told = select(as_alice, runs[0], runs[1])
    assert "2 selected" in told
    assert "1 file," in told
    assert "Select all 30<" in told

    second = as_alice.get("/history/").context["next_url"]
    assert "3 selected" in select(as_alice, runs[25])
    assert ticked(as_alice, second) == {runs[25].public_id}
    assert ticked(as_alice) == {runs[0].public_id, runs[1].public_id}

    assert "2 selected" in select(as_alice, on=[runs[0]])  # unticks a run on the first page
    assert ticked(as_alice, second) == {runs[25].public_id}
    page = as_alice.get("/history/?q=nothing+like+it").text  # the bar is shown even if nothing matches
    acts = Page(page).first(id="selection").find(css="button")
    assert any("Move to bin" in act.words for act in acts)
    explained = [act.attributes["value"] for act in acts if "provenance.csv" in act.attributes.get("title", "")]
    assert explained == ["download", "download-approved"]
    assert page.count("provenance.csv") == 2


def test_texts_are_files_of_a_size_that_nobody_knows(as_alice: Client, runs: list[Run]) -> None:
    Output.objects.filter(run__in=runs[1:3]).update(text="Hello", status="completed")
    bar = Page(select(as_alice, *runs[1:3], on=runs))
    assert bar.first(css="selection-size").words == f"{Output.objects.exclude(text='').count()} files"


def test_without_scripts_older_and_keep_take_the_ticks_along(as_alice: Client, runs: list[Run]) -> None:
    page = as_alice.get("/history/")
    on, older = page.context["shown_ids"], page.context["next_url"]
    assert len(on.split()) == 24

    answer = as_alice.post("/history/select/", {"r": [runs[3].public_id], "on": on, "to": older})
    assert answer["Location"] == older
    answer = as_alice.post(
        "/history/select/", {"do": "keep", "r": [runs[29].public_id], "on": runs[28].public_id, "back": older}
    )
    assert answer["Location"] == older

    assert ticked(as_alice) == {runs[3].public_id}
    assert ticked(as_alice, older) == {runs[29].public_id}
    answer = as_alice.post("/history/select/", {"on": on, "to": "https://evil.example/", "back": "//evil.example/"})
    assert answer["Location"] == "/history/"
    assert count(as_alice) == 1


def test_an_action_takes_what_other_pages_have_and_what_is_only_posted(as_alice: Client, runs: list[Run]) -> None:
    select(as_alice, runs[27], runs[2])
    data = {"do": "star", "r": [runs[0].public_id], "on": " ".join(run.public_id for run in runs[:24])}

    as_alice.post("/history/act/", data)

    assert set(Run.objects.filter(has_star=True)) == {runs[0], runs[27]}


def test_a_fresh_browser_starts_without_a_selection(as_alice: Client, alice: Member, runs: list[Run]) -> None:
    result = runs[0].outputs.all()[0].public_id
    select(as_alice, *runs[:2])
    as_alice.post("/history/select/", {"place": "results", "f": result})

    fresh = client_of(alice)

    assert (count(fresh), count(fresh, "results"), ticked(fresh)) == (0, 0, set())
    assert "Show all selected" in as_alice.get(f"/results/{result}/").text
    assert "Show all selected" not in fresh.get(f"/results/{result}/").text
    assert "1 selected" in select(fresh, runs[5])
    select(fresh, do="clear")
    select(fresh, do="undo")
    assert (ticked(fresh), count(as_alice)) == ({runs[5].public_id}, 2)  # neither browser changes the other's
    assert "Move 1 run to the bin?" in fresh.get("/history/bin/?place=mine").text
    as_alice.logout()
    as_alice.force_login(alice)
    assert (count(as_alice), ticked(as_alice)) == (0, set())


def test_each_tab_and_each_member_has_its_own(as_alice: Client, as_bob: Client, runs: list[Run]) -> None:
    select(as_alice, runs[0])
    select(as_bob, runs[1], runs[2], query="tab=team")

    assert (count(as_alice), count(as_alice, "team"), count(as_bob, "team")) == (1, 0, 2)
    assert ticked(as_bob, "/history/?tab=team") == {runs[1].public_id, runs[2].public_id}


def test_what_one_may_no_longer_see_or_is_gone_drops_out(as_bob: Client, runs: list[Run]) -> None:
    select(as_bob, *runs[:4], query="tab=team")
    Run.objects.filter(pk=runs[0].pk).update(shared_at=None)
    Run.objects.filter(pk=runs[1].pk).update(deleted_at=timezone.now())
    runs[2].delete()

    assert count(as_bob, "team") == 1
    assert "1 selected" in as_bob.get("/history/?tab=team").text
    select(as_bob, *runs[:1], query="tab=team")  # a run that isn't shared can't be ticked either
    assert count(as_bob, "team") == 1


def test_all_that_match_are_selected(as_alice: Client, alice: Member, runs: list[Run]) -> None:
    make_run(alice, make_app("Other"), status="failed")

    told = select(as_alice, runs[0], do="all", query="state=ready")

    assert "30 selected" in told
    assert "that match" not in told
    page = as_alice.get("/history/").text
    assert "Select all 31\n" in page
    # Enter on a checkbox presses the bar's first button, which must not be "Select all"
    assert Page(page).first(id="selection").first("button").attributes["value"] == "keep"
    assert "Select all 31 that match" in as_alice.get("/history/", {"q": "ghibli"}).text


def test_a_single_match_is_not_called_all(as_alice: Client, alice: Member, runs: list[Run]) -> None:
    make_run(alice, make_app("Other"), status="failed")

    assert "Select the one that matches" in select(as_alice, runs[0], query="state=failed")


def test_no_more_than_fit_are_selected_and_that_is_said(
    as_alice: Client, runs: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "AT_MOST", 10)
    assert "Select the newest 10<" in select(as_alice, runs[20])

    assert "10 selected; that&#x27;s the maximum" in select(as_alice, do="all")
    assert ticked(as_alice) == {run.public_id for run in [*runs[:9], runs[20]]}
    select(as_alice, runs[15])
    assert count(as_alice) == 10


def test_runs_in_the_bin_take_no_room(as_alice: Client, runs: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "AT_MOST", 10)
    select(as_alice, do="all")
    as_alice.post("/history/act/", {"do": "bin", "shown": " ".join(run.public_id for run in runs)})
    assert count(as_alice) == 0

    assert "1 selected" in select(as_alice, runs[25])
    assert "10 selected" in select(as_alice, do="all")


def test_undoing_brings_back_everything_even_beyond_the_limit(
    as_alice: Client, runs: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "AT_MOST", 10)
    select(as_alice, *runs[:10])
    select(as_alice, do="clear")
    select(as_alice, *runs[10:15])

    assert "15 selected" in select(as_alice, do="undo")
    assert "15 selected" in select(as_alice, runs[20])
    assert "15 selected" in select(as_alice, do="all")
    assert "14 selected" in select(as_alice, on=[runs[0]])


@pytest.mark.parametrize("has_scripts", [True, False])
def test_clearing_can_be_undone(as_alice: Client, runs: list[Run], has_scripts: bool) -> None:
    select(as_alice, *runs[:3])
    if has_scripts:
        told = select(as_alice, do="clear")
        assert "3 items are no longer selected." in told
        assert 'value="undo"' in told
    else:
        page = flat(
            as_alice.post("/history/select/", {"do": "clear", "back": "/history/?state=ready"}, follow=True).content
        )
        assert "3 items are no longer selected." in page
        assert 'value="reselect"' in page
    assert ticked(as_alice) == set()

    select(as_alice, runs[5])
    if has_scripts:
        shown = select(as_alice, do="undo", on=runs[:4])
        assert "4 selected" in shown
        assert {run.public_id for run in runs[:3]} <= set(shown.split('data-ticked="')[1].split('"')[0].split())
    else:
        as_alice.post("/history/act/", {"do": "reselect"})
    assert ticked(as_alice) == {run.public_id for run in [*runs[:3], runs[5]]}


def test_clearing_results_without_scripts_can_be_undone_on_the_runs_page(as_alice: Client, runs: list[Run]) -> None:
    result, url = runs[0].outputs.all()[0], runs[0].get_absolute_url()
    as_alice.post("/history/select/", {"place": "results", "f": result.public_id, "back": url})
    page = as_alice.post("/history/select/", {"do": "clear", "place": "results", "back": url}, follow=True)
    form = Page(page.text).first("form", css="undo")
    fields = [*form.find("input"), *form.find("button")]
    sent = {field.attributes["name"]: field.attributes["value"] for field in fields}

    assert as_alice.post("/history/act/", sent)["Location"] == url
    assert count(as_alice, "results") == 1
    assert "is no longer selected" not in as_alice.get(url).text


def test_the_page_of_a_run_leaves_the_undo_of_others_to_history(as_alice: Client, runs: list[Run]) -> None:
    url = runs[0].get_absolute_url()
    as_alice.post("/history/act/", {"do": "bin", "r": runs[1].public_id, "back": url}, follow=True)

    assert 'value="restore"' in as_alice.get("/history/").text


def test_a_tick_beside_a_clearing_is_kept(
    as_alice: Client, alice: Member, runs: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL, ticking waits until the selection has been cleared, and then no longer finds the row that it
    wanted to lock."""
    begin = Selection.objects.get_or_create

    def begin_and_be_cleared(**wanted: Any) -> Any:
        monkeypatch.undo()
        found = begin(**wanted)
        selection.clear(alice, "mine")
        return found

    monkeypatch.setattr(Selection.objects, "get_or_create", begin_and_be_cleared)
    assert "1 selected" in select(as_alice, runs[0])


def test_a_selection_lasts_for_a_week_after_its_last_change(as_alice: Client, runs: list[Run]) -> None:
    select(as_alice, runs[0])
    now = timezone.now()
    Selection.objects.update(changed_at=now - timedelta(days=6))
    select(as_alice, runs[1])
    assert count(as_alice) == 2

    Selection.objects.update(changed_at=now - timedelta(days=7, seconds=1))
    assert ticked(as_alice) == set()
    tasks.tidy()
    assert not Selection.objects.exists()
    Selection.objects.create(member=Member.objects.get(), place="mine", changed_at=now - timedelta(days=8))
    select(as_alice, runs[3])  # the selection has expired, although the hourly cleanup hasn't removed it yet
    assert count(as_alice) == 1


def test_a_swapped_card_stays_ticked(as_alice: Client, alice: Member) -> None:
    run = make_run(alice, status="running")
    select(as_alice, run)
    query = urlencode({"r": f"{run.public_id}:0", "page": "history"})

    assert "checked" in as_alice.get(f"/live/?{query}", headers=HTMX | {"HX-Current-URL": "http://x/history/"}).text


def test_a_download_that_would_be_too_large_is_told_before_it_is_pressed(
    as_alice: Client, runs: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A guest link to the same results is still offered."""
    monkeypatch.setattr(selection, "ZIP_BYTES_AT_MOST", 50)

    told = select(as_alice, runs[0])

    assert "a download can hold at most 50" in told
    assert "data-too-large" in told
    page = Page(as_alice.get("/history/").text).root.walk()
    acts = {tag.attributes["value"]: tag.attributes for tag in page if tag.attributes.get("data-needs")}
    assert [name for name, attributes in acts.items() if "disabled" in attributes] == ["download"]
    answer = as_alice.post("/history/act/", {"do": "download"}, follow=True)
    assert "a download can hold at most 50" in flat(answer.content)
