"""History's view of single results: ticking them across runs, and seeing which are ticked."""

from datetime import timedelta
from itertools import product

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from runs.display.result_tiles import result_tiles
from runs.history import selection
from runs.history.filters import Filter
from runs.models import Member, Output, OutputFile, Run
from tests.support.clients import HTMX
from tests.support.factories import OUTPUTS, make_app, make_kept, make_run, make_stored
from tests.support.html import flat
from tests.support.page import Page

pytestmark = pytest.mark.django_db
RESULTS = "/history/?view=results"
SELECTED = "/history/?selected=1&view=results"


@pytest.fixture
def runs(alice: Member) -> list[Run]:
    """Three finished runs by Alice, newest first, each with a front and a back."""
    app, now = make_app(), timezone.now()
    made = [make_run(alice, app, status="completed", created_at=now - timedelta(minutes=n)) for n in range(3)]
    for run in made:
        make_kept(run)
        make_kept(run, position=1)
    return made


def results_of(run: Run) -> list[str]:
    return [output.public_id for output in run.outputs.all()]


def boxes(client: Client, url: str) -> dict[str, bool]:
    """Return whether each result that can be ticked on the page is ticked, keyed by its id."""
    found = [box for box in Page(client.get(url).text).root.walk() if box.attributes.get("name") == "f"]
    return {str(box.attributes["value"]): "checked" in box.attributes for box in found}


def test_results_are_ticked_across_runs_and_shown_together(
    as_alice: Client, alice: Member, bob: Member, runs: list[Run]
) -> None:
    make_run(alice, runs[0].app, status="failed")
    shared = make_run(bob, runs[0].app, status="completed", shared_at=timezone.now())
    make_kept(shared)
    own = [result for run in runs for result in results_of(run)]
    assert list(boxes(as_alice, RESULTS)) == own
    assert list(boxes(as_alice, f"{RESULTS}&tab=team")) == results_of(shared)[:1]  # the other result has no file

    for ticks in ([own[0], own[3]], results_of(shared)[:1]):
        data = {"place": "results", "f": ticks, "on": " ".join(ticks)}
        told = as_alice.post("/history/select/", data, headers=HTMX)
    assert "3 selected" in flat(told.content)
    assert "2 not on this page" in flat(told.content)
    assert f'href="{SELECTED.replace("&", "&amp;")}"' in told.text

    assert boxes(as_alice, SELECTED) == {own[0]: True, own[3]: True, results_of(shared)[0]: True}
    page = Page(as_alice.get(SELECTED).text)
    assert not [
        link for link in page.first(id="history-tabs").first("nav").find("a") if "aria-current" in link.attributes
    ]
    zipped = as_alice.post("/history/act/", {"do": "download", "place": "results"}, follow=True)
    assert b"".join(zipped.streaming_content).count(b".png") >= 3  # type: ignore[attr-defined]


def test_a_member_sees_only_their_own_ticks_and_runs(as_bob: Client, alice: Member, runs: list[Run]) -> None:
    selection.keep(alice, "results", results_of(runs[0]), results_of(runs[0]))
    assert boxes(as_bob, SELECTED) == {}
    assert "Nothing is selected" in as_bob.get(SELECTED).text
    assert boxes(as_bob, RESULTS) == {}


def test_a_result_is_selected_on_its_own_page_too(as_alice: Client, alice: Member, runs: list[Run]) -> None:
    url = f"{runs[0].outputs.all()[1].get_absolute_url()}?in=q%3Dghibli"

    def press() -> None:
        form = Page(as_alice.get(url).text).first("form", css="file-select")
        fields = [*form.find("input"), *(button for button in form.find("button") if "name" in button.attributes)]
        sent = {field.attributes["name"]: field.attributes["value"] for field in fields}
        assert as_alice.post(str(form.attributes["action"]), sent)["Location"] == url

    press()
    assert boxes(as_alice, SELECTED) == {results_of(runs[0])[1]: True}
    form = Page(as_alice.get(url).text).first("form", css="file-select")
    assert form.first("button").attributes["aria-pressed"] == "true"
    assert form.first("a").attributes["href"] == SELECTED
    press()
    assert boxes(as_alice, SELECTED) == {}


def test_filters_for_results_leave_out_the_others_of_their_run(as_alice: Client, runs: list[Run]) -> None:
    front, back = results_of(runs[0])
    Output.objects.filter(public_id=front).update(verdict="approved")
    OutputFile.objects.filter(output__public_id=back).delete()
    Output.objects.filter(public_id=back).update(kind="text", text="A slogan")
    Run.objects.filter(pk=runs[0].pk).update(verdicts=" approved none ", kinds=" image text ")

    assert list(boxes(as_alice, f"{RESULTS}&decision=approved")) == [front]
    assert list(boxes(as_alice, f"{RESULTS}&kind=text")) == [back]
    assert "A slogan" in as_alice.get(f"{RESULTS}&kind=text").text


