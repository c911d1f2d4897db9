"""Measures how many requests it takes to follow runs, and how soon the portal finds out that they have ended.

The portal follows runs using streams, and polls those without a stream. Lamina's quick start is measured for
comparison. Runs are started through the real pages; a real worker sends, follows and saves
them. In some rounds, every run's page is open. The sandbox counts all requests from the first start to the last known
end. The portal also reads runs by id before they end, to get partial results; these reads use spare budget and are
listed separately. An end counts as known once the portal has processed a list of runs that shows it; reading the
results takes another request. If Lamina's rate limit leaves no room for these requests when the runs end, the target is
1.2 times the delay that the limit alone causes (`tests.bench.ideal_poller`).

`python -m tests.bench economy --only "economy, 10 at once | quick start, 40"` measures the rows whose titles contain
the words of either part.
"""

import re
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from django.conf import settings

from runs.models import App, OutputFile, Run
from tests.bench import ideal_poller, quick_start
from tests.bench.portal import Portal
from tests.bench.report import Report, number, percentile
from tests.support.processes import wait_until
from tests.support.visitor import Visitor

POLL_SECONDS = 2.5  # seconds between an open page's polls
TIMEOUT_SECONDS = 420.0
STREAMS = 40  # how many runs the portal can follow live
MAX_FOLLOWED_SECONDS = 2.3  # Lamina checks every 2 s
MAX_AFTER_EVENT_SECONDS = 0.3
MAX_EARLY_SECONDS = 4.0
MAX_DELAY_SECONDS = {50: 3.0}
MAX_DELAY_BEYOND_SECONDS = 5.0
TIMES_FORCED = 1.2
MAX_OWN = 2  # requests for each run: its start and its final read
MAX_PER_FOLLOWED_RUN = 2.2
MAX_PER_RUN = 2.7
MAX_PER_MINUTE = 100
MAX_COPY_SECONDS = 60.0
SPREAD_SECONDS = (25.0, 35.0)


@dataclass(frozen=True)
class Round:
    """`count` runs started at once. With `is_spread`, they take between 25 and 35 s instead of exactly 30 s. With
    `is_watched`, each run's page is open."""

    words: str
    count: int
    is_watched: bool = False
    is_spread: bool = False

    @property
    def is_followed(self) -> bool:
        """Whether the portal can follow all of the runs live."""
        return self.count <= STREAMS


COUNTS = (1, 10, 40, 50, 100, 200)
PLAIN = tuple(Round(f"{count} at once", count) for count in COUNTS)
WATCHED = tuple(Round(f"{count} at once, with open pages", count, is_watched=True) for count in (1, 10, 40))
# If all runs took the same time, they would all end at the same point in a polling interval, and the delay would come
# down to luck. These runs end at different points, but take the same time on average.
SPREAD = Round("20 of 25 to 35 s", 20, is_spread=True)
# With more runs than the portal can follow live, the quick start would mostly wait for Lamina's rate limit.
QUICK = (*(each for each in PLAIN if each.count <= STREAMS), SPREAD)


def bench(portal: Portal, report: Report) -> None:
    portal.load_catalog()
    measure_portal_rounds(portal, report)
    for title, each in rows_of(portal, "quick start", QUICK):
        with report.part(title):
            measure_quick_start(portal, report, each)


def rows_of(portal: Portal, what: str, rounds: Sequence[Round]) -> list[tuple[str, Round]]:
    """Return the rounds to measure, each with its title."""
    wanted = [words.strip() for words in portal.only.split("|")]
    titled = [(f"{what}, {each.words}", each) for each in rounds]
    return [(title, each) for title, each in titled if any(words in title for words in wanted)]


def measure_portal_rounds(portal: Portal, report: Report) -> None:
    rows = rows_of(portal, "economy", (*PLAIN, *WATCHED, SPREAD))
    if not rows:
        return
    web, worker = portal.start_web(), portal.start_worker()
    visitor = Visitor(portal.url, portal.make_member("demo"))
    path = App.objects.get(remote_id=quick_start.CARTOONIFY).get_absolute_url()
    for title, each in rows:
        with report.part(title):
            measure_portal(portal, report, visitor, path, each)
    portal.processes.stop(web)
    portal.processes.stop(worker)


def begin_anew(portal: Portal, each: Round) -> None:
    """Reset the portal and the sandbox as if after a quiet minute, and set how long the next runs will take."""
    portal.begin_anew()
    shortest, longest = SPREAD_SECONDS
    for place in range(each.count if each.is_spread else 0):
        portal.sandbox.order("script", seconds=shortest + (longest - shortest) * (place + 0.5) / each.count)


