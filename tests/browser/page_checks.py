"""Checks for any page: whether axe finds problems, and whether the page scrolls sideways."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

QUICK = {"preload": False, "resultTypes": ["violations"]}
# Ends all animations: half-faded text has half its contrast. Waiting isn't enough, as off-screen fades may never end.
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


def findings(page: Page) -> list[str]:
    """axe's findings on the page as it is now: rule, element and reason."""
    page.evaluate(STILL)
    found = Axe().run(page, options=QUICK).response["violations"]
    return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"]]
