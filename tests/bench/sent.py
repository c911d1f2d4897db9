"""Measures how soon runs are sent to Lamina after Run is pressed: for many apps, and for one app, whose starts are sent
one at a time."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from runs.models import App, Run
from runs.models.run import RunQuerySet
from tests.bench.portal import Portal
from tests.bench.report import Report, number, percentile
from tests.bench.seen import make_app, put_app
from tests.support.processes import wait_until
from tests.support.visitor import Pairs, Visitor

MANY_APPS, PRESSES, PRESS_EVERY = 10, 50, 0.2
ONE_APP_PRESSES, ANSWER_SECONDS = 20, 0.5
MAX_SENT, TIMES_ANSWERED = 3.0, 1.2
PATIENCE = 240.0  # maximum number of seconds to wait


def bench(portal: Portal, report: Report) -> None:
    portal.load_catalog()
    portal.start_web()
    portal.start_worker()
    visitor = Visitor(portal.url, portal.make_member("demo"))
    apps = [make_app(portal, f"bench-sent-{place}", "image") for place in range(MANY_APPS)]
    with report.part(f"{PRESSES} presses over {MANY_APPS} apps within {PRESSES * PRESS_EVERY:.0f} s"):
        measure_many(portal, report, visitor, apps)
    with report.part(f"{ONE_APP_PRESSES} presses on one app, answered after {ANSWER_SECONDS} s"):
        measure_one(portal, report, visitor, apps[0])


def measure_many(portal: Portal, report: Report, visitor: Visitor, apps: Sequence[App]) -> None:
    sent = sent_after(portal, press(portal, visitor, [apps[n % MANY_APPS] for n in range(PRESSES)], PRESS_EVERY))
    aside = f"median {number(median(sent))}"
    report.at_most("from the press until sent, p95", percentile(sent, 95), MAX_SENT, " s", aside=aside)


def measure_one(portal: Portal, report: Report, visitor: Visitor, app: App) -> None:
    slow = {"endpoint": "run_start", "fault": "delay", "times": None, "seconds": ANSWER_SECONDS}
    runs = press(portal, visitor, [app] * ONE_APP_PRESSES, 0, slow)
    last = runs.order_by("-pk")[0]
    wait_until(lambda: "ahead of this one" in visitor.get(last.get_absolute_url()).text, "the place in line", PATIENCE)
    taken = max(sent_after(portal, runs))
    report.at_most("until the last is sent", taken, TIMES_ANSWERED * ONE_APP_PRESSES * ANSWER_SECONDS, " s")


def press(
    portal: Portal, visitor: Visitor, apps: Sequence[App], every: float, fault: Mapping[str, Any] | None = None
) -> RunQuerySet:
    """Press Run for each of `apps` at regular intervals, with a `fault` set in the sandbox if one is given; return the
    runs."""
    forms: dict[int, list[Pairs]] = defaultdict(list)
    for app in apps:
        forms[app.pk].append(visitor.open_form(app.get_absolute_url()))
    portal.begin_anew(PATIENCE)
    for app in set(apps):
        put_app(portal, app.remote_id, "image")
    if fault:
        portal.sandbox.order("faults", **fault)
    begun, ids = time.monotonic(), []
    for place, app in enumerate(apps):
        time.sleep(max(0.0, begun + place * every - time.monotonic()))
        answer = visitor.press_run(app.get_absolute_url(), forms[app.pk].pop())
        ids.append(answer.headers["Location"].split("/")[-2])
    return Run.objects.filter(public_id__in=ids)


def sent_after(portal: Portal, runs: RunQuerySet) -> list[float]:
    """For each run, return the number of seconds from pressing Run until Lamina accepted it."""
    wait_until(lambda: not runs.filter(started_at=None).exists(), "every run to be sent", PATIENCE)
    sent = [(run.started_at - run.created_at).total_seconds() for run in runs if run.started_at]
    wait_until(lambda: not runs.active().exists(), "every run to end", PATIENCE)
    portal.await_quiet(PATIENCE)
    return sent
