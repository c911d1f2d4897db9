"""Many people decide at once, each on a separate database connection; an approver works through a long queue (D14)."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from runs.models import Decision, Member, Output, ReviewItem, Run
from runs.review import requests
from tests.support.clients import client_of
from tests.support.page import Page
from tests.support.queue_page import form_of, heading, make_results

PEOPLE, RESULTS, EACH = 50, 200, 6
ANSWER_SECONDS = 0.15
# Allows as many requests at a time as the portal's web server can handle (2 workers with 8 threads each).
SERVED = threading.BoundedSemaphore(16)
# SQLite's lock isn't fair: on a busy machine, one of 16 threads may wait longer than the usual time-out.
PATIENT = "PRAGMA busy_timeout=300000"
STRICT = ("rejected", "changes", "approved")


class Decider(threading.Thread):
    """Somebody who gives verdicts on a few results, and tries again whenever the page is out of date."""

    def __init__(self, member: Member, outputs: list[Output], gate: threading.Barrier) -> None:
        super().__init__()
        chance = random.Random(member.pk)
        self.client, self.gate = client_of(member), gate
        self.wanted = {output: chance.choice(STRICT) for output in chance.sample(outputs, EACH)}
        self.failures: list[str] = []

    def run(self) -> None:
        self.gate.wait()
        try:
            if connection.vendor == "sqlite":
                with connection.cursor() as cursor:
                    cursor.execute(PATIENT)
            for output, verdict in self.wanted.items():
                self.decide(output, verdict)
        finally:
            connection.close()

    def decide(self, output: Output, verdict: str) -> None:
        for _ in range(PEOPLE):
            seen = Output.objects.values_list("decided_in", flat=True).get(pk=output.pk)
            given = {"result": output.public_id, "seen": str(seen), "verdict": verdict, "note": "Because"}
            with SERVED:
                status = self.client.post("/review/", given).status_code
            if status == 303:
                return
            if status != 422:
                self.failures.append(f"{output.public_id}: {status}")
        self.failures.append(f"{output.public_id}: never")


@pytest.mark.django_db(transaction=True)
def test_fifty_people_deciding_at_once_lose_and_double_nothing(
    alice: Member, make_member: Callable[..., Member]
) -> None:
    outputs = make_results(alice, RESULTS)
    requests.ask(alice, outputs)
    gate = threading.Barrier(PEOPLE)
    people = [Decider(make_member(f"approver{n}", role="approver"), outputs, gate) for n in range(PEOPLE)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert [failure for person in people for failure in person.failures] == []
    given: dict[int, list[str]] = {}
    for person in people:
        for output, verdict in person.wanted.items():
            given.setdefault(output.pk, []).append(verdict)
    standing = Counter(Decision.objects.filter(is_standing=True).values_list("output", "verdict"))
    assert standing == Counter((pk, verdict) for pk, verdicts in given.items() for verdict in verdicts)
    assert Decision.objects.count() == PEOPLE * EACH, "nothing was recorded twice"
    for pk, verdict, changes in Output.objects.values_list("pk", "verdict", "decided_in"):
        verdicts = given.get(pk, [])
        assert verdict == next((one for one in STRICT if one in verdicts), "")
        assert changes == len(verdicts)
    waiting = ReviewItem.objects.filter(settled_at=None).values_list("output", flat=True)
    assert set(waiting) == {output.pk for output in outputs} - set(given)
    counted = Counter(Output.objects.exclude(verdict="").values_list("run", "verdict"))
    for run in Run.objects.all():
        found = (run.outputs_approved, run.outputs_changes, run.outputs_rejected)
        assert found == tuple(counted[run.pk, verdict] for verdict in reversed(STRICT))


def timed(client: Client, form: dict[str, str]) -> tuple[Page, float]:
    """Decide and open the next page; return that page, and how many seconds the server spent on both."""
    began = time.thread_time()
    answer = client.post("/review/", form)
    assert answer.status_code == 303
    html = client.get(answer.headers["Location"]).content.decode()
    return Page(html), time.thread_time() - began


@pytest.mark.django_db
def test_twenty_answers_with_a_thousand_waiting_are_quick(
    alice: Member, bob: Member, make_member: Callable[..., Member]
) -> None:
    """Promise D14 (see `tests.review`)."""
    outputs = make_results(alice, 1_000)
    private = make_results(bob, 4, outputs[0].run.app)
    requests.ask(alice, [*outputs[:10], *private, *outputs[10:]])
    Run.objects.filter(member=bob).update(shared_at=None)
    client = client_of(make_member("sofia", role="approver"))
    page, took = Page(client.get("/review/").content.decode()), []
    assert page.first(css="stage-place").words == "1 of 1,000"
    for n in range(20):
        assert page.first("form", id="decide").find("input")[1].attributes["value"] == outputs[n].public_id
        verdict = ("approved", "changes", "rejected")[n % 3]
        page, seconds = timed(client, form_of(page, verdict=verdict, note="Because"))
        took.append(seconds)
    assert heading(page) == "Text 1"
    assert page.first(css="stage-place").words == "1 of 980"
    # all but the slowest two, which garbage collection may have slowed down
    assert sorted(took)[-3] <= ANSWER_SECONDS, took
    undo = {e.attributes["name"]: e.attributes["value"] for e in page.first("form", id="queue-undo").find("input")}
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert "too late" in client.post("/review/undo/", undo, follow=True).text
    page = Page(client.post("/review/undo/", undo, follow=True).text)
    assert page.first("form", id="decide").find("input")[1].attributes["value"] == outputs[19].public_id
    assert page.first(css="stage-place").words == "1 of 981"
    decided = Decision.objects.filter(is_standing=True)
    assert [one.output for one in decided.select_related("output")] == outputs[:19]
