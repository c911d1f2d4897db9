"""The health page: what an admin sees when things are well and when they are not."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from runs.models import Heartbeat, Member
from runs.services import budget, health
from tests.factories import make_run

pytestmark = pytest.mark.django_db


def page(client: Client) -> str:
    cache.clear()
    answer = client.get("/manage/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_all_is_well(as_admin: Client, alice: Member) -> None:
    now = timezone.now()
    health.note_answer(now, is_sandbox=False, is_key_refused=False)
    health.note_status(workspace_name="Acme", balance=12.5)
    health.beat("worker")
    make_run(alice, status="completed")
    budget.take(budget.Priority.START)

    body = page(as_admin)

    for words in ("reachable since", "accepted: Acme", "12.5", "1 of 100", "alive just now", "Ready"):
        assert words in body
    assert "Needs you" not in body


def test_lamina_away_and_a_refused_key_are_told_with_what_to_do(as_admin: Client) -> None:
    health.note_answer(timezone.now(), is_sandbox=False, is_key_refused=True)
    health.note_failure(timezone.now(), endpoint="runs", status=None, request_id="")

    body = page(as_admin)

    assert "not reached since" in body
    assert "refused since" in body
    assert "LAMINA_API_KEY" in body
    assert "Lamina gave no answer for “runs”." in body


def test_a_silent_worker_and_a_stopped_watch_are_told(as_admin: Client, alice: Member) -> None:
    Heartbeat.objects.create(name="worker", at=timezone.now() - timedelta(minutes=3))
    Heartbeat.objects.create(name="poller", at=timezone.now() - timedelta(minutes=3))
    make_run(alice, status="running")

    body = page(as_admin)

    assert "no sign of life since" in body
    assert "stopped although runs are active" in body


def test_a_closed_budget_says_for_how_long(as_admin: Client) -> None:
    budget.close(30)

    assert "Lamina asks to wait" in page(as_admin)


def test_members_see_a_calm_banner_and_admins_the_next_step(as_alice: Client, as_admin: Client) -> None:
    health.note_answer(timezone.now(), is_sandbox=False, is_key_refused=True)
    cache.clear()

    assert "needs an admin just now" in as_alice.get("/").content.decode()
    assert "LAMINA_API_KEY" in as_admin.get("/").content.decode()


def test_everybody_hears_that_lamina_is_away(as_alice: Client) -> None:
    health.note_failure(timezone.now(), endpoint="runs", status=None, request_id="")
    cache.clear()

    assert "reach Lamina since" in as_alice.get("/history/").content.decode()


def test_healthz_tells_ages_without_sign_in() -> None:
    health.beat("worker")
    health.note_answer(timezone.now(), is_sandbox=True, is_key_refused=False)
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
