"""Runs queued tasks in the test's own process, because a whole cluster would just be slower."""

from typing import Any

from django.utils.module_loading import import_string
from django_q.models import OrmQ

from runs.background import broker

ROUNDS = 200


def queued() -> list[dict[str, Any]]:
    """Return all queued tasks, oldest first, each with the primary key of its row."""
    return [broker.unpack(row.payload) | {"pk": row.pk} for row in OrmQ.objects.order_by("pk")]


def work() -> list[str]:
    """Run all queued tasks and the tasks that they queue, until none are left; return their names in the order they
    ran.

    A task that queues itself again, as the poller does, runs again each time. The poller runs for as long as there is
    something to watch, so it comes last: in a cluster, the other tasks would run in parallel.
    """
    done: list[str] = []
    for _ in range(ROUNDS):
        waiting = sorted(queued(), key=lambda task: str(task["func"]).endswith(".poll"))
        if not waiting:
            return done
        task = waiting[0]
        OrmQ.objects.get(pk=task["pk"]).delete()
        import_string(task["func"])(*task["args"], **task["kwargs"])
        done.append(task["func"].rpartition(".")[2])
    raise AssertionError(f"the queue never ends: {done[-10:]}")
