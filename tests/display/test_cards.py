"""Run cards: what they show, and that nothing in them is meant for another reader."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.template import Context, Template
from django.test import Client
from django.utils import timezone, translation
from django.utils.html import strip_tags
from pytest_django import DjangoAssertNumQueries

from runs.display.card_results import CardResults
from runs.display.cards import RunCard, ask_often_of, run_cards, version_token
from runs.models import (
    App,
    AppRule,
    GuestLink,
    Member,
    Notice,
    NoticeKind,
    Output,
    OutputFile,
    Run,
    SharingRules,
    StoredFile,
)
from runs.sharing import links
from tests.support.factories import make_app, make_kept, make_run, make_stored
from tests.support.page import Page

pytestmark = pytest.mark.django_db
STYLE, PLACE, LIGHT = ("Style", "Ghibli"), ("Place", "A quay"), ("Light", "Dusk")
CARD = Template("{% run_card card %}")
FIVE = [{"index": i, "label": f"Picture {i}", "type": "image"} for i in range(5)]


def card_of(run: Run, viewer: Member) -> RunCard:
    return run_cards(Run.objects.filter(pk=run.pk).for_cards(), viewer)[0]


def drawn(run: Run, viewer: Member, **more: Any) -> str:
    return drawn_card(card_of(run, viewer), viewer, **more)


def drawn_card(card: RunCard, viewer: Member, **more: Any) -> str:
    return CARD.render(Context({"card": card, "user": viewer, **more}))


def lines_of(card: RunCard) -> list[tuple[str, str]]:
    return [(line.label, line.text) for line in card.lines]


def menu_of(run: Run, viewer: Member) -> str:
    """Return the HTML of the menu button and the menu on the run's card."""
    head = drawn(run, viewer, has_tools=True).partition("</h3>")[2].partition('<div class="run-card-picture">')[0]
    return head.rpartition("</div>")[0].strip()


