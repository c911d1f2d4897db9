"""Doing the queue's work in the test's own process, when a whole cluster would only be slow."""

from django.utils.module_loading import import_string
from django_q.models import OrmQ

ROUNDS = 200


def work() -> list[str]:
    """Run what is queued, and what that queues, until nothing is left; returns the names in order.

    Tasks that come back by themselves (the poller's successor) are run as often as they come. The poller watches for
    as long as anything is to be done, so it comes last: a cluster would do the rest beside it.
    """
    done: list[str] = []
    for _ in range(ROUNDS):
        waiting = sorted(OrmQ.objects.order_by("pk"), key=lambda one: str(one.task["func"]).endswith(".poll"))
        if not waiting:
            return done
        queued = waiting[0]
        task = queued.task
        queued.delete()
        import_string(task["func"])(*task["args"], **task["kwargs"])
        done.append(task["func"].rpartition(".")[2])
    raise AssertionError(f"the queue never ends: {done[-10:]}")
