"""The bin: deleted runs disappear for everyone, can be restored for 30 days, and are then deleted with their files."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from runs.history import bin, views_bin
from runs.models import (
    App,
    GuestLink,
    KnownWord,
    Member,
    OutputFile,
    Preset,
    Run,
    RunInput,
    StoredFile,
    Upload,
    WordTrigram,
)
from runs.models.run import RunInputUpload
from runs.storage.orphans import remove_uploads
from runs.uploads.ownership import adopt
from runs.words import known_words
from runs.words.known_words import learn, similar_to
from tests.support.clients import client_of
from tests.support.factories import make_app, make_kept, make_run, make_stored
from tests.support.page import Page

pytestmark = pytest.mark.django_db


def make_finished(member: Member, **fields: Any) -> tuple[Run, OutputFile, Upload]:
    """Make a run with a saved result and an upload among its inputs."""
    run = make_run(member, status="completed", **fields)
    kept = make_kept(run)
    upload = Upload.objects.create(member=member, file=make_stored((50, 30)), status="ready", name="a.png")
    photo = RunInput.objects.create(run=run, position=1, name="Photo", type="url", value=[])
    RunInputUpload.objects.create(input=photo, upload=upload, position=0)
    return run, kept, upload


def put_into_bin(run: Run, days: float = 0) -> None:
    bin.move_to_bin(Run.objects.filter(pk=run.pk), run.member, timezone.now() - timedelta(days=days))


def test_a_run_goes_to_the_bin_and_comes_back_as_it_was(as_alice: Client, as_bob: Client, alice: Member) -> None:
    run, kept, _ = make_finished(alice, title="Red shoes", shared_at=timezone.now())
    assert kept.file is not None
    original = kept.file.original_url
    Run.objects.update(summary=[{"name": "Prompt", "text": "", "type": "text", "is_changed": True}])

    assert "Move to the bin?" in as_alice.get(f"/runs/{run.public_id}/delete/").content.decode()
    as_alice.post(f"/runs/{run.public_id}/delete/")

    for client in (as_alice, as_bob):
        assert client.get(run.get_absolute_url()).status_code == 404
        assert client.get(original).status_code == 404
        assert "Red shoes" not in client.get("/history/").content.decode()
    binned = Page(as_alice.get("/bin/").text).first(id=f"run-{run.public_id}")
    assert (binned.first("h2").words, binned.first(css="bin-input").words) == ("Red shoes", "(empty)")
    assert "Red shoes" not in as_bob.get("/bin/").content.decode()
    for url in (run.get_absolute_url(), kept.output.get_absolute_url()):
        said = as_alice.get(url).content.decode()
        assert "This run is in the bin" in said
        assert f'action="/runs/{run.public_id}/restore/"' in said
        assert "in the bin" not in as_bob.get(url).content.decode()

    answer = as_alice.post(f"/runs/{run.public_id}/restore/")

    assert answer["Location"] == run.get_absolute_url()
    for client in (as_alice, as_bob):
        assert client.get(run.get_absolute_url()).status_code == 200
        assert client.get(original).status_code == 200
    assert "The bin is empty" in as_alice.get("/bin/").content.decode()


def test_only_the_smallest_picture_is_left_and_only_for_whoever_may_bring_it_back(
    as_alice: Client, as_admin: Client, as_bob: Client, alice: Member
) -> None:
    run = make_run(alice, status="completed", shared_at=timezone.now())
    file = make_kept(run, make_stored((1300, 900))).file
    assert file is not None
    shown = (file.small_url, file.card_url, file.large_url, file.original_url)

    def seen_by(client: Client) -> list[int]:
        return [client.get(url).status_code for url in shown]

    assert seen_by(as_bob) == [200] * 4
    put_into_bin(run)
    assert seen_by(as_alice) == seen_by(as_admin) == [200, 404, 404, 404]
    assert seen_by(as_bob) == [404] * 4
    bin.delete_for_good(run)
    assert seen_by(as_alice) == [404] * 4


def test_the_bin_shows_what_came_out_or_else_what_went_in(as_alice: Client, as_admin: Client, alice: Member) -> None:
    run, kept, upload = make_finished(alice)
    assert kept.file is not None
    assert upload.file is not None
    catalog = make_stored((70, 70), is_catalog=True)
    App.objects.update(thumbnail=catalog)
    put_into_bin(run)
    pages = ("/bin/", f"/runs/{run.public_id}/delete/", run.get_absolute_url())

    def shows(file: StoredFile) -> bool:
        assert as_admin.get(file.small_url).status_code == 200
        return all(
            f'src="{file.small_url}"' in client.get(page).text for page in pages for client in (as_alice, as_admin)
        )

    assert shows(kept.file)
    OutputFile.objects.all().delete()
    Run.objects.update(input_picture=upload.file)
    assert shows(upload.file)
    Run.objects.update(input_picture=None)
    assert shows(catalog)


def test_it_is_said_who_loses_the_run(as_alice: Client, as_admin: Client, alice: Member) -> None:
    run, kept, _ = make_finished(alice)
    assert kept.file is not None
    page = f"/runs/{run.public_id}/delete/"

    assert "from your history" in as_alice.get(page).text
    assert f"from the history of <bdi>{alice.display_name}</bdi>" in as_admin.get(page).text
    assert kept.file.small_url in as_alice.get(page).text
    Run.objects.update(shared_at=timezone.now())
    assert "from everyone's history" in as_alice.get(page).text


@pytest.mark.parametrize("status", ["starting", "checking", "queued", "running"])
def test_an_active_run_must_end_first(status: str, as_alice: Client, alice: Member) -> None:
    run = make_run(alice, status=status)

    asked = as_alice.get(f"/runs/{run.public_id}/delete/").content.decode()
    answer = as_alice.post(f"/runs/{run.public_id}/delete/")

    assert f'href="/runs/{run.public_id}/cancel/"' in asked
    assert "<form method" not in asked.partition("run-ask")[2].partition("</section>")[0]
    assert answer.status_code == 409
    assert bin.move_to_bin(Run.objects.filter(pk=run.pk), alice, timezone.now()) == 0
    run.refresh_from_db()
    assert run.deleted_at is None


def test_pressing_twice_never_deletes_for_good(as_alice: Client, alice: Member) -> None:
    run, _, _ = make_finished(alice)
    for _ in range(2):
        as_alice.post(f"/runs/{run.public_id}/delete/")
    assert Run.objects.filter(pk=run.pk).exists()


def test_deleting_for_good_asks_and_takes_the_files_along(as_alice: Client, alice: Member) -> None:
    run, kept, upload = make_finished(alice)
    assert kept.file is not None
    assert upload.file is not None
    names = [str(f.name) for stored in (kept.file, upload.file) for f in (stored.file, stored.thumb_200)]
    put_into_bin(run)

    assert "Permanently delete" in as_alice.get(f"/runs/{run.public_id}/delete/").content.decode()
    as_alice.post(f"/runs/{run.public_id}/delete/", {"sure": "for-good"})

    assert not Run.objects.exists()
    assert not Upload.objects.exists()
    assert not StoredFile.objects.exists()
    assert not any(default_storage.exists(name) for name in names)


def test_after_30_days_a_run_goes_by_itself_and_not_before(alice: Member) -> None:
    young, _, _ = make_finished(alice)
    old, _, _ = make_finished(alice)
    put_into_bin(young, days=29.9)
    put_into_bin(old, days=30.1)
    untouched = make_run(alice, status="completed")

    assert bin.empty_overdue() == 1

    assert set(Run.objects.all()) == {young, untouched}
    assert StoredFile.objects.count() == 2


def test_what_others_use_survives(alice: Member, bob: Member) -> None:
    run, kept, upload = make_finished(alice)
    assert kept.file is not None
    preset = Preset.objects.create(app=run.app, member=alice, name="Mine")
    preset.uploads.add(upload)
    taken = adopt(bob, kept.file)  # Bob adds the file to his form
    link = GuestLink.objects.create(
        member=alice, token_hash="x", nonce="n", expires_at=timezone.now() + timedelta(days=1)
    )
    link.chosen.create(output=kept.output, position=0)
    put_into_bin(run, days=31)

    bin.empty_overdue()

    assert not Run.objects.exists()
    assert preset.uploads.get() == upload
    assert taken.file == StoredFile.objects.get(pk=kept.file.pk)
    assert default_storage.exists(str(kept.file.file.name))
    assert GuestLink.objects.get() == link  # the link is kept, and its page says that there is nothing left to see
    assert not link.chosen.exists()


def test_a_run_brought_back_at_the_last_moment_stays(alice: Member) -> None:
    run, _, _ = make_finished(alice)
    put_into_bin(run, days=31)
    stale = Run.objects.get(pk=run.pk)
    bin.bring_back(Run.objects.filter(pk=run.pk))

    assert bin.delete_for_good(stale) is False
    assert StoredFile.objects.count() == 2


def test_an_upload_used_by_another_run_stays(alice: Member) -> None:
    run, _, upload = make_finished(alice)
    other = make_run(alice, status="completed")
    photo = RunInput.objects.create(run=other, position=1, name="Photo", type="url", value=[])
    RunInputUpload.objects.create(input=photo, upload=upload, position=0)
    put_into_bin(run, days=31)

    bin.empty_overdue()

    assert Upload.objects.get() == upload
    assert remove_uploads(Upload.objects.all()) == 0


def test_an_admin_sees_everybodys_bin_and_a_viewer_cannot_empty_theirs(
    as_admin: Client, as_alice: Client, alice: Member
) -> None:
    run, _, _ = make_finished(alice, title="Red shoes")
    put_into_bin(run)
    assert "Red shoes" in as_admin.get("/bin/").content.decode()

    Member.objects.filter(pk=alice.pk).update(role="viewer")
    body = as_alice.get("/bin/").text
    assert "Red shoes" in body
    assert f"/runs/{run.public_id}/restore/" not in body
    assert as_alice.post(f"/runs/{run.public_id}/restore/").status_code == 403


def test_the_bin_costs_few_queries_however_full(
    as_alice: Client, alice: Member, django_assert_max_num_queries: object
) -> None:
    app = make_run(alice, status="completed").app
    for _ in range(12):
        put_into_bin(make_run(alice, app, status="completed"))
    as_alice.get("/bin/")  # this first request also caches who may decide
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        assert as_alice.get("/bin/").status_code == 200


def test_the_words_of_a_deleted_run_are_forgotten_unless_others_have_them(alice: Member, bob: Member) -> None:
    gone = make_run(alice, status="completed", title="Zeppelin harbour studio")
    make_run(bob, gone.app, status="completed", title="A harbour")
    make_app("Studio")
    learn(["studio", "formerly"])
    put_into_bin(gone)
    words = ["zepelin", "harbuor", "studoi"]
    assert similar_to(words) == {"zepelin": ("zeppelin",), "harbuor": ("harbour",), "studoi": ("studio",)}

    assert bin.delete_for_good(gone)

    assert similar_to(words) == {"harbuor": ("harbour",), "studoi": ("studio",)}
    assert not WordTrigram.objects.filter(word="zeppelin").exists()
    assert known_words.forget_unused() == 1  # "formerly" is removed, since only an old title contained it
    assert not KnownWord.objects.filter(word="formerly").exists()
    assert similar_to(words) == {"harbuor": ("harbour",), "studoi": ("studio",)}


def test_pages_of_a_full_bin_follow_and_count_nothing(
    as_alice: Client, alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views_bin, "PAGE", 2)
    for hours in range(3):
        make_run(alice, status="completed", deleted_at=timezone.now() - timedelta(hours=hours))

    pages = [as_alice.get(f"/bin/?page={number}") for number in ("1", "2", "9", "x", "-1", "1e3")]

    assert [len(page.context["runs"]) for page in pages] == [2, 1, 2, 2, 2, 2]
    assert ("Deleted earlier" in pages[0].text, "Deleted more recently" in pages[0].text) == (True, False)
    assert ("Deleted earlier" in pages[1].text, "Deleted more recently" in pages[1].text) == (False, True)
    with CaptureQueriesContext(connection) as queries:
        as_alice.get("/bin/")
    assert not [one["sql"] for one in queries if "runs_run" in one["sql"] and "COUNT(" in one["sql"]]


def ticked_in(body: str) -> list[str]:
    """Return the ids of the runs whose boxes in the bin are ticked."""
    boxes = Page(body).root.find("input")
    return [box.attributes["value"] for box in boxes if box.attributes["name"] == "r" and "checked" in box.attributes]


def test_many_are_restored_from_the_bin_at_once_but_only_ones_own(
    as_alice: Client, alice: Member, bob: Member, make_member: Callable[..., Member]
) -> None:
    app, now = make_app(), timezone.now()
    runs = [make_run(alice, app, status="completed", deleted_at=now) for _ in range(3)]
    other = make_run(bob, app, status="completed", deleted_at=now)
    page = as_alice.get("/bin/").text
    assert ticked_in(page) == []
    assert "Tick at least one run first." in as_alice.post("/bin/restore/", follow=True).text

    tick_all = Page(page).first(id="bin-restore").first("a").attributes["href"]
    everything = ticked_in(as_alice.get(f"/bin/{tick_all}").text)
    answer = as_alice.post("/bin/restore/", {"r": [*everything[:2], other.public_id]}, follow=True)

    assert set(everything) == {run.public_id for run in runs}
    assert "2 runs were restored." in answer.text
    assert set(Run.objects.filter(deleted_at__isnull=False).values_list("public_id", flat=True)) == {
        everything[2],
        other.public_id,
    }
    viewer = client_of(make_member("vera", role="viewer"))
    assert viewer.post("/bin/restore/", {"r": [other.public_id]}).status_code == 403


@pytest.mark.parametrize("view", ["", "?view=list", "?view=results"])
def test_history_says_that_everything_is_in_the_bin(
    as_alice: Client, as_admin: Client, alice: Member, admin_member: Member, view: str
) -> None:
    app = make_app()
    run = make_run(alice, app, status="completed")
    make_run(admin_member, app, status="completed")
    assert "All your runs are in the bin" not in as_alice.get(f"/history/{view}").text
    put_into_bin(run)

    empty = Page(as_alice.get(f"/history/{view}").text).first(css="empty")

    assert empty.first("h2").words == "All your runs are in the bin"
    assert empty.first("a").attributes["href"] == "/bin/"
    assert "Make your first picture" not in as_alice.get("/").text  # nor does Home take her for a newcomer
    Run.objects.filter(member=admin_member).delete()
    assert "No runs yet" in as_admin.get("/history/").text  # an admin's bin has everyone's runs, but these are Alice's
