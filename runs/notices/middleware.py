"""Marks a notice as read when the place it leads to is opened from a list or a mail (`?notice=`).

Reading isn't deciding, so this happens on GET. It changes only what the signed-in member has been told.
"""

from collections.abc import Callable

from django.db.models import Q
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from runs.models import Member, Notice
from runs.notices import read


class OpenedMiddleware:
    """Marks the notice named in the address as read, unless the browser only loads the page ahead."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "notice" in request.GET and request.method == "GET" and "Sec-Purpose" not in request.headers:
            member = request.user
            if isinstance(member, Member) and member.unread:
                public_id = request.GET["notice"][:16]
                opened = Q(public_id=public_id)
                if request.GET.get("by") == "mail":  # the link of a mail stands for all that it tells
                    opened |= Q(mail__notices__public_id=public_id)
                read.mark_read(member, Notice.objects.filter(opened))
        return self.get_response(request)
