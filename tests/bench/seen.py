"""Measures how long an open page takes to show what the portal already knows.

Each run's page is open in a real Chromium, which notes when the run's end and its first picture appear. The runs take
between half and one and a half times as long as usual; each picture is about 2 MB. Then ten runs end together, once
normally and once while a 500 MB video is being saved.
"""

import io
import random
import time
from collections.abc import Sequence
from datetime import timedelta
from statistics import median
from typing import Any

import requests
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page

from runs import catalog
from runs.engine.durations import on_run_ended
from runs.models import App, Member, OutputFile, Run
from tests.bench.browser import chromium
from tests.bench.first_view import new_context
from tests.bench.portal import Portal
from tests.bench.quick_start import KEY
from tests.bench.report import Report, number, percentile
from tests.support.factories import make_run
from tests.support.visitor import Visitor

TURNS, PAGES = 4, 10
USUAL_SECONDS = 12.0
SPREAD = (0.5, 1.5)
TOGETHER_SECONDS = 8.0
PICTURE_BYTES, FILM_BYTES = 2_000_000, 500_000_000
SIDE = 820  # px; a square of noise this wide takes about PICTURE_BYTES bytes
MAX_MEDIAN, MAX_P95 = 0.7, 1.3
MAX_PICTURE, MAX_TOGETHER = 2.0, 5.0
PATIENCE = 240.0  # maximum number of seconds to wait
WEBM = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm"
NOTE = {"id": "n", "key": "", "name": "Note", "type": "text", "default": "A red bicycle"}
OBSERVE = """() => {
  window.seen = {};
  const note = (what) => { seen[what] ??= Date.now() / 1000; };
  const look = () => {
    // The page stays active while it saves the results
    const state = document.querySelector("#run-panel").dataset.state;
    if (["ready", "partly", "failed"].includes(state)) note("end");
    for (const picture of document.querySelectorAll(".output-stage img"))
      if (picture.complete && picture.naturalWidth) note("picture");
  };
  new MutationObserver(look).observe(document.body, {subtree: true, childList: true, attributes: true});
  document.addEventListener("load", look, true);
  look();
}"""


def bench(portal: Portal, report: Report) -> None:
    portal.load_catalog()
    portal.start_web()
    portal.start_worker()
    member = portal.make_member("demo")
    visitor = Visitor(portal.url, member)
    pictures, films = make_app(portal, "bench-picture", "image"), make_app(portal, "bench-film", "video")
    with chromium() as browser:
        watch = Watch(portal, visitor, browser, member, pictures)
        with report.part(f"{TURNS * PAGES} runs with open pages"):
            measure_ends(portal, report, watch)
        with report.part(f"{PAGES} runs that end together"):
            measure_together(report, watch)
        with report.part(f"{PAGES} runs that end while a video of 500 MB is saved"):
            measure_beside_film(report, watch, films)


def make_app(portal: Portal, app_id: str, kind: str) -> App:
    """Add an app with one text parameter and one result of type `kind` to the sandbox, and have the portal read it."""
    put_app(portal, app_id, kind)
    row = App.objects.create(remote_id=app_id, name="not read yet")
    catalog.refresh_app(row.pk)
    return App.objects.get(pk=row.pk)


def put_app(portal: Portal, app_id: str, kind: str) -> None:
    """Add the app to the sandbox, which forgets it whenever it is reset."""
    outputs = [{"index": 0, "label": "Result", "type": kind}]
    portal.sandbox.order("apps", app={"appId": app_id, "name": app_id, "parameters": [NOTE], "outputs": outputs})


class Watch:
    """Presses Run, and opens each run's page in Chromium."""

    def __init__(self, portal: Portal, visitor: Visitor, browser: Browser, member: Member, app: App) -> None:
        self.portal, self.visitor, self.app = portal, visitor, app
        self.context: BrowserContext = new_context(browser, portal, member)
        self.picture = upload(portal, "noise.png", "image", noise(SIDE))

    def press(self, app: App, seconds: float, value: str = "") -> str:
        """Start a run that takes `seconds`; return the address of its page."""
        values = {"0": value or self.picture}
        self.portal.sandbox.order("script", appId=app.remote_id, seconds=seconds, values=values)
        path = app.get_absolute_url()
        return self.visitor.press_run(path, self.visitor.open_form(path)).headers["Location"]

    def delays(self, addresses: Sequence[str], what: str) -> list[float]:
        """For each run, return the seconds between the portal learning that it had ended and its page showing
        `what`."""
        return [self.seen[address][what] - known_at(address) for address in addresses]

    def run(self, spans: Sequence[float], *, is_together: bool = False) -> list[str]:
        """Start one run for each of `spans`: how many seconds the run takes or, if `is_together`, how many seconds
        after the first press it ends. Follow the runs' pages until each shows its picture."""
        begun, addresses = time.monotonic(), list[str]()
        for seconds in spans:
            passed = time.monotonic() - begun if is_together else 0.0
            addresses.append(self.press(self.app, max(0.0, seconds - passed)))
        pages = {address: self.open(address) for address in addresses}
        self.seen = {address: self.await_picture(page) for address, page in pages.items()}
        self.portal.await_quiet(PATIENCE)
        return addresses

    def open(self, address: str) -> Page:
        page = self.context.new_page()
        page.goto(f"{self.portal.url}{address}")
        page.evaluate(OBSERVE)
        return page

    def await_picture(self, page: Page) -> dict[str, float]:
        page.wait_for_function("() => seen.picture && seen.end", timeout=PATIENCE * 1000)
        seen: dict[str, float] = page.evaluate("() => seen")
        page.close()
        return seen

    seen: dict[str, dict[str, float]]


