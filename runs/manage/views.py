"""The admin page that shows the state of the portal and of its connection to Lamina."""

from django.http import HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from runs.manage.health_report import health_report
from runs.web.http import PortalRequest, admins_only, render_page


@require_safe
@never_cache
@admins_only
def manage(request: PortalRequest) -> HttpResponse:
    return render_page(request, "manage/health.html", {"section": "manage", "report": health_report()})