def test_all_cards_of_a_page_are_read_in_three_queries(
    alice: Member, bob: Member, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    app, starred = make_app(), {"starred_at": timezone.now(), "starred_by": alice, "has_star": True}
    AppRule.objects.create(app=app, shown_to=" approver ")
    for _ in range(3):
        make_kept(make_run(alice, app, status="completed", input_picture=make_stored(), **starred))
    saving = make_kept(make_run(alice, app, input_picture=make_stored()))
    OutputFile.objects.filter(pk=saving.pk).update(status="saving", file=None)

    with django_assert_num_queries(3):
        cards = run_cards(Run.objects.newest_first().for_cards(), alice)
        assert [len(card.results.pictures) for card in cards] == [0, 1, 1, 1]
        assert [card.results.is_saving for card in cards] == [True, False, False, False]
        for viewer in (alice, bob):
            for card in cards:
                drawn_card(replace(card, viewer=viewer), viewer, has_tools=True, has_selection=True)


def test_a_card_shows_the_first_four_saved_pictures_in_their_order(alice: Member) -> None:
    run = make_run(alice, make_app(outputs=FIVE), status="completed")
    kept = [make_kept(run, make_stored((40 + 10 * place, 30)), place) for place in (4, 3, 2, 1, 0)]
    OutputFile.objects.create(output=run.outputs.all()[0], position=1, source_url="https://x.test/b", status="failed")

    pictures = card_of(run, alice).results.pictures

    in_order = [one.file for one in reversed(kept) if one.file is not None]
    assert pictures == in_order[:4]
    assert [picture.width for picture in pictures] == [40, 50, 60, 70]


def test_few_pictures_on_a_card_are_sharp_and_many_are_small(alice: Member) -> None:
    def sizes(count: int) -> list[str]:
        run = make_run(alice, make_app(outputs=FIVE[:count]), status="completed")
        for place in range(count):
            make_kept(run, make_stored((500, 400)), place)
        return re.findall(r"/thumb/(\d+)", drawn(run, alice))

    assert sizes(1) == ["400"]
    assert sizes(2) == ["400", "200"]  # the first picture fills the card, and the second sits in the corner
    assert sizes(3) == ["200"] * 3


def test_a_saved_file_without_thumbnails_is_no_picture(alice: Member) -> None:
    run = make_run(alice, status="completed")
    make_kept(run, make_stored(), 0)
    bare = make_kept(run, make_stored(), 1).file
    assert bare is not None
    StoredFile.objects.filter(pk=bare.pk).update(thumb_200="", thumb_400="")

    pictures = card_of(run, alice).results.pictures
    assert bare not in pictures
    assert len(pictures) == 1


def test_a_card_shows_the_start_of_the_first_text_and_the_length_of_the_first_film(alice: Member) -> None:
    kinds = [{"index": 0, "label": "Story", "type": "text"}, {"index": 1, "label": "Film", "type": "video"}]
    run = make_run(alice, make_app(outputs=kinds), status="completed")
    Output.objects.filter(run=run, position=0).update(text="Once " * 200)
    film = make_kept(run, position=1).file
    assert film is not None
    StoredFile.objects.filter(pk=film.pk).update(duration_seconds=12.4)

    results = card_of(run, alice).results

    assert (results.kind, results.length_words) == ("text", "0:12")
    assert results.text == ("Once " * 200)[:300]


def test_a_video_among_pictures_is_marked_and_a_large_one_shows_its_length(alice: Member) -> None:
    mark, length = 'class="kind-mark"', "1:12:34"  # too long to be mistaken for a time of day
    kinds = [{"index": i, "label": f"No. {i}", "type": kind} for i, kind in enumerate(["image", "video", "image"])]

    def marks(outputs: list[dict[str, Any]], film: int) -> tuple[int, bool]:
        run = make_run(alice, make_app(outputs=outputs), status="completed")
        for place in range(len(outputs)):
            file = make_stored((500, 400))
            if place == film:
                StoredFile.objects.filter(pk=file.pk).update(kind="video", duration_seconds=4354.4)
            make_kept(run, file, place)
        card = drawn(run, alice)
        return card.count(mark), length in card

    assert marks(kinds, film=1) == (1, False)
    assert marks(kinds[:2], film=1) == (1, False)
    assert marks(kinds[:1], film=0) == (1, True)
    assert marks(kinds, film=-1) == (0, False)


def test_a_video_without_a_picture_and_a_sound_are_marked(alice: Member) -> None:
    for kind in ("video", "audio"):
        run = make_run(alice, make_app(outputs=[{"index": 0, "label": "One", "type": kind}]), status="completed")
        assert 'class="kind-mark"' in drawn(run, alice)


@pytest.mark.parametrize(
    ("state", "word"), [("completed", ""), ("failed", "Failed"), ("cancelled", "Cancelled"), ("running", "In progress")]
)
def test_only_a_state_that_is_not_ready_is_in_words(alice: Member, state: str, word: str) -> None:
    card = Page(drawn(make_run(alice, status=state), alice))
    assert [chip.words for chip in card.find(css="state-chip")] == ([word] if word else [])


def test_a_run_made_as_a_next_version_says_of_what_and_leads_to_it(alice: Member) -> None:
    first = make_run(alice, status="completed").outputs.all()[0]
    run = make_run(alice, first.run.app, status="completed")
    run.outputs.filter(position=1).update(line=first, number=3, label="Front <b>")
    Run.objects.update(summary=[{"name": name, "text": "1", "type": "number"} for name in ("Size", "Style", "Light")])
    new = run.outputs.get(position=1)
    line = Page(drawn(run, alice)).first("p", css="run-card-version")
    assert line.words == "Version 3 of Front <b>"
    assert line.first("a").attributes["href"] == new.get_absolute_url()
    assert lines_of(card_of(run, alice)) == lines_of(card_of(first.run, alice))[:1]  # so that cards are equally high
    assert not Page(drawn(first.run, alice)).find(css="run-card-version")


def test_a_run_says_that_its_results_are_being_saved(as_alice: Client, alice: Member) -> None:
    """The run's state is *Ready*, but not all of its pictures have been saved yet."""
    run = make_run(alice, status="completed")
    first, second = make_kept(run), make_kept(run, position=1)
    assert not card_of(run, alice).is_active
    assert "Being saved" not in drawn(run, alice)

    OutputFile.objects.filter(pk=second.pk).update(status="saving", file=None)

    assert card_of(run, alice).is_active
    assert "Being saved" in drawn(run, alice)
    page = Page(as_alice.get(run.get_absolute_url()).text)
    assert "Saving the results: 1 of 2 saved." in page.first(css="run-sentence").words
    assert "Each result appears here as soon as it's saved." in page.first(css="run-note").words
    assert [stage.words for stage in page.find(css="output-wait")] == ["Being saved"]

    Output.objects.filter(pk=first.output_id).delete()
    assert "Saving the result…" in as_alice.get(run.get_absolute_url()).text


def test_news_is_likely_around_the_usual_end_and_while_results_are_being_saved(alice: Member) -> None:
    now = timezone.now()
    app = make_app(quick_seconds=40, late_seconds=80)
    running = make_run(alice, app, status="running", started_at=now - timedelta(seconds=10))
    ended = make_run(alice, app, status="completed")

    assert ask_often_of(running, now, is_saving=False) == "20.0 110.0"  # 0.75 * 40 - 10, 1.5 * 80 - 10
    assert ask_often_of(ended, now, is_saving=True) == "0 20"
    assert ask_often_of(ended, now, is_saving=False) == ""


def test_cards_of_the_same_name_show_first_what_differs(alice: Member) -> None:
    app = make_app()
    summary = [
        {"name": "Style", "text": "Ghibli", "type": "options"},
        {"name": "Size", "text": "Large", "type": "options"},
        {"name": "Mood", "text": "Calm", "type": "text"},
        {"name": "Colour", "text": "Red", "type": "text"},
    ]
    runs = [make_run(alice, app, title="Shoe"), make_run(alice, app, title="Shoe"), make_run(alice, app, title="Desk")]
    runs[0].summary, runs[2].summary = summary, summary
    runs[1].summary = [*summary[:3], summary[3] | {"text": "Blue"}]

    red, blue, desk = (lines_of(card) for card in run_cards(runs, alice))

    assert red == [("Colour:", "Red"), ("Style:", "Ghibli")]
    assert blue == [("Colour:", "Blue"), ("Style:", "Ghibli")]
    assert desk == [("Style:", "Ghibli"), ("Size:", "Large")]


@pytest.mark.parametrize(
    ("name", "title", "lines"),
    [
        ("Cartoonify!", "", [PLACE, LIGHT]),  # the title already names the style
        ("Cartoonify!", "Autumn", [STYLE, PLACE]),
        ("An app whose name alone fills the title of its cards", "", [STYLE, PLACE]),
    ],
)
def test_a_card_does_not_repeat_its_title(alice: Member, name: str, title: str, lines: list[tuple[str, str]]) -> None:
    told = [{"name": key, "text": text, "type": "text"} for key, text in (STYLE, PLACE, LIGHT)]
    run = make_run(alice, make_app(name), status="completed", title=title)
    Run.objects.filter(pk=run.pk).update(summary=told)

    card = card_of(run, alice)

    assert card.run.display_title == (title or f"{name} · Ghibli")
    assert lines_of(card) == [(f"{key}:", text) for key, text in lines]
    assert drawn(run, alice).count("A quay") == 1


def test_a_run_without_results_has_a_card(alice: Member) -> None:
    run = make_run(alice, make_app(outputs=[]), status="failed")
    card = card_of(run, alice)
    assert (card.results, card.is_active) == (CardResults(), False)


@pytest.mark.parametrize("kind", ["", "hologram"])
def test_a_failed_run_of_an_unknown_kind_is_shown_with_an_icon(as_alice: Client, alice: Member, kind: str) -> None:
    run = make_run(alice, status="failed", app=make_app(outputs=[{"index": 0, "label": "One", "type": kind}]))
    Output.objects.filter(run=run).update(kind=kind)
    Notice.objects.create(member=alice, kind=NoticeKind.FAILED, run=run, event="ended")
    Member.objects.filter(pk=alice.pk).update(news_at=timezone.now(), unread=1)

    page = Page(as_alice.get("/").text)

    for place in ("home-failed", "bell-list"):
        assert page.first(css=place).find(css="icon-other")


@pytest.mark.parametrize(("age", "words"), [(5, "just now"), (300, "5 min ago"), (3 * 86400, "3 days ago")])
def test_a_card_has_its_whole_age_for_screen_readers(alice: Member, age: int, words: str) -> None:
    run = make_run(alice, status="completed", created_at=timezone.now() - timedelta(seconds=age))
    assert words in strip_tags(drawn(run, alice))


def test_each_card_has_a_menu_of_its_own(alice: Member) -> None:
    app = make_app("Cartoonify!")
    first, second = make_run(alice, app, status="completed"), make_run(alice, app, status="completed")

    for run, other in ((first, second), (second, first)):
        menu = menu_of(run, alice)
        for address in ("again/", "share/", "delete/"):
            assert f'href="/runs/{run.public_id}/{address}"' in menu
        assert f'href="{app.get_absolute_url()}?from={run.public_id}"' in menu
        assert f'href="/compare/?r={run.public_id}"' in menu
        assert f'href="/download/?r={run.public_id}"' in menu
        assert f'hx-vals=\'{{"run": "{run.public_id}"}}\'' in menu
        assert f'popovertarget="menu-{run.public_id}"' in menu
        assert other.public_id not in menu


def test_a_menu_names_its_run(alice: Member) -> None:
    menu = menu_of(make_run(alice, status="completed", title="Autumn <coats>"), alice)
    assert '<p class="run-card-menu-name" dir="auto">Autumn &lt;coats&gt;</p>' in menu


def test_a_menu_follows_new_names(alice: Member) -> None:
    run = make_run(alice, status="completed", title="Autumn")
    assert "Autumn" in menu_of(run, alice)
    Run.objects.update(title="Spring")
    App.objects.update(name="Desks")

    menu = menu_of(run, alice)

    assert "Autumn" not in menu
    assert "More actions for Spring" in menu
    assert f'href="{App.objects.get().get_absolute_url()}?from={run.public_id}"' in menu


@pytest.mark.parametrize(
    "title", ['"><script>alert(1)</script>', "\ue000id\ue001 %(id)s 100%", "{{ user.email }} {% csrf_token %}"]
)
def test_a_hostile_title_stays_a_title(alice: Member, title: str) -> None:
    run = make_run(alice, make_app(title), status="completed", title=title)

    card = drawn(run, alice, has_tools=True, has_selection=True)

    shown = title.replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
    assert f'aria-label="More actions for {shown}"' in card
    assert f">Select {shown}</span>" in card
    assert f'name="label" value="{shown}"' in card
    assert "<script" not in card
    assert f'href="{run.app.get_absolute_url()}?from={run.public_id}"' in card


def test_a_menu_offers_what_the_viewer_may_do(alice: Member, bob: Member, make_member: Callable[..., Member]) -> None:
    done = make_run(alice, status="completed", shared_at=timezone.now())
    going = make_run(alice, status="running", shared_at=timezone.now())
    gone = make_run(alice, make_app(gone_at=timezone.now() - timedelta(days=1)), status="completed")
    viewer = make_member("viewer", role=Member.Role.VIEWER)
    begin, repeat, share = "Change and run again", "Run the same again", "Share</a>"
    cancel, delete = "Cancel</a>", "Move to bin"

    def offered(run: Run, member: Member) -> list[str]:
        menu = menu_of(run, member)
        return [words for words in (begin, repeat, share, cancel, delete) if words in menu]

    assert offered(done, alice) == [begin, repeat, share, delete]
    assert offered(going, alice) == [begin, share, cancel]
    assert offered(going, bob) == [begin]
    assert offered(make_run(alice, status="completed", held_at=timezone.now()), alice) == [begin, repeat, share]
    assert "Share with team" in menu_of(make_run(alice), alice)
    assert "Share with team" not in menu_of(going, alice)  # nothing to offer, since the team can already see the run
    assert "New guest link" in menu_of(done, alice)
    assert "New guest link" not in menu_of(going, alice)  # a guest would have nothing to see yet
    assert offered(make_run(alice, status="failed"), alice) == [begin, repeat, delete]
    assert offered(gone, alice) == [share, delete]
    assert offered(done, bob) == [begin, repeat]
    assert offered(done, viewer) == []
    assert "Download" in menu_of(done, viewer)
    assert menu_of(going, viewer) == ""


def test_a_card_tells_those_who_may_change_it_that_guests_see_it(alice: Member, bob: Member) -> None:
    run = make_run(alice, status="completed", shared_at=timezone.now())
    make_kept(run)
    outputs = links.outputs_for(alice, run.outputs.values_list("public_id", flat=True))
    assert not card_of(run, alice).has_guests

    link = links.make_link(alice, outputs)

    assert card_of(run, alice).has_guests
    assert not card_of(run, bob).has_guests
    SharingRules.objects.create(guests_allowed=False)
    assert not card_of(run, alice).has_guests  # guest links don't work while guests aren't allowed
    SharingRules.objects.all().delete()
    links.revoke(link, alice)
    assert not card_of(run, alice).has_guests
    links.restore(link, SharingRules.current())
    assert card_of(run, alice).has_guests
    GuestLink.objects.update(expires_at=timezone.now())
    assert not card_of(run, alice).has_guests


def test_a_card_names_who_made_it_after_a_transfer(alice: Member, bob: Member, admin_member: Member) -> None:
    run = make_run(bob, status="completed", made_by=alice)

    for viewer, name in ((bob, "Alice"), (admin_member, "Alice"), (alice, "")):
        who = Page(drawn(run, viewer)).first(css="run-card-who").words
        assert ("Alice" in who, "Bob" in who) == (bool(name), False)


def test_what_is_kept_of_cards_belongs_to_nobody(
    alice: Member, bob: Member, admin_member: Member, make_member: Callable[..., Member]
) -> None:
    readers = [alice, bob, admin_member, make_member("vera", role=Member.Role.VIEWER)]
    fields: dict[str, Any] = {"created_at": timezone.now() - timedelta(days=3.5), "status": "completed"}
    runs = [make_run(owner, make_app(f"App of {owner}"), **fields, shared_at=timezone.now()) for owner in readers]
    runs += [make_run(owner, make_app(), **fields, title=f"Secret of {owner}") for owner in readers]
    starred: dict[str, Any] = {"starred_at": timezone.now(), "has_star": True, "starred_by": bob, "outputs_approved": 2}
    runs += [make_run(owner, make_app(), **fields, **starred) for owner in readers]
    shown = [(run, reader) for run in runs for reader in readers]

    def drawn_for(run: Run, reader: Member) -> str:
        return drawn(run, reader, has_tools=True, has_selection=True, csrf_token=f"token of {reader}")

    alone, fragments = [], caches["template_fragments"]
    for run, reader in shown:
        fragments.clear()
        alone.append(drawn_for(run, reader))
    fragments.clear()

    assert [drawn_for(run, reader) for run, reader in reversed(shown)][::-1] == alone


def test_a_menu_kept_for_one_language_is_not_shown_in_another(alice: Member) -> None:
    run = make_run(alice, status="completed")
    menu = menu_of(run, alice)

    with translation.override("de"):
        assert menu_of(run, alice) != menu

    assert menu_of(run, alice) == menu


def test_what_a_page_knows_of_a_run_is_the_same_in_every_language(
    alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(alice, status="completed")
    known = version_token(run)

    with translation.override("de"):
        monkeypatch.setattr("django.utils.translation._trans.pgettext", lambda _context, word: f"German {word}")
        assert card_of(run, alice).state.word == "German Ready"
        assert version_token(run) == known


def test_an_example_says_so(as_alice: Client, alice: Member, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    run = make_run(alice, status="completed", is_example=True)
    make_kept(run)
    own = make_run(alice, status="completed")
    make_kept(own)

    with django_assert_num_queries(6):  # three queries for each card
        marked, plain = drawn(run, alice), drawn(own, alice)
    assert Page(marked).first(css="run-card-example").words
    assert not Page(plain).find(css="run-card-example")
    assert Page(as_alice.get(run.get_absolute_url()).text).find(css="run-example")
    assert not Page(as_alice.get(own.get_absolute_url()).text).find(css="run-example")
    tiles = Page(as_alice.get("/history/?view=results").text).find(css="run-tiles")
    assert [bool(tile.find(css="run-tiles-example")) for tile in tiles] == [False, True]
    assert {tile.attributes["role"] for tile in tiles} == {"group"}  # two landmarks mustn't share their runs' title
