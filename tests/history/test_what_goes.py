"""Retention of rejected results and of uploads: what is removed, what stays, and what pages say about it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from runs import tasks
from runs.history import holds, old_uploads, retention_rules
from runs.launching.drafts import save_draft
from runs.models import (
    App,
    Decision,
    Draft,
    FieldRule,
    GuestLink,
    Member,
    Output,
    OutputFile,
    Preset,
    RetentionRules,
    ReviewItem,
    Run,
    StoredFile,
    Upload,
)
from runs.review import requests, verdicts
from runs.review.deciders import Reviewer
from runs.schema_forms.answers import Answer, Files
from runs.sharing import links
from runs.storage import orphans
from runs.words.sizes import size_words
from tests.support.factories import PICTURE, make_app, make_kept, make_run, make_stored
from tests.support.html import flat
from tests.support.processes import wait_until

pytestmark = pytest.mark.django_db


@pytest.fixture
def app() -> App:
    return make_app(parameters=[PICTURE])


def days_ago(days: float) -> dict[str, Any]:
    return {"created_at": timezone.now() - timedelta(days=days)}


def rejected(maker: Member, app: App, by: Member, days: float) -> Output:
    """Return a saved result that the member `by` rejected `days` days ago."""
    output = make_kept(make_run(maker, app, status="completed", **days_ago(days + 1))).output
    output.refresh_from_db()
    verdicts.decide(output, "rejected", "Too dark", Reviewer(by), None)
    Decision.objects.filter(output=output).update(**days_ago(days))
    return output


def clear_in(days: float) -> None:
    """Run the daily cleanup as if `days` had passed since it last ran."""
    Output.objects.filter(removal_at__isnull=False).update(removal_at=F("removal_at") - timedelta(days=days))
    tasks.clear()


def stored(output: Output) -> int:
    return OutputFile.objects.filter(output=output, file__isnull=False).count()


def test_a_rejected_result_says_for_30_days_that_it_goes_then_its_files_are_gone(
    as_alice: Client, alice: Member, admin_member: Member, app: App, settings: Settings
) -> None:
    RetentionRules.objects.create(rejected_days=30)
    old, new = (rejected(alice, app, admin_member, days) for days in (31, 29))
    tasks.clear()

    page = flat(as_alice.get(old.get_absolute_url()).content)
    assert "because it was rejected" in page
    assert "because it was rejected" not in as_alice.get(new.get_absolute_url()).text
    assert stored(old) == 1

    path = Path(OutputFile.objects.get(output=old).file.file.path)  # type: ignore[union-attr]
    clear_in(30)
    assert not path.exists()
    assert (stored(old), stored(new)) == (0, 1)
    for url in (old.get_absolute_url(), old.run.get_absolute_url()):
        page = flat(as_alice.get(url).content)
        assert "Rejected, then removed by the retention rules on" in page
    assert "Too dark" in page, "what people said stays"
    assert as_alice.get(f"/results/download/?r={old.run.public_id}").status_code != 500


def test_it_can_be_kept_and_its_time_starts_again(
    as_alice: Client, alice: Member, admin_member: Member, app: App
) -> None:
    RetentionRules.objects.create(rejected_days=30)
    output = rejected(alice, app, admin_member, 40)
    tasks.clear()
    answer = as_alice.post(f"/results/{output.public_id}/keep/", follow=True)
    assert "This result will be kept." in answer.text

    tasks.clear()
    output.refresh_from_db()
    assert output.removal_at is None
    Output.objects.update(kept_at=timezone.now() - timedelta(days=31))
    tasks.clear()
    output.refresh_from_db()
    assert output.removal_at is not None


def test_what_somebody_wants_stays(alice: Member, admin_member: Member, app: App) -> None:
    RetentionRules.objects.create(rejected_days=30)
    starred, shown, held, approved, binned, plain = (rejected(alice, app, admin_member, 40) for _ in range(6))
    tasks.clear()  # gives all six a removal date; what people do with them after that must still count
    assert Output.objects.filter(removal_at__isnull=False).count() == 6
    Output.objects.filter(pk=starred.pk).update(starred_at=timezone.now())
    links.make_link(alice, [shown])
    Run.objects.filter(pk=held.run_id).update(held_at=timezone.now())
    verdicts.decide(approved, "approved", "", Reviewer(admin_member), None)
    Run.objects.filter(pk=binned.run_id).update(deleted_at=timezone.now())

    clear_in(30)

    assert [stored(output) for output in (starred, shown, held, approved, binned, plain)] == [1, 1, 1, 1, 1, 0]
    assert not Output.objects.filter(removal_at__isnull=False).exists()


def test_without_the_rule_nothing_goes_any_more(
    as_admin: Client, alice: Member, admin_member: Member, app: App
) -> None:
    RetentionRules.objects.create(rejected_days=30)
    output = rejected(alice, app, admin_member, 40)
    tasks.clear()
    as_admin.post("/manage/keeping/", {"rejected_days": ""})
    output.refresh_from_db()
    assert output.removal_at is None
    clear_in(40)
    assert stored(output) == 1


def used(upload: Upload, app: App, days: float, **fields: object) -> Run:
    """Return a run that used `upload` `days` days ago."""
    run = make_run(upload.member, app, status="completed", input_picture=upload.file, **days_ago(days), **fields)
    given = run.inputs.create(position=1, name="Photo", type="url", value=[])
    given.uploads.add(upload, through_defaults={"position": 0})
    return run


def uploaded(member: Member, days: float = 100, file: StoredFile | None = None) -> Upload:
    kept = file or make_stored(**days_ago(days))
    return Upload.objects.create(member=member, file=kept, status="ready", name="shoe.png", **days_ago(days))


def test_uploads_go_some_time_after_their_last_run(as_alice: Client, alice: Member, app: App) -> None:
    RetentionRules.objects.create(uploads_days=30)
    gone, used_again, in_preset, held = (uploaded(alice) for _ in range(4))
    result = uploaded(alice, file=make_kept(make_run(alice, app, status="completed")).file)
    old = used(gone, app, 40)
    for upload in (used_again, in_preset, result):
        used(upload, app, 40)
    used(used_again, app, 20)
    used(held, app, 40, held_at=timezone.now())
    Preset.objects.create(app=app, member=alice, name="Mine").uploads.add(in_preset)

    tasks.clear()

    assert list(Upload.objects.filter(status="removed")) == [gone]
    assert Upload.objects.filter(file=None).count() == 1
    assert StoredFile.objects.count() == 4
    page = as_alice.get(old.get_absolute_url())
    assert "shoe.png" in page.text
    form = as_alice.get(f"{app.get_absolute_url()}?from={old.public_id}")
    assert "removed by the retention rules" in flat(form.content)


def test_inputs_that_guests_can_see_stay(alice: Member, app: App) -> None:
    RetentionRules.objects.create(uploads_days=30)
    shown, hidden, taken_back = (uploaded(alice) for _ in range(3))
    outputs = [make_kept(used(upload, app, 40)).output for upload in (shown, hidden, taken_back)]
    for output, shows_inputs in zip(outputs, (True, False, True), strict=True):
        link = links.make_link(alice, [output])
        GuestLink.objects.filter(pk=link.pk).update(shows_inputs=shows_inputs)
    links.revoke(link, alice)

    tasks.clear()

    assert set(Upload.objects.filter(status="removed")) == {hidden, taken_back}


def test_an_empty_guest_link_keeps_nothing_else(alice: Member, admin_member: Member, app: App) -> None:
    RetentionRules.objects.create(rejected_days=30)
    links.make_link(alice, [make_kept(make_run(alice, app)).output]).chosen.all().delete()
    output = rejected(alice, app, admin_member, 40)
    tasks.clear()
    clear_in(30)
    assert stored(output) == 0


def test_an_upload_stays_that_a_draft_names_meanwhile(alice: Member, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = uploaded(alice)
    used(upload, app, 40)
    before = orphans.named_in_drafts()
    photo = Answer("Photo", "", "", "url", Files((upload.public_id,)))
    save_draft(Draft(member=alice, app=app, answers=[photo]))
    look = orphans.named_in_drafts
    monkeypatch.setattr(orphans, "named_in_drafts", lambda since=None: look(since) if since else before)
    assert old_uploads.remove(30, timezone.now()) == 0


@pytest.mark.django_db(transaction=True)
def test_an_upload_stays_whose_run_is_put_on_hold_meanwhile(
    alice: Member, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = uploaded(alice)
    run = used(upload, app, 40)
    begins, real = threading.Event(), old_uploads._remove

    def begin(*given: Any) -> bool:
        begins.set()
        return real(*given)

    def remove() -> int:
        try:
            return old_uploads.remove(30, timezone.now())
        finally:
            connection.close()

    monkeypatch.setattr(old_uploads, "_remove", begin)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            holds.hold(Run.objects.filter(pk=run.pk), alice, timezone.now())
            removing = pool.submit(remove)
            wait_until(lambda: begins.is_set() and is_waited_for(), "the removal to wait for the hold")
        assert removing.result(timeout=90) == 0
    upload.refresh_from_db()
    assert upload.file is not None


def is_waited_for() -> bool:
    """Return whether another connection is waiting for this one; always true on SQLite, where we can't tell."""
    if connection.vendor == "sqlite":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))")
        return bool(cursor.fetchone()[0])


