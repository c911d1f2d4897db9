"""Viewers are read-only: they can't start, share or change anything, not even things they made, and pages say why."""

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from runs.models import Member, Upload
from runs.web.http import VIEWERS_LOOK
from tests.support.access_rows import ROWS
from tests.support.access_walk import ask, body_of
from tests.support.access_world import World
from tests.support.factories import make_run

pytestmark = pytest.mark.django_db

# Open to every role: signing in and out, your own settings, filters, selections and drafts, webhooks, revoking a link,
# comparing, commenting, reading notices, and choosing emails.
OPEN_TO_ALL = (
    "login", "logout", "runs:me", "runs:password", "runs:session", "runs:invite", "runs:draft", "runs:webhook",
    "runs:guest", "runs:link-revoke", "runs:view", "runs:history-bulk-action", "runs:history-select",
    "runs:inbox-", "runs:result-comment", "runs:run-comment", "runs:comment-",
    "runs:result-carry-over",
    "runs:mail-", "runs:run-mail",
)  # fmt: skip
SENTENCES = (VIEWERS_LOOK, "Your role is view-only", "Your role doesn't allow this")


@pytest.fixture
def world(make_member: Callable[..., Member]) -> World:
    """Return a world in which Alice made runs before she became a viewer."""
    world = World(make_member)
    Member.objects.filter(pk=world.owner.pk).update(role="viewer")
    return world


def test_every_change_is_refused_with_a_sentence(world: World) -> None:
    wrong = []
    for row in ROWS:
        if row.method != "post" or row.name.startswith(OPEN_TO_ALL):
            continue
        answer = ask(world, row, world.client("owner"))
        is_told = any(sentence in body_of(answer) for sentence in SENTENCES)
        if answer.status_code != 404 and not (answer.status_code in (403, 422) and is_told):
            wrong.append(f"{row.name} {row.query}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


def test_a_viewer_reads_what_is_theirs_and_is_offered_no_change(world: World) -> None:
    client = world.client("owner")
    active = make_run(world.owner, world.app, status="running")
    for run in (active, world.private.run):
        page = client.get(run.get_absolute_url()).content.decode()
        assert run.app_name in page
        for word in ("/cancel/", "/start-again/", "/again/", "/delete/", "/rename/", "/star/", "?from="):
            assert word not in page, word


def test_a_viewers_form_has_no_run_to_press(world: World) -> None:
    shared = make_run(world.members["approver"], world.app, status="completed", shared_at=timezone.now())
    page = world.client("owner").get(world.app.get_absolute_url()).content.decode()
    assert "Your role is view-only" in page
    assert 'id="app-form"' not in page
    assert f"card-{shared.public_id}" in page


def test_no_file_of_a_viewer_is_taken(world: World) -> None:
    picture = SimpleUploadedFile("a.png", b"not looked at", "image/png")
    there_were = Upload.objects.count()
    for path, given in (
        (world.app.get_absolute_url(), {"p0": "Ghibli", "p1_new": picture}),
        ("/uploads/", {"app": world.app.public_id, "field": "p0", "file": picture}),
    ):
        answer = world.client("owner").post(path, given)
        assert answer.status_code == 422
        assert "Your role is view-only" in answer.content.decode()
    assert Upload.objects.count() == there_were
