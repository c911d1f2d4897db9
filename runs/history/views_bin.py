"""Deleting runs, and the bin that holds them for 30 days."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from runs.display import bin_rows
from runs.engine import save_outputs
from runs.history.bin import bring_back, delete_for_good, move_to_bin
from runs.history.forms import DeleteForm
from runs.models import GuestLink, Output, Run
from runs.web.http import PortalRequest, go_to, refuse_viewers, render_page

PAGE = 50
FOR_GOOD = "for-good"  # only the confirm button posts it: clicking "Move to bin" twice must never delete


@require_safe
@never_cache
def bin(request: PortalRequest) -> HttpResponse:
    """Show deleted runs, latest first; admins see everyone's."""
    found = Run.objects.in_bin_of(request.user).select_related(*bin_rows.SHOWN_WITH)
    page = Paginator(found.order_by("-deleted_at", "-pk"), PAGE).get_page(request.GET.get("page"))
    context = {"section": "bin", "rows": bin_rows.rows_of(page), "page": page}
    return render_page(request, "history/bin.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def run_delete(request: PortalRequest, run_id: str) -> HttpResponse:
    """GET asks for confirmation; POST moves the run to the bin, or deletes it from there."""
    known = Run.objects.select_related(*bin_rows.SHOWN_WITH)
    binned = known.in_bin_of(request.user).filter(public_id=run_id).first()
    run = binned or get_object_or_404(known.manageable_by(request.user), public_id=run_id)
    refuse_viewers(request.user)
    if request.method == "POST" and not run.is_active:
        return _delete(request, run)
    outside = run.outputs.filter(guest_links__in=GuestLink.objects.alive()).distinct().count()
    row = bin_rows.rows_of([run])[0]
    context = {"section": "history", "run": run, "row": row, "is_binned": binned is not None, "outside": outside}
    return render_page(request, "history/run_delete.html", context, status=409 if request.method == "POST" else 200)


def _delete(request: PortalRequest, run: Run) -> HttpResponse:
    if run.deleted_at is None:
        move_to_bin(Run.objects.filter(pk=run.pk), request.user, timezone.now())
        messages.success(request, _("Moved to the bin. You can restore it for 30 days."))
        return go_to(request, reverse("runs:history"))
    if DeleteForm.read(request.POST)["sure"] == FOR_GOOD:
        delete_for_good(run)
        messages.success(request, _("Permanently deleted, with its files."))
    return go_to(request, reverse("runs:bin"))


@require_POST
def run_restore(request: PortalRequest, run_id: str) -> HttpResponse:
    """Restore a run from the bin."""
    run = get_object_or_404(Run.objects.in_bin_of(request.user), public_id=run_id)
    refuse_viewers(request.user)
    bring_back(Run.objects.filter(pk=run.pk))
    messages.success(request, _("The run was restored."))
    return go_to(request, run.get_absolute_url())


@require_POST
def result_fetch_again(request: PortalRequest, result_id: str) -> HttpResponse:
    """Fetch the unsaved files of a result again."""
    runs = Run.objects.manageable_by(request.user)
    output = get_object_or_404(Output.objects.select_related("run"), public_id=result_id, run__in=runs)
    refuse_viewers(request.user)
    if save_outputs.fetch_again(output):
        messages.info(request, _("The portal is fetching the result again."))
    return go_to(request, output.run.get_absolute_url())
