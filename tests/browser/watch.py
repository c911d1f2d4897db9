"""Records what happens in a page during a test: policy violations, requests to other sites, errors, layout shifts,
announcements."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Page, Request, Response

# Runs before any of the page's scripts. `story` lasts for one page load; `sessionStorage.pressed` lasts for several,
# and holds the text that the Run button had right after a press, before the next frame and before anything was sent.
SCRIPT = """
(() => {
  if (window !== top) return;
  const story = (window.story = { shifts: [], said: [], titles: [] });
  addEventListener("securitypolicyviolation", (event) =>
    window.tellStory(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
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
EXPECTED = re.compile(r"status of (401|403|404|410|422)")  # Chromium's own message about a response the test expects
# Chromium logs these messages when somebody leaves a page before its fade-in has started. Nothing but the fade-in is
# lost.
HARMLESS = re.compile(r"ViewTransition opt-in disabled|Transition was (skipped|aborted)")
PIECES = ("image", "stylesheet", "script", "media", "font")


@dataclass
class Watch:
    """Watches everything that happens in a browser context; `problems` must be empty at the end."""

    url: str
    problems: list[str] = field(default_factory=list)
    answers: list[tuple[int, str]] = field(default_factory=list)
    under_way: set[Request] = field(default_factory=set)
    forgiven: list[str] = field(default_factory=list)
    is_blind: bool = False  # true while axe runs, because axe writes styles into the page

    def over(self, context: BrowserContext) -> None:
        """Start watching `context`, which has no page yet."""
        context.expose_binding("tellStory", lambda _, words: self.note(str(words)))
        context.add_init_script(SCRIPT)
        context.on("page", self._page)
        context.on("request", self._request)
        context.on("response", self._response)
        context.on("requestfinished", lambda request: self.under_way.discard(request))
        context.on("requestfailed", lambda request: self.under_way.discard(request))

    def forget(self) -> None:
        """Clear everything recorded so far, so that another visitor can use the same context."""
        for noted in (self.problems, self.answers, self.under_way, self.forgiven):
            noted.clear()
        self.is_blind = False

    def live(self) -> list[int]:
        """Return the status of each response to the pages' polling so far."""
        return [status for status, path in self.answers if path == "/live/"]

    def note(self, problem: str) -> None:
        if not self.is_blind and not any(re.search(pattern, problem) for pattern in self.forgiven):
            self.problems.append(problem)

    def forgive(self, pattern: str) -> None:
        """Ignore problems that a test causes on purpose, including those already reported."""
        self.forgiven.append(pattern)
        self.problems[:] = [problem for problem in self.problems if not re.search(pattern, problem)]

    def _page(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", self._error)

    def _error(self, error: Error) -> None:
        if not HARMLESS.search(str(error)):
            self.note(f"script: {error}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not EXPECTED.search(message.text):
            self.note(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        self.under_way.add(request)
        if not request.url.startswith((f"{self.url}/", "blob:", "data:")):
            self.note(f"foreign: {request.url}")

    def _response(self, response: Response) -> None:
        self.answers.append((response.status, urlsplit(response.url).path))
        is_piece = response.request.resource_type in PIECES
        if response.status >= 500 or (is_piece and response.status >= 400):
            self.note(f"answer: {response.status} {response.url}")
