"""Guests' comments (D7): what guests see of others' comments, and spots on pictures. Comments meant for the team never
reach guests."""

from collections.abc import Callable

import pytest
from django.test import Client

from runs.models import Comment, Decision, GuestLink, Member, Output, Run
from runs.review import requests
from runs.review.comments import edit, post
from runs.review.deciders import Reviewer
from runs.sharing import links
from runs.sharing.visibility import share_with_team
from tests.sharing.guest_visit import GuestVisit, visit
from tests.support.clients import client_of
from tests.support.guest_links import guest_of, path_of
from tests.support.page import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def comment_link(link: GuestLink) -> GuestLink:
    """A guest link to a picture and some text that lets guests comment on them."""
    return changed(link, lets_comment=True)


def changed(link: GuestLink, **fields: bool) -> GuestLink:
    GuestLink.objects.filter(pk=link.pk).update(**fields)
    link.refresh_from_db()
    return link


def named(link: GuestLink, name: str = "Kim", words: str = "Words of Kim") -> GuestVisit:
    """Return the visit of a guest who has commented on the first result under the name `name`."""
    return visit(link).type("r1", words).press("comment", "r1").press("", name=name)


def first(run: Run) -> Output:
    return run.outputs.all()[0]


def test_guests_comment_only_where_the_maker_lets_them(link: GuestLink, run: Run) -> None:
    assert not visit(link).page.root.find("button")
    answer = Client().post(f"{path_of(link)}comment/", {"comment": first(run).public_id})
    assert answer.status_code == 403
    kim = visit(changed(link, lets_comment=True)).type("r1", "Typed words")
    assert "Alice wants to know what you think" in kim.words
    changed(link, lets_comment=False)
    kim.press("comment", "r1").press("", name="Kim")
    assert kim.status == 422
    assert "turned off comments" in kim.words
    assert kim.texts()[0] == "Typed words"
    assert not Comment.objects.exists()


def test_a_guest_comments_and_is_known_from_then_on(comment_link: GuestLink, run: Run) -> None:
    kim = named(comment_link, words="More <b>light</b>\nplease")
    assert kim.at.endswith("#r1")
    assert "Thank you, Kim. Alice can now read your comment." in kim.box("r1").words
    assert "More <b>light</b>\nplease" in [line.text for line in kim.box("r1").find("div", css="preserve")]
    kim.type("r2", "Shorter").press("comment", "r2")
    rows = [(c.guest_name, c.link, c.text, c.guests_see, c.output) for c in Comment.objects.order_by("pk")]
    assert rows[1] == ("Kim", comment_link, "Shorter", True, run.outputs.all()[1])
    assert len(rows) == 2
    assert not kim.client.cookies


def test_the_team_sees_which_words_are_a_guests(
    comment_link: GuestLink, run: Run, alice: Member, as_alice: Client, make_member: Callable[..., Member]
) -> None:
    named(comment_link, name="Alice")  # the maker's name, which any guest can enter
    post(Reviewer(member=alice), run, first(run), "Words of the team", guests_see=True)
    run.refresh_from_db()
    share_with_team(run)
    requests.ask(alice, [first(run)])
    queue = client_of(make_member("samuel", role="approver"))
    for page in (as_alice.get(first(run).get_absolute_url()), queue.get("/review/")):
        heads = [head.words for head in Page(page.text).find(css="comment-head")]
        assert [head.startswith("Alice Guest") for head in heads] == [True, False]


def test_one_text_is_a_note_or_a_comment_as_the_button_says(comment_link: GuestLink) -> None:
    changed(comment_link, lets_decide=True)
    kim = named(comment_link)
    kim.type("r1", "Too dark").press("changes", "r1")
    assert [decision.note for decision in Decision.objects.all()] == ["Too dark"]
    assert Comment.objects.count() == 1
    kim.type("r1", "x" * 600).press("changes", "r1")
    assert "has 600 characters; the limit is 500" in kim.box("r1").words
    kim.press("comment", "r1")
    assert Comment.objects.count() == 2


