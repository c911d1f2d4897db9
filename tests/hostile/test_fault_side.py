"""Faults in other calls: the catalogue, forms, prices, the balance, and result and upload files."""

from contextlib import nullcontext

import pytest
from django.core.cache import cache
from django.utils import timezone
from django_q.models import OrmQ

from runs import catalog
from runs.connection import balance, lamina_api
from runs.models import App, LaminaStatus, Member, OutputFile, Run
from tests.hostile.browser import Browser
from tests.hostile.faults import FAULTS, READ_FAULTS, Outcome, age_files, app_like, judge, known
from tests.support.page import Page
from tests.support.quick_portal import hurry, impatience, is_at_rest, step, work_until
from tests.support.sandbox_door import SandboxDoor

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]
FILE_FAULTS = READ_FAULTS | {
    "web page": {"fault": "html", "status": 200},
    "410": {"fault": "status", "status": 410},
}
CATALOGUE = ("apps", "app", "estimate", "usage")


@pytest.fixture(params=[False, True], ids=["once", "lasting"])
def is_lasting(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def refresh(app: App) -> None:
    """Immediately send all the requests that keep the catalogue up to date."""
    App.objects.update(schema_fetched_at=None, schema_asked_at=None, estimated_at=None)
    cache.clear()
    catalog.refresh_catalog()
    catalog.refresh_app(app.pk)
    balance.refresh_balance()
    step()


def forget_all_but(door: SandboxDoor, *kept: str) -> None:
    """Remove all apps except `kept` from the sandbox, because drawing all the apps' pictures would take too long."""
    for summary in lamina_api.lamina().list_apps():
        if summary.app_id not in kept:
            door._ask("DELETE", f"apps/{summary.app_id}")


@pytest.mark.parametrize("endpoint", CATALOGUE)
def test_the_catalogue_stays(lamina_door: SandboxDoor, browser: Browser, endpoint: str, is_lasting: bool) -> None:
    app = known(lamina_door, app_like("side"))
    forget_all_but(lamina_door, "side")
    refresh(app)
    outcomes = []
    for name, order in READ_FAULTS.items():
        outcome = Outcome(endpoint, name, is_lasting)
        outcomes.append(outcome)
        hurry()
        lamina_door.control("faults", endpoint=endpoint, times=None if is_lasting else 1, **order)
        with impatience(endpoint) if name == "delay" else nullcontext():
            refresh(app)
        form, home = browser.page(app.get_absolute_url()), browser.page("/")
        gone = (endpoint, name, is_lasting) == ("app", "404", True)
        if gone != ("Lamina no longer offers this app." in form.words):
            outcome.problems.append("gone, or not gone")
        if not form.find(id="app-form") or (not gone and app_name() not in home.words):
            outcome.problems.append("the form or the app has disappeared")
        outcome.words = " ".join(e.words for e in [*form.find(css="launch-cost"), *form.find(css="banner")])
        lamina_door.clear_faults()
        if not is_lasting:
            continue
        hurry()
        refresh(app)
        if browser.page("/history/").find(css="banner"):
            outcome.problems.append("the banner stays")
    judge(outcomes)


def app_name() -> str:
    return App.objects.get().name


@pytest.mark.parametrize("endpoint", ["app", "estimate"])
@pytest.mark.parametrize("name", ["500", "garbage", "drop before", "empty"])
def test_one_odd_app_does_not_delay_others(lamina_door: SandboxDoor, alice: Member, endpoint: str, name: str) -> None:
    """Calls for the first app always fail; the other apps still get their forms and prices."""
    forget_all_but(lamina_door)
    for app_id in ("first", "second", "third"):
        lamina_door.control("apps", app=app_like(app_id))
    lamina_door.control("faults", endpoint=endpoint, times=None, appId="first", **FAULTS[name])

    catalog.refresh_catalog()

    whole = App.objects.exclude(schema=None).exclude(credits_expected=None)
    assert set(whole.values_list("remote_id", flat=True)) >= {"second", "third"}


def test_files_of_results(lamina_door: SandboxDoor, browser: Browser, is_lasting: bool) -> None:
    picture = f"{lamina_door.url}/thumbs/sandbox-caption.webp"
    app = known(lamina_door, app_like("file", kind="image", values={"0": picture}))
    outcomes = []
    for name, order in FILE_FAULTS.items():
        outcome = Outcome("file", name, is_lasting, posts=1, runs=1)
        outcomes.append(outcome)
        lamina_door.control("faults", endpoint="file", times=None if is_lasting else 1, **order)
        with impatience("file") if name == "delay" else nullcontext():
            run = browser.press(browser.open(app))
            work_until(lambda: not Run.objects.active().exists())
            step()
        box = box_of(browser, run)
        outcome.meanwhile = state_of_box(box)
        if is_lasting and name not in ("garbage", "delay"):
            assert OutputFile.objects.get(output__run=run).due_at, "nobody would come again"
            age_files()
        elif not is_lasting:
            lamina_door.clear_faults()
        if name == "delay":
            lamina_door.clear_faults()
        work_until(is_at_rest)
        lamina_door.clear_faults()
        box = box_of(browser, run)
        outcome.end, outcome.words = state_of_box(box), box.words
        judge_box(outcome, box, picture)
        OrmQ.objects.all().delete()
    judge(outcomes)


def box_of(browser: Browser, run: Run) -> Page:
    page = browser.page(run.get_absolute_url())
    assert page.first(css="run-sentence").words.startswith("Ready")
    part = Page("")
    part.root = page.first(css="output")
    return part


def state_of_box(box: Page) -> str:
    return next(name.removeprefix("output-") for name in box.root.classes if name.startswith("output-"))


def judge_box(outcome: Outcome, box: Page, original: str) -> None:
    if outcome.fault == "garbage":  # it came with a 200, so it is saved as a download, but never shown
        is_right = outcome.end == "ready" and bool(box.find("a", css="output-other"))
    elif outcome.is_lasting and outcome.fault != "delay":
        hrefs = [e.attributes["href"] or "" for e in box.find("a")]
        link = [href for href in hrefs if href.startswith("http")]
        is_right = (outcome.meanwhile, outcome.end, link) == ("saving", "unsaved", [original])
        is_right = is_right and "We couldn't save a copy." in box.words and "Try to fetch again" in box.words
    else:
        is_right = outcome.end == "ready" and bool(box.find("img"))
    if not is_right:
        outcome.problems.append("the box is wrong")


def test_the_banner_says_since_when_lamina_is_away(lamina_door: SandboxDoor, browser: Browser) -> None:
    lamina_door.control("faults", endpoint="*", fault="drop_before", times=None)
    balance.refresh_balance()
    since = timezone.localtime(LaminaStatus.objects.get().away_since)
    banner = browser.page("/").first(css="banner")
    assert "Lamina hasn't been answering since" in banner.words
    assert "New runs wait and start by themselves when it's back. Nothing is lost" in banner.words
    assert banner.first("time").words == f"{since:%H:%M}"