def test_tiles_and_the_list_of_all_that_match_have_the_same_results(alice: Member, runs: list[Run]) -> None:
    """One of them is read as plain values, the other is a queryset."""
    run, stored = runs[0], make_stored()
    run.outputs.all().delete()
    statuses, texts, files = (Output.Status.values, ("", "A slogan"), (None, *OutputFile.Status.values))
    rows = list(product(statuses, texts, files, (None, timezone.now())))
    for position, (status, text, file, removed_at) in enumerate(rows):
        made = {"position": position, "kind": "image", "label": f"{position}"}
        output = Output.objects.create(run=run, status=status, text=text, removed_at=removed_at, **made)
        if file:
            output.files.create(source_url="https://x.test/a.png", status=file, file=stored)
    everything = Output.objects.filter(run=run)
    cards = Run.objects.filter(pk=run.pk).for_cards()

    (shown,) = result_tiles(cards, Filter(), walk="", only=set(results_of(run)))

    assert shown.ids == list(Filter().results(everything).values_list("public_id", flat=True))
    assert len(shown.ids) == len(files) + 1, "ready ones with text, whatever their file, and one with just a saved file"
    assert everything.with_content().filter(removed_at__isnull=False).count() == len(shown.ids)


def test_all_that_match_are_selected(as_alice: Client, alice: Member, runs: list[Run]) -> None:
    backs = [results_of(run)[1] for run in runs]
    Output.objects.filter(public_id__in=backs[:2]).update(verdict="approved")
    Run.objects.filter(pk__in=[run.pk for run in runs[:2]]).update(verdicts=" approved none ")
    OutputFile.objects.filter(output__public_id=backs[2]).delete()  # without its file, this result can't be selected

    data = {"place": "results", "f": backs[:1], "on": backs[0], "query": "view=results&decision=approved"}
    assert "Select all 2 that match" in flat(as_alice.post("/history/select/", data, headers=HTMX).content)
    told = flat(as_alice.post("/history/select/", data | {"do": "all"}, headers=HTMX).content)
    assert "2 selected" in told
    assert "Select all" not in told
    told = flat(as_alice.post("/history/select/", data | {"query": "view=results"}, headers=HTMX).content)
    assert "Select all 5" in told
    told = flat(as_alice.post("/history/select/", data | {"query": ""}, headers=HTMX).content)
    assert "Select all" not in told  # not offered without a query, as on a run's page


def test_a_run_with_many_results_shows_some_and_leads_to_the_rest(as_alice: Client, alice: Member) -> None:
    outputs = [OUTPUTS[0] | {"index": n, "label": f"Look {n}"} for n in range(15)]
    run = make_run(alice, make_app(outputs=outputs), status="completed")
    for position in range(15):
        make_kept(run, position=position)

    page = as_alice.get(RESULTS)
    assert list(boxes(as_alice, RESULTS)) == results_of(run)[:12]
    assert "3 more in this run" in flat(page.content)
    selection.keep(alice, "results", results_of(run), results_of(run))
    assert len(boxes(as_alice, SELECTED)) == 15


def test_whoever_selects_runs_is_led_to_their_single_results(as_alice: Client, runs: list[Run]) -> None:
    words = "Select individual results"
    told = Page(as_alice.post("/history/select/", {"r": runs[0].public_id, "query": "state=ready"}, headers=HTMX).text)
    (link,) = [link for link in told.find("a") if link.words == words]
    assert link.attributes["href"] == "/history/?state=ready&view=results"
    assert words not in as_alice.get(RESULTS).text


def test_other_views_are_a_press_away_even_if_no_result_is_there(as_alice: Client, alice: Member) -> None:
    make_run(alice, status="failed")
    page = Page(as_alice.get(RESULTS).text)
    assert "No results yet" in page.words
    assert [link.attributes["href"] for link in page.first(css="view-switch").find("a")] == [
        "/history/",
        "/history/?view=list",
        RESULTS,
    ]
    assert "selected" not in str(Page(as_alice.get(SELECTED).text).first(css="view-switch").find("a")[0].attributes)


def test_a_search_without_matches_leads_to_everything_in_the_same_view(as_alice: Client) -> None:
    page = Page(as_alice.get("/history/", {"view": "results", "tab": "team", "q": "xylophone"}).text)

    (link,) = (one for one in page.first(css="history-none").find("a") if one.words == "Show everything")
    assert link.attributes["href"] == "/history/?tab=team&view=results"


@pytest.mark.parametrize("url", [RESULTS, SELECTED])
def test_it_costs_few_queries(
    as_alice: Client, alice: Member, runs: list[Run], django_assert_max_num_queries: DjangoAssertNumQueries, url: str
) -> None:
    for run in runs:
        selection.keep(alice, "results", results_of(run), results_of(run))
    as_alice.get(RESULTS)
    with django_assert_max_num_queries(13):
        as_alice.get(url)