def measure_portal(portal: Portal, report: Report, visitor: Visitor, path: str, each: Round) -> None:
    forms = [visitor.open_form(path) for _ in range(each.count)]
    begin_anew(portal, each)
    begun_at = time.time()
    with ThreadPoolExecutor(each.count) as pool:
        pages = [answer.headers["Location"] for answer in pool.map(lambda form: visitor.press_run(path, form), forms)]
    runs = Run.objects.filter(public_id__in=[page.split("/")[-2] for page in pages])
    onlookers = [Onlooker(visitor, page) for page in pages] if each.is_watched else []
    with ExitStack() as open_pages:
        for onlooker in onlookers:
            open_pages.enter_context(onlooker)
        wait_until(lambda: not runs.active().exists(), "every run to end", TIMEOUT_SECONDS)
    state = portal.sandbox.state
    ended = {run["runId"]: seconds(run["finishedAt"]) for run in state["runs"] if run["finishedAt"]}
    read = {run.remote_id: run.finished_at.timestamp() for run in runs if run.finished_at}
    known = {run.remote_id: (run.ended_at or run.finished_at).timestamp() for run in runs if run.finished_at}
    limit = MAX_PER_FOLLOWED_RUN if each.is_followed else MAX_PER_RUN
    report_counts(report, state, ended, each.count, until=max(read.values()), limit=limit)
    told_target, read_target = targets(report, each, state, list(ended.values()))
    report_delays(report, since(ended, known), each.count, target=told_target)
    if each.is_followed:
        told = {run["runId"]: seconds(run["toldAt"]) for run in state["runs"] if run["toldAt"]}
        delays = since(told, known)
        aside = f"median {number(median(delays))}, {len(delays)} of {each.count} told"
        report.at_most(
            "known after Lamina told it, p95", percentile(delays, 95), MAX_AFTER_EVENT_SECONDS, " s", aside=aside
        )
    if each.is_watched:
        report_early_results(report, state, {run.remote_id: run.public_id for run in runs}, onlookers)
    delays, words = since(ended, read), "delay until the results are read, p95"
    report.at_most(words, percentile(delays, 95), read_target, " s", aside=f"median {number(median(delays))}")
    looks = [seconds(r["at"]) for r in state["requests"] if r["endpoint"] == "runs"]
    shown = [min((at for at in looks if at >= end), default=end) - end for end in ended.values()]
    if not each.is_followed:
        report.note("of which until the list was read, p95", f"{number(percentile(shown, 95))} s")
    handed_over = [run.started_at.timestamp() - begun_at for run in runs if run.started_at]
    report.note("last run handed over after", f"{number(max(handed_over))} s")
    report_copies(portal, report, runs, ended, target=max(MAX_COPY_SECONDS, read_target))


def since(ended: dict[str, float], known: dict[str, float]) -> list[float]:
    """Return the number of seconds between each run's time in `ended` and its time in `known`."""
    return [known[run_id] - ended[run_id] for run_id in known if run_id in ended]


def report_early_results(
    report: Report, state: dict[str, Any], ours: dict[str, str], onlookers: Sequence["Onlooker"]
) -> None:
    """Report how long early results (all but each run's last one) took to appear on the run's page once Lamina had
    them. `ours` maps the runs' ids on Lamina to their ids in the portal."""
    landed = {ours[run["runId"]]: [seconds(at) for at in run["landsAt"]] for run in state["runs"]}
    delays = [
        next(at for at, shown in onlooker.seen if shown > place) - landed_at
        for onlooker in onlookers
        for place, landed_at in enumerate(landed[onlooker.run_id][:-1])
    ]
    aside = f"median {number(median(delays))}, p95 {number(percentile(delays, 95))}, {len(delays)} results"
    report.at_most("early results on the open page after", max(delays), MAX_EARLY_SECONDS, " s", aside=aside)


class Onlooker:
    """Somebody who has a run's page open during the block. `seen` records how many results the page showed, and
    when."""

    def __init__(self, visitor: Visitor, path: str) -> None:
        self.visitor, self.path = visitor, path
        self.run_id = path.split("/")[-2]
        self.seen: list[tuple[float, int]] = []
        self.closed = threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.closed.set()
        self.thread.join(10)

    def _look(self) -> None:
        self.visitor.get(self.path)
        while not self.closed.wait(POLL_SECONDS):
            page = self.visitor.get(f"{self.path}status/?v=0", **{"HX-Request": "true"})
            self.seen.append((time.time(), len(re.findall(r'class="output output-(?!pending)', page.text))))