@pytest.mark.parametrize(("typed", "words"), [("  ", "Write something first"), ("y" * 2_001, "has 2,001 characters")])
def test_a_comment_that_does_not_do_is_given_back(comment_link: GuestLink, typed: str, words: str) -> None:
    kim = visit(comment_link).type("r1", "Other words").type("r2", typed).press("comment", "r2")
    assert kim.status == 422
    assert words in kim.box("r2").words
    assert kim.texts() == ["Other words", typed]
    assert not Comment.objects.exists()


def test_a_link_revoked_meanwhile_gives_back_the_comment(comment_link: GuestLink, alice: Member) -> None:
    kim = named(comment_link).type("r2", "Typed words")
    links.revoke(comment_link, alice)
    kim.press("comment", "r2")
    assert kim.status == 410
    assert kim.texts()[0] == "Typed words"
    assert Comment.objects.count() == 1


# --- What guests see --------------------------------------------------------------------------------------------------
def test_no_guest_sees_words_for_the_team(comment_link: GuestLink, run: Run, alice: Member) -> None:
    by = Reviewer(member=alice)
    changed(comment_link, shows_comments=True)
    kim = named(comment_link)
    own = Comment.objects.get()
    post(by, run, first(run), "Internal words")
    post(by, run, None, "Internal words on the run", guests_see=True)
    post(by, run, first(run), "Internal reply", parent=own)
    post(by, run, first(run), "Reply for guests", parent=own, guests_see=True)
    gone = post(by, run, first(run), "Removed words", guests_see=True)
    Comment.objects.filter(pk=gone.pk).update(text="", removed_at=gone.created_at)
    for page in (visit(comment_link).answer.text, kim.reload().answer.text):
        assert "Internal" not in page
        assert "Reply for guests" in page


def test_a_guest_sees_what_the_team_replies_to_them(comment_link: GuestLink, run: Run, alice: Member) -> None:
    kim = named(comment_link)
    named(comment_link, "Lee", "Words of Lee")
    by = Reviewer(member=alice)
    own, lees = Comment.objects.order_by("pk")
    post(by, run, first(run), "Reply to Kim", parent=own, guests_see=True)
    post(by, run, first(run), "Reply to Lee", parent=lees, guests_see=True)
    post(by, run, first(run), "Reply among the team", parent=own)
    kim.reload()
    assert "Reply to Kim" in kim.words
    for hidden in ("Words of Lee", "Reply to Lee", "among the team"):
        assert hidden not in kim.words
    assert "Reply to" not in Client().get(path_of(comment_link)).text


def test_a_guests_reply_outlives_what_it_replies_to(comment_link: GuestLink, run: Run, alice: Member) -> None:
    """Once a comment is hidden from guests, they no longer see it or the team's replies to it, but still see their own
    replies."""
    changed(comment_link, shows_comments=True)
    kim = named(comment_link)
    by = Reviewer(member=alice)
    ours = post(by, run, first(run), "Words of the team", guests_see=True)
    post(by, run, first(run), "And more of it", parent=ours, guests_see=True)
    post(Reviewer(guest=guest_of(comment_link, "Kim")), run, first(run), "Kim does, too", parent=ours)
    kim.reload()
    assert all(words in kim.words for words in ("Words of the team", "And more of it", "Kim does, too"))
    edit(ours, by, ours.text, guests_see=False)
    kim.reload()
    assert "Kim does, too" in kim.words
    assert "Words of the team" not in kim.words
    assert "And more of it" not in kim.words


def test_others_are_seen_only_where_the_link_shows_them(
    comment_link: GuestLink, run: Run, alice: Member, bob: Member
) -> None:
    other_link = changed(links.make_link(alice, list(run.outputs.all())), lets_comment=True, shows_comments=True)
    named(other_link, "Olga", "Words of another client")
    named(comment_link, "Lee", "Words of Lee")
    post(Reviewer(member=alice), run, first(run), "Words of the team", guests_see=True)
    kim = named(comment_link)
    assert "Words of Kim" in kim.words
    assert "Words of Lee" not in kim.words
    assert "Words of the team" not in kim.words
    changed(comment_link, shows_comments=True)
    kim.reload()
    assert "Words of Lee" in kim.words
    assert "Words of the team" in kim.words
    assert "another client" not in kim.words
    assert [who.text for who in kim.box("r1").find("strong")] == ["Lee", "Alice", "You"]
    changed(comment_link, hides_names=True)
    kim.reload()
    assert [who.text for who in kim.box("r1").find("strong")] == ["Another guest", "The team", "You"]
    assert "Lee" not in kim.answer.text.replace("Words of Lee", "")


