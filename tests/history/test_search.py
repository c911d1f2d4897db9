"""History's filters: read from a URL, written back to one, and applied in the database; also paging, and a run's
neighbours."""

from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import urlencode
from zipfile import ZipFile

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from runs.history import selection
from runs.history.filters import Filter
from runs.history.order import Cursor, outputs_beside, page_of
from runs.models import Member, Run, RunWords
from runs.models.search import COMMON, FEW
from runs.team.transfers import transfer
from runs.words.run_index import few_runs, index_runs, query_of
from runs.words.terms import ways_of
from tests.support.clients import client_of
from tests.support.factories import make_app, make_kept, make_run
from tests.support.page import Page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_noon")]


def ids(query: str, member: Member) -> set[str]:
    found = Filter.parse(query)
    return {run.title for run in found.runs(member, found.directory(member))}


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("", ""),
        ("q=+red++shoe+&state=ready", "q=red+shoe&state=ready"),
        ("tab=team&by=k7k7k7k7k7k7k7k7&kind=video&view=list", "tab=team&by=k7k7k7k7k7k7k7k7&kind=video&view=list"),
        ("from=2026-11-01&to=2026-11-30", "from=2026-11-01&to=2026-11-30"),
        ("tab=x&by=9&state=x&kind=x&from=x&to=2026-02-31&view=x&before=1-a", ""),
        ("tab=team&by=7", "tab=team"),  # ids are never plain numbers
        ("tab=team&by=a%20b", "tab=team"),
        ("from=9998-12-31&to=1900-01-01", "from=1900-01-01&to=9998-12-31"),
        ("from=0001-01-01&to=9999-12-31", ""),
    ],
)
def test_an_address_is_read_and_written_back(query: str, kept: str, alice: Member) -> None:
    found = Filter.parse(query)

    assert found.query == kept
    assert Filter.parse(found.query) == found
    assert list(found.runs(alice, found.directory(alice))[:1]) == []


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Pacific/Kiritimati", "America/Los_Angeles"])
@pytest.mark.parametrize("day", ["0001-01-01", "0001-01-02", "1900-01-01", "9998-12-31", "9999-12-30", "9999-12-31"])
def test_a_day_at_the_end_of_the_calendar_breaks_nothing_anywhere(
    as_alice: Client, alice: Member, zone: str, day: str
) -> None:
    run = make_run(alice)
    with timezone.override(zone):
        for query in (f"from={day}", f"to={day}", f"from={day}&to={day}", f"q=ghibli&from={day}"):
            assert as_alice.get(f"/history/?{query}").status_code == 200, query
        assert as_alice.get(f"/results/{run.outputs.all()[0].public_id}/", {"in": f"to={day}"}).status_code == 200


def test_a_filter_is_taken_away_by_its_name_in_the_address() -> None:
    assert Filter.parse("q=a&from=2026-01-01&app=b").without("from", "q").query == "app=b"


