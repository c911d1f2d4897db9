"""The pages for deciding make few queries (D5), however much they show. The queries for the session and the member
count too."""

import re
from copy import copy

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from runs.models import Comment, Member, Output, ReviewItem, ReviewRequest, ReviewRules, Run, RunInput, Upload
from runs.models.ids import new_public_id, new_secret
from runs.review.deciders import Reviewer
from runs.review.verdicts import decide
from tests.support.clients import client_of
from tests.support.factories import make_kept, make_run, make_stored
from tests.support.page import Page
from tests.support.queue_page import heading, queries_of

pytestmark = pytest.mark.django_db

MOST = 8
MOST_OF_A_RESULT = 13
WAITING = 1_000
PER_RUN = 25
GROWING = {f"runs_{name}" for name in ("run", "output", "outputfile", "decision", "comment", "mention")}


def whole_tables(asked: list[str]) -> list[str]:
    """Return the growing tables that SQLite scans in full for the queries in `asked`. Subqueries may use one alias for
    several tables; then, all of these have to be growing ones."""
    if connection.vendor != "sqlite":
        return []  # PostgreSQL always scans small tables in full
    found: list[set[str]] = []
    with connection.cursor() as cursor:
        for query in asked:
            names: dict[str, set[str]] = {}
            for table, alias in re.findall(r'"(runs_\w+)" "?(\w+\d)"?\b', query):
                names.setdefault(alias, set()).add(table)
            cursor.execute(f"EXPLAIN QUERY PLAN {query}")
            steps = [re.fullmatch(r"SCAN (\w+)( LEFT-JOIN)?", step[-1]) for step in cursor.fetchall()]
            found += [names.get(step[1], {step[1]}) for step in steps if step]
    return [" or ".join(tables) for tables in found if tables <= set(GROWING)]


def copies(run: Run, count: int) -> list[Run]:
    """Make `count` copies of a run that has ended, without its results."""
    run.refresh_from_db()
    made = []
    for number in range(count):
        one = copy(run)
        one.pk, one.remote_id = None, f"copy-{number}"
        one.public_id, one.hook_token, one.form_token = new_public_id(), new_secret(), new_public_id()
        made.append(one)
    return Run.objects.bulk_create(made)


@pytest.fixture
def newest(run: Run, alice: Member, sam: Member, result: Output) -> Output:
    """Version 50 of a result, made from a picture, with 200 comments and two decisions; the four-eyes rule is on."""
    ReviewRules.objects.create(four_eyes=True)
    upload = Upload.objects.create(member=alice, name="a.png", status="ready", file=make_stored())
    later = copies(run, 49)
    Output.objects.bulk_create(
        Output(run=one, position=0, kind="image", status="completed", line=result, number=number, content_hash="a" * 64)
        for number, one in enumerate(later, 2)
    )
    given = RunInput.objects.create(run=later[-1], position=0, name="Photo", type="url", value="")
    given.links.create(upload=upload, position=0)
    newest = Output.objects.get(number=50)
    make_kept(newest.run)
    Comment.objects.bulk_create(
        Comment(run=newest.run, output=newest, member=alice, text=f"Comment {n}") for n in range(200)
    )
    for verdict in ("changes", "approved"):
        decide(newest, verdict, "A little warmer", Reviewer(sam), None)
    return newest


def test_a_result_with_fifty_versions_and_two_hundred_comments(
    alice: Member, as_sam: Client, result: Output, newest: Output
) -> None:
    page = Page(as_sam.get(newest.get_absolute_url()).content.decode())
    assert len(page.find("a", css="version")) == 50
    assert page.first(css="facts-files").find("img")
    for client in (client_of(alice), as_sam):
        for output in (newest, result):
            asked = queries_of(client, output.get_absolute_url())
            assert len(asked) <= MOST_OF_A_RESULT, "\n".join(asked)
            assert not whole_tables(asked)


def test_a_queue_of_a_thousand(as_sam: Client, sam: Member, alice: Member) -> None:
    run = make_run(alice, status="completed", shared_at=timezone.now())
    request = ReviewRequest.objects.create(asker=alice)
    results = Output.objects.bulk_create(
        Output(run=one, position=n, label=f"Text {n}", kind="text", text="A lake", status="completed", content_hash="a")
        for one in copies(run, WAITING // PER_RUN)
        for n in range(PER_RUN)
    )
    ReviewItem.objects.bulk_create(
        ReviewItem(request=request, output=output, position=n) for n, output in enumerate(results)
    )
    decide(results[0], "approved", "", Reviewer(sam), None)
    cache.clear()
    assert len(queries_of(as_sam, "/review/")) <= MOST
    page = Page(as_sam.get("/review/").content.decode())
    assert (heading(page), page.first(css="stage-place").words) == ("Text 1", "1 of 999")
    assert len(queries_of(as_sam, f"/review/?at={results[500].public_id}")) <= MOST
