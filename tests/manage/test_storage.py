"""The storage page: totals by kind and person, which the worker keeps, and a warning when the disk is nearly full."""

import pytest
from django.test import Client
from django.utils import timezone

from runs.models import FieldRule, Member, Notice, Run, StorageUse, StoredFile, Upload
from runs.notices import problems
from runs.notices.notice_text import path_of
from runs.storage import disk, usage
from runs.words.sizes import size_words
from tests.support.app_forms import fields
from tests.support.factories import make_app, make_kept, make_run, make_stored
from tests.support.page import Element, Page

pytestmark = pytest.mark.django_db


def sized(file: StoredFile, size_bytes: int) -> StoredFile:
    file.size_bytes = size_bytes
    file.save()
    return file


@pytest.fixture
def files(alice: Member, bob: Member) -> None:
    """Files for every use. Some files have several uses, but each is counted only once."""
    app = make_app()
    result = sized(make_stored(), 5_000_000)
    run, binned = (make_run(alice, app, status="completed") for _ in range(2))
    make_kept(run, result)
    make_kept(binned, sized(make_stored(), 1_000_000))
    Run.objects.filter(pk=binned.pk).update(deleted_at=timezone.now())
    for member, file in ((bob, result), (bob, sized(make_stored(), 9_000_000)), (alice, sized(make_stored(), 200_000))):
        Upload.objects.create(member=member, file=file, status="ready", name="a.png")
    sized(make_stored(is_catalog=True), 30_000)
    sized(make_stored(), 4_000)


def lines(table: Element) -> list[tuple[str, str, str]]:
    rows = table.first("tbody").find("tr")
    return [(row.first("th").words, *(cell.words for cell in row.find("td"))) for row in rows]  # type: ignore[misc]


def test_use_is_shown_by_kind_and_person_largest_first(
    as_admin: Client, files: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "SLICE", 2)
    assert "Nothing has been counted yet" in as_admin.get("/manage/storage/").text
    assert usage.count(timezone.now())
    assert usage.count(timezone.now()), "counting again changes nothing"

    page = Page(as_admin.get("/manage/storage/").text)

    kinds, people = page.find("table")
    assert lines(kinds) == [
        ("Uploads: pictures", "9.2 MB", "2"),
        ("Results: pictures", "5 MB", "1"),
        ("In the bin: pictures", "1 MB", "1"),
        ("App pictures", "29.3 KB", "1"),
        ("No longer used: pictures", "3.9 KB", "1"),
    ]
    assert lines(people) == [
        ("Bob Uploads 9 MB", "9 MB", "1"),
        ("Alice Results 5 MB · In the bin 1 MB · Uploads 195.3 KB", "6.2 MB", "3"),
    ]
    total = sum(StoredFile.objects.values_list("size_bytes", flat=True))
    assert page.first(css="storage-sums").first("dd").words == size_words(total)


def test_a_picture_that_an_app_always_sends_is_in_use() -> None:
    FieldRule.objects.create(app=make_app(), name="Photo", mode="locked", file=make_stored())
    usage.count(timezone.now())
    assert list(StorageUse.objects.values_list("use", "files")) == [(StorageUse.Use.APPS, 1)]


def test_the_page_counts_no_files(as_admin: Client, files: None, django_assert_max_num_queries: object) -> None:
    usage.count(timezone.now())
    with django_assert_max_num_queries(12) as asked:  # type: ignore[operator]
        as_admin.get("/manage/storage/")
    assert not [query for query in asked.captured_queries if "runs_storedfile" in query["sql"]]


def test_an_admin_has_it_counted_now(as_admin: Client, files: None) -> None:
    as_admin.post("/manage/storage/")
    assert not StorageUse.objects.exists(), "the worker counts"


def test_a_disk_that_is_nearly_full_is_told_by_notice_and_on_the_page(
    as_admin: Client, admin_member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "free_bytes", lambda: 2_000_000_000)
    monkeypatch.setattr(problems, "free_bytes", lambda: 2_000_000_000)
    problems.look()
    notice = Notice.objects.get(member=admin_member)
    assert notice.message.code == "little_room"
    assert path_of(notice).startswith("/manage/storage/?")
    assert "The disk is nearly full: 2 GB left." in Page(as_admin.get("/manage/storage/").text).words


def test_nothing_is_started_whose_results_would_not_fit(
    as_alice: Client, alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    form = fields(app, alice)
    monkeypatch.setattr(disk, "free_bytes", lambda: 200_000_000)

    answer = as_alice.post(app.get_absolute_url(), form)

    assert "The portal's disk is full, so results can't be saved." in Page(answer.text).words
    assert not Run.objects.exists()
    monkeypatch.setattr(disk, "free_bytes", lambda: 900_000_000)
    as_alice.post(app.get_absolute_url(), form)
    assert Run.objects.count() == 1
