"""Records what happens in a page during a test: requests to other sites, failed responses, layout shifts,
announcements."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Request, Response

from tests.support.browser import Problems

# Runs before any of the page's scripts. `story` lasts for one page load; `sessionStorage.pressed` lasts for several,
# and holds the text that the Run button had right after a press, before the next frame and before anything was sent.
SCRIPT = """
(() => {
  if (window !== top) return;
  const story = (window.story = { shifts: [], said: [], titles: [] });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries())
      if (!entry.hadRecentInput)
        story.shifts.push([entry.value, entry.sources.map(({ node }) => node?.id || node?.className || "?").join(" ")]);
  }).observe({ type: "layout-shift", buffered: true });
  addEventListener("submit", ({ submitter }) => {
    if (submitter?.matches("[data-run]")) sessionStorage.setItem("pressed", submitter.textContent.trim());
  });
  addEventListener("DOMContentLoaded", () => {
    const announcer = document.getElementById("announcer");
    const words = () => announcer.textContent.trim();
    if (announcer) new MutationObserver(() => words() && story.said.push(words()))
      .observe(announcer, { childList: true, characterData: true, subtree: true });
    new MutationObserver(() => story.titles.push(document.title))
      .observe(document.head, { childList: true, characterData: true, subtree: true });
  });
})();
"""
PIECES = ("image", "stylesheet", "script", "media", "font")


@dataclass
class Watch:
    """Watches what a browser context requests, and adds to `problems` what goes wrong there."""

    url: str
    problems: Problems
    answers: list[tuple[int, str]] = field(default_factory=list)
    under_way: set[Request] = field(default_factory=set)

    def over(self, context: BrowserContext) -> None:
        """Start watching `context`, which has no page yet."""
        context.add_init_script(SCRIPT)
        context.on("request", self._request)
        context.on("response", self._response)
        context.on("requestfinished", lambda request: self.under_way.discard(request))
        context.on("requestfailed", lambda request: self.under_way.discard(request))

    def forget(self) -> None:
        """Clear everything recorded so far, so that another visitor can use the same context."""
        self.answers.clear()
        self.under_way.clear()

    def live(self) -> list[int]:
        """Return the status of each response to the pages' polling so far."""
        return [status for status, path in self.answers if path == "/live/"]

    def _request(self, request: Request) -> None:
        self.under_way.add(request)
        if not request.url.startswith((f"{self.url}/", "blob:", "data:")):
            self.problems.note(f"foreign: {request.url}")

    def _response(self, response: Response) -> None:
        self.answers.append((response.status, urlsplit(response.url).path))
        is_piece = response.request.resource_type in PIECES
        if response.status >= 500 or (is_piece and response.status >= 400):
            self.problems.note(f"answer: {response.status} {response.url}")