@pytest.fixture
def library_of_runs(alice: Member, bob: Member) -> dict[str, Run]:
    """Two people's runs, keyed by title."""
    now, app = timezone.now(), make_app("Shoe maker")
    other = make_app("Films", outputs=[{"index": 0, "label": "Film", "type": "video"}])
    made = [
        make_run(alice, app, status="completed", title="own", created_at=now - timedelta(days=1)),
        make_run(alice, other, status="failed", title="film", has_star=True, starred_at=now),
        make_run(alice, app, status="completed", title="partly", outputs_failed=1, created_at=now - timedelta(days=9)),
        make_run(bob, app, status="completed", title="shared", shared_at=now, has_star=True, starred_at=now),
        make_run(bob, other, status="running", title="shared film", shared_at=now),
        make_run(bob, app, status="completed", title="private", has_star=True, starred_at=now),
        make_run(alice, app, status="completed", title="in the bin", deleted_at=now, has_star=True, starred_at=now),
        make_run(bob, app, status="completed", title="in bob's bin", deleted_at=now, shared_at=now),
    ]
    return {run.title: run for run in made}


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", {"own", "film", "partly"}),
        ("tab=team", {"shared", "shared film"}),
        ("tab=starred", {"film", "shared"}),
        ("kind=video", {"film"}),
        ("kind=text", set()),
        ("state=partly", {"partly"}),
        ("tab=team&state=progress", {"shared film"}),
        ("from=RECENT", {"film", "own"}),
        ("to=OLD", {"partly"}),
        ("from=OLD&to=OLD", {"partly"}),
        ("app=gone", set()),
        ("q=ghibli", {"own", "film", "partly"}),
        ("q=SHOE", {"own", "partly"}),
        ("tab=team&q=BÓB+films", {"shared film"}),
        ("q=100%25_", set()),
    ],
)
def test_what_a_filter_finds(library_of_runs: dict[str, Run], alice: Member, query: str, titles: set[str]) -> None:
    today = timezone.localdate()
    days = {"RECENT": today - timedelta(days=2), "OLD": today - timedelta(days=9)}
    for word, day in days.items():
        query = query.replace(word, day.isoformat())

    assert ids(query, alice) == titles


def test_person_and_app_are_filters_and_names_of_today_count(
    library_of_runs: dict[str, Run], alice: Member, bob: Member, make_member: Callable[..., Member]
) -> None:
    make_member("dora")
    app = library_of_runs["shared"].app
    app.name = "Crème brûlée"
    app.save()
    Member.objects.filter(pk=bob.pk).update(name="Łukasz")

    assert ids(f"tab=team&by={bob.public_id}&app={app.public_id}", alice) == {"shared"}
    assert ids("tab=team&q=lukasz", alice) == {"shared", "shared film"}
    assert ids("q=creme+brulee", alice) == {"own", "partly"}
    assert ids("tab=team&q=dora", alice) == set()


def test_among_ones_own_runs_ones_own_name_finds_nothing(library_of_runs: dict[str, Run], alice: Member) -> None:
    Member.objects.filter(pk=alice.pk).update(name="Rose Red")
    library_of_runs["film"].search_text = "a rose in the rain"
    index_runs([library_of_runs["film"]])

    assert ids("q=rose", alice) == {"film"}
    assert ids("q=rose+red", alice) == set()
    assert ids("tab=starred&q=rose+red", alice) == {"film"}  # on this tab, the maker's name is searched, too


@pytest.mark.parametrize(
    ("name", "word", "is_found"),
    [
        ("Hannah Baker", "an", False),
        ("Hannah Baker", "hann", True),
        ("Hannah Baker", "bak", True),
        ("Mary-Ann O\N{RIGHT SINGLE QUOTATION MARK}Neill", "an", True),
        ("Mary-Ann O\N{RIGHT SINGLE QUOTATION MARK}Neill", "neill", True),
        ("Mary-Ann O'Neill", "mary-ann", True),
        ("rose_red", "red", True),
        ("Łukasz Ångström", "angst", True),
        ("Łukasz Ångström", "strom", False),
        ("山田太郎", "太郎", True),
        ("김민수", "민수", True),
        ("Hannah [x]", "[x", True),
    ],
)
def test_a_person_is_found_by_how_a_word_of_the_name_begins(
    library_of_runs: dict[str, Run], alice: Member, bob: Member, name: str, word: str, is_found: bool
) -> None:
    Member.objects.filter(pk=bob.pk).update(name=name)

    query = urlencode({"tab": "team", "q": word})
    assert ids(query, alice) == ({"shared", "shared film"} if is_found else set())


