"""Measures how fast searches are in a long History and among many apps: each page's time and its queries. `--runs` sets
the number of runs; PostgreSQL gets ten times as many.
"""

import time
from functools import partial
from urllib.parse import urlencode

from django.db import connection

from runs.models import App, Member, Run
from tests.bench.history import place
from tests.bench.long_history import RARE
from tests.bench.measure import MAX_MS, SEARCH_MS, measure_page, milliseconds, report_time
from tests.bench.portal import Portal
from tests.bench.report import Report, number
from tests.bench.rows import APPS, MORE_ON_POSTGRES, OUTPUTS_PER_RUN, make_rows
from tests.support.visitor import Visitor

APPS_MS = 60.0


def bench(portal: Portal, report: Report) -> None:
    runs = portal.runs * (MORE_ON_POSTGRES if connection.vendor == "postgresql" else 1)
    many, few = portal.make_member("many"), portal.make_member("few")
    begun = time.monotonic()
    make_rows(many, few, runs)
    portal.start_web()
    with report.part(f"{runs:,} runs, {runs * OUTPUTS_PER_RUN:,} outputs"):
        report.note("made in", f"{number(time.monotonic() - begun)} s")
    for member in (many, few):
        visitor = Visitor(portal.url, member)
        for what, query in queries(member).items():
            with report.part(f"{member.name}, {what}"):
                target = SEARCH_MS if "q" in query else MAX_MS
                measure_page(report, visitor, member, f"/history/?{urlencode(query)}", target)
    visitor = Visitor(portal.url, few)
    for what, path in {"Home": "/", "apps": "/apps/", "apps by words": "/apps/?q=golden+bycicle"}.items():
        with report.part(f"{APPS:,} apps, {what}"):
            report_time(report, partial(milliseconds, visitor, path), APPS_MS)
    with report.part("Home's search"):
        report_time(report, lambda: milliseconds(visitor, "/apps/?q=golden+bicycle&runs=1"), SEARCH_MS)


def queries(member: Member) -> dict[str, dict[str, str]]:
    """Return the searches to measure: query strings by name."""
    app = App.objects.order_by("pk")[3].public_id
    team = Run.objects.shared_by_others(member).newest_first()
    return {
        "Mine": {},
        "Team": {"tab": "team"},
        "Team, page 1,000": {"tab": "team", "before": place(team)},
        "Team, failed": {"tab": "team", "state": "failed"},
        "a common word": {"tab": "team", "q": "teapot"},
        "a word of every run": {"tab": "team", "q": "light"},
        "words in any order": {"tab": "team", "q": "bicycles golden"},
        "two common words": {"tab": "team", "q": "red lighthouse"},
        "two words and an app": {"tab": "team", "q": "golden light", "app": app},
        "Mine, a common word": {"q": "teapot"},
        "Mine, an app's name": {"q": "app number 3"},
        "a word of the oldest runs": {"q": RARE},
        "a slip": {"tab": "team", "q": "golden bycicle"},
        "one word missing": {"tab": "team", "q": "submarine golden teapot"},
        "a word of no run": {"tab": "team", "q": "xylophone"},
        "two letters of no run": {"q": "xq"},
        "Japanese": {"tab": "team", "q": "東京の朝"},
        "German": {"tab": "team", "q": "goldene Fahrräder"},
        "a kind": {"tab": "team", "q": "video of a violin"},
        "a person's name": {"tab": "team", "q": "number77"},
    }
