"""Search finds runs by the words in comments and in notes on decisions."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from runs.engine.input_summary import summarise
from runs.history import bin
from runs.history.filters import Filter
from runs.models import GuestLink, KnownWord, Member, Run
from runs.review import comments, verdicts
from runs.review.deciders import Reviewer
from runs.sharing.links import make_link
from tests.support.factories import make_kept, make_run
from tests.support.guest_links import guest_of

pytestmark = pytest.mark.django_db


def finds(member: Member, words: str, tab: str = "team") -> bool:
    found = Filter(tab=tab, q=words)
    return found.runs(member, found.directory(member)).exists()


@pytest.fixture
def sam(make_member: Callable[..., Member]) -> Member:
    return make_member("samuel", role="approver")


@pytest.fixture
def run(alice: Member) -> Run:
    run = make_run(alice, status="completed", shared_at=timezone.now())
    make_kept(run)
    return run


def test_words_of_comments_find_a_run_until_they_are_edited_or_removed(run: Run, alice: Member, bob: Member) -> None:
    said = comments.post(Reviewer(bob), run, run.outputs.all()[0], "Warmer sunlight, please")
    reply = comments.post(Reviewer(alice), run, None, "The tablecloth stays")
    summarise(run)  # as when the title changes
    assert finds(bob, "sunlight tablecloths")

    comments.edit(said, Reviewer(bob), "Colder moonlight")
    comments.remove(reply, Reviewer(alice))

    assert finds(bob, "moonlight")
    assert not finds(bob, "sunlight")
    assert not finds(bob, "tablecloth")
    assert not KnownWord.objects.filter(word__in=["sunlight", "tablecloth"]).exists()


def test_words_of_notes_find_a_run_as_long_as_they_can_be_read(run: Run, alice: Member, sam: Member) -> None:
    output = run.outputs.all()[0]
    verdicts.decide(output, "rejected", "Horizon is crooked", Reviewer(sam), None)
    verdicts.withdraw(output, Reviewer(sam))

    assert finds(alice, "crooked horizon", "mine")  # the list of decisions still shows the note


def test_one_note_on_many_results_of_a_run_is_indexed_once(run: Run, alice: Member, sam: Member) -> None:
    make_kept(run, position=1)
    outputs = [(output, None) for output in run.outputs.all()]
    with CaptureQueriesContext(connection) as captured:
        assert verdicts.decide_many(outputs, "rejected", "Horizon is crooked", Reviewer(sam)).done == 2

    assert sum("INTO runs_runwords" in query["sql"] for query in captured) == 1
    assert finds(alice, "crooked horizon", "mine")


def test_what_guests_say_finds_a_run_only_for_those_who_see_it(run: Run, alice: Member, bob: Member) -> None:
    output = run.outputs.all()[0]
    link = make_link(alice, [output])
    GuestLink.objects.filter(pk=link.pk).update(lets_comment=True, lets_decide=True)
    link.refresh_from_db()
    kim = Reviewer(guest=guest_of(link, "Kim"))
    comments.post(kim, run, output, "Bigger logotype")
    verdicts.decide(output, "changes", "Wrong typeface", kim, None)
    assert finds(bob, "logotype typeface")

    Run.objects.filter(pk=run.pk).update(shared_at=None)
    assert not finds(bob, "logotype typeface")
    assert finds(alice, "logotype typeface", "mine")


def test_a_run_with_many_comments_is_indexed_in_few_queries(run: Run, alice: Member) -> None:
    for n in range(3):
        comments.post(Reviewer(alice), run, None, f"Comment {n} on sunlight")
    with CaptureQueriesContext(connection) as few:
        comments.post(Reviewer(alice), run, None, "One more on sunlight")
    for n in range(20):
        comments.post(Reviewer(alice), run, None, f"Comment {n} on everything")
    with CaptureQueriesContext(connection) as many:
        comments.post(Reviewer(alice), run, None, "The last on sunlight")

    assert len(many) <= len(few)


def test_a_deleted_run_takes_the_words_said_about_it_along(run: Run, alice: Member) -> None:
    comments.post(Reviewer(alice), run, None, "Whispering lighthouse")
    bin.move_to_bin(Run.objects.filter(pk=run.pk), alice, timezone.now())

    assert bin.delete_for_good(run)

    assert not KnownWord.objects.filter(word="whispering").exists()
