"""The admin page about the space that stored files take up."""

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from runs.manage.storage_report import storage_report
from runs.storage import usage
from runs.web.http import PortalRequest, admins_only, go_to, render_page


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admins_only
def manage_storage(request: PortalRequest) -> HttpResponse:
    """GET shows the worker's latest count; POST makes it count again."""
    if request.method == "POST":
        usage.request_count()
        messages.info(request, _("Counting files. Reload this page in a moment."))
        return go_to(request, reverse("runs:manage-storage"))
    return render_page(request, "manage/storage.html", {"section": "manage", "report": storage_report()})
