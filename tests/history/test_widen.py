"""What History shows when no run has all the words of a search: runs with similar words, or with all but one of the
words. Also, which filters are offered, such as those by kind of result."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from runs.engine.input_summary import summarise
from runs.history import findable_apps, order, query_timeout, selection, widen
from runs.history.filters import Filter
from runs.history.order import outputs_beside
from runs.models import App, AppRule, Member, Run
from runs.models.run import RunQuerySet
from runs.words.known_words import edits, learn, similar_to
from tests.support.clients import HTMX
from tests.support.factories import make_app, make_run
from tests.support.page import Page

pytestmark = pytest.mark.django_db

FILM = [{"index": 0, "label": "Film", "type": "video"}]


@pytest.fixture
def _runs(alice: Member) -> None:
    app, films = make_app("Studio"), make_app("Reel maker", outputs=FILM)
    for title in ("A red leather shoe", "Oak desk with a lamp", "Katzen im Garten", "Zeppelin over the harbour"):
        make_run(alice, app, status="completed", title=title)
    make_run(alice, films, status="completed", title="Waves at the beach")
    make_run(alice, app, status="completed", title="Beach umbrella")


def titles(client: Client, q: str, **more: str) -> list[str]:
    answer = client.get("/history/", {"q": q, **more})
    return [card.run.display_title for _, cards in answer.context["groups"] for card in cards]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("shoes red", ["A red leather shoe"]),
        ("lether shoe", ["A red leather shoe"]),
        ("zepellin", ["Zeppelin over the harbour"]),
        ("Schuhe aus Leder rot", ["A red leather shoe"]),  # no run has "Leder", but one word may be missing
        ("cats in the garden", ["Katzen im Garten"]),
        ("Schreibtisch", ["Oak desk with a lamp"]),
        ("zeppelin in a teapot", ["Zeppelin over the harbour"]),
        ("red zeppelin", ["Zeppelin over the harbour"]),
        ("video of the beach", ["Waves at the beach"]),
        ("xylophone", []),
        ("xylophone quartz zeppelin", []),  # two words are missing
    ],
)
@pytest.mark.usefixtures("_runs")
def test_what_people_say_finds_what_they_mean(as_alice: Client, q: str, found: list[str]) -> None:
    assert titles(as_alice, q)[:1] == found


@pytest.mark.usefixtures("_runs")
def test_a_wider_search_says_so_and_its_pages_follow(as_alice: Client, alice: Member) -> None:
    body = as_alice.get("/history/", {"q": "zeppelin teapot"}).content.decode()
    assert "No runs match all of these words. These runs match without “teapot”." in body
    assert "<mark>Zeppelin</mark>" in body
    assert "No runs match these exact words." in as_alice.get("/history/", {"q": "zepelin"}).content.decode()
    assert "No runs match" not in as_alice.get("/history/", {"q": "zeppelin"}).content.decode()

    app = make_app("Many")
    for _ in range(30):
        make_run(alice, app, status="completed", title="A quiet orchard")
    first = as_alice.get("/history/", {"q": "quit orchad"})
    second = as_alice.get(first.context["next_url"])
    assert [len(cards) for _, cards in second.context["groups"]] == [6]
    assert first.context["groups"][0][1][0].url.endswith("?in=q%3Dquit%2Borchad%26similar%3D1")


@pytest.mark.usefixtures("_runs")
def test_runs_in_team_with_all_words_are_named_before_worse_ones(as_bob: Client, bob: Member) -> None:
    Run.objects.filter(title="A red leather shoe").update(shared_at=timezone.now())
    make_run(bob, make_app("Signs"), status="completed", title="Leather for the shop")

    told = Page(as_bob.get("/history/", {"q": "red leather"}).text).first(css="history-wider")

    assert told.words == "1 run in Team matches all of these words. These runs match without “red”."
    assert told.first("a").attributes["href"] == "/history/?tab=team&q=red+leather"
    assert titles(as_bob, "leather shoe") == ["Leather for the shop"]  # which doesn't contain "shoe"
    assert "These runs match without “shoe”" in as_bob.get("/history/", {"q": "leather shoe"}).text


@pytest.mark.parametrize(
    ("q", "words"), [("red shoe", "matches all of these words."), ("roter Schuh", "has similar words.")]
)
def test_a_search_that_finds_some_tells_how_many_more_are_in_the_other_list(
    as_alice: Client, as_bob: Client, alice: Member, bob: Member, q: str, words: str
) -> None:
    app = make_app("Studio")
    make_run(alice, app, status="completed", title=f"{q} on marble")
    make_run(bob, app, status="completed", title="A red shoe", shared_at=timezone.now())

    page = Page(as_alice.get("/history/", {"q": q}).text)

    assert titles(as_alice, q) == [f"{q} on marble"]
    told = page.first(css="history-wider").first("a")
    assert told.words.startswith(f"1 run in Team {words}")
    assert told.attributes["href"] == f"/history/?{urlencode({'tab': 'team', 'q': q})}"
    assert titles(as_alice, q, tab="team") == ["A red shoe"]
    assert "in Team" not in Page(as_alice.get("/history/", {"q": "marble"}).text).first(id="history-results").words

    Run.objects.update(shared_at=timezone.now())
    told = Page(as_bob.get("/history/", {"q": q, "tab": "team"}).text).first(css="history-wider").first("a")
    assert told.words.startswith(f"1 of your runs {words}")


def test_runs_of_apps_that_only_others_use_are_counted(
    as_alice: Client, as_bob: Client, alice: Member, bob: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, own = make_app("Signs"), make_app("Studio")
    make_run(bob, theirs, status="completed", title="A quiet day", shared_at=timezone.now())
    make_run(alice, own, status="completed", title="A poster", shared_at=timezone.now())
    App.objects.filter(pk=theirs.pk).update(name="Poster maker")  # the run doesn't contain this name

    def told(client: Client, **query: str) -> list[str]:
        return [one.words for one in Page(client.get("/history/", query).text).find(css="history-wider")]

    assert told(as_alice, q="poster") == ["1 run in Team matches all of these words."]
    mine = "Your own runs are under Mine."
    assert told(as_bob, q="poster", tab="team") == ["1 of your runs matches all of these words."]
    assert told(as_bob, q="poster", tab="team", similar="1") == [mine]  # a wider search doesn't count those runs

    def take_too_long(*_args: object) -> list[int]:
        raise query_timeout.TookTooLong

    monkeypatch.setattr(widen, "count_up_to", take_too_long)
    assert told(as_bob, q="poster", tab="team") == [mine]


def test_a_word_left_out_here_is_found_with_similar_words_there(as_alice: Client, alice: Member, bob: Member) -> None:
    app = make_app("Studio")
    make_run(alice, app, status="completed", title="Roter Teppich")
    make_run(bob, app, status="completed", title="A red shoe", shared_at=timezone.now())

    told = Page(as_alice.get("/history/", {"q": "roter Schuh"}).text).first(css="history-wider")

    assert told.words.endswith("without “Schuh”. 1 run in Team has similar words.")


def test_a_word_that_is_known_is_never_corrected() -> None:
    learn(["shoe", "shop", "show"])

    assert similar_to(["shoe", "shoes"]) == {"shoe": (), "shoes": ("shoe",)}
    assert similar_to(["shos"])["shos"][:1] == ("shoe",)


def test_what_a_wider_search_shows_can_be_selected_and_walked_through(as_alice: Client, alice: Member) -> None:
    app = make_app("Many")
    runs = [make_run(alice, app, status="completed", title="A quiet orchard") for _ in range(30)]
    page = as_alice.get("/history/", {"q": "quit orchad"})
    query = Page(page.text).first(id="selection-query").attributes["value"]

    answer = as_alice.post("/history/select/", {"do": "all", "query": query})
    assert selection.summary_of(alice, "mine").count == 30
    assert answer["Location"] == "/history/?q=quit+orchad&similar=1"
    as_alice.post("/history/select/", {"do": "clear"})
    told = as_alice.post("/history/select/", {"r": runs[0].public_id, "query": query}, headers=HTMX).text
    assert "Select all 30 that match" in told
    assert "Select all 30 that match" in as_alice.get("/history/", {"q": "quit orchad"}).text

    beside = outputs_beside(runs[1].outputs.all()[0], Filter.parse(str(query)), alice)
    assert beside.newer == runs[2].outputs.last()


@pytest.mark.usefixtures("_runs")
def test_kinds_are_offered_and_not_guessed(as_alice: Client) -> None:
    answer = as_alice.get("/history/", {"q": "beach video"})
    offers = {offer.label: offer.url for offer in answer.context["offers"]}

    assert offers == {"Only videos": "/history/?q=beach&kind=video"}
    assert titles(as_alice, "beach") == ["Beach umbrella", "Waves at the beach"]
    assert titles(as_alice, "beach", kind="video") == ["Waves at the beach"]
    assert as_alice.get("/history/", {"q": "beach"}).context["offers"] == []


@pytest.mark.parametrize("q", ["zeppelin", "zepelin", "zeppelin teapot", "xylophone", "video of the beach"])
@pytest.mark.usefixtures("_runs")
def test_a_search_costs_few_queries(
    as_alice: Client, q: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    as_alice.get("/history/")  # caches the state of the connection to Lamina for a while

    with django_assert_max_num_queries(17):
        as_alice.get("/history/", {"q": q})


def options(client: Client, **query: str) -> list[str]:
    return [label for _, label, _ in client.get("/history/", query).context["app_options"]]


def test_the_filter_by_app_offers_only_what_finds_something(as_alice: Client, alice: Member, bob: Member) -> None:
    shoes, films, unshared = make_app("Shoes"), make_app("Films", outputs=FILM), make_app("Unshared")
    for _ in range(30):
        make_run(alice, shoes, status="completed", title="red shoe")
    old = make_run(alice, films, status="failed", title="red carpet")  # this run isn't on the first page
    Run.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=9))
    make_run(bob, unshared, status="completed", title="red herring")
    make_run(bob, films, status="completed", shared_at=timezone.now())

    assert options(as_alice) == ["Films", "Shoes"]
    assert options(as_alice, kind="video") == ["Films"]
    assert options(as_alice, state="ready") == ["Shoes"]
    assert options(as_alice, q="red") == ["Films", "Shoes"]
    assert options(as_alice, q="carpet") == ["Films"]
    assert options(as_alice, tab="team") == ["Films"]
    # the app chosen in the filter stays listed
    assert options(as_alice, q="carpet", app=shoes.public_id) == ["Films", "Shoes"]
    hints = as_alice.get("/history/", {"q": "carpet", "app": shoes.public_id}).context["hints"]
    assert [(hint.label, hint.count) for hint in hints] == [("Without “carpet”", "30"), ("Any app", "1")]
    week = {"from": str(timezone.localdate() - timedelta(days=6)), "to": str(timezone.localdate())}
    answer = as_alice.get("/history/", {"q": "film", "tab": "mine"} | week)
    assert answer.context["wider"].filter.tab == "team"  # the only matching run is on that tab
    assert [hint.label for hint in answer.context["hints"]] == ["Without the filters", "Without “film”"]


def test_a_search_without_a_new_page_also_changes_the_apps_to_choose_from(
    as_alice: Client, alice: Member, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    shoes, films = make_app("Studio"), make_app("Films", outputs=FILM)
    make_run(alice, shoes, status="completed", title="red shoe")
    make_run(alice, films, status="completed", title="red carpet")
    assert 'id="history-app"' in as_alice.get("/history/", {"q": "carpet"}).text

    def offered(**query: str) -> list[tuple[str, bool]]:
        with django_assert_max_num_queries(16):
            part = as_alice.get("/history/", query, headers=HTMX | {"HX-Target": "history-results"}).text
        select = Page(part).first(id="history-app")
        assert select.attributes["hx-swap-oob"] == "innerHTML"  # only its options are replaced, so it keeps the focus
        return [(option.words, "selected" in option.attributes) for option in select.find("option")]

    assert offered(q="shoe") == [("Any app", False), ("Studio", False)]
    assert offered(kind="video") == [("Any app", False), ("Films", False)]
    both = [("Any app", False), ("Films", False), ("Studio", True)]
    assert offered(q="red", app=shoes.public_id) == both
    older = as_alice.get("/history/", {"q": "red"}, headers=HTMX | {"HX-Target": "history-older"}).text
    assert 'id="history-app"' not in older


def test_a_search_in_one_app_shows_its_newest_runs_wherever_they_are(
    as_alice: Client, alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Filter, "has_few", lambda *_: False)
    monkeypatch.setattr(order, "PAGE", 2)
    monkeypatch.setattr(order, "NEWEST_ASKED", 5)
    monkeypatch.setattr(findable_apps, "NEWEST_ASKED", 5)
    shoes, hats, scarves = make_app("Shoes"), make_app("Hats"), make_app("Scarves")
    for n, app in enumerate([hats, hats, hats, scarves, shoes, shoes, shoes, scarves, scarves], 1):
        make_run(alice, app, status="completed", title=f"red {n}")

    def shown(app: App) -> tuple[list[str], bool, list[str]]:
        answer = as_alice.get("/history/", {"q": "red", "app": app.public_id})
        found = [card.run.display_title for _, cards in answer.context["groups"] for card in cards]
        return found, bool(answer.context["next_url"]), [label for _, label, _ in answer.context["app_options"]]

    # Of the newest five, three are shoes and two are scarves; one of the scarves is older, and so are all hats
    searches: list[order.RunListPage] = []

    def page_of(runs: RunQuerySet, *, size: int) -> order.RunListPage:
        searches.append(real_page_of(runs, size=size))
        return searches[-1]

    real_page_of = order.page_of
    monkeypatch.setattr(order, "page_of", page_of)
    assert shown(shoes) == (["red 7", "red 6"], True, ["Scarves", "Shoes"])
    assert shown(scarves) == (["red 9", "red 8"], True, ["Scarves", "Shoes"])
    assert not searches  # a second one wasn't needed
    assert shown(hats) == (["red 3", "red 2"], True, ["Hats", "Scarves", "Shoes"])
    assert len(searches) == 1
    unknown = as_alice.get("/history/", {"q": "red", "app": "nobodysapp"})
    assert unknown.context["groups"] == []


def test_runs_in_the_other_list_are_found_with_any_filter(as_alice: Client, alice: Member, bob: Member) -> None:
    theirs, own = make_app("Theirs"), make_app("Own")
    make_run(bob, theirs, status="completed", shared_at=timezone.now())
    make_run(alice, own, status="completed")

    answer = as_alice.get("/history/", {"app": theirs.public_id})  # Alice has never used this app
    assert [hint.label for hint in answer.context["hints"]] == ["In the team's runs", "Any app"]
    assert [chip.label for chip in answer.context["chips"]] == ["Theirs"]
    assert "under <a" not in answer.text

    answer = as_alice.get("/history/", {"app": own.public_id, "tab": "team"})
    assert [hint.label for hint in answer.context["hints"]] == ["In your runs", "Any app"]
    mine = Page(answer.text).first(css="history-wider")
    assert mine.words == "Your own runs are under Mine."
    assert f'href="/history/?app={own.public_id}">Mine</a>' in answer.text


def test_runs_that_only_the_other_list_has_are_shown(as_alice: Client, alice: Member, bob: Member) -> None:
    app = make_app("Studio")
    make_run(bob, app, status="completed", title="A red shoe", shared_at=timezone.now())
    make_run(alice, app, status="completed", title="An oak desk")

    page = Page(as_alice.get("/history/", {"q": "red shoe"}).text)
    assert page.first(css="history-wider").words == "None of your runs match. These are in Team."
    assert page.first(id="selection-place").attributes["value"] == "team"  # ticks here belong to the Team tab
    assert titles(as_alice, "red shoe") == ["A red shoe"]
    page = Page(as_alice.get("/history/", {"q": "oak", "tab": "team"}).text)
    assert page.first(css="history-wider").words == "No runs in Team match. These are your own runs."
    assert titles(as_alice, "oak", tab="team") == ["An oak desk"]


def test_similar_runs_in_the_other_list_are_found(
    as_alice: Client, alice: Member, bob: Member, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    make_run(bob, make_app("Studio"), status="completed", title="A red shoe", shared_at=timezone.now())
    make_run(alice, make_app("Halls"), status="completed", title="An oak desk")

    for q in ("Schuh", "roter Schuh", "a red booot shoe"):
        with django_assert_max_num_queries(17):
            (hint,) = as_alice.get("/history/", {"q": q}).context["hints"]
        assert (hint.label, hint.count) == ("In the team's runs", "1")
        assert titles(as_alice, q, tab="team") == ["A red shoe"]
    page = Page(as_alice.get("/history/", {"q": "Schuh"}).text)
    links = [one.words for one in page.find(css="skip-link")]
    assert links == ["Skip to the runs", "Skip to content"]  # after a search, the runs are one keypress away


@pytest.mark.parametrize("tab", ["mine", "team"])
def test_an_app_that_only_others_used_privately_is_not_named(
    as_alice: Client, as_admin: Client, alice: Member, bob: Member, tab: str
) -> None:
    make_run(alice, make_app("Own"), status="completed")
    secret = make_app("Secret")
    AppRule.objects.create(app=secret, name="Secret", is_hidden=True)
    own = make_run(bob, secret, status="completed")

    def label(client: Client) -> str:
        (chip,) = client.get("/history/", {"app": secret.public_id, "tab": tab}).context["chips"]
        return str(chip.label)

    assert label(as_alice) == "Unknown app"
    if tab == "team":
        assert label(as_admin) == "Secret"
    Run.objects.filter(pk=own.pk).update(shared_at=timezone.now())
    assert label(as_alice) == "Secret"


def test_an_app_whose_runs_are_all_in_the_bin_is_not_offered(as_alice: Client, alice: Member, bob: Member) -> None:
    shoes, films = make_app("Shoes"), make_app("Films")
    make_run(alice, shoes, status="completed")
    make_run(alice, films, status="completed", deleted_at=timezone.now())
    make_run(bob, films, status="completed")

    assert options(as_alice) == ["Shoes"]
    assert options(as_alice, app=films.public_id) == ["Films", "Shoes"]


def test_words_of_others_are_never_shown(as_alice: Client, bob: Member) -> None:
    make_run(bob, make_app("Studio"), status="completed", title="secret dirigible")

    body = as_alice.get("/history/", {"q": "dirigibel"}).content.decode()

    assert "dirigible" not in body


@pytest.mark.parametrize(
    ("word", "found"),
    [("prodcut", "product"), ("bycicle", "bicycle"), ("backgroud", "background"), ("replacemnt", "replacement")],
)
def test_a_slip_leads_to_the_known_word(word: str, found: str) -> None:
    learn(["product", "bicycle", "background", "replacement", "produce", "foreground"])

    assert similar_to([word])[word][:1] == (found,)


@pytest.mark.parametrize(
    ("one", "other", "count"), [("abc", "abc", 0), ("abc", "acb", 1), ("abc", "ab", 1), ("abc", "xbcd", 2)]
)
def test_swapped_letters_are_one_edit(one: str, other: str, count: int) -> None:
    assert edits(one, other) == count


def test_a_renamed_or_deleted_run_leaves_the_index(
    as_alice: Client, alice: Member, make_member: Callable[..., Member]
) -> None:
    run = make_run(alice, make_app("Studio"), status="completed", title="zebra")
    as_alice.post(f"/runs/{run.public_id}/rename/", {"title": "giraffe"})

    assert titles(as_alice, "giraffe") == ["giraffe"]
    assert titles(as_alice, "zebra") == []
    Run.objects.filter(pk=run.pk).delete()
    assert titles(as_alice, "giraffe") == []


def test_a_run_renamed_while_its_files_arrive_is_found_by_its_new_title(as_alice: Client, alice: Member) -> None:
    run = make_run(alice, make_app("Studio"), title="zebra")
    as_alice.post(f"/runs/{run.public_id}/rename/", {"title": "giraffe"})

    summarise(run)  # the worker does this with a copy of the run that it read earlier

    assert titles(as_alice, "giraffe") == ["giraffe"]
    assert titles(as_alice, "zebra") == []


def test_while_examples_are_made_a_search_says_that_more_runs_follow(
    as_alice: Client, alice: Member, bob: Member
) -> None:
    told = "Example runs are still being added."
    make_run(alice, make_app("Studio"), status="completed", title="A blue shoe")
    example = make_run(bob, make_app(), status="running", is_example=True)
    for q in ("red shoe", "shoe", "zeppelin"):
        assert told in Page(as_alice.get("/history/", {"q": q}).text).words
    assert told not in Page(as_alice.get("/history/").text).words

    # Once an example is complete, it gets an earlier date.
    Run.objects.filter(pk=example.pk).update(created_at=timezone.now() - timedelta(days=2))

    assert told not in Page(as_alice.get("/history/", {"q": "red shoe"}).text).words