def test_a_name_of_another_link_shows_nothing_of_its_guest(comment_link: GuestLink, run: Run, alice: Member) -> None:
    other = changed(links.make_link(alice, list(run.outputs.all())), lets_comment=True)
    kim = named(comment_link)
    signed = kim.page.first("form").find("input")[1].attributes["value"]
    assert "Words of Kim" not in Client().get(f"{path_of(other)}?n={signed}").text
    assert "Words of Kim" not in Client().get(path_of(comment_link)).text


# --- Spots and seconds ------------------------------------------------------------------------------------------------
def test_a_spot_is_clicked_without_scripts_and_sent_with_the_comment(comment_link: GuestLink) -> None:
    kim = visit(comment_link).type("r1", "Too dark here").type("r2", "Not sent yet").press("place", "r1")
    assert not Comment.objects.exists()
    picture = next(i for i in kim.page.root.find("input") if i.attributes.get("name") == "spot-narrow")
    to, sent = kim.sent_by(picture, **{"spot-narrow.x": "139", "spot-narrow.y": "0"})
    sent.pop("spot-narrow")
    kim.send(to, sent)
    numbers = {i.attributes["name"]: i.attributes.get("value") for i in kim.page.root.find("input")}
    assert (numbers["x"], numbers["y"]) == ("49.82", "0.32")
    assert kim.texts()[0] == "Too dark here"
    assert kim.page.root.find("svg", css="guest-dots")

    kim.press("comment").press("", name="Kim")

    comment = Comment.objects.get()
    assert (comment.spot_x, comment.spot_y, comment.text) == (4982, 32, "Too dark here")
    assert "1" in [dot.text for dot in kim.page.root.find("text")]  # the comment's number is on the picture
    assert kim.texts("r2")[0] == "Not sent yet"
    kim.type("r1", "Dusty, too").press("place", "r1").press("comment", x="50", y="0")
    dots = [one.attributes["transform"] for one in kim.page.root.find("g")]
    assert dots == ["translate(0 0)", "translate(28 0)"]  # both numbers can be seen


@pytest.mark.parametrize(
    ("x", "y", "stored"), [("25", "75,5", (2500, 7550)), ("101", "5", None), ("a", "5", None), ("", "5", None)]
)
def test_a_spot_is_typed_as_two_numbers(
    comment_link: GuestLink, x: str, y: str, stored: tuple[int, int] | None
) -> None:
    kim = named(comment_link).type("r1", "Here").press("place", "r1").press("comment", x=x, y=y)
    last = Comment.objects.order_by("pk").last()
    assert last
    assert ((last.spot_x, last.spot_y) if last.has_spot else None) == stored
    if stored is None:
        assert "two numbers from 0 to 100" in kim.words
        assert kim.texts()[0] == "Here"


@pytest.mark.parametrize(("at", "stored"), [("0:12", 12_000), ("1:02.5", 62_500), ("abc", None), ("3:00", None)])
def test_a_second_of_a_film_is_typed(comment_link: GuestLink, run: Run, at: str, stored: int | None) -> None:
    file = first(run).files.all()[0].file
    assert file
    file.kind, file.duration_seconds = "video", 90
    file.save()
    kim = named(comment_link).type("r1", "Here").press("place", "r1").press("comment", at=at)
    last = Comment.objects.order_by("pk").last()
    assert last
    assert last.at_ms == stored
    assert at in (kim.page.root.words if stored is None else kim.box("r1").words) or stored in (62_500, None)
    if stored is None:
        assert kim.status == 422
        assert kim.texts()[0] == "Here"


def test_back_from_the_page_of_a_spot_keeps_every_word(comment_link: GuestLink) -> None:
    kim = visit(comment_link).type("r1", "First").type("r2", "Second").press("place", "r1").press("back")
    assert kim.texts() == ["First", "Second"]
    assert not Comment.objects.exists()
