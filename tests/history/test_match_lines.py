"""If a search matched words that a run's card doesn't normally show, the card quotes them."""

import json
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from runs.connection import status
from runs.display.match_lines import RunText
from runs.engine.input_summary import summarise
from runs.models import App, GuestLink, Member, Run, RunInput, Upload
from runs.models.run import RunInputUpload
from runs.review import comments, verdicts
from runs.review.deciders import Reviewer
from runs.sharing.links import make_link
from tests.support.clients import client_of
from tests.support.factories import make_app, make_kept, make_run, make_stored
from tests.support.guest_links import guest_of
from tests.support.page import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def rose(make_member: Callable[..., Member]) -> Member:
    return make_member("Rose", role="approver")


@pytest.fixture
def run(rose: Member) -> Run:
    run = make_run(rose, make_app(), status="completed", title="Poster", shared_at=timezone.now())
    make_kept(run)
    return run


@pytest.fixture
def client_of_rose(rose: Member) -> Client:
    return client_of(rose)


def give(run: Run, name: str, value: object, kind: str = "text", **more: object) -> RunInput:
    return RunInput.objects.create(run=run, position=run.inputs.count(), name=name, type=kind, value=value, **more)


def found(client: Client, q: str, **more: str) -> str:
    """Return the HTML of the quote on the only card found by the search, or "" if that card has none."""
    page = client.get("/history/", {"q": q, "tab": "team", **more}).context
    [(_day, [card])] = page["groups"]
    return str(card.match_line)


def test_it_quotes_a_comment_around_the_word(as_alice: Client, run: Run, bob: Member) -> None:
    comments.post(Reviewer(bob), run, None, f"{'Long before it. ' * 9}The red shoes <b>shine</b>. {'Then more. ' * 90}")

    line = found(as_alice, "shoe")

    assert "<bdi>Bob</bdi>" in line
    assert "… " in line
    assert "The red <mark>shoes</mark> &lt;b&gt;shine&lt;/b&gt;." in line
    assert len(line) < 200


def test_only_if_the_card_does_not_show_the_word(as_alice: Client, run: Run, bob: Member) -> None:
    comments.post(Reviewer(bob), run, None, "A poster of a shoe")

    assert found(as_alice, "poster") == ""
    assert "<mark>shoe</mark>" in found(as_alice, "poster shoe")
    assert Page(as_alice.get("/history/?tab=team&q=shoe").text).find(css="run-card-match")
    assert not Page(as_alice.get("/history/?tab=team").text).find(css="run-card-match")


def test_whatever_can_be_found_has_a_reason(as_alice: Client, run: Run, bob: Member, rose: Member) -> None:
    for name in ("First", "Second", "Third"):
        give(run, name, "plain")
    give(run, "Mood", f"{'calm ' * 60}lighthouse")
    photo = give(run, "Photo", "", "url")
    upload = Upload.objects.create(member=rose, file=make_stored(), status="ready", name="Gro\u0308ße & shoe.jpg")
    RunInputUpload.objects.create(input=photo, upload=upload, position=0)
    give(run, "Model", ["https://secret.example/kangaroo.png"], "url")
    give(run, "Sample", "https://secret.example/wombat.png", "url")
    summarise(run)
    App.objects.filter(pk=run.app_id).update(name="Beautifier")
    verdicts.decide(run.outputs.all()[0], "rejected", "Horizon is crooked", Reviewer(rose), None)

    assert "Mood: “<bdi>… " in found(as_alice, "lighthouse")
    assert "<mark>shoe</mark>.jpg" in found(as_alice, "shoe")
    assert "<mark>Größe</mark> &amp;" in found(as_alice, "größe")
    assert "secret" not in found(as_alice, "wombat")
    assert "Sample: <mark>" in found(as_alice, "wombat")
    assert "<mark>Cartoonify</mark>" in found(as_alice, "cartoonify")
    assert "<mark>Beautifier</mark>" in found(as_alice, "beautifier")
    assert "<mark>crooked</mark>" in found(as_alice, "crooked")
    assert "<mark>Rose</mark>" in found(as_alice, "rose")


def test_who_decided_is_a_reason(as_alice: Client, run: Run, make_member: Callable[..., Member]) -> None:
    verdicts.decide(run.outputs.all()[0], "approved", "", Reviewer(make_member("samuel", role="approver")), None)

    assert "<bdi><mark>Samuel</mark></bdi>" in found(as_alice, "samuel")


