"""Making copies for guests: failures are retried, no single file stops the task, and no space is wasted."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from runs.background import queue
from runs.history import bin
from runs.models import GuestCopy, GuestLink, Member, Run, SharingRules, StoredFile
from runs.models.messages import Message
from runs.sharing import guest_copies, links, make_guest_copies
from runs.storage import ffmpeg, store
from runs.words.messages import say
from tests.support import slow_files
from tests.support.factories import make_run
from tests.support.guest_links import body, content_of, link_to, original_of, page_of, path_of
from tests.support.hostile_server import kept_files, picture
from tests.support.page import Page
from tests.support.pretend import DIES, LOOPS, RAISES, Pretend
from tests.support.secret_files import PICTURES
from tests.support.work import work

pytestmark = pytest.mark.django_db(transaction=True)

# The portal accepts these files
HOSTILE = (
    "PNG, texts of an unknown packing", "PNG, terms", "PNG, pixels", "GIF, tiny blocks", "JPEG, terms",
    "MP3, ID3 tags without a size", "MP3, APE tags without a size", "AAC, ID3 tags without a size", "WAV, empty chunks",
)  # fmt: skip
HONEST_SECONDS = 20.0  # until a guest gets a picture; on a busy machine, too


@pytest.fixture
def run(alice: Member) -> Run:
    return make_run(alice, status="completed")


# --- Failures ---------------------------------------------------------------------------------------------------------
def test_a_copy_waits_for_a_full_disk_and_says_so(
    run: Run, as_alice: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = link_to(run, picture(1500, 900))
    before = kept_files(settings)

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    waits = []
    with monkeypatch.context() as patched:
        patched.setattr(store, "_keep", full)
        for _ in range(6):
            GuestCopy.objects.update(due_at=timezone.now())
            make_guest_copies.COPIES.run()
            due_at = GuestCopy.objects.get().due_at
            assert due_at is not None
            waits.append(round((due_at - timezone.now()).total_seconds()))
    assert waits == pytest.approx([30, 120, 600, 3600, 3600, 3600], abs=5)
    assert kept_files(settings) == before
    assert not list((Path(settings.MEDIA_ROOT) / store.WAITING_ROOM).iterdir())

    answer = Client().get(path_of(link))
    assert "Something went wrong" in Page(answer.text).first(css="guest-note").words
    assert answer.headers["Refresh"].startswith("60;")
    assert GuestCopy.objects.get().error.code == "disk_full"
    (note,) = Page(as_alice.get(f"/shares/{link.public_id}/").text).find(css="share-copies-note")
    assert note.words.startswith("1 file isn't ready for guests yet")
    assert say(Message("disk_full")) in note.words

    GuestCopy.objects.update(due_at=timezone.now())
    make_guest_copies.COPIES.run()
    assert Client().get(original_of(link)).status_code == 200
    assert "share-copies-note" not in as_alice.get(f"/shares/{link.public_id}/").text


def make_again() -> None:
    """Make the copies that have failed so far, without waiting."""
    GuestCopy.objects.filter(status="preparing").update(due_at=timezone.now())
    make_guest_copies.COPIES.run()


def test_whatever_a_file_raises_the_others_are_made(
    run: Run, pretend: Pretend, caplog: pytest.LogCaptureFixture
) -> None:
    pretend(RAISES)
    link = link_to(run, picture(), picture(90, 60, "JPEG"))
    for _ in range(make_guest_copies.MOST_FAILURES):
        make_again()
        assert Client().get(original_of(link, 1)).status_code == 200
    assert GuestCopy.objects.get(source__media_type="image/png").status == "impossible"
    assert "ZeroDivisionError" in caplog.text


def test_a_file_that_takes_too_long_is_kept_and_told_after_three_tries(
    run: Run, as_alice: Client, pretend: Pretend
) -> None:
    pretend(LOOPS)
    content = picture(1500, 900)
    link = link_to(run, content, picture(90, 60, "JPEG"))
    slow = GuestCopy.objects.filter(source__media_type="image/png")
    for failures in (1, 2):
        make_again()
        assert list(slow.values_list("status", "failures")) == [("preparing", failures)]
        assert Client().get(original_of(link, 1)).status_code == 200

    make_again()

    assert slow.get().status == "impossible"
    assert "can't be removed" in Page(page_of(link)).first(css="guest-note").words
    (note,) = Page(as_alice.get(f"/shares/{link.public_id}/").text).find(css="share-copies-note")
    assert note.words == "1 file isn't shared with guests: the prompt and other hidden details can't be removed."
    assert body(as_alice.get(slow.get().source.original_url)) == content


def test_a_killed_process_is_no_try(run: Run, pretend: Pretend) -> None:
    link = link_to(run, picture())
    pretend(DIES.format("KILL"))
    for _ in range(make_guest_copies.MOST_FAILURES + 1):
        make_again()
    assert list(GuestCopy.objects.values_list("status", "failures")) == [("preparing", 0)]
    pretend("")
    make_again()
    assert Client().get(original_of(link)).status_code == 200


def test_an_honest_picture_is_copied_within_seconds_behind_hostile_files(run: Run) -> None:
    for name in HOSTILE:
        _, make = slow_files.MAKERS[name]
        link_to(make_run(run.member, status="completed"), make(1_000_000))
    link = link_to(run, PICTURES["png"]())
    begun = time.monotonic()

    make_guest_copies.COPIES.run()

    assert time.monotonic() - begun < HONEST_SECONDS
    assert Client().get(original_of(link)).status_code == 200
    assert GuestCopy.objects.count() == len(HOSTILE) + 1


def test_a_film_that_ffmpeg_cannot_read_is_given_up(run: Run) -> None:
    link = link_to(run, b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm" + b"SECRET" * 5000, may_download=False)
    for _ in range(make_guest_copies.MOST_FAILURES):
        make_again()
    assert GuestCopy.objects.get().status == "impossible"
    assert "can't be shared" in Page(page_of(link)).first(css="guest-note").words


def test_a_killed_worker_loses_its_claim_and_nothing_is_left_of_it(
    run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = link_to(run, picture())
    before = kept_files(settings)

    def killed(*_: object) -> bool:
        raise SystemExit

    for _ in range(make_guest_copies.MOST_FAILURES + 1):
        with monkeypatch.context() as patched:
            patched.setattr(make_guest_copies, "_settle", killed)
            with pytest.raises(SystemExit):
                make_guest_copies.COPIES.run()
        assert kept_files(settings) == before
        past = timezone.now() - timedelta(seconds=1)
        GuestCopy.objects.update(claimed_until=past, due_at=past)
    assert GuestCopy.objects.get().failures == 0
    make_guest_copies.COPIES.run()
    assert Client().get(original_of(link)).status_code == 200


def test_a_worker_that_stops_releases_its_film(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    link_to(run, content_of("mp4"))
    flag = bytearray(b"\x00")
    monkeypatch.setattr(queue, "stop_flag", flag)
    copy_film = ffmpeg.copy_without_metadata

    def stop(*arguments: Any) -> None:
        flag[0] = 1
        arguments[-1]()
        copy_film(*arguments)

    monkeypatch.setattr(ffmpeg, "copy_without_metadata", stop)
    make_guest_copies.COPIES.run()
    copy = GuestCopy.objects.get()
    assert (copy.status, copy.claimed_until, copy.attempts) == ("preparing", None, 0)


def test_a_copy_that_is_gone_is_made_again(run: Run) -> None:
    link = link_to(run, picture())
    make_guest_copies.COPIES.run()
    first = GuestCopy.objects.select_related("file").get().file
    assert first is not None
    default_storage.delete(first.file.name or "")

    assert "being prepared" in Client().get(original_of(link)).text
    assert work() == ["copy_for_guests"]
    assert Client().get(original_of(link)).status_code == 200

    again = GuestCopy.objects.select_related("file").get().file
    assert again is not None
    default_storage.delete(again.file.name or "")
    make_guest_copies.tidy()  # this also runs daily, even if nobody requests a copy
    assert work() == ["copy_for_guests"]
    assert Client().get(f"{path_of(link)}download/").status_code == 200


# --- Space ------------------------------------------------------------------------------------------------------------
def test_the_same_content_is_copied_once_and_goes_with_its_last_result(alice: Member, settings: Settings) -> None:
    content = PICTURES["png"]()
    runs = [make_run(alice, status="completed") for _ in range(2)]
    for one in runs:
        link_to(one, content)
    links.make_link(alice, list(runs[0].outputs.all()[:1]))  # a second link to the same result
    make_guest_copies.COPIES.run()
    assert GuestCopy.objects.filter(status="ready").count() == 2
    assert GuestCopy.objects.values("file").distinct().count() == 1
    assert len(kept_files(settings)) == 2 * 4 + 1

    for left, one in zip((1, 0), runs, strict=True):
        Run.objects.filter(pk=one.pk).update(deleted_at=timezone.now())
        assert bin.delete_for_good(one)
        assert len(kept_files(settings)) == (left * 4 + 1 if left else 0)
    assert not StoredFile.objects.exists()


def test_a_copy_that_no_open_link_needs_goes_after_a_week(run: Run, alice: Member, settings: Settings) -> None:
    link = link_to(run, picture())
    make_guest_copies.COPIES.run()
    links.revoke(link, alice)
    make_guest_copies.tidy()
    assert GuestCopy.objects.count() == 1  # the copy stays, since the link may be restored
    GuestCopy.objects.update(created_at=timezone.now() - timedelta(days=8))
    make_guest_copies.tidy()
    assert not GuestCopy.objects.exists()
    assert len(kept_files(settings)) == 4

    link.refresh_from_db()
    links.restore(link, SharingRules())
    assert work() == ["copy_for_guests"]
    assert Client().get(original_of(link)).status_code == 200
    GuestCopy.objects.update(created_at=timezone.now() - timedelta(days=8))
    make_guest_copies.tidy()
    assert Client().get(original_of(link)).status_code == 200


def test_no_member_finds_a_copy(run: Run, as_alice: Client, as_admin: Client) -> None:
    link_to(run, picture())
    make_guest_copies.COPIES.run()
    copy = GuestCopy.objects.select_related("file").get().file
    assert copy is not None
    for client in (as_alice, as_admin):
        assert client.get(copy.original_url).status_code == 404


@pytest.mark.parametrize("may_download", [True, False])
def test_what_a_page_waits_for_is_made_and_nothing_else(run: Run, may_download: bool) -> None:
    link = link_to(run, picture(300, 200), may_download=may_download)
    for kind in StoredFile.Kind.values:
        for media_type, thumb in (("image/png", "x.webp"), ("image/gif", "x.webp"), ("image/png", "")):
            StoredFile.objects.update(kind=kind, media_type=media_type, thumb_1200=thumb)
            waits = "being prepared" in Client().get(original_of(link)).text
            assert waits is bool(guest_copies.shared_file_ids(GuestLink.objects.all()))
