"""The time zone of a page: the one chosen in the member's settings, otherwise the browser's, otherwise the portal's."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from runs.web.language import member_of
from runs.web.streamed_responses import stream_within
from runs.words.time_zones import zone_called

COOKIE = "time_zone"  # set by portal.js; anyone who forges it only changes the times they see themselves
GetResponse = Callable[[HttpRequest], HttpResponseBase]


class ZoneMiddleware:
    """Activates the reader's time zone, but only for this request, because threads are reused."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        zone = _zone_for(request)
        with timezone.override(zone):
            response = self.get_response(request)
        stream_within(response, lambda: timezone.override(zone))
        return response


def browser_zone(request: HttpRequest) -> str:
    """Return the browser's time zone, as reported in its cookie; "" if that is missing or invalid."""
    zone = zone_called(request.COOKIES.get(COOKIE, ""))
    return zone.key if zone else ""


def _zone_for(request: HttpRequest) -> ZoneInfo | None:
    """Return the reader's time zone; None means the portal's."""
    member = member_of(request)
    own, earlier = (member.time_zone, member.browser_time_zone) if member else ("", "")
    return zone_called(own) or zone_called(browser_zone(request)) or zone_called(earlier)
