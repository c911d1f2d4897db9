"""Moves around pages by keyboard alone and checks every focus stop."""

from typing import Any

from playwright.sync_api import Locator, Page

MOST_STOPS = 80
# Checks the focused element: is the focus visible (on it or on its label), and does anything cover the element?
# This waits two frames first, to let anything that moves out of the focus's way do so.
STOP = """
async () => {
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const it = document.activeElement;
  if (it === document.body) return null;
  const seen = (node) => [null, "::after"].some((part) => {
    const style = getComputedStyle(node, part);
    const isOutlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
    return (isOutlined || style.boxShadow !== "none") && (!part || style.content !== "none");
  });
  const label = it.matches("input") && (it.closest("label") || document.querySelector(`label[for="${it.id}"]`));
  const stands = [it, label, it.parentElement, it.closest(".card"), it.closest(".find-box")].filter(Boolean);
  const big = [it, label].filter(Boolean).map((node) => [node, node.getBoundingClientRect()])
    .filter(([, r]) => r.width >= 8 && r.height >= 8);
  const onTop = big.some(([node, r]) => {
    const x = Math.min(Math.max(r.left + Math.min(r.width / 2, 40), 0), innerWidth - 1);
    return [r.top + r.height / 2, r.top + 3, r.bottom - 3].every((y) => {
      const top = y < 0 || y >= innerHeight ? null : document.elementFromPoint(x, y);
      return top && (node.contains(top) || top.contains(node) || label && label.contains(top));
    }) || r.height > innerHeight / 2;
  });
  const name = it.id || it.name || it.getAttribute("aria-label") || it.textContent.trim().slice(0, 30) || it.tagName;
  return { name: `${it.tagName} ${name}`, isMarked: stands.some(seen), isOnTop: onTop };
}
"""
IS_FOCUSED = "found => found.length === 1 && found[0] === document.activeElement"


class Keys:
    """Tab navigation that checks every stop; problems are added to `bad`."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.bad: list[str] = []

    def tab_to(self, goal: Locator, key: str = "Tab") -> None:
        """Press Tab until `goal` has the focus, checking every stop on the way."""
        for _ in range(MOST_STOPS):
            if goal.evaluate_all(IS_FOCUSED):
                return
            self.page.keyboard.press(key)
            self.look()
        raise AssertionError(f"{MOST_STOPS} times {key} did not lead to {goal}")

    def look(self) -> bool:
        """Check the focused element; return False if there is none."""
        stop: dict[str, Any] | None = self.page.evaluate(STOP)
        if stop and not stop["isMarked"]:
            self.bad.append(f"{self.page.url}: no mark of focus on {stop['name']}")
        if stop and not stop["isOnTop"]:
            self.bad.append(f"{self.page.url}: something lies over {stop['name']}")
        return stop is not None

    def tab_through(self) -> int:
        """Tab through the whole page until the focus leaves it; return the number of stops."""
        self.page.locator(".skip-link").first.focus()
        for stops in range(MOST_STOPS * 2):
            self.page.keyboard.press("Tab")
            if not self.look():
                return stops
        return MOST_STOPS * 2
