"""The health page: what an admin sees when all is well and when it isn't."""

import shutil
from datetime import timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from runs.background import heartbeats
from runs.connection import rate_limit, status
from runs.history import bin
from runs.models import Heartbeat, Incident, Member, OutputFile, Run
from runs.models.messages import Message
from tests.support.factories import make_kept, make_run
from tests.support.page import Page

pytestmark = pytest.mark.django_db


def page(client: Client) -> str:
    cache.clear()
    answer = client.get("/manage/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_all_is_well(as_admin: Client, alice: Member) -> None:
    now = timezone.now()
    status.record_answer(now, is_sandbox=False, is_key_refused=False)
    status.record_status(workspace_name="Acme", balance=12.5)
    heartbeats.beat("worker")
    make_run(alice, status="completed")
    rate_limit.take(rate_limit.Priority.START)

    body = page(as_admin)

    for words in ("reachable since", "accepted: Acme", "12.5", "1 of 100", "last report just now", "Ready"):
        assert words in body
    assert "verdict-bad" not in body


def test_lamina_away_and_a_refused_key_are_told_with_what_to_do(as_admin: Client) -> None:
    status.record_answer(timezone.now(), is_sandbox=False, is_key_refused=True)
    status.record_failure(timezone.now(), endpoint="runs", status=None, request_id="")

    body = page(as_admin)

    assert "unreachable since" in body
    assert "refused since" in body
    assert len(Page(body).first(css="health-facts").find(css="moment")) == 2
    assert "LAMINA_API_KEY" in body
    assert "Lamina didn&#x27;t respond to “runs”." in body


def test_a_silent_worker_and_a_stopped_watch_are_told(as_admin: Client, alice: Member) -> None:
    Heartbeat.objects.create(name="worker", at=timezone.now() - timedelta(minutes=3))
    Heartbeat.objects.create(name="poller", at=timezone.now() - timedelta(minutes=3))
    make_run(alice, status="running")

    body = page(as_admin)

    assert "no report since" in body
    assert Page(body).first(css="health-facts").find(css="moment")
    assert "stopped even though runs are active" in body


def test_a_closed_budget_says_for_how_long(as_admin: Client) -> None:
    rate_limit.close(30)

    assert "Lamina has asked us to wait" in page(as_admin)


def test_members_see_a_calm_banner_and_admins_the_next_step(as_alice: Client, as_admin: Client) -> None:
    status.record_answer(timezone.now(), is_sandbox=False, is_key_refused=True)
    cache.clear()

    assert "An admin needs to fix the connection" in as_alice.get("/").content.decode()
    assert "LAMINA_API_KEY" in as_admin.get("/").content.decode()


def test_everybody_hears_that_lamina_is_away(as_alice: Client) -> None:
    status.record_failure(timezone.now(), endpoint="runs", status=None, request_id="")
    cache.clear()

    banner = Page(as_alice.get("/history/").text).first(css="banner")
    assert "been answering since" in banner.words
    assert banner.first(css="moment").find("time")


def test_healthz_tells_ages_without_sign_in() -> None:
    with time_machine.travel(timezone.now(), tick=False):
        heartbeats.beat("worker")
        status.record_answer(timezone.now(), is_sandbox=True, is_key_refused=False)
        cache.clear()

        answer = Client().get("/healthz")

    assert answer.status_code == 200
    assert answer.json() == {
        "database": "ok",
        "worker_seconds": 0,
        "poller_seconds": None,
        "lamina_seconds": 0,
        "sandbox": True,
    }


def test_files_storage_and_bin_are_told_with_what_to_do(
    as_admin: Client, alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(alice, status="completed")
    make_kept(run)
    waiting, lost = run.outputs.all()
    OutputFile.objects.create(output=lost, source_url="https://x.test/l", status="failed", due_at=None, error="Gone.")
    assert "Try to fetch again" in page(as_admin)
    OutputFile.objects.create(output=waiting, position=1, source_url="https://x.test/w", error="No room left.")
    bin.move_to_bin(Run.objects.filter(pk=run.pk), alice, timezone.now())

    body = page(as_admin)

    assert "1 not saved yet, 1 could not be saved" in body
    assert "No room left. The portal keeps trying for 24 hours." in body
    assert "in 1 file" in body
    assert "left on the disk" in body
    assert "1 run, to be permanently deleted on" in body

    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100_000_000))
    body = page(as_admin)
    assert "100 MB left on the disk" in body
    assert "verdict-bad" in body
    assert "Free up some space" in body


def test_an_incident_tells_its_times_with_their_zone(as_admin: Client) -> None:
    values: dict[str, str | int | float] = {"worker": "worker <b>:7", "since_at": int(timezone.now().timestamp())}
    Incident.objects.create(kind="worker", text=Message("worker_silent", values))

    told = Page(page(as_admin)).first(css="incidents")

    assert len(told.find(css="moment")) == 2  # when the incident happened, and the time in its sentence
    assert not told.find("b")