def known_at(address: str) -> float:
    """Return when the portal learned that the run had ended, as a Unix timestamp."""
    run = run_at(address)
    moment = run.ended_at or run.finished_at
    assert moment is not None
    return moment.timestamp()


def run_at(address: str) -> Run:
    return Run.objects.get(public_id=address.split("/")[-2])


def measure_ends(portal: Portal, report: Report, watch: Watch) -> None:
    chance = random.Random(7)
    spans = [chance.uniform(*SPREAD) * USUAL_SECONDS for _ in range(TURNS * PAGES)]
    make_past(watch.app, spans)
    ends, pictures = list[float](), list[float]()
    for turn in range(TURNS):
        addresses = watch.run(spans[turn * PAGES : (turn + 1) * PAGES])
        ends += watch.delays(addresses, "end")
        pictures += watch.delays(addresses, "picture")
    report.at_most("from known to seen, median", median(ends), MAX_MEDIAN, " s")
    report.at_most("from known to seen, p95", percentile(ends, 95), MAX_P95, " s", aside=f"max {number(max(ends))}")
    aside = f"median {number(median(pictures))}"
    report.at_most("from known to the picture, p95", percentile(pictures, 95), MAX_PICTURE, " s", aside=aside)


def make_past(app: App, spans: Sequence[float]) -> None:
    """Create earlier runs of the app, one for each number of seconds in `spans`, so that pages know when its runs
    usually end."""
    member = Member.objects.create_user("past@example.com", "a long enough password", name="Past")
    begun = timezone.now() - timedelta(hours=1)
    for span in spans:
        ended = begun + timedelta(seconds=span)
        run = make_run(member, app, status="completed", created_at=begun, running_at=begun, finished_at=ended)
    on_run_ended(run)


def measure_together(report: Report, watch: Watch) -> None:
    pictures = watch.delays(watch.run([TOGETHER_SECONDS] * PAGES, is_together=True), "picture")
    report.at_most("from known to each picture, slowest", max(pictures), MAX_TOGETHER, " s")


def measure_beside_film(report: Report, watch: Watch, films: App) -> None:
    film = upload(watch.portal, "film.webm", "video", WEBM + bytes(FILM_BYTES - len(WEBM)))
    address = watch.press(films, TOGETHER_SECONDS, film)
    addresses = watch.run([TOGETHER_SECONDS] * PAGES, is_together=True)
    report.at_most("from known to each picture, slowest", max(watch.delays(addresses, "picture")), MAX_TOGETHER, " s")
    kept = OutputFile.objects.select_related("file").get(output__run=run_at(address)).file
    saved_at = kept.created_at.timestamp() if kept else 0.0
    report.note("the video saved after", f"{number(saved_at - known_at(address))} s" if kept else "not saved")
    beside = sum(known_at(address) < known_at(one) < saved_at for one in addresses)
    report.at_least("pictures known while the video was being saved", beside, 1)


def upload(portal: Portal, name: str, kind: str, content: bytes) -> str:
    """Upload a file to the sandbox; return its address there."""
    files = {"files": [{"filename": name, "mediaType": kind}]}
    headers = {"x-api-key": KEY}
    answer = requests.post(f"{portal.sandbox.url}/v1/assets/upload-urls", json=files, headers=headers, timeout=30)
    answer.raise_for_status()
    target: dict[str, Any] = answer.json()["data"]["uploads"][0]
    requests.put(target["uploadUrl"], data=content, timeout=PATIENCE).raise_for_status()
    return str(target["assetUrl"])


def noise(side: int, seed: int = 1) -> bytes:
    """Return a PNG of noise, which can't be compressed: three bytes per pixel. The same `seed` always gives the same
    picture."""
    picture = Image.frombytes("RGB", (side, side), random.Random(seed).randbytes(3 * side * side))
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()
