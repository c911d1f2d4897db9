"""Results are fetched, checked and saved. Failed attempts are retried for 24 hours, and then the failure is
reported."""

import errno
import tracemalloc
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import Settings

from runs.background import leases, queue
from runs.background.due_work import Renewer
from runs.engine import apply_outputs
from runs.engine.save_outputs import FILES, is_anyone_waiting
from runs.models import Incident, Lease, Member, Output, OutputFile, Run, StoredFile
from runs.models.messages import Message
from runs.review.content_hash import hash_of_files
from runs.storage import media, store
from runs.words.messages import say
from tests.support.factories import make_run
from tests.support.hostile_server import HostileServer, bomb_png, kept_files, picture
from tests.support.work import queued

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(alice: Member) -> Run:
    return make_run(alice, status="completed")


def make_file(run: Run, url: str, position: int = 0, **fields: Any) -> OutputFile:
    output = Output.objects.filter(run=run)[0]
    return OutputFile.objects.create(output=output, position=position, source_url=url, **fields)


def make_due() -> None:
    """Make the next attempt due."""
    OutputFile.objects.filter(due_at__isnull=False).update(due_at=timezone.now() - timedelta(seconds=1))


@pytest.mark.parametrize(
    "ahead",
    [
        {"due_at": timedelta(minutes=10)},
        {"due_at": timedelta(hours=2), "attempts": 3},
        {"due_at": timedelta(minutes=-1), "claimed_until": timedelta(hours=2)},
    ],
)
def test_a_result_is_saved_after_the_clock_was_set_back(run: Run, server: HostileServer, ahead: dict[str, Any]) -> None:
    server.files["/a.png"] = picture(64, 48)
    now = timezone.now()
    times: dict[str, Any] = {
        name: now + value if isinstance(value, timedelta) else value for name, value in ahead.items()
    }
    output_file = make_file(run, f"{server.url}/a.png", **times)

    FILES.run()

    output_file.refresh_from_db()
    assert output_file.status == "saved"


def test_a_result_is_saved_and_its_page_refreshes(run: Run, server: HostileServer) -> None:
    server.files["/a.png"] = picture(640, 480)
    output_file = make_file(run, f"{server.url}/a.png")

    FILES.run()

    output_file.refresh_from_db()
    version = Run.objects.get().version
    assert (output_file.status, output_file.error, output_file.due_at) == ("saved", Message(), None)
    assert output_file.file is not None
    assert output_file.file.file.open("rb").read() == server.files["/a.png"]
    assert output_file.file.name == f"cartoonify_front_{run.created_at:%Y-%m-%d}.png"
    assert version > run.version
    assert output_file.output.changed_in == version
    assert output_file.output.content_hash == hash_of_files([output_file.file.sha256])
    assert not leases.is_held("keep_files-0")


def test_several_files_of_a_box_have_names_of_their_own(run: Run, server: HostileServer) -> None:
    for position in range(3):
        make_file(run, f"{server.url}/a.png", position)
    FILES.run()
    names = [stored.name.rsplit("_", 1)[0] for stored in StoredFile.objects.order_by("pk")]
    assert names == ["cartoonify_front", "cartoonify_front_2", "cartoonify_front_3"]
    hashes = StoredFile.objects.order_by("results__position").values_list("sha256", flat=True)
    assert Output.objects.get(files__position=2).content_hash == hash_of_files(list(hashes))


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/missing", "not_there"),
        ("/page-as-png", "web_page_instead"),
        ("/says-more", "cut_off"),
        ("/says-less", "broken_picture"),
        ("/empty", "empty_at_address"),
    ],
)
def test_failures_are_retried(path: str, code: str, run: Run, server: HostileServer, settings: Settings) -> None:
    output_file = make_file(run, f"{server.url}{path}")

    FILES.run()

    output_file.refresh_from_db()
    assert (output_file.status, output_file.error.code, output_file.attempts) == ("saving", code, 1)
    assert output_file.claimed_until is None
    assert kept_files(settings) == []


