"""What may be asked of any page: whether axe finds something, and whether it scrolls sideways."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

QUICK = {"preload": False, "resultTypes": ["violations"]}
# Half-faded words have half their contrast; what fades off the screen may stand still, and its end would never come.
STILL = """
() => document.getAnimations()
  .filter((one) => one.effect.getComputedTiming().endTime < 9e3).forEach((one) => one.finish())
"""
# What sticks out: the deepest elements that end beyond the window, for the one who has to mend it.
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


def findings(page: Page) -> list[str]:
    """What axe has to say about the page as it stands: rule, place and reason."""
    page.evaluate(STILL)
    found = Axe().run(page, options=QUICK).response["violations"]
    return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"]]
