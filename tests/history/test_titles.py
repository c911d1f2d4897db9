"""What pages call a run: its title or, if it has none, its app and first input, so that similar runs have different
names."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from runs.models import GuestLink, Member, Output, Run
from runs.sharing import make_guest_copies
from tests.support.clients import HTMX
from tests.support.factories import make_app, make_kept, make_run, make_stored
from tests.support.html import flat
from tests.support.page import Page

pytestmark = pytest.mark.django_db
LONG = "a lighthouse in a storm, seen from a small boat, with gulls " * 3


def told(run: Run, text: str) -> Run:
    """Set the first input of `run` to `text`."""
    run.inputs.update(value=text)
    Run.objects.filter(pk=run.pk).update(summary=[{"name": "Style", "text": text[:200], "type": "text"}])
    run.refresh_from_db()
    return run


@pytest.fixture
def run(alice: Member) -> Run:
    run = make_run(alice, make_app(), status="completed")
    make_kept(run)
    return told(run, "Simpsons")


def result(run: Run) -> Output:
    return run.outputs.all()[0]


def tab_title(page: str) -> str:
    return page.partition("<title>")[2].partition("</title>")[0]


@pytest.mark.parametrize(
    ("title", "summary", "name"),
    [
        ("Autumn", [{"name": "Style", "text": "Ghibli", "type": "text"}], "Autumn"),
        ("", [{"name": "Style", "text": "Ghibli", "type": "text"}], "Cartoonify! · Ghibli"),
        ("", [{"name": "Photo", "text": "a.png", "type": "url"}], "Cartoonify!"),  # a file name would say little
        ("", [{"name": "Photo", "text": "a.png", "type": "url"}, {"name": "A", "text": "b", "type": "text"}],
         "Cartoonify! · b"),
        ("", [], "Cartoonify!"),
    ],
)  # fmt: skip
def test_an_own_title_goes_before_app_and_first_input(title: str, summary: list[dict[str, str]], name: str) -> None:
    assert Run(app_name="Cartoonify!", title=title, summary=summary).display_title == name


@pytest.mark.parametrize(
    "address",
    [
        "/runs/{run}/",
        "/results/{result}/",
        "/runs/{run}/delete/",
        "/runs/{run}/again/",
        "/runs/{run}/share/",
        "/compare/?r={run}",
        "/shares/{link}/",
        "/shares/",
    ],
)
def test_every_page_of_a_run_names_it_as_its_card_does(as_alice: Client, run: Run, address: str) -> None:
    as_alice.post("/shares/new/", {"run": run.public_id})
    link = GuestLink.objects.get().public_id

    page = flat(as_alice.get(address.format(run=run.public_id, result=result(run).public_id, link=link)).text)

    assert "Cartoonify! · Simpsons" in page


def test_heading_and_tab_of_a_run_tell_it_from_its_siblings(as_alice: Client, run: Run) -> None:
    page = flat(as_alice.get(run.get_absolute_url()).text)

    assert tab_title(page) == "Cartoonify! · Simpsons · Lamina Portal"
    assert '">Cartoonify! · Simpsons</h1>' in page
    assert 'placeholder="Cartoonify!"' in page
    assert tab_title(flat(as_alice.get(result(run).get_absolute_url()).text)).startswith(
        "Front · Cartoonify! · Simpsons"
    )


def test_a_long_input_is_cut_in_tabs_and_held_to_two_lines_in_the_heading(as_alice: Client, run: Run) -> None:
    told(run, LONG)

    page = flat(as_alice.get(run.get_absolute_url()).text)

    assert len(tab_title(page)) <= 60 + len(" · Lamina Portal")
    assert 'class="is-long is-told"' in page
    Run.objects.filter(pk=run.pk).update(title="My own words " * 10)
    assert 'class="is-long"' in flat(as_alice.get(run.get_absolute_url()).text)


def test_the_bin_tells_each_input_once(as_alice: Client, run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(deleted_at=timezone.now())

    row = flat(as_alice.get("/bin/").text).partition("<main")[2].partition("<h2")[2].partition("<form")[0]

    assert ">Cartoonify! · Simpsons</h2>" in row
    assert row.count("Simpsons") == 1


def test_relatives_are_named_by_their_inputs(as_alice: Client, alice: Member, run: Run) -> None:
    child = told(make_run(alice, run.app, status="completed", parent=run), "Ghibli")

    def relatives(of: Run) -> list[str]:
        timeline = Page(as_alice.get(of.get_absolute_url()).text).first(id="run-timeline")
        return [link.words for link in timeline.find("a")]

    assert relatives(child) == ["Cartoonify! · Simpsons"]
    assert relatives(run) == ["Cartoonify! · Ghibli"]


def test_news_of_a_run_name_it_the_same(as_alice: Client, run: Run) -> None:
    query = {"r": f"{run.public_id}:0.0-progress-0-2", "page": "run"}
    news = flat(as_alice.get("/live/", query, headers=HTMX).text)

    assert tab_title(news) == "Ready · Cartoonify! · Simpsons · Lamina Portal"
    assert "Cartoonify! · Simpsons: Ready" in news


def test_columns_are_led_by_what_differs(as_alice: Client, alice: Member, run: Run) -> None:
    titled = told(make_run(alice, run.app, status="completed", title="Autumn"), "Ghibli")
    make_kept(titled, make_stored((44, 33)))

    page = flat(as_alice.get(f"/compare/?f={result(run).public_id},{result(titled).public_id}").text)

    first, second = (part.partition("</p>")[0] for part in page.split('class="compare-from"')[1:])
    assert '<strong class="compare-lead" dir="auto">Simpsons</strong>' in first
    assert ">Cartoonify!</a>" in first  # the rest of the name is in the lead
    assert '<strong class="compare-lead" dir="auto">Ghibli</strong>' in second
    assert ">Autumn</a>" in second


def test_columns_of_one_run_have_no_lead(as_alice: Client, run: Run) -> None:
    second = run.outputs.all()[1]

    page = flat(as_alice.get(f"/compare/?f={result(run).public_id},{second.public_id}").text)

    assert "compare-lead" not in page
    assert page.count(">Cartoonify! · Simpsons</a>") == 2


def test_guests_never_read_an_input_for_a_title(as_alice: Client, client: Client, run: Run, alice: Member) -> None:
    as_alice.post("/shares/new/", {"run": run.public_id})
    link = GuestLink.objects.get()
    GuestLink.objects.update(shows_app=True, may_download=True, expires_at=timezone.now() + timedelta(days=1))
    address = as_alice.get(f"/shares/{link.public_id}/").text.partition("/s/")[2].partition("/")[0]

    page = client.get(f"/s/{address}/")

    assert page.status_code == 200
    assert "Cartoonify!" in page.text
    assert "Simpsons" not in page.text
    make_guest_copies.COPIES.run()
    assert "simpsons" not in client.get(f"/s/{address}/download/").headers["Content-Disposition"].lower()