def test_examples_wait_for_peoples_own_runs(run: Run, server: HostileServer, alice: Member) -> None:
    server.files["/a.png"] = picture(64, 48)
    example = make_file(make_run(alice, status="completed", is_example=True), f"{server.url}/a.png")
    own = make_file(run, f"{server.url}/a.png")
    active = make_run(alice)

    FILES.run()
    example.refresh_from_db()
    own.refresh_from_db()
    assert (own.status, example.status) == ("saved", "saving")

    needless = [  # runs that nobody is waiting for: one needs a person's decision, the other may take hours
        make_run(alice, status="checking", due_at=None),
        make_run(alice, status="starting", created_at=timezone.now() - timedelta(minutes=16)),
    ]
    assert is_anyone_waiting()
    active.delete()
    assert not is_anyone_waiting()
    assert all(run.is_active for run in needless)
    second = make_file(run, f"{server.url}/a.png", 1)
    FILES.run()
    example.refresh_from_db()
    second.refresh_from_db()
    assert example.file_id is not None
    assert second.file_id is not None
    assert example.file_id > second.file_id  # the example's file was saved last, even though it had been due first


def test_each_try_comes_later_than_the_one_before(run: Run, server: HostileServer) -> None:
    output_file = make_file(run, f"{server.url}/missing")
    for seconds in (5, 30, 120, 600, 3600, 3600, 3600):
        make_due()
        began = timezone.now()
        FILES.run()
        output_file.refresh_from_db()
        assert output_file.due_at is not None
        assert began <= output_file.due_at - timedelta(seconds=seconds) <= timezone.now()

    assert len(server.hits) == 7


def test_a_file_that_comes_back_is_saved(run: Run, server: HostileServer) -> None:
    output_file = make_file(run, f"{server.url}/late.png")
    FILES.run()
    server.files["/late.png"] = picture()
    OutputFile.objects.update(due_at=timezone.now() + timedelta(minutes=1))
    FILES.run()
    assert len(server.hits) == 1  # the next attempt isn't due yet

    make_due()
    FILES.run()

    output_file.refresh_from_db()
    assert (output_file.status, output_file.error, output_file.attempts) == ("saved", Message(), 2)


def test_after_24_hours_the_failure_is_reported(run: Run, server: HostileServer) -> None:
    output_file = make_file(run, f"{server.url}/missing", created_at=timezone.now() - timedelta(hours=23, minutes=50))
    FILES.run()
    output_file.refresh_from_db()
    assert output_file.status == "saving"

    OutputFile.objects.update(created_at=timezone.now() - timedelta(hours=25))
    make_due()
    version = Run.objects.get().version
    FILES.run()

    output_file.refresh_from_db()
    assert (output_file.status, output_file.due_at) == ("failed", None)
    assert output_file.get_status_display() == "Could not be saved"
    assert output_file.error.code == "not_there"
    assert Run.objects.get().version > version
    incident = Incident.objects.get()
    values = {"run": run.public_id, "reason_message": output_file.error.to_stored()}
    assert (incident.kind, incident.text) == ("file", Message("result_not_saved", values))
    assert say(output_file.error) in say(incident.text)


@pytest.mark.parametrize(
    ("path", "code", "is_linked"),
    [
        ("/redirect?to=https://10.0.0.1/", "private_address", False),
        ("/loop", "too_many_redirects", False),
        ("/says-huge", "too_large_to_fetch", True),
    ],
)
def test_hopeless_addresses_are_given_up_at_once(
    path: str, code: str, is_linked: bool, run: Run, server: HostileServer, settings: Settings, as_alice: Client
) -> None:
    output_file = make_file(run, f"{server.url}{path}")

    FILES.run()

    output_file.refresh_from_db()
    assert (output_file.status, output_file.error.code) == ("failed", code)
    assert kept_files(settings) == []
    # A file that is only too large may be opened where it is
    assert (f'href="{server.url}{path}"' in as_alice.get(run.get_absolute_url()).text) == is_linked


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_picture_too_large_to_open_is_saved_as_a_download_only(run: Run, server: HostileServer) -> None:
    server.files["/bomb.png"] = bomb_png()
    output_file = make_file(run, f"{server.url}/bomb.png")
    FILES.run()
    output_file.refresh_from_db()
    assert (output_file.status, output_file.error) == ("saved", Message())
    assert output_file.file is not None
    assert (output_file.file.kind, output_file.file.media_type) == ("other", "application/octet-stream")
    assert output_file.file.name.endswith(".png")
    assert not output_file.file.picture_follows


