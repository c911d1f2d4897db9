"""The record is append-only: the database refuses any change to it, and only retention removes old entries."""

import logging
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from runs import tasks
from runs.audit import guard, old_entries
from runs.audit.record import record
from runs.background import queue
from runs.management import record_guard
from runs.models import Entry, EntryOrigin, Member, Verb

pytestmark = pytest.mark.django_db
STATEMENTS = {
    "sqlite": (
        "UPDATE runs_entry SET actor_name = 'Mallory'",
        "DELETE FROM runs_entry",
        "REPLACE INTO runs_entry SELECT * FROM runs_entry",
        "UPDATE OR REPLACE runs_entry SET public_id = 'x'",
    ),
    "postgresql": (
        "UPDATE runs_entry SET actor_name = 'Mallory'",
        "DELETE FROM runs_entry",
        "TRUNCATE runs_entry",
        "INSERT INTO runs_entry SELECT * FROM runs_entry ON CONFLICT (id) DO UPDATE SET actor_name = 'Mallory'",
    ),
}


@pytest.fixture
def entry(alice: Member) -> Entry:
    record(Verb.PERSON_CHANGED, alice, changes={"role": ("maker", "admin")})
    return Entry.objects.get()


def test_entries_can_neither_be_changed_nor_deleted(entry: Entry) -> None:
    for statement in STATEMENTS[connection.vendor]:
        with pytest.raises(DatabaseError, match="only grows"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    with pytest.raises(DatabaseError), transaction.atomic():
        Entry.objects.update(verb="run.started")
    with pytest.raises(DatabaseError), transaction.atomic():
        entry.delete()
    assert Entry.objects.values().get() == Entry.objects.values().get(pk=entry.pk)
    assert Entry.objects.get().actor_name == entry.actor_name


def test_retention_removes_only_old_entries_and_says_so(alice: Member) -> None:
    now = timezone.now()
    ages = (900, 731, 729, 0)
    for days in ages:
        Entry.objects.create(at=now - timedelta(days=days), way="page", verb=Verb.RUN_STARTED, object_label=f"{days}")

    tasks.clear()

    kept = Entry.objects.filter(verb=Verb.RUN_STARTED)
    assert {entry.object_label for entry in kept} == {"729", "0"}
    told = Entry.objects.get(verb=Verb.ENTRIES_REMOVED)
    assert told.way == "worker"
    assert told.changes["entries"] == [2, None]
    with pytest.raises(DatabaseError), transaction.atomic():
        kept.delete()  # no longer permitted, because retention has finished


@pytest.mark.django_db(transaction=True)
def test_what_opens_the_record_holds_for_one_transaction_only(entry: Entry) -> None:
    left_behind = {
        "postgresql": (
            "SET portal.may_delete_entries = 'yes'",
            "SELECT set_config('portal.may_delete_entries', txid_current()::text, false)",
        ),
        "sqlite": ("INSERT INTO runs_entrypass VALUES (1)",),
    }
    for statement in left_behind[connection.vendor]:
        with connection.cursor() as cursor:
            cursor.execute(statement)
        record_guard.restore()  # also runs every hour in production
        with pytest.raises(DatabaseError, match="only grows"), transaction.atomic():
            entry.delete()

    with guard.opened():
        Entry.objects.all().delete()
    assert not Entry.objects.exists()


def test_a_worker_that_stops_removes_no_more(entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "stop_flag", bytearray(b"\x01"))
    stopping = old_entries.apply(timezone.now() + timedelta(days=2), 1, go_on=lambda: not queue.stop_requested())
    assert stopping == 0
    assert Entry.objects.get() == entry


def test_networks_are_forgotten_after_90_days(entry: Entry) -> None:
    now = timezone.now()
    EntryOrigin.objects.create(entry_id=1, network="203.0.113.0/24", at=now - timedelta(days=91))
    EntryOrigin.objects.create(entry_id=2, network="203.0.113.0/24", at=now - timedelta(days=89))
    tasks.tidy()
    assert EntryOrigin.objects.get().entry_id == 2
    assert Entry.objects.get() == entry


def test_lost_triggers_come_back_and_admins_are_told(
    entry: Entry, as_admin: Client, caplog: pytest.LogCaptureFixture
) -> None:
    name = sorted(guard.NAMES[connection.vendor])[0]
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {name}{' ON runs_entry' if connection.vendor == 'postgresql' else ''}")
    assert guard.missing() == {name}

    with caplog.at_level(logging.CRITICAL):
        record_guard.restore()

    assert guard.missing() == set()
    assert name in caplog.text
    assert "had stopped protecting the record" in as_admin.get("/manage/").content.decode()
