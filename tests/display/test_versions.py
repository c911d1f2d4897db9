"""A result's versions, on its page and side by side."""

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from runs.models import Decision, Member, Output, Run
from tests.support.clients import client_of
from tests.support.factories import make_app, make_kept, make_run
from tests.support.page import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(alice: Member) -> list[Output]:
    """Three versions of one result; the first needs changes, the third failed."""
    app = make_app()
    runs = [make_run(alice, app, status="completed") for _ in range(3)]
    for run in runs:
        make_kept(run)
    first, *later = [run.outputs.get(position=0) for run in runs]
    for number, output in enumerate(later, 2):
        Output.objects.filter(pk=output.pk).update(line=first, number=number)
    Output.objects.filter(pk=later[-1].pk).update(status="error")
    Output.objects.filter(pk=first.pk).update(verdict="changes")
    Decision.objects.create(
        output=first,
        content_hash=first.content_hash,
        member=alice,
        verdict="changes",
        note="Warmer light <i>",
        is_standing=True,
    )
    return list(Output.objects.in_line_of(first))


def strip_of(client: Client, output: Output) -> Page:
    return Page(client.get(output.get_absolute_url()).text)


def test_each_version_leads_to_its_own_page_with_its_verdict(as_alice: Client, line: list[Output]) -> None:
    links = strip_of(as_alice, line[0]).root.find("a", css="version")
    assert [link.words for link in links] == ["Version 1 Needs changes", "Version 2 Not reviewed", "Version 3 Failed"]
    assert [link.attributes["href"] for link in links] == [output.get_absolute_url() for output in line]
    assert ["aria-current" in link.attributes for link in links] == [True, False, False]


def test_a_version_is_compared_with_the_one_before_and_what_was_asked(as_alice: Client, line: list[Output]) -> None:
    first, second, _third = line
    url = f"/compare/?f={first.public_id},{second.public_id}"
    for output in (first, second):
        links = strip_of(as_alice, output).root.first("nav", css="versions").find("a")
        assert url in [link.attributes["href"] for link in links]
    rows = Page(as_alice.get(url).text).root.first("table", css="compare-inputs").find("tr")
    assert "Requested changes Warmer light <i>" in [row.words.removesuffix(" Left empty") for row in rows]


def test_a_result_without_other_versions_has_no_strip(as_alice: Client, alice: Member) -> None:
    run = make_run(alice, status="completed")
    assert strip_of(as_alice, run.outputs.all()[0]).root.find("nav", css="versions") == []


def test_a_private_version_of_somebody_else_is_not_shown(as_bob: Client, line: list[Output]) -> None:
    Run.objects.filter(outputs__in=line[:2]).update(shared_at="2026-01-01T00:00Z")
    links = strip_of(as_bob, line[0]).root.find("a", css="version")
    assert [link.words for link in links] == ["Version 1 Needs changes", "Version 2 Not reviewed"]


def test_the_next_version_is_offered_to_those_who_may_run(alice: Member, line: list[Output]) -> None:
    for role, is_offered in (("maker", True), ("viewer", False)):
        Member.objects.filter(pk=alice.pk).update(role=role)
        body = client_of(Member.objects.get(pk=alice.pk)).get(line[1].get_absolute_url()).text
        assert (f"?next={line[1].public_id}" in body) is is_offered


def test_fifty_versions_take_as_many_queries_as_three(as_alice: Client, alice: Member, line: list[Output]) -> None:
    before = queries_of(as_alice, line[0])
    for number in range(4, 51):
        later = make_run(alice, line[0].run.app, status="completed")
        later.outputs.filter(position=0).update(line=line[0], number=number)
    assert queries_of(as_alice, line[0]) <= before


def queries_of(client: Client, output: Output) -> int:
    """Count the queries of the result's page, while the state of the connection is cached (for a few seconds only)."""
    with time_machine.travel(timezone.now(), tick=False):
        client.get(output.get_absolute_url())
        with CaptureQueriesContext(connection) as queries:
            client.get(output.get_absolute_url())
    return len(queries)
