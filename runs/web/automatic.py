"""Requests that pages send on their own. They don't count as use: nobody may be looking at the page."""

from django.http import HttpRequest

AUTO = "auto"  # parameter in the URL of every poll, and of every refresh that leads to a different URL
LIVE = "/live/"  # polled by live.js
# Also: pictures, which pages load after a poll, too; and guest pages, which refresh themselves without a referrer
PATHS = (LIVE, "/files/", "/logo/", "/s/")


def is_automatic(request: HttpRequest) -> bool:
    """Return whether a page sent this request on its own: a poll, a picture, or the page refreshing itself.

    Browsers name a page that refreshes itself as its own referrer; if someone reloads it, they repeat the earlier one.
    Prefetches aren't automatic: browsers send them when someone points at a link, and if that person then opens the
    page, no other request is sent.
    """
    if request.method != "GET":
        return False
    is_own = request.headers.get("Referer") == request.build_absolute_uri()
    return AUTO in request.GET or request.path.startswith(PATHS) or is_own
