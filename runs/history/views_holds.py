"""Protecting a run from deletion, and keeping a rejected result that would soon be removed."""

from django.contrib import messages
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from runs.audit.admin_access import record_openings
from runs.display import bin_rows
from runs.history import holds, rejected
from runs.history.forms import HoldForm
from runs.models import Output, Run
from runs.web.http import PortalRequest, admins_only, changeable_or_refuse, go_to, own_path, render_page
from runs.web.numbered_pages import NumberedPage

PAGE = 50


@require_POST
def run_hold(request: PortalRequest, run_id: str) -> HttpResponse:
    """Protect a run from deletion, or stop protecting it. Only an admin or the person who protected it can remove the
    protection."""
    run = changeable_or_refuse(request, Run.objects.manageable_by(request.user), public_id=run_id)
    posted = HoldForm.read(request.POST)
    if posted["on"]:
        holds.hold(Run.objects.filter(pk=run.pk), request.user, timezone.now())
        if Run.objects.filter(pk=run.pk, held_at__isnull=False).exists():
            messages.success(request, _("This run is now protected from deletion."))
        else:
            messages.warning(request, _("This run couldn't be protected: it was moved to the bin in the meantime."))
    elif run.is_releasable_by(request.user):
        holds.release(Run.objects.filter(pk=run.pk))
        messages.success(request, _("The run is no longer protected."))
    elif run.is_held:
        messages.warning(request, _("Only the person who protected this run or an admin can change that."))
    return go_to(request, own_path(posted["back"], run.get_absolute_url()))


@require_safe
@never_cache
@admins_only
def manage_held(request: PortalRequest) -> HttpResponse:
    """Show all protected runs, most recently protected first."""
    runs = Run.objects.filter(held_at__isnull=False).select_related(*bin_rows.SHOWN_WITH, "held_by")
    page = NumberedPage(runs.order_by("-held_at", "-pk"), request.GET.get("page"), PAGE)
    shown = bin_rows.with_results(page)
    record_openings(request, shown)
    context = {"section": "manage", "runs": shown, "page": page}
    return render_page(request, "history/manage_held.html", context)


@require_POST
def result_keep(request: PortalRequest, result_id: str) -> HttpResponse:
    """Keep a rejected result that the retention rules would have removed."""
    runs = Run.objects.manageable_by(request.user)
    output = changeable_or_refuse(request, Output.objects.select_related("run"), public_id=result_id, run__in=runs)
    if rejected.keep(output, timezone.now()):
        messages.success(request, _("This result will be kept. Its retention period starts again today."))
    return go_to(request, output.get_absolute_url())
