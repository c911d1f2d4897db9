"""Comments on earlier versions or earlier files of a result are shown separately, and can be carried over."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from runs import events
from runs.history.bin import delete_for_good
from runs.models import Comment, CommentChange, GuestLink, Member, Output, Run
from runs.review import comments
from runs.review.carry_over import carry_over, move_back
from runs.review.comment_text import CommentRefusedError
from runs.review.deciders import Reviewer
from runs.review.guest_comments import seen_by_guest
from runs.sharing.links import make_link
from runs.words.run_index import text_of
from tests.support.factories import make_app, make_kept, make_run, make_stored
from tests.support.guest_links import guest_of
from tests.support.page import Page

pytestmark = pytest.mark.django_db


TELLING: tuple[Any, ...] = (events.comment_posted, events.comment_changed, events.mentioned)


def _note(told: list[str], comment: Comment, *_more: object) -> None:
    told.append(comment.text)


@pytest.fixture
def first(alice: Member) -> Output:
    """A result that the team can see."""
    return version_of(alice, None)


@pytest.fixture
def second(alice: Member, first: Output) -> Output:
    """Version 2 of the result `first`."""
    return version_of(alice, first)


def version_of(maker: Member, first: Output | None, number: int = 2) -> Output:
    app = first.run.app if first else make_app()
    run = make_run(maker, app, status="completed", title="Autumn shoes", shared_at=timezone.now())
    make_kept(run, make_stored((400, 300)))
    if first is not None:
        Output.objects.filter(run=run, position=0).update(line=first, number=number)
    output = run.outputs.all()[0]
    output.refresh_from_db()
    return output


def say(by: Member, output: Output, text: str = "Warmer light, please.", **options: object) -> Comment:
    return comments.post(Reviewer(member=by), output.run, output, text, **options)  # type: ignore[arg-type]


def shown(client: Client, output: Output, query: str = "") -> Page:
    return Page(client.get(f"{output.get_absolute_url()}{query}").content.decode())


def texts(page: Page, css: str) -> list[str]:
    """Return the text of every comment in the page's lists with the class `css`."""
    return [text.words for place in page.find("ol", css=css) for text in place.find(css="comment-text")]


def totals(*outputs: Output) -> list[int]:
    counted = Output.objects.in_bulk([output.pk for output in outputs])
    runs = Run.objects.in_bulk([output.run_id for output in outputs])
    assert [runs[output.run_id].comments_total for output in outputs] == [
        counted[output.pk].comments_total for output in outputs
    ]
    return [counted[output.pk].comments_total for output in outputs]


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(CommentRefusedError) as caught:
        act()
    return caught.value.code


def test_comments_on_earlier_versions_are_folded_below(
    as_bob: Client, bob: Member, alice: Member, first: Output, second: Output
) -> None:
    say(bob, second, "Better")
    assert shown(as_bob, second).find("details", css="comments-older") == []
    comment = say(bob, first, "Too dark", spot=(1_000, 2_000))
    comments.resolve(say(bob, first, "Crop it"), Reviewer(member=bob))
    say(alice, first, "Will do", parent=comment)

    page = shown(as_bob, second)
    older = page.first("details", css="comments-older")
    assert older.first("summary").words == "2 comments on other versions or files"
    assert [heading.words for heading in older.find("h3")] == ["On version 1"]
    assert older.first("h3").find("a")[0].attributes["href"] == first.get_absolute_url()
    assert texts(page, "is-older") == ["Too dark", "Will do", "Crop it"]
    assert page.first(id="pins").find("a") == []  # the spot was marked on the other picture
    assert [one.words.split(" Too")[0] for one in older.find("button") if one.words.startswith("Carry")] == [
        "Carry over to version 2"
    ]
    assert shown(as_bob, first).find("details", css="comments-older") == []  # comments on later versions aren't shown


