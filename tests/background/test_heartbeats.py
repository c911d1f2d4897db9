"""Clusters of workers as the database shows them: alive, silent, killed, ended in order."""

import os
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from runs.background import heartbeats, leases
from runs.engine import poller_wakeups
from runs.models import Heartbeat, Incident, Lease
from runs.tasks import pulse, tidy
from tests.support.processes import dead_pid

pytestmark = pytest.mark.django_db


def seen(name: str, **ago: int) -> None:
    Heartbeat.objects.update_or_create(name=name, defaults={"at": timezone.now() - timedelta(**ago)})


def page(client: Client) -> str:
    cache.clear()
    return client.get("/manage/").content.decode()


def incidents() -> list[str]:
    return list(Incident.objects.filter(kind="worker").values_list("text", flat=True))


def test_of_two_clusters_a_deaf_one_is_not_hidden(as_admin: Client) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        heartbeats.beat_cluster("worker here:1")
        seen("worker there:7", minutes=5)

        body = page(as_admin)

        assert "process 1 on here: alive just now" in body
        assert "process 7 on there: no sign of life since" in body
        assert Client().get("/healthz").json()["worker_seconds"] == 0  # the youngest


def test_two_that_work_are_two_lines_without_a_problem(as_admin: Client) -> None:
    heartbeats.beat_cluster("worker here:1")
    heartbeats.beat_cluster("worker there:7")

    body = page(as_admin)

    assert "process 1 on here: alive" in body
    assert "process 7 on there: alive" in body
    assert "no sign of life" not in body


def test_a_plain_qcluster_beside_a_silent_worker_is_told_too(as_admin: Client) -> None:
    heartbeats.beat_cluster("")
    seen("worker there:7", minutes=5)

    body = page(as_admin)

    assert "alive just now" in body
    assert "process 7 on there: no sign of life since" in body


def test_one_that_is_silent_for_more_than_an_hour_is_forgotten(as_admin: Client) -> None:
    seen("worker", days=2)
    seen("worker there:7", minutes=61)

    assert "there:7" not in page(as_admin)
    tidy()
    assert list(Heartbeat.objects.values_list("name", flat=True)) == ["worker"]
    assert Client().get("/healthz").json()["worker_seconds"] >= 172_800  # when any last lived is never forgotten


def test_silence_is_written_down_once() -> None:
    seen("worker there:7", minutes=5)
    seen("worker there:8", seconds=60)

    pulse("worker there:9")
    pulse()

    (told,) = incidents()
    assert told.startswith("The worker process 7 on there has given no sign of life since")


def test_one_that_was_killed_on_this_host_is_written_down_and_forgotten() -> None:
    killed, alive = heartbeats.name_of(dead_pid()), heartbeats.name_of(os.getpid())
    heartbeats.beat_cluster(killed)
    heartbeats.beat_cluster(alive)

    pulse()
    pulse()

    assert incidents() == [f"The worker {heartbeats.words_of(killed)} ended without being asked to."]
    assert set(Heartbeat.objects.values_list("name", flat=True)) == {"worker", alive}


def test_the_lease_of_a_killed_poller_of_this_host_is_free_at_once() -> None:
    holder = leases.new_holder()
    host, _, rest = holder.split("/")
    assert leases.acquire(poller_wakeups.POLLER, f"{host}/{dead_pid()}/{rest}", 12)

    pulse()

    assert not leases.is_held(poller_wakeups.POLLER)


@pytest.mark.parametrize("whose", ["another host's", "living", "odd", "nobody's"])
def test_no_other_lease_is_touched(whose: str) -> None:
    holder = {"another host's": f"elsewhere/{dead_pid()}/x", "living": leases.new_holder(), "odd": "odd"}.get(whose, "")
    assert leases.acquire(poller_wakeups.POLLER, holder, 12)

    pulse()

    assert Lease.objects.get(name=poller_wakeups.POLLER).holder == holder
    assert leases.is_held(poller_wakeups.POLLER)
