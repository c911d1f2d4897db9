"""The inbox: grouped by run, newest first; opening a notice leads to the exact place and marks it as read (N12)."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from runs.models import Comment, Member, Mute, Notice, Output, Run
from runs.notices import mutes, notice_text
from runs.review import comments
from runs.review.carry_over import carry_over, move_back
from runs.review.deciders import Reviewer
from tests.support.clients import HTMX
from tests.support.factories import make_app, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(alice: Member) -> Run:
    return make_run(alice, status="completed", title="Oak desk", shared_at=timezone.now())


@pytest.fixture
def reply(run: Run, alice: Member, bob: Member) -> Comment:
    front = run.outputs.all()[0]
    first = comments.post(Reviewer(member=alice), run, front, "Too dark?")
    return comments.post(Reviewer(member=bob), run, front, "Yes, much <b>", parent=first)


def links_of(client: Client, path: str = "/inbox/") -> list[str]:
    return re.findall(r'class="inbox-link" href="([^"]+)"', client.get(path).text)


def unread(member: Member) -> int:
    member.refresh_from_db()
    assert member.unread == Notice.objects.of(member).unread().count()
    return member.unread


def test_a_line_leads_to_the_exact_place_and_is_read_by_opening_it(
    as_alice: Client, as_bob: Client, alice: Member, reply: Comment
) -> None:
    [link] = links_of(as_alice)
    notice = Notice.objects.get()
    assert reply.output is not None
    there = reply.output.get_absolute_url()
    assert link == f"{there}?comments=all&amp;notice={notice.public_id}#comment-{reply.public_id}"
    assert "Yes, much &lt;b&gt;" in as_alice.get("/inbox/").text
    where = notice_text.path_of(notice).partition("#")[0]

    as_bob.get(where)  # Bob opens somebody else's notice
    as_alice.get(where, headers={"Sec-Purpose": "prefetch"})  # the browser only prefetches it
    assert unread(alice) == 1
    page = as_alice.get(where).text

    assert f'id="comment-{reply.public_id}"' in page
    assert 'data-count=""' in page
    assert unread(alice) == 0
    assert links_of(as_alice) == [link]  # the inbox still lists the notice, now as read


def test_opening_the_result_itself_reads_what_is_about_it(as_alice: Client, alice: Member, reply: Comment) -> None:
    as_alice.get(reply.run.get_absolute_url())
    assert unread(alice) == 1
    assert reply.output is not None

    as_alice.get(reply.output.get_absolute_url())

    assert unread(alice) == 0


def test_all_is_read_up_to_when_the_page_was_made(as_alice: Client, alice: Member, reply: Comment, bob: Member) -> None:
    until = re.search(r'name="until" value="([^"]+)"', as_alice.get("/inbox/").text)
    assert until
    comments.post(Reviewer(member=bob), reply.run, reply.output, "One more", parent=reply)
    assert unread(alice) == 2

    as_alice.post("/inbox/read/", {"until": until[1]})

    assert unread(alice) == 1
    assert as_alice.post("/inbox/read/", {"until": "soon"}).status_code == 302
    assert unread(alice) == 1


def test_muting_can_be_undone_at_once_and_later(as_alice: Client, alice: Member, reply: Comment) -> None:
    conversation = f"comment-{reply.public_id}"  # any comment in the conversation would do

    page = unescape(as_alice.post("/inbox/mute/", {"what": conversation, "back": "/inbox/"}, follow=True).text)

    muted = Mute.objects.get(member=alice)
    assert muted.comment is not None
    assert muted.comment == reply.parent
    assert "You won't be notified about this conversation any more." in page
    assert ">Undo<" in re.sub(r"\s", "", page)
    assert "Unmute conversation" in page
    assert "Conversation: Too dark?" in as_alice.get("/inbox/muted/").text
    as_alice.post("/inbox/unmute/", {"what": f"comment-{muted.comment.public_id}", "back": "https://else.test/"})
    assert not Mute.objects.exists()
    as_alice.post("/inbox/mute/", {"what": reply.run.public_id})
    assert "Unmute this run" in as_alice.get(reply.run.get_absolute_url()).text


def test_pages_of_fifty_in_four_queries(
    as_alice: Client, alice: Member, bob: Member, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    assert "You're up to date." in as_alice.get("/inbox/").text
    app, now = make_app(), timezone.now()
    runs = [make_run(alice, app, title=f"Run {number}") for number in range(3)]
    Notice.objects.bulk_create(
        Notice(member=alice, kind="mention", event=f"e-{n}", run=runs[n % 3], actor=bob, created_at=now - timedelta(n))
        for n in range(60)
    )
    Member.objects.filter(pk=alice.pk).update(unread=60, news_at=now)
    as_alice.get("/inbox/")

    with django_assert_num_queries(4):  # queries: session, member, the page, the bell
        page = as_alice.get("/inbox/").text
    older = re.search(r'href="/inbox/\?before=(\w+)"', page)

    assert older
    assert re.findall(r"<h2[^>]*>\s*<a[^>]*>(Run \d)", page) == ["Run 0", "Run 1", "Run 2"]
    assert "<title>(20+) Inbox" in page
    first, second = links_of(as_alice), links_of(as_alice, f"/inbox/?before={older[1]}")
    assert (len(first), len(second), len({*first, *second})) == (50, 10, 60)
    assert links_of(as_alice, "/inbox/?before=nothing") == first


def test_an_idle_page_asks_in_two_queries_and_gets_nothing(
    as_alice: Client, alice: Member, reply: Comment, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    shown = re.search(r'data-bell="([^"]+)"', as_alice.get("/me/").text)
    assert shown

    with django_assert_num_queries(2):  # queries: session, member
        answer = as_alice.get("/live/", {"n": shown[1]}, headers=HTMX)
    assert (answer.status_code, answer.content) == (204, b"")

    news = as_alice.get("/live/", {"n": ""}, headers=HTMX).text
    assert "Bob replied to a comment on “Front” from Oak desk" in news
    assert 'id="review-count"' in news
    assert 'data-count="1"' in news


def test_a_carried_comment_is_found_where_it_is_now(
    as_alice: Client, alice: Member, reply: Comment, run: Run, bob: Member
) -> None:
    newer = make_run(alice, run.app, status="completed", title="Oak desk, darker", shared_at=timezone.now())
    Output.objects.filter(run=newer, position=0).update(line=reply.output, number=2)
    second = newer.outputs.all()[0]
    mutes.mute(bob, run, reply)
    carry_over(second, alice)

    [link] = links_of(as_alice)
    where, _mark, anchor = unescape(link).partition("#")

    assert where.startswith(second.get_absolute_url())
    assert f'id="{anchor}"' in as_alice.get(where).text
    assert unread(alice) == 0
    first = Comment.objects.get(replies=reply)
    comments.post(Reviewer(member=alice), newer, second, "Is it better?", parent=first)
    assert not Notice.objects.filter(member=bob).exists(), "a muted conversation stays muted"
    move_back(first, alice)
    assert links_of(as_alice) == [link.replace(second.public_id, run.outputs.all()[0].public_id)]
