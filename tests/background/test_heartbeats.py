"""Worker clusters as the database records them: alive, silent, killed or stopped."""

import os
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from runs.background import cluster_names, heartbeats, leases
from runs.engine import poller_wakeups
from runs.models import Heartbeat, Incident, Lease
from runs.tasks import pulse, tidy
from runs.words.messages import say
from runs.words.workers import worker_words
from tests.support.processes import dead_pid

pytestmark = pytest.mark.django_db


def seen(name: str, **ago: int) -> None:
    Heartbeat.objects.update_or_create(name=name, defaults={"at": timezone.now() - timedelta(**ago)})


def page(client: Client) -> str:
    cache.clear()
    return client.get("/manage/").content.decode()


def incidents() -> list[tuple[str, str]]:
    """Return the code and cluster of each incident."""
    told = Incident.objects.filter(kind="worker").values_list("text", flat=True)
    assert all(worker_words(str(message.values["worker"])) in say(message) for message in told)
    return [(message.code, str(message.values["worker"])) for message in told]


def test_a_silent_cluster_is_shown_beside_a_working_one(as_admin: Client) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        heartbeats.beat_cluster("worker here:1")
        seen("worker there:7", minutes=5)

        body = page(as_admin)

        assert "process 1 on here: last report just now" in body
        assert "process 7 on there: no report since" in body
        assert Client().get("/healthz").json()["worker_seconds"] == 0  # counted from the most recent heartbeat


def test_two_working_clusters_are_two_lines_without_a_problem(as_admin: Client) -> None:
    heartbeats.beat_cluster("worker here:1")
    heartbeats.beat_cluster("worker there:7")

    body = page(as_admin)

    assert "process 1 on here: last report" in body
    assert "process 7 on there: last report" in body
    assert "no report" not in body


def test_a_plain_qcluster_is_shown_beside_a_silent_worker(as_admin: Client) -> None:
    heartbeats.beat_cluster("")
    seen("worker there:7", minutes=5)

    body = page(as_admin)

    assert "last report just now" in body
    assert "process 7 on there: no report since" in body


def test_a_cluster_silent_for_over_an_hour_is_forgotten(as_admin: Client) -> None:
    seen("worker", days=2)
    seen("worker there:7", minutes=61)

    assert "there:7" not in page(as_admin)
    tidy()
    assert list(Heartbeat.objects.values_list("name", flat=True)) == ["worker"]
    assert Client().get("/healthz").json()["worker_seconds"] >= 172_800  # the newest heartbeat is never deleted


def test_silence_is_recorded_once() -> None:
    seen("worker there:7", minutes=5)
    seen("worker there:8", seconds=60)

    pulse("worker there:9")
    pulse()

    assert incidents() == [("worker_silent", "worker there:7")]


def test_a_cluster_killed_on_this_host_is_recorded_and_forgotten() -> None:
    killed, alive = cluster_names.name_of(dead_pid()), cluster_names.name_of(os.getpid())
    heartbeats.beat_cluster(killed)
    heartbeats.beat_cluster(alive)

    pulse()
    pulse()

    assert incidents() == [("worker_killed", killed)]
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