def test_a_guest_is_called_a_guest(as_alice: Client, run: Run, rose: Member) -> None:
    link = make_link(rose, [run.outputs.all()[0]])
    GuestLink.objects.filter(pk=link.pk).update(lets_comment=True)
    link.refresh_from_db()
    comments.post(Reviewer(guest=guest_of(link, "Kim <i>")), run, run.outputs.all()[0], "Bigger logotype")

    assert "<bdi>Kim &lt;i&gt;</bdi> (guest)" in found(as_alice, "logotype")


def test_similar_words_are_quoted_too(as_alice: Client, run: Run, bob: Member) -> None:
    comments.post(Reviewer(bob), run, None, "The lighthouse is too small")

    assert "<mark>lighthouse</mark>" in found(as_alice, "lihgthouse")
    assert "<mark>" in found(as_alice, "picture", similar="1")


def test_nobody_learns_what_they_may_not_see(as_alice: Client, run: Run, rose: Member, alice: Member) -> None:
    """A card quotes neither hidden inputs nor removed comments, even if the search index isn't up to date."""
    give(run, "Rule", "lighthouse secret", is_hidden=True)
    said = comments.post(Reviewer(rose), run, None, "A lighthouse whisper")
    assert "whisper" in found(as_alice, "lighthouse")

    type(said).objects.filter(pk=said.pk).update(removed_at=timezone.now())
    Member.objects.filter(pk=alice.pk).update(role="admin")

    assert found(as_alice, "lighthouse") == ""


@pytest.mark.parametrize("q", ["lighthouse", "lihgthouse"])
def test_it_takes_one_query_of_its_own(
    as_alice: Client, bob: Member, django_assert_max_num_queries: DjangoAssertNumQueries, q: str
) -> None:
    app = make_app()
    for _ in range(30):
        run = make_run(bob, app, status="completed", title="Poster", shared_at=timezone.now())
        comments.post(Reviewer(bob), run, None, "A lighthouse")
    as_alice.get("/history/?tab=team")  # cache who may decide, which is remembered for a minute
    status.forget_status()

    with django_assert_max_num_queries(16):
        page = as_alice.get("/history/", {"q": q, "tab": "team"})

    assert all(card.match_line for _, cards in page.context["groups"] for card in cards)


def test_a_card_that_changes_keeps_its_reason(as_alice: Client, run: Run, bob: Member) -> None:
    comments.post(Reviewer(bob), run, None, "A lighthouse")
    query = {"r": f"{run.public_id}:0.0-progress-0-2", "page": "history", "in": "tab=team&q=lighthouse"}

    news = as_alice.get("/live/", query, headers={"HX-Request": "true"})

    assert Page(news.text).find(css="run-card-match")


def test_the_search_on_home_says_so_too(as_alice: Client, run: Run, bob: Member) -> None:
    comments.post(Reviewer(bob), run, None, "A lighthouse")

    page = Page(as_alice.get("/apps/?q=lighthouse&runs=1").text)

    assert page.first(css="run-card-match").find("mark")


@pytest.mark.parametrize("q", ["lighthouse", "lihgthouse"])
def test_single_results_say_so_too(
    as_alice: Client, run: Run, bob: Member, django_assert_max_num_queries: DjangoAssertNumQueries, q: str
) -> None:
    comments.post(Reviewer(bob), run, None, "A lighthouse")
    as_alice.get("/history/?tab=team")

    with django_assert_max_num_queries(16):  # one of these queries looks for examples that are still being made
        page = Page(as_alice.get("/history/", {"q": q, "tab": "team", "view": "results"}).text)

    assert page.first(css="run-tiles-match").find("mark")
    assert page.find(css="result-card")


def test_ones_own_name_is_no_reason_on_home(run: Run, rose: Member, bob: Member, client_of_rose: Client) -> None:
    comments.post(Reviewer(bob), run, None, "As red as a rose")

    page = Page(client_of_rose.get("/apps/?q=rose&runs=1").text)

    assert page.first(css="run-card-match").words == "Comment by Bob: “As red as a rose”"


@pytest.mark.parametrize("cut", range(1, 14))
def test_a_stored_text_that_is_cut_off_is_still_a_text(cut: int) -> None:
    stored = json.dumps('A "red" shoe \U0001f45f')

    assert RunText("input", raw=stored[:-cut]).text.startswith('A "red" shoe'[: len(stored) - cut - 3])
    assert RunText("input", raw=json.dumps({"url": "x"})[:-cut]).text == ""
