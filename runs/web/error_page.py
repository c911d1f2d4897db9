"""The pages for requests that can't be answered.

Django's own views for 400 and 404 check the CSRF token, and for that they read the whole form, whoever sent it.
"""

import logging

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from lamina_portal.logs import masked_path
from runs.models.ids import new_public_id
from runs.words.support import about_page

logger = logging.getLogger("runs.broken")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Render 400.html without the request, which may be what is wrong."""
    return HttpResponse(render_to_string("400.html"), status=400)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


def page_broke(request: HttpRequest) -> HttpResponse:
    """Render 500.html with a reference that is also in the log, and without the database or anything else that may just
    have failed."""
    reference = new_public_id()
    logger.error("reference %s is the error at %s below", reference, request.path)
    title = _("Something went wrong on our side")
    words = about_page(masked_path(request.path), reference, timezone.now(), title)
    return HttpResponse(render_to_string("500.html", {"title": title, "support": words}), status=500)
