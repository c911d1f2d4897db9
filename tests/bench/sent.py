"""Measures how soon runs are sent to Lamina after Run is pressed: for many apps, for one app, whose starts are sent one
at a time, and for many apps while the worker does all kinds of long work."""

import os
import socket
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any

from django.conf import settings
from django.db.models.functions import Now

from runs.models import App, Mail, Member, Notice, OutputFile, Run
from runs.models.run import RunQuerySet
from runs.uploads.uploads import receive_link
from tests.bench.portal import Portal
from tests.bench.report import Report, number, percentile
from tests.bench.seen import make_app, put_app
from tests.support.processes import wait_until
from tests.support.visitor import Pairs, Visitor

MANY_APPS, PRESSES, PRESS_EVERY = 10, 50, 0.2
SLOW_FILES, SLOW_SECONDS = 2, 120.0
MAX_SENT_WHEN_BUSY = 1.0
ONE_APP_PRESSES, ANSWER_SECONDS = 20, 0.5
MAX_SENT, TIMES_ANSWERED = 3.0, 1.2
PATIENCE = 240.0  # maximum number of seconds to wait


def bench(portal: Portal, report: Report) -> None:
    portal.load_catalog()
    portal.start_web()
    worker, member = portal.start_worker(), portal.make_member("demo")
    visitor = Visitor(portal.url, member)
    apps = [make_app(portal, f"bench-sent-{place}", "image") for place in range(MANY_APPS)]
    with report.part(f"{PRESSES} presses over {MANY_APPS} apps within {PRESSES * PRESS_EVERY:.0f} s"):
        measure_many(portal, report, visitor, apps)
    with report.part(f"{ONE_APP_PRESSES} presses on one app, answered after {ANSWER_SECONDS} s"):
        measure_one(portal, report, visitor, apps[0])
    with silent_mail_server(), report.part(f"{PRESSES} presses while all kinds of long work are under way"):
        portal.processes.stop(worker)
        worker = portal.start_worker()  # with the mail server that doesn't answer
        measure_busy(portal, report, visitor, member, apps)
        worker.demand_alive()


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


@contextmanager
def silent_mail_server() -> Iterator[None]:
    """Have new processes send their mail to a server that accepts connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        os.environ["EMAIL_URL"] = f"smtp://127.0.0.1:{server.getsockname()[1]}"
        yield
        del os.environ["EMAIL_URL"]


def measure_busy(portal: Portal, report: Report, visitor: Visitor, member: Member, apps: Sequence[App]) -> None:
    """Press Run while the worker follows as many streams as it can, saves two files and fetches two links that take
    two minutes each, and waits for the mail server."""
    runs = press(portal, visitor, apps, 0)
    sent_after(portal, runs)
    url = OutputFile.objects.filter(output__run__in=runs)[0].source_url
    portal.sandbox.order("faults", endpoint="file", fault="drip", times=None, seconds=SLOW_SECONDS, gap=1)
    Notice.objects.create(member=member, kind="mention", event="busy", run=runs[0], way="once", mail_due_at=Now())
    for _ in range(SLOW_FILES):
        receive_link(member, url, [])
        visitor.press_run(apps[0].get_absolute_url(), visitor.open_form(apps[0].get_absolute_url()))

    def is_busy() -> bool:
        fetched = [each for each in portal.sandbox.state["requests"] if each["endpoint"] == "file"]
        return len(fetched) >= 2 * SLOW_FILES and Mail.objects.filter(tries=1).exists()

    wait_until(is_busy, "the slow files, links and mails", PATIENCE)
    portal.sandbox.order("script", times=settings.LAMINA_STREAMS, outcome="never")
    for place in range(settings.LAMINA_STREAMS):
        path = apps[place % len(apps)].get_absolute_url()
        visitor.press_run(path, visitor.open_form(path))
    wait_until(lambda: len(portal.sandbox.state["streams"]) >= settings.LAMINA_STREAMS, "all streams", PATIENCE)
    paths = [app.get_absolute_url() for _ in range(PRESSES // len(apps)) for app in apps]
    forms = [(path, visitor.open_form(path)) for path in paths]
    last = Run.objects.order_by("-pk")[0].pk
    begun = time.monotonic()
    for place, (path, form) in enumerate(forms):
        time.sleep(max(0.0, begun + place * PRESS_EVERY - time.monotonic()))
        visitor.press_run(path, form)
    pressed = Run.objects.filter(pk__gt=last)
    wait_until(lambda: not pressed.filter(started_at=None).exists(), "every run to be sent", PATIENCE)
    sent = [(run.started_at - run.created_at).total_seconds() for run in pressed if run.started_at]
    aside = f"median {number(median(sent))}, longest {number(max(sent))}"
    report.at_most("from the press until sent, p95", percentile(sent, 95), MAX_SENT_WHEN_BUSY, " s", aside=aside)


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