def test_a_result_that_somebody_is_asked_about_stays(alice: Member, admin_member: Member, app: App) -> None:
    RetentionRules.objects.create(rejected_days=30)
    output = rejected(alice, app, admin_member, 40)
    asked = requests.ask(alice, [output], members=[admin_member])
    asked.items.update(settled_at=None)
    tasks.clear()
    output.refresh_from_db()
    assert output.removal_at is None

    Output.objects.filter(pk=output.pk).update(removed_at=timezone.now())
    assert not ReviewItem.objects.undecided().decidable().exists(), "nobody can decide on it any more"


def test_only_what_really_goes_is_counted(alice: Member, bob: Member, admin_member: Member, app: App) -> None:
    plain, locked, shared, drafted = (uploaded(alice) for _ in range(4))
    uploaded(bob, file=shared.file)
    for upload in (plain, locked, shared, drafted):
        used(upload, app, 40)
    FieldRule.objects.create(app=app, name="Photo", mode="locked", file=locked.file)
    photo = Answer("Photo", "", "", "url", Files((drafted.public_id,)))
    save_draft(Draft(member=alice, app=app, answers=[photo]))
    results = [rejected(alice, app, admin_member, 40) for _ in range(2)]
    given = OutputFile.objects.get(output=results[0]).file
    uploaded(bob, file=given)

    found = retention_rules.removals(RetentionRules(uploads_days=30, rejected_days=30), timezone.now())

    assert plain.file
    assert (found["uploads_days"].count, found["uploads_days"].size_bytes) == (3, plain.file.size_bytes)
    kept = OutputFile.objects.get(output=results[1]).file
    assert kept
    assert (found["rejected_days"].count, found["rejected_days"].size_bytes) == (2, kept.size_bytes)


