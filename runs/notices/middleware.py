"""Marks a notice as read when its link in a list or an email is opened (`?notice=`).

A GET request may do this, because marking a notice as read doesn't change anything else. Only the signed-in member's
own notices are affected.
"""

from collections.abc import Callable

from django.db.models import Q
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from runs.models import Member, Notice
from runs.notices import read_state


class OpenedMiddleware:
    """Marks the notice in the URL as read, unless the browser is only prefetching the page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "notice" in request.GET and request.method == "GET" and "Sec-Purpose" not in request.headers:
            member = request.user
            if isinstance(member, Member) and member.unread:
                public_id = request.GET["notice"][:16]
                opened = Q(public_id=public_id)
                if request.GET.get("by") == "mail":  # a link in an email marks all notices in that email
                    opened |= Q(mail__notices__public_id=public_id)
                read_state.mark_read(member, Notice.objects.filter(opened))
        return self.get_response(request)
