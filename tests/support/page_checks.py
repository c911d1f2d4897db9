"""Checks for any page: whether axe finds problems, and whether the page scrolls sideways."""

from collections.abc import Sequence

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

AXE = Axe().axe_script  # axe is half a megabyte, so it is loaded only once per page
QUICK = {"preload": False, "resultTypes": ["violations"]}
# Ends all animations, because half-faded text has only half its contrast. Waiting isn't enough, as off-screen fades may
# never end.
STILL = """
() => document.getAnimations()
  .filter((one) => one.effect.getComputedTiming().endTime < 9e3).forEach((one) => one.finish())
"""
# Names the deepest elements that stick out of the window, to make the fix easier.
SIDEWAYS = """
() => {
  const page = document.documentElement;
  if (page.scrollWidth <= page.clientWidth) return "";
  const all = [...document.body.querySelectorAll("*")];
  const out = all.filter((it) => it.getBoundingClientRect().right > innerWidth + 1);
  const names = out.map((it) => `${it.tagName.toLowerCase()}.${it.className.baseVal ?? it.className}#${it.id}`);
  return `${page.scrollWidth} px wide: ${names.slice(-4).join(", ")}`;
}
"""
# Returns the beginning of a <noscript> that a style shows even though scripts are on: people then see its markup.
SHOWN_MARKUP = """
() => {
  const read = document.body.innerText;
  const pieces = [...document.querySelectorAll("noscript")].map((it) => it.textContent.trim().slice(0, 40));
  return pieces.find((piece) => piece && read.includes(piece)) ?? "";
}
"""
# Returns what can be pressed and lies under a notice, at the page's top, middle and end
COVERED = """
() => {
  const pressed = "a[href], button, input:not([type=hidden]), select, textarea, summary, label";
  const found = new Set();
  for (const part of [0, 0.5, 1]) {
    scrollTo({ top: part * document.documentElement.scrollHeight, behavior: "instant" });
    for (const notice of document.querySelectorAll(".ended-line, #failed, .new-runs .button")) {
      const a = notice.getBoundingClientRect();
      for (const it of document.querySelectorAll(pressed)) {
        if (notice.contains(it)) continue;
        const b = it.getBoundingClientRect();
        const [left, right] = [Math.max(a.left, b.left), Math.min(a.right, b.right)];
        const [top, bottom] = [Math.max(a.top, b.top), Math.min(a.bottom, b.bottom)];
        if (right - left < 2 || bottom - top < 2) continue;
        const stack = document.elementsFromPoint((left + right) / 2, (top + bottom) / 2);
        const above = stack.findIndex((one) => notice.contains(one));
        if (above < 0 || !stack.slice(above).includes(it)) continue;
        found.add(`${notice.className} over ${it.outerHTML.slice(0, 90)}`);
      }
    }
  }
  scrollTo({ top: 0, behavior: "instant" });
  return [...found];
}
"""
WIDTHS = (320, 360, 768, 1280)


def too_wide(page: Page) -> list[str]:
    """Return each width at which the open page scrolls sideways (with the elements that cause it) or shows markup."""
    page.wait_for_load_state()  # before that, the page may have no styles yet
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        if said := page.evaluate(SIDEWAYS):
            found.append(f"{page.url} at {width}: {said}")
        if markup := page.evaluate(SHOWN_MARKUP):
            found.append(f"{page.url} at {width} shows {markup}")
    return found


def findings(page: Page, *, but: Sequence[str] = ()) -> list[str]:
    """Return axe's findings for the page as it is now: rule, element and reason. The rules in `but` are left out."""
    page.wait_for_load_state()
    page.evaluate(STILL)
    if not page.evaluate("!!window.axe"):
        page.evaluate(AXE)
    options = QUICK | {"rules": {rule: {"enabled": False} for rule in but}}
    found = page.evaluate("options => axe.run(options).then(({ violations }) => violations)", options)
    return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"]]
