"""Comments on pages (D9 to D13): people can write, reply to, edit and find them without scripts."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from runs.models import Comment, Member, Output, OutputFile, Run, StoredFile
from runs.review import comments
from runs.review.deciders import Reviewer
from runs.review.verdicts import decide
from tests.support.clients import HTMX
from tests.support.factories import make_app, make_kept, make_run, make_stored
from tests.support.page import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(alice: Member) -> Run:
    """A finished run with a picture, shared with the team."""
    run = make_run(alice, make_app(), status="completed", title="Autumn shoes", shared_at=timezone.now())
    make_kept(run, make_stored((400, 300)))
    return run


@pytest.fixture
def output(run: Run) -> Output:
    return run.outputs.all()[0]


def shown(answer: Any) -> str:
    return str(answer.content.decode())


def typed_in(page: Page) -> str:
    """Return the content of the first text box, without a leading line break, which browsers ignore."""
    return page.first("textarea").text.removeprefix("\n")


def post(client: Client, output: Output, status: int = 302, fields: dict[str, str] | None = None, **more: Any) -> str:
    """Post a comment on a result, and return the page that people see next."""
    answer = client.post(f"{output.get_absolute_url()}comment/", (fields or {}) | more)
    assert answer.status_code == status
    return shown(answer if status != 302 else client.get(answer["Location"]))


def film(output: Output, seconds: float | None = 20.0, kind: str = "video") -> None:
    media_type = "video/mp4" if kind == "video" else "audio/mpeg"
    StoredFile.objects.filter(results__output=output).update(kind=kind, media_type=media_type, duration_seconds=seconds)


def test_a_comment_is_posted_and_shown_as_typed(as_bob: Client, output: Output) -> None:
    typed = "<b>Bold</b> & https://a.test/?a=1&b=2, or me@a.test\njavascript:alert(1) \u202e\u05e9\u05dc"
    body = post(as_bob, output, text=typed)
    text = Page(body).first(css="comment-text")
    assert text.text == typed.replace("\r\n", "\n")
    links = [link.attributes for link in text.find("a")]
    assert [link["href"] for link in links] == ["https://a.test/?a=1&b=2", "mailto:me@a.test"]
    assert links[0]["rel"] == "nofollow noopener noreferrer"
    assert "<b>Bold" not in body
    assert Page(body).first(css="comment-who").words == "Bob"


def test_too_long_a_comment_comes_back_with_its_count(as_bob: Client, output: Output) -> None:
    text = "é" * 2_001
    body = post(as_bob, output, 422, text=text, guests_see="on")
    page = Page(body)
    assert typed_in(page) == text
    assert "2,001 characters" in page.first(css="comment-error").words
    assert "checked" in page.first(css="comment-guests").find("input")[0].attributes
    assert not Comment.objects.exists()


def test_htmx_gets_the_form_alone_back(as_bob: Client, output: Output) -> None:
    answer = as_bob.post(f"{output.get_absolute_url()}comment/", {"text": ""}, headers=HTMX)
    assert answer.status_code == 422
    assert answer["HX-Retarget"] == answer["HX-Reselect"] == "#comment-form-new"
    assert b"<main" not in answer.content


@pytest.mark.parametrize(
    ("typed", "stored"), [("12", 12_000), ("0:12", 12_000), ("1:02.5", 62_500), (" 1:02,5 ", 62_500), ("", None)]
)
def test_seconds_are_understood(as_bob: Client, output: Output, typed: str, stored: int | None) -> None:
    film(output, 70)
    body = post(as_bob, output, text="Here", at=typed)
    assert Comment.objects.get().at_ms == stored
    if stored:
        place = Page(body).first("a", css="comment-place")
        assert place.attributes["href"] == f"?at={stored / 1000:.1f}#file"
        later = shown(as_bob.get(f"{output.get_absolute_url()}?at={stored / 1000:.1f}"))
        assert f"#t={stored / 1000:.1f}" in later


@pytest.mark.parametrize("typed", ["abc", "1:75", "-3", "1:2:3:4", "21", "0:20.2", "١٢"])
def test_seconds_that_make_no_sense_are_refused_beside_the_field(as_bob: Client, output: Output, typed: str) -> None:
    film(output)
    page = Page(post(as_bob, output, 422, text="Here", at=typed))
    field = page.first("input", id="at-new")
    assert field.attributes["value"] == typed
    assert field.attributes["aria-invalid"] == "true"
    assert page.first(id=field.attributes["aria-describedby"]).words
    assert typed_in(page) == "Here"


def test_sound_of_unknown_length_takes_any_second(as_bob: Client, output: Output) -> None:
    film(output, None, "audio")
    post(as_bob, output, text="Here", at="59:00")
    assert Comment.objects.get().at_ms == 59 * 60_000


def test_a_spot_is_typed_or_clicked(as_bob: Client, output: Output) -> None:
    post(as_bob, output, text="Typed", x="25", y="50,5")
    post(as_bob, output, text="Clicked", fields={"spot-narrow.x": "69", "spot-narrow.y": "106"})  # at 280 by 210 px
    body = post(
        as_bob, output, text="Clicked large", fields={"spot-wide.x": "159", "spot-wide.y": "242"}
    )  # at 640 by 480 px
    spots = list(Comment.objects.values_list("spot_x", "spot_y"))
    assert spots[0] == (2_500, 5_050)
    for spot in spots[1:]:
        assert spot == pytest.approx(spots[0], abs=50)
    dots = Page(body).first(id="pins").find("a")
    assert [dot.words for dot in dots] == ["1", "2", "3"]
    assert dots[0].parent is not None
    assert (dots[0].parent.attributes["x"], dots[0].parent.attributes["y"]) == ("25.00%", "50.50%")
    assert [dot.attributes.get("transform") for dot in dots] == [None, "translate(28 0)", "translate(56 0)"]


@pytest.mark.parametrize(("x", "y"), [("101", "5"), ("-1", "5"), ("5", ""), ("nan", "5"), ("1e999", "5"), ("a", "b")])
def test_spots_outside_are_refused(as_bob: Client, output: Output, x: str, y: str) -> None:
    page = Page(post(as_bob, output, 422, text="Here", x=x, y=y))
    assert [page.first("input", id=f"{name}-new").attributes["value"] for name in "xy"] == [x, y]
    assert page.first(id="x-error-new").words == "Enter two numbers from 0 to 100."
    assert not Comment.objects.exists()


def test_a_spot_belongs_to_one_file_and_content(as_bob: Client, output: Output) -> None:
    file = make_stored((300, 400))
    OutputFile.objects.create(output=output, source_url="https://x.test/b.png", status="saved", file=file, position=1)
    post(as_bob, output, text="On the second", n="2", x="10", y="10")
    assert Comment.objects.get().file_position == 1
    assert Page(shown(as_bob.get(output.get_absolute_url()))).first(id="pins").find("a") == []
    page = Page(shown(as_bob.get(f"{output.get_absolute_url()}?n=2")))
    assert len(page.first(id="pins").find("a")) == 1

    Output.objects.update(content_hash="another")
    page = Page(shown(as_bob.get(f"{output.get_absolute_url()}?n=2")))
    assert page.first(id="pins").find("a") == []
    assert "On an earlier file" in page.first(id="comments").words


def test_a_mention_of_somebody_who_cant_see_offers_to_share(as_alice: Client, bob: Member, output: Output) -> None:
    Run.objects.update(shared_at=None)
    body = post(as_alice, output, 422, text="@Bob, look")
    page = Page(body)
    assert "Bob can't see this run, so nothing has been sent yet." in page.first(css="comment-unseen").words
    assert typed_in(page) == "@Bob, look"
    assert not Comment.objects.exists()

    body = post(as_alice, output, text="@Bob, look", act="share")
    assert Run.objects.get().shared_at is not None
    assert Comment.objects.get().mentions.get() == bob
    assert Page(body).first(css="mention").words == "@Bob"


def test_or_to_leave_the_mention_out(as_alice: Client, output: Output, bob: Member) -> None:
    Run.objects.update(shared_at=None)
    post(as_alice, output, text="@Bob, look", act="skip")
    assert not Comment.objects.get().mentions.exists()
    assert Run.objects.get().shared_at is None


def test_nothing_is_shared_if_the_comment_is_refused(
    as_alice: Client, alice: Member, output: Output, bob: Member
) -> None:
    for number in range(30):
        comments.post(Reviewer(member=alice), output.run, output, f"No. {number}")
    Run.objects.update(shared_at=None)
    body = post(as_alice, output, 422, text="@Bob, look", act="share")
    assert "Wait a minute" in body
    assert Run.objects.get().shared_at is None


def test_people_are_picked_from_a_list_without_scripts(as_alice: Client, bob: Member, output: Output) -> None:
    page = Page(post(as_alice, output, 200, text="Look", act="people", at="3"))
    assert typed_in(page) == "Look"
    picks = page.first(css="people-list").find("input")
    assert [pick.attributes["value"] for pick in picks] == [bob.public_id]
    body = post(as_alice, output, text="Look", mention=bob.public_id)
    assert Page(body).first(css="comment-also").words == "@Bob"


def test_people_are_found_while_one_types(as_alice: Client, bob: Member, output: Output) -> None:
    url = f"{output.run.get_absolute_url()}people/"
    found = Page(shown(as_alice.get(url, {"q": "BO"}, headers=HTMX))).root.find(css="person-match")
    assert [(one.attributes["data-name"], one.words) for one in found] == [("Bob", "Bob")]
    Run.objects.update(shared_at=None)
    assert "can't see this yet" in shown(as_alice.get(url, {"q": "b"}))
    assert "person-match" not in shown(as_alice.get(url, {"q": "x"}))


def test_a_renamed_person_stays_mentioned(as_alice: Client, bob: Member, output: Output) -> None:
    post(as_alice, output, text="@Bob and @bob and x@Bob.test")
    Member.objects.filter(pk=bob.pk).update(name="Robert <b>")
    page = Page(shown(as_alice.get(output.get_absolute_url())))
    assert page.first(css="comment-text").text == "@Robert <b> and @Robert <b> and x@Bob.test"
    comment = Comment.objects.get()
    form = Page(shown(as_alice.get(f"/comments/{comment.public_id}/edit/")))
    assert typed_in(form).startswith("@Robert <b> and")


def test_reply_edit_and_remove(as_alice: Client, as_bob: Client, output: Output) -> None:
    post(as_bob, output, text="Too dark")
    comment = Comment.objects.get()
    url, back = f"/comments/{comment.public_id}", output.get_absolute_url()
    assert "Too dark" in shown(as_alice.get(f"{url}/reply/"))
    answer = as_alice.post(f"{url}/reply/", {"text": "Will do", "back": f"{back}?n=2"})
    assert answer["Location"] == f"{back}?n=2#comment-{Comment.objects.get(text='Will do').public_id}"

    assert as_alice.post(f"{url}/edit/", {"text": "Mine"}).status_code == 403
    assert as_bob.post(f"{url}/edit/", {"text": "Much too dark", "back": "//evil.test"})["Location"].startswith(back)
    page = Page(shown(as_bob.get(back)))
    assert page.first(css="comment-text").words == "Much too dark"
    assert page.first(css="comment-edited").words == "edited"

    assert "Remove this comment?" in shown(as_bob.get(f"{url}/remove/"))
    as_bob.post(f"{url}/remove/")
    page = Page(shown(as_bob.get(back)))
    assert page.first(css="comment-gone").words == "Removed by its author"
    assert page.first(css="replies").first(css="comment-text").words == "Will do"
    assert "Much too dark" not in page.html
    assert as_bob.get(f"{url}/edit/").status_code == 404


def test_resolve_folds_the_thread(as_alice: Client, as_bob: Client, output: Output) -> None:
    post(as_bob, output, text="Too dark", x="10", y="10")
    url = f"/comments/{Comment.objects.get().public_id}/resolve/"
    for _ in range(2):
        as_alice.post(url, {"on": "1"})
    page = Page(shown(as_bob.get(output.get_absolute_url())))
    assert "Resolved by Alice" in page.first("details", css="is-resolved").words
    assert "is-resolved" in page.first(id="pins").find("a")[0].classes
    as_bob.post(url, {"on": "0"})
    assert [change.act for change in Comment.objects.get().changes.all()] == ["resolved", "reopened"]


def test_what_guests_see_is_marked(as_bob: Client, output: Output) -> None:
    assert "Guests see this" not in Page(post(as_bob, output, text="Between us")).first(id="comments-list").words
    body = post(as_bob, output, text="For all", guests_see="on")
    assert [one.words for one in Page(body).first(id="comments-list").find(css="is-open")] == ["Guests see this"]


def test_the_form_says_what_unticking_does(as_bob: Client, output: Output) -> None:
    post(as_bob, output, text="For all", guests_see="on")
    url = f"/comments/{Comment.objects.get().public_id}/edit/"
    assert "If unticked, guests can't see the team's replies either." in shown(as_bob.get(url))
    as_bob.post(url, {"text": "For all"})
    assert "Unticked" not in shown(as_bob.get(url))


def test_viewers_comment_too(output: Output, make_member: Any) -> None:
    viewer = Client()
    viewer.force_login(make_member("vera", role="viewer"))
    assert "Nice" in post(viewer, output, text="Nice")


def test_two_hundred_comments_cost_no_more_queries_than_one(as_bob: Client, bob: Member, output: Output) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert as_bob.get(output.get_absolute_url()).status_code == 200
        return len(captured)

    queries()  # the first call fills the caches
    comments.post(Reviewer(member=bob), output.run, output, "First")
    few = queries()
    Comment.objects.bulk_create(Comment(member=bob, run=output.run, output=output, text=f"No. {n}") for n in range(199))
    assert queries() == few
    page = Page(shown(as_bob.get(output.get_absolute_url())))
    assert len(page.find(css="thread")) == 25
    assert page.first(id="comments-list").find("a")[0].words == "Show 175 earlier comments"
    page = Page(shown(as_bob.get(page.first(id="comments-list").find("a")[0].attributes["href"])))
    assert len(page.find(css="thread")) == 200


def test_dots_keep_their_numbers_when_only_the_latest_show(as_bob: Client, bob: Member, output: Output) -> None:
    say = Reviewer(member=bob)
    for n in range(27):
        comments.post(say, output.run, output, f"No. {n}", spot=(n * 300, n * 300) if n % 2 == 0 or n == 1 else None)
    comments.remove(Comment.objects.get(text="No. 0"), say)
    every = Page(shown(as_bob.get(f"{output.get_absolute_url()}?comments=all"))).first(id="pins").find("a")
    latest = Page(shown(as_bob.get(output.get_absolute_url()))).first(id="pins").find("a")
    assert [dot.words for dot in every] == [str(n) for n in range(1, 15)]
    assert [dot.attributes for dot in latest] == [dot.attributes for dot in every[1:]]  # two comments aren't shown
    Output.objects.update(content_hash="another")
    assert Page(shown(as_bob.get(output.get_absolute_url()))).first(id="pins").find("a") == []


def test_a_runs_timeline_tells_what_happened_and_what_was_said(as_alice: Client, as_bob: Client, run: Run) -> None:
    output = run.outputs.all()[0]
    assert as_bob.post(f"{run.get_absolute_url()}comment/", {"text": "Good set"})["Location"].startswith(
        f"{run.get_absolute_url()}#comment-"
    )
    post(as_bob, output, text="Too dark")
    on_run, on_result = Comment.objects.order_by("pk")
    as_alice.post(f"/comments/{on_run.public_id}/reply/", {"text": "Thanks"})
    as_alice.post(f"/comments/{on_result.public_id}/resolve/", {"on": "1"})
    approver = Member.objects.get(name="Bob")
    decide(output, "approved", "", Reviewer(member=_promoted(approver)), decided_in=None)

    timeline = Page(shown(as_alice.get(run.get_absolute_url()))).first(id="run-timeline")

    steps = [step.words for step in timeline.children if step.tag == "li"]
    order = ["Run pressed", "Good set", "1 comment on Front", "Alice resolved a comment on Front", "Bob approved"]
    at = [next(n for n, words in enumerate(steps) if wanted in words) for wanted in order]
    assert at == sorted(at)
    assert any("Shared with the team" in words for words in steps)
    assert timeline.first(css="replies").first(css="comment-text").words == "Thanks"


def _promoted(member: Member) -> Member:
    member.role = "approver"
    member.save()
    return member


def test_a_comment_on_a_run_comes_back_if_it_is_too_long(as_bob: Client, run: Run) -> None:
    answer = as_bob.post(f"{run.get_absolute_url()}comment/", {"text": "x" * 2_001})
    assert answer.status_code == 422
    assert typed_in(Page(shown(answer))) == "x" * 2_001


def test_a_run_page_costs_as_many_queries_with_many_comments(as_bob: Client, bob: Member, run: Run) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert as_bob.get(run.get_absolute_url()).status_code == 200
        return len(captured)

    output = run.outputs.all()[0]
    say = comments.post(Reviewer(member=bob), run, None, "First")
    comments.post(Reviewer(member=bob), run, None, "Second", parent=say)
    comments.post(Reviewer(member=bob), run, output, "Third")
    queries()
    few = queries()
    for about in (None, output):
        Comment.objects.bulk_create(Comment(member=bob, run=run, output=about, text=f"No. {n}") for n in range(60))
    assert queries() == few