def test_a_place_in_the_list_outlives_its_run(alice: Member) -> None:
    app, now = make_app(), timezone.now()
    made = [make_run(alice, app, status="completed", created_at=now - timedelta(minutes=n)) for n in range(6)]
    cursor = Cursor.read(str(Cursor.of(made[2])))
    Run.objects.filter(pk=made[2].pk).delete()

    page = page_of(Run.objects.owned_by(alice), before=cursor, size=2)

    assert [run.pk for run in page.runs] == [made[3].pk, made[4].pk]
    assert page_of(Run.objects.owned_by(alice), after=cursor, size=1).runs[0].pk == made[1].pk


def test_pages_lead_back_as_they_lead_on(alice: Member) -> None:
    app, moment = make_app(), timezone.now()
    for _ in range(11):
        make_run(alice, app, status="completed", created_at=moment)
    runs = Run.objects.owned_by(alice)
    pages = [page_of(runs, size=3)]
    while pages[-1].older:
        pages.append(page_of(runs, before=Cursor.read(pages[-1].older), size=3))

    back = [pages[-1]]
    while back[-1].newer:
        back.append(page_of(runs, after=Cursor.read(back[-1].newer), size=3))

    assert sorted(len(page.runs) for page in pages) == [2, 3, 3, 3]
    assert [run.pk for page in pages for run in page.runs] == [run.pk for run in runs.newest_first()]
    assert [run.pk for page in reversed(back) for run in page.runs][-8:] == [run.pk for run in runs.newest_first()][-8:]
    assert back[-1].runs == pages[0].runs


@pytest.mark.parametrize("text", ["", "abc", "-", "12", "99999999999999999-x", "²-x", "0-"])
def test_an_odd_cursor_is_the_first_page_or_the_end(text: str, alice: Member) -> None:
    make_run(alice)

    page_of(Run.objects.owned_by(alice), before=Cursor.read(text))


def test_neighbours_keep_to_the_filter(alice: Member, bob: Member) -> None:
    app, now = make_app(), timezone.now()

    def made(minutes: int, member: Member = alice, status: str = "completed", at: datetime = now) -> Run:
        return make_run(member, app, status=status, created_at=at - timedelta(minutes=minutes))

    newest, _failed, middle, _strange, oldest = made(0), made(1, status="failed"), made(2), made(3, bob), made(4)
    first, second = middle.outputs.all()
    found = Filter.parse("q=ghibli")

    assert outputs_beside(first, found, alice).older == second
    assert outputs_beside(first, found, alice).newer == newest.outputs.last()
    assert outputs_beside(second, found, alice).older == oldest.outputs.first()
    assert outputs_beside(oldest.outputs.last() or first, found, alice).older is None


@pytest.mark.parametrize("query", ["tab=team&by={bob}", "tab=team&q=robert"])
def test_a_person_finds_what_they_made_and_what_they_own(
    as_alice: Client, alice: Member, bob: Member, make_member: Callable[..., Member], query: str
) -> None:
    now, carol = timezone.now(), make_member("carol")
    Member.objects.filter(pk=bob.pk).update(name="Robert")
    app = make_app()
    shared: dict[str, Any] = {"shared_at": now, "status": "completed"}
    make_run(bob, app, title="own", **shared)
    make_run(carol, app, title="made", made_by=bob, **shared)
    make_run(bob, app, title="owned", made_by=carol, **shared)
    make_run(bob, app, title="unknown maker", made_by=None, **shared)
    make_run(carol, app, title="other", **shared)
    make_run(carol, app, title="nobody knows", made_by=None, **shared)
    make_run(carol, app, title="private", made_by=bob, status="completed")

    page = as_alice.get("/history/?" + query.format(bob=bob.public_id))

    cards = [card for _, cards in page.context["groups"] for card in cards]
    assert sorted(card.run.display_title for card in cards) == ["made", "own", "owned", "unknown maker"]
    assert "Made or owned by" in page.text
    found = Filter.parse(query.format(bob=bob.public_id))
    matches = selection.matches(alice, found)
    assert matches
    assert matches.total == 4
    hints = as_alice.get(f"/history/?{query.format(bob=bob.public_id)}&state=failed").context["hints"]
    assert "4" in [hint.count for hint in hints]