def test_a_drawing_is_saved_as_a_download_only(run: Run, server: HostileServer) -> None:
    output_file = make_file(run, f"{server.url}/svg-as-png")
    FILES.run()
    output_file.refresh_from_db()
    assert output_file.file is not None
    assert (output_file.file.kind, output_file.file.media_type) == ("other", "application/octet-stream")
    assert output_file.file.name.endswith(".svg")


def test_a_full_disk_is_reported_and_retried(
    run: Run, server: HostileServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    output_file = make_file(run, f"{server.url}/a.png")

    def full(path: Path, name: str, on_chunk: object = None) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(store, "_keep", full)
        FILES.run()
    output_file.refresh_from_db()
    assert output_file.status == "saving"
    assert output_file.error.code == "disk_full"
    assert not StoredFile.objects.exists()
    assert kept_files(settings) == []

    make_due()
    FILES.run()
    output_file.refresh_from_db()
    assert output_file.status == "saved"


def test_a_crash_between_file_and_row_is_retried(
    run: Run, server: HostileServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the worker's time is up, SystemExit can be raised anywhere, even between saving the file and recording
    it."""
    output_file = make_file(run, f"{server.url}/a.png")

    def killed(_: OutputFile) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(apply_outputs, "record_file_change", killed)
        with pytest.raises(SystemExit):
            FILES.run()
    output_file.refresh_from_db()
    assert (output_file.status, output_file.file, kept_files(settings)) == ("saving", None, [])

    FILES.run()
    assert len(server.hits) == 1  # the stopped worker's claim on the file still holds
    OutputFile.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    make_due()
    FILES.run()
    output_file.refresh_from_db()
    assert output_file.status == "saved"


def test_a_file_somebody_has_claimed_is_left_alone(run: Run, server: HostileServer) -> None:
    make_file(run, f"{server.url}/a.png", claimed_until=timezone.now() + timedelta(seconds=60))
    FILES.run()
    assert server.hits == []


def test_a_file_saved_by_another_meanwhile_is_not_saved_twice(
    run: Run, server: HostileServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_file(run, f"{server.url}/a.png")
    inspect = media.inspect

    def faster(path: Path, **options: Any) -> Any:
        OutputFile.objects.update(status="failed")
        return inspect(path, **options)

    monkeypatch.setattr(media, "inspect", faster)
    FILES.run()
    assert not StoredFile.objects.exists()
    assert kept_files(settings) == []


def test_at_most_two_tasks_save_files_at_once(run: Run, server: HostileServer) -> None:
    make_file(run, f"{server.url}/a.png")
    assert leases.acquire("keep_files-0", "somebody", 60)
    assert leases.acquire("keep_files-1", "somebody else", 60)
    FILES.run()
    assert server.hits == []

    Lease.objects.filter(name="keep_files-1").update(until=Now() - timedelta(seconds=1))
    FILES.run()
    assert server.hits == ["/a.png"]


def test_a_worker_that_stops_releases_its_file(
    run: Run, server: HostileServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    output_file = make_file(run, f"{server.url}/endless-chunks")
    flag = bytearray(b"\x00")
    monkeypatch.setattr(queue, "stop_flag", flag)
    stop = Renewer.__call__

    def stop_soon(self: Renewer, size: int) -> None:
        flag[0] = size > 1_000_000
        stop(self, size)

    monkeypatch.setattr(Renewer, "__call__", stop_soon)
    FILES.run()

    output_file.refresh_from_db()
    assert (output_file.status, output_file.claimed_until, output_file.attempts) == ("saving", None, 0)
    assert kept_files(settings) == []


def test_a_task_is_queued_only_if_something_is_due(
    run: Run, server: HostileServer, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        FILES.request()
    assert not OrmQ.objects.exists()

    make_file(run, f"{server.url}/a.png")
    with django_capture_on_commit_callbacks(execute=True):
        FILES.request()
    assert [q["func"] for q in queued()] == ["runs.tasks.keep_files"]


def test_memory_stays_flat(run: Run, server: HostileServer) -> None:
    server.files["/film.webm"] = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm" + bytes(60_000_000)
    output_file = make_file(run, f"{server.url}/film.webm")
    tracemalloc.start()
    try:
        FILES.run()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    output_file.refresh_from_db()
    assert output_file.status == "saved"
    assert peak < 20_000_000