def test_a_comment_is_carried_over_and_back_without_scripts(
    as_bob: Client, bob: Member, alice: Member, first: Output, second: Output
) -> None:
    comment = say(bob, first, "@Alice, too dark", spot=(1_000, 2_000))
    say(alice, first, "Will do", parent=comment)
    told: list[str] = []
    listener = partial(_note, told)
    for event in TELLING:
        event.listen(listener)
    url, back = f"{second.get_absolute_url()}carry-over/", second.get_absolute_url()
    for _ in range(2):  # people may press twice
        answer = as_bob.post(url, {"comment": comment.public_id, "back": back})
        assert answer["Location"] == f"{back}#comment-{comment.public_id}"

    page = shown(as_bob, second)
    assert texts(page, "threads") == ["@Alice, too dark", "Will do"]
    assert page.first(id="comments").first(css="comment-marks").first("a").words == "From version 1"
    dot = page.first(id="pins").find("a")[0].parent
    assert dot is not None
    assert (dot.attributes["x"], dot.attributes["y"]) == ("10.00%", "20.00%")
    assert totals(first, second) == [0, 2]
    assert "too dark" in text_of(second.run)
    assert "too dark" not in text_of(first.run)
    assert [change.act for change in CommentChange.objects.all()] == ["carried"]
    timeline = Page(as_bob.get(second.run.get_absolute_url()).content.decode()).first(id="run-timeline")
    assert "Bob carried 1 comment over to" in timeline.words
    page = shown(as_bob, first)  # the comment can still be read on the first version
    assert [heading.words for heading in page.first("details", css="comments-older").find("h3")] == [
        "Carried over to version 2"
    ]
    assert page.first("details", css="comments-older").find("button") == []
    say(alice, second, "Lighter now", parent=Comment.objects.get(pk=comment.pk))

    assert [one.words for one in shown(as_bob, second).find("button") if "Move back" in one.words]
    for _ in range(2):
        as_bob.post(f"/comments/{comment.public_id}/move-back/", {"back": back})
    page = shown(as_bob, first)
    assert texts(page, "threads") == ["@Alice, too dark", "Will do", "Lighter now"]
    assert len(page.first(id="pins").find("a")) == 1
    assert totals(first, second) == [3, 0]
    assert not Comment.objects.filter(carried_from__isnull=False).exists()
    assert [change.act for change in CommentChange.objects.all()] == ["carried", "returned"]
    assert told == ["Lighter now"]
    for event in TELLING:
        event._listeners.remove(listener)


def test_all_open_ones_at_once(as_bob: Client, bob: Member, first: Output, second: Output, alice: Member) -> None:
    third = version_of(alice, first, 3)
    for output in (first, second):
        say(bob, output, f"Open on {output.number}")
        comments.resolve(say(bob, output, f"Done on {output.number}"), Reviewer(member=bob))
        comments.remove(say(bob, output, f"Gone on {output.number}"), Reviewer(member=bob))
    page = shown(as_bob, third)
    assert [one.words for one in page.first("details", css="comments-older").find("h3")] == [
        "On version 2",
        "On version 1",
    ]
    assert "Carry over all open comments" in page.first("details", css="comments-older").words
    as_bob.post(f"{third.get_absolute_url()}carry-over/")
    assert set(third.comments.values_list("text", flat=True)) == {"Open on 1", "Open on 2"}
    assert totals(first, second, third) == [1, 1, 2]


def test_from_an_earlier_file_of_the_same_result(as_bob: Client, bob: Member, first: Output) -> None:
    comment = say(bob, first, "Too dark", spot=(1_000, 2_000))
    written_on = comment.content_hash
    Output.objects.update(content_hash="another")
    page = shown(as_bob, first)
    assert page.first("details", css="comments-older").first("h3").words == "On an earlier file"
    assert "Carry over to this file" in page.first("details", css="comments-older").words
    as_bob.post(f"{first.get_absolute_url()}carry-over/")
    page = shown(as_bob, first)
    assert texts(page, "threads") == ["Too dark"]
    assert "From an earlier file" in page.first(id="comments").words
    assert len(page.first(id="pins").find("a")) == 1
    assert totals(first) == [1]
    as_bob.post(f"/comments/{comment.public_id}/move-back/")
    assert Comment.objects.get().content_hash == written_on


def test_comments_never_go_where_fewer_people_see_them(
    as_alice: Client, as_bob: Client, bob: Member, first: Output, second: Output
) -> None:
    say(bob, first)
    Run.objects.filter(pk=second.run_id).update(shared_at=None)
    second.run.refresh_from_db()
    older = shown(as_alice, second).first("details", css="comments-older")
    assert "Share version 2 with the team first." in older.words
    assert older.find("button", css="carry") == []
    assert code_of(lambda: carry_over(second, second.run.member)) == "not-shared"
    assert as_bob.post(f"{second.get_absolute_url()}carry-over/").status_code == 404

    Run.objects.filter(pk=second.run_id).update(shared_at=timezone.now())
    Run.objects.filter(pk=first.run_id).update(shared_at=None)
    assert "Warmer light" not in as_bob.get(second.get_absolute_url()).content.decode()
    second.run.refresh_from_db()
    assert carry_over(second, bob) == 0