def test_runs_are_looked_up_before_a_search_only_if_there_are_few(alice: Member) -> None:
    most = FEW if connection.vendor == "sqlite" else COMMON - 1
    app = make_app()
    runs = Run.objects.bulk_create(
        Run(member=alice, made_by=alice, app=app, schema=app.schema, form_token=f"few {n}") for n in range(most + 1)
    )
    query = query_of([ways_of("teapot")])
    RunWords.objects.store((run.pk, "teapot") for run in runs[:most])
    few = frozenset(run.pk for run in runs[:most])
    assert few_runs([query], alice) == {query: few}
    assert Filter(q="teapot").directory(alice).lookups.few_with_all([ways_of("teapot")]) == few

    RunWords.objects.store([(runs[most].pk, "teapot")])
    assert few_runs([query], alice) == {}
    assert Filter(q="teapot").directory(alice).lookups.few_with_all([ways_of("teapot")]) is None


def downloaded(client: Client, run: Run) -> list[str]:
    """Return the name of the zip with all results of `run`, and of the files in it, as they are downloaded."""
    answer: Any = client.get(f"/download/?r={run.public_id}")
    with ZipFile(BytesIO(b"".join(answer.streaming_content))) as archive:
        names = archive.namelist()
    return [answer["Content-Disposition"].split('"')[1], *(name for name in names if name.endswith(".png"))]


def cards_of(client: Client, **query: str) -> list[str]:
    """Return the ids of the runs that History lists for `query`."""
    cards = Page(client.get("/history/", query).text).root.find("article", css="run-card")
    return [card.attributes["data-run"] for card in cards]


@pytest.mark.parametrize("title", ["Red_shoe on Children's day", "", "x" * 150])
def test_a_made_file_is_found_by_its_name(as_alice: Client, alice: Member, bob: Member, title: str) -> None:
    app, now = make_app("Shoe studio"), timezone.now()
    days = [now, now - timedelta(days=1)]
    run, other_day = (make_run(alice, app, status="completed", title=title, created_at=day) for day in days)
    another = make_run(alice, app, status="completed", title="Another", created_at=now)
    for position in range(2):
        make_kept(run, position=position)
    make_kept(other_day)

    names = downloaded(as_alice, run)

    assert len(names) == 3
    for name in [*names, names[1].removesuffix(".png"), names[1].replace(".png", " (1).png"), names[1].upper()]:
        assert cards_of(as_alice, q=name) == [run.public_id], name
        told = Page(as_alice.get("/history/", {"q": name}).text).first(css="run-card-match").words
        assert told.startswith("File: ")
        assert told.endswith(name[-20:])
    assert cards_of(as_alice, q=names[1].replace("_front_", "_side_")) == []
    guests_name = f"shared_{names[1].partition('_')[2]}"  # guests only get to see the label and the day
    assert cards_of(as_alice, q=guests_name) == [another.public_id, run.public_id]
    assert cards_of(client_of(bob), q=names[1], tab="team") == []
    Run.objects.filter(pk=run.pk).update(shared_at=now)
    assert cards_of(client_of(bob), q=names[1], tab="team") == [run.public_id]
    assert run.public_id in as_alice.get("/apps/", {"q": names[1], "runs": "1"}).text


def test_a_run_that_was_transferred_is_found_by_its_maker(as_alice: Client, alice: Member, bob: Member) -> None:
    app = make_app("Shoe studio")
    make_run(alice, app, status="completed", title="Own")
    run = make_run(bob, app, status="completed", title="Made by another")
    bob.is_active = False
    transfer(bob, alice)

    assert cards_of(as_alice, q="bob") == [run.public_id]
    assert cards_of(as_alice, q="shoe bob") == [run.public_id]
    assert "Made by Bob" in Page(as_alice.get("/history/?q=bob").text).first(css="run-card-match").words
    assert cards_of(as_alice, q="alice") == []
