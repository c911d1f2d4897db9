"""Everything that can be pressed is large enough for a finger on a phone, or for a mouse elsewhere; no notice that
appears lies over it; and Escape closes what it opens."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from runs.history import selection
from runs.models import Member, ReviewRules, Run
from runs.notices import listeners
from runs.review import requests
from runs.sharing import links
from runs.web import secret_links
from tests.support.browser import Problems
from tests.support.factories import PICTURE, make_app, make_kept, make_run, make_stored
from tests.support.page_checks import COVERED

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FINGER, MOUSE = 44, 24  # minimum sizes in px
# Returns the elements whose clickable area is smaller than `least`, in px. Links within a sentence don't count, since
# they're only as tall as their line.
TOO_SMALL = """
async (least) => {
  const pressed = "a[href], button, input:not([type=hidden]), select, textarea, summary";
  const inSentence = (it) => it.matches("a") && getComputedStyle(it).display === "inline"
    && [...it.parentElement.childNodes].some((one) => one.nodeType === Node.TEXT_NODE && one.data.trim());
  const isShown = (it) => it.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })
    && !it.disabled && !it.closest("[inert], .visually-hidden, .skip-link");
  const hits = (it, x, y) => {
    const top = document.elementFromPoint(x, y);
    return !!top && (it.contains(top) || [...(it.labels ?? [])].some((label) => label.contains(top)));
  };
  const reach = (it, x, y, dx, dy) => {
    let far = 0;
    while (far < least && hits(it, x + dx * (far + 1), y + dy * (far + 1))) far += 1;
    return far;
  };
  const found = [];
  for (const it of document.querySelectorAll(pressed)) {
    if (!isShown(it) || inSentence(it)) continue;
    it.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
    const box = it.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) continue;
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    if (!hits(it, x, y)) continue; // lies under another element, such as the link over a card
    const width = 1 + reach(it, x, y, -1, 0) + reach(it, x, y, 1, 0);
    const height = 1 + reach(it, x, y, 0, -1) + reach(it, x, y, 0, 1);
    if (Math.min(width, height) >= least - 1) continue;
    const name = it.getAttribute("aria-label") || it.textContent.trim().replace(/\\s+/g, " ").slice(0, 30) || it.name;
    found.push(`${it.tagName.toLowerCase()}.${it.className} “${name}”: ${width} x ${height}`);
  }
  return [...new Set(found)];
}
"""


WIDTHS = (320, 390, 768, 1280)
FORGET_TOLD = 'localStorage.removeItem("told")'  # so that each page shows the lines again


@pytest.fixture
def run(alice: Member) -> Run:
    run = make_run(alice, status="completed", title="Red shoe")
    make_run(alice, run.app, status="completed")
    for position in range(2):
        make_kept(run, make_stored((300, 200)), position=position)
    ReviewRules.objects.create(deciders=ReviewRules.Deciders.MAKER)
    requests.ask(alice, list(run.outputs.all()))
    return run


def pages(run: Run) -> dict[str, str]:
    """Return the URLs to measure, by name."""
    output = run.outputs.all()[0]
    link = links.make_link(run.member, list(run.outputs.all()))
    token = secret_links.token_of(secret_links.Purpose.GUEST, link.nonce)
    return {
        "home": "/",
        "apps": "/apps/",
        "form": run.app.get_absolute_url(),
        "run": run.get_absolute_url(),
        "result": output.get_absolute_url(),
        "history": "/history/?q=shoe",
        "list": "/history/?view=list",
        "results": "/history/?view=results",
        "links": "/shares/",
        "review": "/review/",
        "bin": "/bin/",
        "guest": f"/s/{token}/",
    }


def open_bar(member: Member) -> None:
    """Select all runs, so that History shows the bar of actions. Call this after signing in, which ends a selection."""
    selection.keep(member, "mine", [], list(Run.objects.values_list("public_id", flat=True)))


@pytest.mark.parametrize(("width", "least"), [(360, FINGER), (1280, MOUSE)])
def test_everything_is_large_enough_to_press(
    new_context: Callable[..., BrowserContext], alice: Member, run: Run, width: int, least: int
) -> None:
    is_phone = least == FINGER
    page = new_context(
        alice, viewport={"width": width, "height": 800}, has_touch=is_phone, is_mobile=is_phone
    ).new_page()
    open_bar(alice)
    found = {}
    for name, path in pages(run).items():
        page.goto(path)
        found[name] = page.evaluate(TOO_SMALL, least)
    told = [f"{name}: {small}" for name, all_small in found.items() for small in all_small]
    assert not told, "\n".join(told)


def test_no_notice_that_appears_covers_what_can_be_pressed(
    new_context: Callable[..., BrowserContext], alice: Member, run: Run, problems: Problems
) -> None:
    problems.forgive(r"net::ERR_FAILED|\[object HTMLFormElement\]")  # the stars' requests fail on purpose
    results = ",".join(output.public_id for output in run.outputs.all())
    page = new_context(alice, viewport={"width": 1280, "height": 800}).new_page()
    open_bar(alice)
    page.route("**/star/**", lambda route: route.abort())
    for ended in Run.objects.all():
        listeners.on_run_ended(ended)
    found = []
    for name, path in {**pages(run), "compare": f"/compare/?f={results}", "me": "/me/"}.items():
        if name == "guest":
            continue  # these pages have no scripts, so nothing appears there
        page.goto(path)
        if name in ("history", "run", "result", "compare"):
            page.locator(".star-button:visible").first.click()
            expect(page.locator("#failed")).to_be_in_viewport()
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800 if width > 600 else 640})
            expect(page.locator(".ended-line").first).to_be_visible()
            expect(page.locator("#selection:visible")).to_have_count(int(name in ("history", "list")))
            found += [f"{name} at {width}: {covered}" for covered in page.evaluate(COVERED)]
        page.evaluate(FORGET_TOLD)
    assert not found, "\n".join(found)


def test_escape_closes_whatever_opens_the_first_time(
    new_context: Callable[..., BrowserContext], alice: Member, run: Run
) -> None:
    page = new_context(alice, viewport={"width": 1280, "height": 800}).new_page()
    form = make_app("Touch up", [PICTURE]).get_absolute_url()
    active = make_run(alice, run.app).get_absolute_url()
    open_bar(alice)
    opened = set()
    for name, path in {**pages(run), "form": form, "active": active}.items():
        page.goto(path)
        if name == "run":
            page.locator(".run-crumb .moment").hover()  # its full time is shown, too
        for opener in page.locator("[popovertarget]:not([popovertargetaction=hide]), a[data-dialog]").all():
            if not opener.is_visible():
                continue
            opener.press("Enter")
            sheet = page.locator("dialog[open], :popover-open")
            expect(sheet).to_be_visible()
            expect(page.locator(".htmx-request")).to_have_count(0)
            page.keyboard.type("a")  # into the field that has the focus, if any
            page.keyboard.press("Escape")
            expect(sheet).to_have_count(0)
            opened.add(opener.get_attribute("popovertarget") or opener.get_attribute("data-dialog"))
    assert opened >= {"library", "bell-list", "person-menu", "share-sheet", "ask-sheet", "cancel-dialog"}, opened