def test_of_many_things_the_size_is_that_of_a_sample(alice: Member, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        used(uploaded(alice), app, 40)
    now, rules = timezone.now(), RetentionRules(uploads_days=30)
    exact = retention_rules.removals(rules, now)["uploads_days"]
    assert exact.words == f"5 uploads, {size_words(exact.size_bytes or 0)}"

    monkeypatch.setattr(retention_rules, "SAMPLE", 2)
    found = retention_rules.removals(rules, now)["uploads_days"]
    assert (found.count, found.size_bytes, found.is_about) == (5, exact.size_bytes, True)
    assert found.words == f"5 uploads, about {size_words(exact.size_bytes or 0)}"

    monkeypatch.setattr(retention_rules, "COUNTED", 3)
    counts = iter([None, 4, 0])  # what `_count` returns: twice for the uploads, once for the record
    monkeypatch.setattr(retention_rules, "_count", lambda _things: next(counts))  # as if an exact count took too long
    assert retention_rules.removals(rules, now)["uploads_days"].sentence.endswith("within a day: more than 3 uploads.")


@pytest.mark.parametrize(
    "why", ["", "starred", "run starred", "held", "shown", "decided again", "asked again", "approved since"]
)
def test_the_day_is_named_only_if_it_goes(
    as_alice: Client, alice: Member, admin_member: Member, make_member: Callable[..., Member], app: App, why: str
) -> None:
    RetentionRules.objects.create(rejected_days=60)
    output = rejected(alice, app, admin_member, 70)
    tasks.clear()
    now = timezone.now()
    Output.objects.filter(pk=output.pk).update(starred_at=now if why == "starred" else None)
    Run.objects.filter(pk=output.run_id).update(
        starred_at=now if why == "run starred" else None, held_at=now if why == "held" else None, shared_at=now
    )
    output = Output.objects.select_related("run").get(pk=output.pk)
    if why == "shown":
        links.make_link(alice, [output])
    elif why == "asked again":
        requests.ask(alice, [output], members=[admin_member]).items.update(settled_at=None)
    elif why in ("decided again", "approved since"):
        approver = make_member("erin", role="approver")
        verdicts.decide(output, "rejected" if why == "decided again" else "approved", "Dark", Reviewer(approver), None)

    page = as_alice.get(Run.objects.get(pk=output.run_id).get_absolute_url()).content.decode()
    assert ("because it was rejected" in page) == (why == "")

    clear_in(31)
    assert (stored(output) == 0) == (why == ""), "the page said the truth"