def measure_quick_start(portal: Portal, report: Report, each: Round) -> None:
    begin_anew(portal, each)
    followed = quick_start.run_many(portal.sandbox, each.count)
    state = portal.sandbox.state
    ended = {run["runId"]: seconds(run["finishedAt"]) for run in state["runs"] if run["finishedAt"]}
    known = {one.run_id: one.known_at for one in followed if one.known_at is not None}
    report_counts(report, state, ended, each.count, until=max(known.values()), limit=None)
    report_delays(report, [known[run_id] - ended[run_id] for run_id in known], each.count, target=None)


def targets(report: Report, each: Round, state: dict[str, Any], ends: list[float]) -> tuple[float, float]:
    """Return the target delays for noticing an end and for reading its results: either fixed, or 1.2 times the delays
    that the limit alone causes."""
    if each.is_followed:
        return MAX_FOLLOWED_SECONDS, MAX_FOLLOWED_SECONDS
    starts = [seconds(r["at"]) for r in state["requests"] if r["endpoint"] == "run_start"]
    look_seconds = settings.LAMINA_POLL_SECONDS
    least = ideal_poller.delays(starts, ends, per_minute=MAX_PER_MINUTE, look_seconds=look_seconds)
    told, read = percentile(least.told, 95), percentile(least.read, 95)
    report.note("delays p95 due to the limit alone: end, results", f"{number(told)} s, {number(read)} s")
    beyond = max(MAX_DELAY_BEYOND_SECONDS, TIMES_FORCED * told)
    return MAX_DELAY_SECONDS.get(each.count, beyond), max(MAX_DELAY_BEYOND_SECONDS, TIMES_FORCED * read)


def report_counts(
    report: Report,
    state: dict[str, Any],
    ended: dict[str, float],
    count: int,
    *,
    until: float,
    limit: float | None,
) -> None:
    """Add rows for the requests that the sandbox counted up to the Unix time `until`. The target is at most `limit`
    requests per run, not counting estimates and the like; without a limit, there is no target."""
    sent = [r for r in state["requests"] if r["path"].startswith("/v1/") and seconds(r["at"]) <= until]
    partial = [r for r in sent if r["endpoint"] == "run" and seconds(r["at"]) < ended.get(r["runId"], until)]
    kinds = Counter(r["endpoint"] for r in sent)
    extra = len(partial) if limit else 0  # the quick start reads no partial results
    about_runs = [kinds["run_start"], kinds["stream"], kinds["runs"], kinds["run"] - extra]
    per_run = sum(about_runs) / count
    if limit:
        report.at_most("requests per run", per_run, limit)
    else:
        report.note("requests per run", number(per_run))
    words = ", ".join(str(one) for one in [*about_runs, len(sent) - sum(about_runs) - extra])
    report.note("starts, streams, list reads, reads by id, others", words)
    if limit:
        report.note("reads for partial results", str(extra))
        own = (kinds["run_start"] + kinds["stream"] + kinds["run"] - extra) / count
        report.at_most("a run's own requests", own, MAX_OWN)
        report.at_most("most requests in any 60 s", state["most_in_a_minute"], MAX_PER_MINUTE)
        report.at_most("responses with status 429", state["refused_429"], 0)
    else:
        report.note("most requests in any 60 s", str(state["most_in_a_minute"]))
        report.note("responses with status 429", str(state["refused_429"]))


def report_delays(report: Report, delays: list[float], count: int, *, target: float | None) -> None:
    """Add rows for the number of seconds between the end of each run on Lamina and the portal noticing it. `target` may
    be None."""
    missed = count - len(delays)
    p95, middle = percentile(delays, 95), f"median {number(median(delays))}, max {number(max(delays))}"
    if target is None:
        report.note("runs never started or end never known", str(missed))
        report.note("delay p95", f"{number(p95)} s ({middle})")
    else:
        report.at_most("runs whose end was never known", missed, 0)
        report.at_most("delay p95", p95, target, " s", aside=middle)


def report_copies(portal: Portal, report: Report, runs: Any, ended: dict[str, float], *, target: float) -> None:
    """Report how long it took to save each run's results after the run had ended on Lamina."""
    portal.await_quiet(TIMEOUT_SECONDS)
    saved = OutputFile.objects.filter(output__run__in=runs, status="saved").select_related("file", "output__run")
    ages = [f.file.created_at.timestamp() - ended[f.output.run.remote_id] for f in saved if f.file]
    report.at_most("results saved after, p95", percentile(ages, 95), target, " s", aside=f"{len(ages)} files")


def seconds(moment: str) -> float:
    """Return an ISO time as Unix seconds."""
    return datetime.fromisoformat(moment).timestamp()
