"""Comments (D9, D12, D13): what they may contain, who they mention, and what can happen to them later."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import count

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from runs import events
from runs.models import Comment, CommentChange, GuestLink, Member, Output, Run
from runs.review import comments
from runs.review.comment_text import CommentRefusedError, UnseenMentionError
from runs.review.deciders import Reviewer
from runs.review.threads import MOST, threads_on
from runs.sharing.links import make_link
from tests.support.factories import make_kept, make_run
from tests.support.guest_links import guest_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(alice: Member) -> Run:
    """A finished run that the team can see."""
    run = make_run(alice, status="completed", shared_at=timezone.now())
    make_kept(run)
    return run


@pytest.fixture
def output(run: Run) -> Output:
    return run.outputs.all()[0]


@pytest.fixture
def link(run: Run, output: Output, alice: Member) -> GuestLink:
    """A link to one result that lets guests comment."""
    link = make_link(alice, [output])
    link.lets_comment = True
    link.save(update_fields=["lets_comment"])
    return link


def say(member: Member, output: Output, text: str = "Warmer light, please.", **options: object) -> Comment:
    return comments.post(Reviewer(member=member), output.run, output, text, **options)  # type: ignore[arg-type]


def refusal(act: Callable[[], object]) -> str:
    """Call `act`, which must be refused, and return the error's code."""
    with pytest.raises(CommentRefusedError) as caught:
        act()
    return caught.value.code


@pytest.mark.parametrize(
    "text", ["x", "é" * 2_000, "👩‍👩‍👧 \u200bmerci\u200d", "שלום עולם", "<b>bold</b> & <script>", "a\nb\n\nc"]
)
def test_texts_are_kept_as_typed(alice: Member, output: Output, text: str) -> None:
    assert say(alice, output, text).text == text
    assert threads_on(output, alice).threads[0].comment.text == text


@pytest.mark.parametrize(("text", "code"), [("", "empty"), (" \n\u200b\t", "empty"), ("x" * 2_001, "too-long")])
def test_nothing_and_too_much_are_refused(alice: Member, output: Output, text: str, code: str) -> None:
    assert refusal(lambda: say(alice, output, text)) == code
    assert not Comment.objects.exists()


def test_too_long_says_how_long(alice: Member, output: Output) -> None:
    with pytest.raises(CommentRefusedError, match=r"^This comment has 2,001 characters; the limit is 2,000\.$"):
        say(alice, output, "x" * 2_001)


def test_thirty_a_minute_each(alice: Member, bob: Member, output: Output) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for number in range(30):
            say(alice, output, f"No. {number}")
        assert refusal(lambda: say(alice, output)) == "too-many"
        say(bob, output)
        clock.shift(timedelta(seconds=61))
        say(alice, output)


def test_pressing_twice_posts_once(alice: Member, bob: Member, output: Output) -> None:
    first = say(alice, output, spot=(100, 200))
    assert say(alice, output, spot=(100, 200)) == first
    say(alice, output, spot=(100, 300))
    say(bob, output, spot=(100, 200))
    assert Comment.objects.count() == 3


def test_ten_a_minute_for_a_guest_and_thirty_for_a_link(output: Output, link: GuestLink) -> None:
    def say_as(name: str) -> Comment:
        text = f"No. {Comment.objects.count()}"
        return comments.post(Reviewer(guest=guest_of(link, name)), output.run, output, text)

    for _ in range(10):
        say_as("Kim")
    assert refusal(lambda: say_as("Kim")) == "too-many"
    for number in range(20):
        say_as(f"Kim {number}")
    assert refusal(lambda: say_as("Kay")) == "too-many"
    assert Comment.objects.for_guests().count() == 30


def test_guests_comment_only_where_their_link_lets_them(run: Run, output: Output, link: GuestLink, bob: Member) -> None:
    kim = Reviewer(guest=guest_of(link, "Kim"))
    other = run.outputs.all()[1]
    inside = say(bob, output, "Between us")
    assert refusal(lambda: comments.post(kim, run, other, "Hello")) == "not-allowed"
    assert refusal(lambda: comments.post(kim, run, None, "Hello")) == "not-allowed"
    assert refusal(lambda: comments.post(kim, run, output, "Hello", parent=inside)) == "not-allowed"
    GuestLink.objects.update(lets_comment=False)
    link.refresh_from_db()
    assert refusal(lambda: comments.post(kim, run, output, "Hello")) == "not-allowed"


