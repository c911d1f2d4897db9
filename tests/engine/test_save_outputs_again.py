"""More on saving files: catalogue pictures, leftovers, retries, and how cheaply the portal checks whether there is
anything to do."""

import os
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from runs import tasks
from runs.engine.save_outputs import FILES
from runs.history import bin
from runs.models import Member, OutputFile, Run
from runs.models.messages import Message
from runs.storage import store
from runs.storage.fetch import FetchFailed
from runs.storage.foreign_pictures import save_catalog_picture
from tests.support.factories import make_run
from tests.support.hostile_server import HostileServer, kept_files

pytestmark = pytest.mark.django_db


def test_a_catalogue_picture_is_copied_once(server: HostileServer) -> None:
    server.files["/b.png"] = server.files["/a.png"]
    first = save_catalog_picture(f"{server.url}/a.png")
    second = save_catalog_picture(f"{server.url}/b.png")

    assert first is not None
    assert first == second
    assert first.is_catalog
    assert first.card_url


@pytest.mark.parametrize("path", ["missing", "page-as-png", "svg-as-png", "says-less", "loop", "says-huge"])
def test_a_broken_catalogue_picture_is_left_out(path: str, server: HostileServer, settings: Settings) -> None:
    with suppress(FetchFailed):  # raised by temporary failures; others return None
        assert save_catalog_picture(f"{server.url}/{path}") is None
    assert save_catalog_picture("no link at all") is None
    assert kept_files(settings) == []


def test_leftovers_of_a_killed_worker_are_removed(settings: Settings) -> None:
    old, young = store.new_waiting_path(), store.new_waiting_path()
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    tasks.tidy()
    assert kept_files(settings) == [young]


def test_looking_for_work_is_cheap(django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(2):
        FILES.request()


def make_unsaved(alice: Member, url: str, **fields: Any) -> OutputFile:
    run = make_run(alice, status="completed", outputs_ready=2)
    return OutputFile.objects.create(output=run.outputs.all()[0], source_url=url, **fields)


def given_up(alice: Member, url: str) -> OutputFile:
    """Make a file that the portal has given up on, because 24 hours weren't enough to save it."""
    long_ago = timezone.now() - timedelta(days=2)
    sentence = "There is no file at that address any more."
    return make_unsaved(alice, url, status="failed", error=sentence, due_at=None, attempts=40, created_at=long_ago)


def test_a_file_that_could_not_be_saved_can_be_tried_again(
    alice: Member, as_alice: Client, as_bob: Client, server: HostileServer
) -> None:
    file = given_up(alice, f"{server.url}/a.png")
    Run.objects.update(shared_at=timezone.now())
    page = file.output.run.get_absolute_url()
    again = f"/results/{file.output.public_id}/fetch-again/"
    assert "Try to fetch again" in as_alice.get(page).content.decode()
    assert "Try to fetch again" not in as_bob.get(page).content.decode()
    version = file.output.run.version

    assert as_bob.post(again).status_code == 404
    assert as_alice.post(again)["Location"] == page

    file.refresh_from_db()
    assert (file.status, file.error) == ("saving", Message())
    assert Run.objects.get().version == version + 1
    FILES.run()
    file.refresh_from_db()
    assert file.status == "saved"
    assert "Try to fetch again" not in as_alice.get(page).content.decode()


def test_another_try_that_fails_is_reported_at_once(alice: Member, as_alice: Client, server: HostileServer) -> None:
    file = given_up(alice, f"{server.url}/missing.png")
    as_alice.post(f"/results/{file.output.public_id}/fetch-again/")
    FILES.run()
    file.refresh_from_db()
    assert (file.status, file.error.code) == ("failed", "not_there")


def test_a_saved_file_is_not_fetched_again(alice: Member, as_alice: Client, server: HostileServer) -> None:
    file = make_unsaved(alice, f"{server.url}/a.png")
    FILES.run()
    as_alice.post(f"/results/{file.output.public_id}/fetch-again/")
    FILES.run()
    assert server.hits == ["/a.png"]


def test_one_lost_file_among_saved_ones_is_named(alice: Member, as_alice: Client, server: HostileServer) -> None:
    lost = given_up(alice, "https://x.test/b.png")
    OutputFile.objects.create(output=lost.output, position=1, source_url=f"{server.url}/a.png")
    FILES.run()

    page = as_alice.get(lost.output.run.get_absolute_url()).content.decode()

    assert "1 more file couldn't be saved" in page
    assert 'href="https://x.test/b.png"' in page
    assert "Try to fetch again" in page


def test_results_of_a_run_in_the_bin_are_saved_too(alice: Member, server: HostileServer) -> None:
    """Somebody may still restore the run."""
    file = make_unsaved(alice, f"{server.url}/a.png")
    bin.move_to_bin(Run.objects.all(), alice, timezone.now())
    FILES.run()
    file.refresh_from_db()
    assert file.status == "saved"
