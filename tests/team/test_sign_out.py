"""Browsers don't store members' pages, and signing out clears stored files, too."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from runs.models import Entry, Member, Run, Verb
from tests.support.access_rows import ROWS
from tests.support.access_world import World
from tests.support.clients import run_out
from tests.support.factories import make_kept, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(alice: Member) -> Run:
    run = make_run(alice, status="completed", title="The quartz title")
    make_kept(run)
    return run


def test_no_page_of_a_member_is_kept_anywhere(make_member: Callable[..., Member]) -> None:
    world = World(make_member)
    kept_on_purpose = ("runs:guest", "runs:file-original", "runs:file-thumb", "runs:company-logo")
    for row in ROWS:
        if row.method == "get" and not row.name.startswith(kept_on_purpose):
            answer = world.client("owner").get(reverse(row.name, args=row.path(world)), row.data(world) or {})
            kept = answer.headers["Cache-Control"]
            assert {"private", "no-store"} <= set(kept.split(", ")), (row.name, kept)


def test_signing_out_after_the_session_ran_out_clears_everything(as_alice: Client) -> None:
    """It isn't a form to send again after signing in."""
    run_out(as_alice)
    left = as_alice.post("/logout/")
    assert (left.status_code, left.headers.get("Location")) == (302, "/login/")
    assert left.headers["Clear-Site-Data"] == '"cache"'
    assert left.cookies[settings.SESSION_COOKIE_NAME].value == ""
    again = as_alice.post("/logout/")  # a double click, or a page in another tab
    assert (again.status_code, again.headers["Clear-Site-Data"]) == (302, '"cache"')
    assert Entry.objects.filter(verb=Verb.PERSON_SIGNED_OUT).count() == 0


def test_files_by_their_hash_are_kept(as_alice: Client, run: Run) -> None:
    file = run.outputs.all()[0].files.all()[0].file
    assert file
    assert as_alice.get(file.original_url).headers["Cache-Control"] == "private, max-age=31536000, immutable"
