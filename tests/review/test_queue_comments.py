"""Comments in the review queue: read and written without leaving it."""

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from runs.models import Comment, Member, Output
from runs.review import comments, requests
from runs.review.carry_over import carry_over
from runs.review.deciders import Reviewer
from runs.review.verdicts import decide
from tests.support.factories import make_kept, make_run, make_stored
from tests.support.page import Page
from tests.support.queue_page import form_of, heading, make_results

pytestmark = pytest.mark.django_db


@pytest.fixture
def output(alice: Member) -> Output:
    """A picture waiting for a decision, queued ahead of a text result."""
    run = make_run(alice, status="completed", title="Autumn", shared_at=timezone.now())
    make_kept(run, make_stored((400, 300)))
    Output.objects.filter(run=run, position=1).update(kind="text", text="A lake", content_hash="b" * 64)
    requests.ask(alice, list(run.outputs.all()))
    return run.outputs.all()[0]


def open_queue(client: Client, url: str = "/review/") -> Page:
    answer = client.get(url)
    assert answer.status_code == 200
    return Page(answer.content.decode())


def test_a_reviewer_comments_without_leaving_the_queue(
    as_sam: Client, sam: Member, alice: Member, output: Output
) -> None:
    comments.post(Reviewer(member=alice), output.run, output, "Is the sole right?", spot=(2_500, 5_000))
    page = open_queue(as_sam)
    assert page.first(id="comments").first(css="comment-text").words == "Is the sole right?"
    assert [dot.words for dot in page.first(id="pins").find("a")] == ["1"]
    form = page.first("form", id="comment-form-new")
    sent = {e.attributes["name"]: e.attributes["value"] for e in form.find("input") if "value" in e.attributes}
    sent.pop("guests_see")

    answer = as_sam.post(form.attributes["action"], sent | {"text": "A little warmer", "x": "10", "y": "20"})

    page = open_queue(as_sam, answer["Location"])
    assert heading(page) == "Front"
    assert page.first("form", id="decide")
    assert [text.words for text in page.first(id="comments").find(css="comment-text")][1:] == ["A little warmer"]
    assert [dot.words for dot in page.first(id="pins").find("a")] == ["1", "2"]
    assert Comment.objects.get(text="A little warmer").output == output


def test_the_result_stays_in_view_though_somebody_decided_meanwhile(
    as_sam: Client, sam: Member, output: Output, make_member: Callable[..., Member]
) -> None:
    form = open_queue(as_sam).first("form", id="comment-form-new")
    back = next(e.attributes["value"] for e in form.find("input") if e.attributes["name"] == "back")
    decide(output, "approved", "", Reviewer(make_member("olga", role="approver")), None)
    assert heading(open_queue(as_sam)) == "Back"
    answer = as_sam.post(f"{output.get_absolute_url()}comment/", {"text": "Lovely", "back": back})
    page = open_queue(as_sam, answer["Location"])
    assert (heading(page), page.first(css="comment-text").words) == ("Front", "Lovely")
    assert as_sam.post("/review/", form_of(page, verdict="approved")).status_code == 303


def test_what_was_said_about_version_1_is_there_for_version_2(
    as_sam: Client, sam: Member, alice: Member, output: Output
) -> None:
    run = make_run(alice, output.run.app, status="completed", shared_at=timezone.now())
    make_kept(run, make_stored((400, 300)))
    Output.objects.filter(run=run, position=0).update(line=output, number=2)
    comments.post(Reviewer(member=sam), output.run, output, "Too dark")
    newer = run.outputs.all()[0]
    requests.ask(alice, [newer])
    page = open_queue(as_sam, f"/review/?at={newer.public_id}")
    assert page.first("details", css="comments-older").first("h3").words == "On version 1"
    assert carry_over(newer, sam) == 1
    page = open_queue(as_sam, f"/review/?at={newer.public_id}")
    assert page.first(css="threads").first(css="comment-text").words == "Too dark"


def test_seconds_lead_to_the_player_in_the_queue(as_sam: Client, alice: Member, output: Output) -> None:
    comments.post(Reviewer(member=alice), output.run, output, "Here", at_ms=12_000)
    file = output.files.get().file
    assert file is not None
    file.kind, file.media_type, file.duration_seconds = "video", "video/mp4", 20.0
    file.save()
    place = open_queue(as_sam).first("a", css="comment-place").attributes["href"]
    page = open_queue(as_sam, place)
    assert heading(page) == "Front"
    assert page.first("video").first("source").attributes["src"].endswith("#t=12.0")


def test_comments_take_two_queries_and_none_where_nobody_commented(as_sam: Client, alice: Member) -> None:
    def asked_for_comments() -> int:
        with CaptureQueriesContext(connection) as captured:
            as_sam.get("/review/")
        tables = [re.search(r' FROM "(\w+)"', query["sql"]) for query in captured.captured_queries]
        return sum(table is not None and table[1] in ("runs_comment", "runs_mention") for table in tables)

    results = make_results(alice, 4)
    requests.ask(alice, results)
    assert asked_for_comments() == 0
    for number in range(28):
        comments.post(Reviewer(member=alice), results[0].run, results[0], f"No. {number}")
    assert asked_for_comments() == 2
    assert len(open_queue(as_sam).first(id="comments").find(css="thread")) == 10
