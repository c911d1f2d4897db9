"""Measures how much a first visit loads and how fast it is, in a real Chromium with nothing cached.

Chromium counts the transferred bytes, including headers; static files come compressed from the real web server. A
headless browser doesn't fetch the favicon, so its size is added.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import requests
from playwright.sync_api import Browser, BrowserContext, Page

from runs.models import App, Member, Run
from tests.bench.browser import chromium
from tests.bench.portal import Portal
from tests.bench.quick_start import CARTOONIFY
from tests.bench.report import Report, number
from tests.support.processes import wait_until
from tests.support.visitor import Visitor, session_cookie

KB = 1000
LANGUAGES = {"": "en", " in German": "de"}  # words for the table, and the browser's language
MAX_OF = {"sign-in page": (40, 7), "app page": (65, 16)}  # maximum KB and number of requests per page
KINDS = {"Document": "HTML", "Stylesheet": "CSS", "Script": "JavaScript"}
CARDS = 24
MAX_GALLERY_KB = 1000
SLOWED = 4
LOADS = 5
MAX_LCP_MS = 600
MAX_CLS = 0.05
MAX_INP_MS = 50
TYPED = "cartoon"
LONGEST_FORM = "Brand Campaign Planner"
# Apps that don't need a file; some make one picture, some make several.
GALLERY_APPS = (CARTOONIFY, "card-options-25", "card-no-inputs", "card-same-outputs")

OBSERVE = """() => {
  window.seen = {lcp: 0, cls: 0, inp: 0};
  const watch = (type, note, more) => new PerformanceObserver(list => list.getEntries().forEach(note))
    .observe({type, buffered: true, ...more});
  watch("largest-contentful-paint", entry => { seen.lcp = entry.startTime; });
  watch("layout-shift", entry => { if (!entry.hadRecentInput) seen.cls += entry.value; });
  watch("event", entry => { seen.inp = Math.max(seen.inp, entry.duration); }, {durationThreshold: 16});
}"""


def bench(portal: Portal, report: Report) -> None:
    portal.load_catalog()
    portal.start_web()
    member = portal.make_member("demo")
    app = App.objects.get(remote_id=CARTOONIFY).get_absolute_url()
    longest = App.objects.get(name=LONGEST_FORM).get_absolute_url()
    with chromium() as browser:
        for words, language in LANGUAGES.items():
            for name, address, visitor in (("sign-in page", "/login/", None), ("app page", app, member)):
                with report.part(f"first view, {name}{words}"):
                    report_weight(report, weigh(browser, portal, address, visitor, language), *MAX_OF[name])
        with report.part(f"gallery of {CARDS} cards"):
            make_gallery(portal, member)
            measure_gallery(report, weigh(browser, portal, "/history/", member))
        with report.part("app page of somebody who has used the app"):
            again = weigh(browser, portal, app, member)
            report.note("all, with nothing cached", f"{number(again.total / KB)} KB, {again.requests} requests")
        for name, address, visitor, box in (
            ("home", "/", member, "main input[type=search]"),
            ("app page", longest, member, "main textarea"),
            ("sign-in page", "/login/", None, "input[name=username]"),
        ):
            with report.part(f"{name}, processor slowed {SLOWED} times"):
                measure_vitals(report, [load_slowed(browser, portal, address, visitor, box) for _ in range(LOADS)])


@dataclass
class Weight:
    """What one page loaded: bytes by kind of resource (as Chromium names it). Apps' pictures and runs' pictures are
    counted separately."""

    bytes_by_kind: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    requests: int = 0
    pictures: list[int] = field(default_factory=list)
    urls: dict[str, tuple[str, str]] = field(default_factory=dict)  # address and kind, keyed by Chromium's request id

    def begun(self, event: dict[str, Any]) -> None:
        address, kind = event["request"]["url"], event.get("type", "Other")
        if address.startswith("http"):
            self.urls[event["requestId"]] = (address, kind)
            self.requests += "/files/" not in address

    def finished(self, event: dict[str, Any]) -> None:
        address, kind = self.urls.get(event["requestId"], ("", "Other"))
        if "/files/" in address:
            self.pictures.append(int(event["encodedDataLength"]))
        else:
            self.bytes_by_kind[kind] += int(event["encodedDataLength"])

    @property
    def total(self) -> int:
        return sum(self.bytes_by_kind.values())


def new_context(browser: Browser, portal: Portal, member: Member | None, language: str = "en") -> BrowserContext:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale=language)
    if member is not None:
        name, value = session_cookie(member)
        context.add_cookies([{"name": name, "value": value, "url": portal.url}])
    return context


def weigh(browser: Browser, portal: Portal, address: str, member: Member | None, language: str = "en") -> Weight:
    """Load the page at `address` in a fresh browser, scroll to the bottom, and count the bytes."""
    context = new_context(browser, portal, member, language)
    page, weight = context.new_page(), Weight()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.on("Network.requestWillBeSent", weight.begun)
    wire.on("Network.loadingFinished", weight.finished)
    page.goto(f"{portal.url}{address}", wait_until="networkidle")
    if member is not None and "/login/" in page.url:
        raise RuntimeError("the browser is not signed in")
    scroll_to_end(page)
    icon = page.locator("link[rel=icon]").first.get_attribute("href")
    context.close()
    if icon and not any(url.endswith(icon) for url, _ in weight.urls.values()):
        answer = requests.get(f"{portal.url}{icon}", timeout=10, stream=True)
        weight.requests += 1
        weight.bytes_by_kind["Icon"] += len(answer.raw.read()) + len(str(answer.headers))
    return weight


def scroll_to_end(page: Page) -> None:
    """Scroll every lazy-loaded picture into view."""
    for _ in range(20):
        page.mouse.wheel(0, 700)
        page.wait_for_load_state("networkidle")
        if page.evaluate("() => innerHeight + scrollY >= document.documentElement.scrollHeight - 2"):
            return


def report_weight(report: Report, weight: Weight, most_kb: int, most_requests: int) -> None:
    report.at_most("all", weight.total / KB, most_kb, " KB")
    report.at_most("requests", weight.requests, most_requests)
    for kind, word in KINDS.items():
        report.note(word, f"{number(weight.bytes_by_kind[kind] / KB)} KB")


def make_gallery(portal: Portal, member: Member) -> None:
    """Start CARDS runs with real results in the portal, and wait until they are saved."""
    portal.start_worker()
    visitor = Visitor(portal.url, member)
    paths = {app.remote_id: app.get_absolute_url() for app in App.objects.filter(remote_id__in=GALLERY_APPS)}
    for place in range(CARDS):
        path = paths[GALLERY_APPS[place % len(GALLERY_APPS)]]
        visitor.press_run(path, visitor.open_form(path))
    wait_until(lambda: not Run.objects.active().exists(), "all runs of the gallery to end", 60)
    portal.await_quiet()


def measure_gallery(report: Report, weight: Weight) -> None:
    if len(weight.pictures) < CARDS:
        raise RuntimeError(f"only {len(weight.pictures)} pictures were loaded")
    pictures = sum(weight.pictures)
    report.at_most("pictures", pictures / KB, MAX_GALLERY_KB, " KB", aside=f"{len(weight.pictures)} of them")
    report.at_most("largest picture", max(weight.pictures) / KB, 40, " KB")
    report.at_most("the whole page", (pictures + weight.total) / KB, MAX_GALLERY_KB, " KB")


def measure_vitals(report: Report, loads: list[dict[str, float]]) -> None:
    lcp = [load["lcp"] for load in loads]
    report.at_most(f"LCP, median of {LOADS}", median(lcp), MAX_LCP_MS, " ms", aside=f"slowest {max(lcp):.0f}")
    report.at_most(f"CLS, worst of {LOADS}", max(load["cls"] for load in loads), MAX_CLS)
    inp = [load["inp"] for load in loads]
    report.at_most(f"INP of typing, median of {LOADS}", median(inp), MAX_INP_MS, " ms", aside=f"worst {max(inp):.0f}")


def load_slowed(browser: Browser, portal: Portal, address: str, member: Member | None, box: str) -> dict[str, float]:
    """Return the LCP (ms), CLS and INP (ms) of the page at `address`, measured while typing into its field `box` (a
    selector) in a fresh, slowed-down browser."""
    context = new_context(browser, portal, member)
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
    page.goto(f"{portal.url}{address}", wait_until="networkidle")
    page.evaluate(OBSERVE)
    page.locator(box).first.press_sequentially(TYPED, delay=60)
    page.wait_for_load_state("networkidle")
    seen: dict[str, float] = page.evaluate("() => window.seen")
    context.close()
    if not seen["lcp"]:
        raise RuntimeError("Chromium reported no largest paint")
    return seen