def test_what_the_team_says_is_for_the_team_unless_ticked(output: Output, link: GuestLink, bob: Member) -> None:
    inside = say(bob, output)
    assert not inside.guests_see
    assert not say(bob, output, parent=inside, guests_see=True).guests_see  # guests don't see the comment it replies to
    assert say(bob, output, "For everybody", guests_see=True).guests_see
    assert comments.post(Reviewer(guest=guest_of(link, "Kim")), output.run, output, "Lovely").guests_see


def test_a_mention_reaches_only_who_may_see(alice: Member, bob: Member, output: Output, run: Run) -> None:
    comment = say(alice, output, "@Bob look, and @nobody too; not x@bob.com")
    assert [(row.member, row.words) for row in comment.mention_rows.all()] == [(bob, "@Bob")]

    Run.objects.update(shared_at=None)
    output.run.refresh_from_db()
    told: list[Comment] = []
    events.comment_posted.listen(told.append)
    try:
        with pytest.raises(UnseenMentionError) as caught:
            say(alice, output, "@Bob again")
        assert caught.value.members == [bob]
        assert refusal(lambda: say(alice, output, "Again", mentions=[bob])) == "unseen"
        assert told == []
        assert Comment.objects.count() == 1
        assert not say(alice, output, "@Bob again", skips_unseen=True).mentions.exists()
    finally:
        events.comment_posted._listeners.remove(told.append)


@pytest.fixture
def told() -> Iterator[list[tuple[str, str]]]:
    """Collect the mentions that members were notified of, as (comment text, member name)."""
    found: list[tuple[str, str]] = []

    def listener(comment: Comment, member: Member) -> None:
        found.append((comment.text, member.display_name))

    events.mentioned.listen(listener)
    yield found
    events.mentioned._listeners.remove(listener)


def test_whoever_is_named_is_told_once_also_by_an_edit(
    alice: Member, bob: Member, output: Output, told: list[tuple[str, str]], make_member: Callable[..., Member]
) -> None:
    carol, by = make_member("carol"), Reviewer(member=alice)
    comment = say(alice, output, "@Bob and @Alice, look")
    assert told == [("@Bob and @Alice, look", "Bob")]  # people don't notify themselves
    comments.edit(comment, by, f"@Bob and @{carol.display_name}, look")
    assert told[1:] == [(f"@Bob and @{carol.display_name}, look", carol.display_name)]
    comments.edit(comment, by, "@Bob, look again", mentions=[carol])
    comments.remove(comment, by)
    assert len(told) == 2


def test_a_mention_means_one_person(
    alice: Member, bob: Member, output: Output, make_member: Callable[..., Member]
) -> None:
    longer = make_member("bob.b")
    Member.objects.filter(pk=longer.pk).update(name="Bob Berg")
    comment = say(alice, output, "@Bob Berg knows")
    assert [row.member for row in comment.mention_rows.all()] == [longer]

    Member.objects.filter(pk=longer.pk).update(name="Bob")
    assert not say(alice, output, "@bob knows").mentions.exists()  # it isn't clear which Bob is meant
    picked = say(alice, output, "@bob knows it", mentions=[bob])
    assert [(row.member, row.words) for row in picked.mention_rows.all()] == [(bob, "@bob")]
    Member.objects.filter(pk=bob.pk).update(is_active=False)
    assert [row.member for row in say(alice, output, "@bob may know").mention_rows.all()] == [longer]


def test_edit_is_marked_and_only_for_the_author(alice: Member, bob: Member, output: Output) -> None:
    comment = say(alice, output)
    assert refusal(lambda: comments.edit(comment, Reviewer(member=bob), "Colder")) == "not-allowed"
    assert not comments.edit(comment, Reviewer(member=alice), comment.text)
    assert comments.edit(comment, Reviewer(member=alice), "Colder, @Bob")
    comment.refresh_from_db()
    assert (comment.text, comment.edited_at is None) == ("Colder, @Bob", False)
    assert comment.mentions.get() == bob
    assert [change.act for change in comment.changes.all()] == ["edited"]


