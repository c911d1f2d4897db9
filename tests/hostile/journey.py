"""Opens every app in the sandbox's catalogue, fills in its form, runs it and views its results, all through the
portal's pages."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runs import catalog
from runs.models import App, Member, Run
from runs.sandbox import catalogue
from tests.hostile.browser import Browser
from tests.hostile.form import Form
from tests.hostile.media import png, wav
from tests.support.page import Page
from tests.support.processes import TIMEOUT_SECONDS
from tests.support.quick_portal import is_at_rest, step, work_until
from tests.support.sandbox_door import SandboxDoor

APPS = catalogue.load_catalogue(has_test_cards=True)
APP_IDS = list(APPS)
SLOW = [app_id for app_id, app in APPS.items() if app["sandbox"].get("seconds")]
WRITTEN = "  two spaces  \nline two\n<b>{{ 7*7 }}</b> {% debug %} \u202eback  "  # typed into every text field


@dataclass
class Journey:
    """The pages that were seen while running one app, and what the sandbox received."""

    detail: dict[str, Any]
    expected: dict[str, Any] = field(default_factory=dict)  # the inputs that Lamina must receive
    form: Page = field(default_factory=lambda: Page(""))
    run_page: Page = field(default_factory=lambda: Page(""))
    fragment: Page = field(default_factory=lambda: Page(""))
    history: Page = field(default_factory=lambda: Page(""))
    record: dict[str, Any] = field(default_factory=dict)  # the sandbox's record of the run
    card_id: str = ""


def travel(door: SandboxDoor) -> tuple[dict[str, Journey], list[Page]]:
    """Run every app; return the journeys by app id, and the pages that show many apps (Home, the catalogue)."""
    member = Member.objects.create_user("traveller@example.com", "a long enough password", name="Traveller")
    browser = Browser.of(member)
    for app_id in SLOW:
        door.control("script", appId=app_id, seconds=0, times=None)
    door.control("balance", balance=100_000)
    catalog.refresh_catalog()
    # the catalogue has more apps than the portal would read on its own
    for pk in App.objects.filter(schema=None).values_list("pk", flat=True):
        catalog.refresh_app(pk)
    apps = {app.remote_id: app for app in App.objects.select_related("schema")}
    journeys = {app_id: Journey(APPS[app_id]) for app_id in APP_IDS}
    runs = {app_id: _press(browser, apps[app_id], journey) for app_id, journey in journeys.items()}
    shared = [browser.page("/"), *_catalogue(browser)]
    work_until(is_at_rest, seconds=4 * TIMEOUT_SECONDS)  # dozens of runs, one after the other
    records = {record["appId"]: record for record in door.runs}
    assert len(records) == len(door.runs) == len(APP_IDS)
    pages = _history(browser)
    for app_id, run in runs.items():
        journey = journeys[app_id]
        journey.record, journey.card_id = records[app_id], f"card-{run.public_id}"
        journey.run_page = browser.page(run.get_absolute_url())
        headers = {"HX-Request": "true"}
        seen = {"r": f"{run.public_id}:0", "page": "run"}
        journey.fragment = Page(browser.get("/live/", seen, headers=headers).content.decode())
        journey.history = next(page for page in pages if page.find(id=journey.card_id))
    return journeys, [*shared, browser.page("/")]


def _press(browser: Browser, app: App, journey: Journey) -> Run:
    browser.page(app.get_absolute_url())  # the first visit makes the portal fetch the form
    step()
    journey.form = browser.page(app.get_absolute_url())
    form = Form.on(journey.form.html)
    fill(form, journey)
    return browser.press(form)


def fill(form: Form, journey: Journey) -> None:
    """Fill in every field as awkwardly as the form allows, and record what Lamina must receive."""
    parameters = journey.detail["parameters"]
    names = [p.get("name") for p in parameters]
    for position, parameter in enumerate(parameters):
        field_name, kind = f"p{position}", parameter.get("type")
        unique = names.count(parameter["name"]) == 1
        handle = parameter["name"] if unique else parameter.get("key") or parameter["id"]
        if kind == "options":
            labels = parameter["options"]
            chosen = max(range(len(labels)), key=lambda n: (labels[n] != parameter.get("default"), _awkward(labels[n])))
            form.set(field_name, str(chosen))
            journey.expected[handle] = labels[chosen]
        elif kind == "url":
            if parameter.get("default") is None:
                form.attach(field_name, wav() if parameter["accept"] == ["audio"] else png())
                journey.expected[handle] = ...  # any address on the sandbox will do
        else:
            form.set(field_name, WRITTEN)
            journey.expected[handle] = WRITTEN


def _awkward(label: str) -> int:
    return sum(label.count(sign) for sign in ("  ", "<", "'", '"', "/", "\n")) + 2 * (label != label.strip())


def _catalogue(browser: Browser) -> list[Page]:
    """Return the pages of the app list, following "More apps" from page to page."""
    pages, url = [], "/apps/"
    while url:
        pages.append(browser.page(url))
        more = pages[-1].find(id="app-more")
        url = more[0].attributes["hx-get"] if more else ""
    return pages


def _history(browser: Browser) -> list[Page]:
    pages, url = [], "/history/"
    while url:
        pages.append(browser.page(url))
        older = pages[-1].find(id="history-older")
        url = older[0].attributes["hx-get"] if older else ""
    return pages


def media_folder(base: Path) -> Path:
    """Create the folder in which the portal under test saves its files; return its path."""
    folder = base / "media"
    folder.mkdir()
    return folder
