"""Measures the memory of `make run` without its sandbox: when idle, after fifty people have opened pages, and with as
many runs in progress as it can follow using streams.

Memory is measured as PSS: when several processes share a page of memory, each is charged for its share. Also measures
how much memory it takes to load the portal, and how much the web server and the worker would take up as separate
programs that share nothing.
"""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from django.conf import settings

from runs.models import App
from tests.bench.portal import Portal
from tests.bench.report import Report
from tests.support.processes import ROOT, children_of, free_port, wait_until
from tests.support.visitor import Visitor

PEOPLE = 50
QUIET_SECONDS = 25  # after the start or the last task
AT_REST, MAX_REST = "at rest", 220  # MiB
KINDS = {"gunicorn": "web server", "qcluster": "worker", "picture_process": "worker", "manage.py portal": "supervisor"}
LOADING = """
import django, os
django.setup()
from runs.management.commands.portal import load_portal
load_portal()
from tests.bench.memory import pss_of
print(pss_of(os.getpid()))
"""


def bench(portal: Portal, report: Report) -> None:
    portal.load_catalog()
    url = f"http://127.0.0.1:{portal.port}"
    os.environ |= {"PORTAL_BIND": f"127.0.0.1:{portal.port}", "LAMINA_BASE_URL": f"http://127.0.0.1:{free_port()}"}
    tell_alone(portal, report)
    process = portal.processes.start("portal", "manage.py", "portal", "--empty")
    process.await_output("is ready", 240)
    time.sleep(QUIET_SECONDS)
    tell(report, AT_REST, process.popen.pid)
    members = [portal.make_member(f"member{number}") for number in range(PEOPLE)]
    app = App.objects.listed().filter(schema__isnull=False)[0].get_absolute_url()
    with ThreadPoolExecutor(PEOPLE) as pool:
        visitors = [Visitor(url, member) for member in members]
        for path in ("/", app, "/history/"):
            list(pool.map(lambda visitor, path=path: visitor.get(path), visitors))
    time.sleep(QUIET_SECONDS)
    tell(report, f"after {PEOPLE} people opened three pages each", process.popen.pid)
    start_runs(visitors[: settings.LAMINA_STREAMS], app)
    time.sleep(QUIET_SECONDS)
    tell(report, f"with {settings.LAMINA_STREAMS} streams as well", process.popen.pid)


def start_runs(visitors: list[Visitor], app: str) -> None:
    """For each visitor, start a run that never ends, and wait until the portal is following all of them using
    streams."""
    sandbox = f"{os.environ['LAMINA_BASE_URL']}/control"
    orders = {"limit": {"per_minute": None}, "script": {"times": len(visitors), "outcome": "never"}}
    for path, order in orders.items():
        requests.post(f"{sandbox}/{path}", json=order, timeout=10).raise_for_status()
    for visitor in visitors:
        visitor.press_run(app, visitor.open_form(app))

    def are_followed() -> bool:
        return len(requests.get(f"{sandbox}/state", timeout=10).json()["streams"]) >= len(visitors)

    wait_until(are_followed, "the portal to follow all runs by streams", 180)


def tell_alone(portal: Portal, report: Report) -> None:
    with report.part("alone"):
        report.note("after loading", f"{loaded():.0f} MiB")
        for kind, start in (("web server", portal.start_web), ("worker", portal.start_worker)):
            process = start()
            time.sleep(QUIET_SECONDS)
            found = [pss_of(each) for each in tree(process.popen.pid)]
            report.note(kind, f"{sum(found):.0f} MiB ({', '.join(f'{pss:.0f}' for pss in found)})")
            portal.processes.stop(process)


def loaded() -> float:
    """Return the memory in MiB of a process that has loaded the whole portal."""
    done = subprocess.run([sys.executable, "-c", LOADING], cwd=ROOT, capture_output=True, check=True, text=True)
    return float(done.stdout)


def tell(report: Report, when: str, pid: int) -> None:
    found = [(kind_of(each), pss_of(each)) for each in tree(pid)]
    ours = [(kind, pss) for kind, pss in found if kind]
    with report.part(when):
        total = sum(pss for _, pss in ours)
        if when == AT_REST:
            report.at_most("all processes", total, MAX_REST, " MiB")
        else:
            report.note("all processes", f"{total:.0f} MiB")
        report.note("number of processes", str(len(ours)))
        for kind in ("supervisor", "web server", "worker"):
            mine = [pss for name, pss in ours if name == kind]
            report.note(kind, f"{sum(mine):.0f} MiB ({', '.join(f'{pss:.0f}' for pss in mine)})")


def tree(pid: int) -> list[int]:
    return [pid, *(each for child in children_of(pid) for each in tree(child))]


def kind_of(pid: int) -> str:
    """Return the part of the portal that the process belongs to, or "" for the sandbox."""
    command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return next((kind for words, kind in KINDS.items() if words in command), "")


def pss_of(pid: int) -> float:
    """Return the PSS of a process in MiB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))