def test_remove_leaves_the_replies(alice: Member, bob: Member, output: Output, run: Run) -> None:
    comment = say(alice, output, "@Bob, what a mess")
    reply = say(bob, output, "Indeed", parent=comment)
    deeper = say(alice, output, "And worse", parent=reply)
    assert deeper.parent == comment  # there is only one level of replies
    assert refusal(lambda: comments.remove(comment, Reviewer(member=bob))) == "not-allowed"

    assert comments.remove(comment, Reviewer(member=alice))
    assert not comments.remove(comment, Reviewer(member=alice))

    (thread,) = threads_on(output, alice).threads
    assert (thread.comment.text, thread.comment.is_removed) == ("", True)
    assert [one.text for one in thread.replies] == ["Indeed", "And worse"]
    assert not thread.comment.mention_rows.all()
    run.refresh_from_db()
    output.refresh_from_db()
    assert (run.comments_total, output.comments_total) == (2, 2)
    assert refusal(lambda: comments.edit(comment, Reviewer(member=alice), "Back")) == "removed"


def test_resolve_and_reopen(alice: Member, bob: Member, output: Output) -> None:
    comment = say(alice, output)
    assert comments.resolve(comment, Reviewer(member=bob))
    assert not comments.resolve(comment, Reviewer(member=alice))
    comment.refresh_from_db()
    assert comment.resolved_by == bob
    assert comments.reopen(comment, Reviewer(member=alice))
    assert not comments.reopen(comment, Reviewer(member=bob))
    assert [change.act for change in comment.changes.all()] == ["resolved", "reopened"]
    assert not comments.resolve(say(bob, output, parent=comment), Reviewer(member=bob))  # only a thread can be resolved


@pytest.mark.django_db(transaction=True)
def test_ten_people_resolving_at_once_make_one_entry(
    alice: Member, output: Output, make_member: Callable[..., Member]
) -> None:
    """Promise D13 (see `tests.review`)."""
    comment, gate = say(alice, output), threading.Barrier(10)
    people, resolvers = [make_member(f"person{n}") for n in range(10)], list[Member]()

    def act() -> None:
        member = people.pop()
        gate.wait()
        try:
            if comments.resolve(Comment.objects.select_related("run").get(pk=comment.pk), Reviewer(member=member)):
                resolvers.append(member)
        finally:
            connection.close()

    together(act, 10)
    comment.refresh_from_db()
    assert [comment.resolved_by] == resolvers
    assert [(change.act, change.member) for change in CommentChange.objects.all()] == [("resolved", resolvers[0])]


@pytest.mark.django_db(transaction=True)
def test_a_hurried_person_posts_no_more_than_the_limit(alice: Member, output: Output) -> None:
    for number in range(26):
        say(alice, output, f"No. {number}")
    numbers = count()
    gate = threading.Barrier(8)

    def act() -> None:
        gate.wait()
        try:
            with suppress(CommentRefusedError):
                say(alice, output, f"Another {next(numbers)}")
        finally:
            connection.close()

    together(act, 8)
    output.refresh_from_db()
    assert (Comment.objects.count(), output.comments_total) == (30, 30)


def together(act: Callable[[], None], count: int) -> None:
    """Call `act` in `count` threads at once."""
    threads = [threading.Thread(target=act) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_two_hundred_comments_take_two_queries(alice: Member, bob: Member, output: Output) -> None:
    now = timezone.now()
    rows = [
        Comment(member=alice, run=output.run, output=output, text=f"No. {n}", created_at=now + timedelta(seconds=n))
        for n in range(200)
    ]
    Comment.objects.bulk_create(rows)
    say(bob, output, "@Alice", parent=Comment.objects.filter(text="No. 7").get())
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = threads_on(output, alice, most=MOST).threads
        for thread in found:
            for one in [thread.comment, *thread.replies]:
                assert one.who
                assert all(row.member.display_name for row in one.mention_rows.all())
    assert len(found) == 200
    assert len(queries) <= 2