def test_what_happens_to_carried_comments_when_a_version_is_deleted(
    as_bob: Client, bob: Member, first: Output, second: Output
) -> None:
    say(bob, first)
    carry_over(second, bob)
    Run.objects.filter(pk=second.run_id).update(deleted_at=timezone.now())
    assert delete_for_good(Run.objects.get(pk=second.run_id))
    assert texts(shown(as_bob, first), "threads") == ["Warmer light, please."]
    assert totals(first) == [1]

    third = version_of(first.run.member, first, 3)
    carry_over(third, bob)
    Run.objects.filter(pk=first.run_id).update(deleted_at=timezone.now())
    delete_for_good(Run.objects.get(pk=first.run_id))
    assert texts(shown(as_bob, third), "threads") == ["Warmer light, please."]


def test_guests_see_carried_comments_where_they_may(bob: Member, first: Output, second: Output, alice: Member) -> None:
    def link_to(*outputs: Output) -> GuestLink:
        link = make_link(alice, list(outputs))
        link.lets_comment = link.shows_comments = True
        link.save()
        return link

    def seen(link: GuestLink, *outputs: Output) -> list[list[str]]:
        found = seen_by_guest(link, guest_of(link), outputs)
        return [[comment.text for comment in found.get(output.pk, [])] for output in outputs]

    old, both, new = link_to(first), link_to(first, second), link_to(second)
    own = comments.post(Reviewer(guest=guest_of(old, "Kim")), first.run, first, "Mine")
    say(bob, first, "Ours", guests_see=True)
    say(bob, first, "Internal")
    carry_over(second, bob)
    say(bob, second, "Done", parent=Comment.objects.get(pk=own.pk), guests_see=True)

    assert seen(old, first) == [["Mine", "Ours", "Done"]]
    assert seen(both, first, second) == [["Ours"], ["Ours"]]  # Kim on another link counts as a different guest
    assert seen(new, second) == [[]]
    GuestLink.objects.update(shows_comments=False)
    old.refresh_from_db()
    assert seen(old, first) == [["Mine", "Done"]]


def test_many_versions_and_comments_take_two_queries(as_bob: Client, bob: Member, first: Output, alice: Member) -> None:
    newest = version_of(alice, first, 50)
    runs = Run.objects.filter(pk=first.run_id)
    now = timezone.now()
    versions = Output.objects.bulk_create(
        Output(run=first.run, position=n, kind="image", status="completed", line=first, number=n, content_hash="a")
        for n in range(2, 50)
    )
    for output in (first, newest, *versions):
        Comment.objects.bulk_create(
            Comment(member=bob, run=output.run, output=output, text=f"No. {n}", created_at=now + timedelta(seconds=n))
            for n in range(200 if output in (first, newest) else 10)
        )
    assert runs.exists()
    with CaptureQueriesContext(connection) as captured:
        page = shown(as_bob, newest)
    asked = [query["sql"].partition(" FROM ")[2] for query in captured.captured_queries]
    assert sum(table in query for query in asked for table in ('"runs_comment"', '"runs_mention"')) == 2
    assert len(page.first("ol", css="threads").find(css="thread")) == 25
    older = page.first("details", css="comments-older")
    assert len(older.find(css="thread")) == 10
    assert older.first("summary").words == "680 comments on other versions or files"
    assert older.find("a")[-1].words == "Show 670 earlier comments"
    assert len(shown(as_bob, newest, "?comments=all").first("details", css="comments-older").find(css="thread")) == 500


@pytest.mark.django_db(transaction=True)
def test_carried_by_several_people_at_once(bob: Member, first: Output, second: Output) -> None:
    comment, gate = say(bob, first), threading.Barrier(6)
    say(bob, first, "Noted", parent=comment)
    counted: list[int] = []

    def act() -> None:
        gate.wait()
        try:
            counted.append(carry_over(Output.objects.select_related("run").get(pk=second.pk), bob))
        finally:
            connection.close()

    threads = [threading.Thread(target=act) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counted) == [0, 0, 0, 0, 0, 1]
    assert totals(first, second) == [0, 2]
    assert move_back(Comment.objects.select_related("output__run", "carried_from__run").get(pk=comment.pk), bob)
    assert totals(first, second) == [2, 0]
