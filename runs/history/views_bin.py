"""Deleting runs, and the bin that holds them for 30 days."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from runs.audit.admin_access import record_openings
from runs.display import bin_rows
from runs.history import bulk_actions, selection
from runs.history.bin import bring_back, delete_for_good, move_to_bin, moved_words, warnings_for
from runs.history.filters import Filter
from runs.history.forms import DeleteForm, SelectionForm, TickedForm
from runs.history.undo import offer_undo
from runs.models import Run
from runs.web.http import PortalRequest, changeable_or_refuse, go_to, makers_only, refuse_viewers, render_page
from runs.web.numbered_pages import NumberedPage
from runs.words.numbers import number_words

PAGE = 50
NAMED = 12  # how many runs to name on the page that asks for confirmation
FOR_GOOD = "for-good"  # only the confirm button posts this: clicking "Move to bin" twice must never delete anything


@require_safe
@never_cache
def bin(request: PortalRequest) -> HttpResponse:
    """Show deleted runs, most recently deleted first; admins see everyone's deleted runs."""
    runs = Run.objects.in_bin_of(request.user).select_related(*bin_rows.SHOWN_WITH)
    page = NumberedPage(runs.order_by("-deleted_at", "-pk"), request.GET.get("page"), PAGE)
    shown = bin_rows.with_results(page)
    record_openings(request, shown)
    context = {
        "section": "bin",
        "runs": shown,
        "page": page,
        "can_restore": request.user.can_run,
        "is_all_ticked": request.GET.get("ticked") == "all",
    }
    return render_page(request, "history/bin.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def run_delete(request: PortalRequest, run_id: str) -> HttpResponse:
    """GET asks for confirmation; POST moves the run to the bin or, if it is already there, permanently deletes it."""
    runs = Run.objects.select_related(*bin_rows.SHOWN_WITH)
    binned = runs.in_bin_of(request.user).filter(public_id=run_id).first()
    run = binned or get_object_or_404(runs.manageable_by(request.user), public_id=run_id)
    refuse_viewers(request.user)
    if request.method == "POST" and not run.is_active and not run.is_held:
        return _delete(request, run)
    record_openings(request, [run])
    context = {
        "section": "history",
        "run": bin_rows.with_results([run])[0],
        "is_binned": binned is not None,
        "warnings": warnings_for(Run.objects.filter(pk=run.pk), request.user),
    }
    return render_page(request, "history/run_delete.html", context, status=409 if request.method == "POST" else 200)


@require_safe
@never_cache
@makers_only
def bin_selected(request: PortalRequest) -> HttpResponse:
    """Ask for confirmation before moving the selected runs to the bin, naming the first few."""
    posted, member = SelectionForm.read(request.GET), request.user
    place = posted["place"]
    count = selection.summary_of(member, place).count
    if not count:
        return go_to(request, posted["back"])
    runs = bulk_actions.can_go_to_bin(selection.runs_in(member, place), member)
    moving = runs.count()
    named = bin_rows.with_results(runs.select_related(*bin_rows.SHOWN_WITH).newest_first()[:NAMED])
    record_openings(request, named)
    context = {
        "section": "history",
        "place": place,
        "back": posted["back"],
        "at": selection.stamp(member, place),
        "moving": moving,
        "count_words": number_words(moving),
        "left": count - moving,
        "left_words": number_words(count - moving),
        "runs": named,
        "more": max(0, moving - NAMED),
        "selected_url": Filter(tab=place, selected="1").url(),
        "warnings": warnings_for(runs, member),
    }
    return render_page(request, "history/bin_selected.html", context)


def _delete(request: PortalRequest, run: Run) -> HttpResponse:
    if run.deleted_at is None:
        return _move(request, run)
    if DeleteForm.read(request.POST)["sure"] == FOR_GOOD:
        if delete_for_good(run):
            messages.success(request, _("The run and its files were permanently deleted."))
        else:
            messages.warning(request, _("Nothing was deleted: someone had already restored or deleted the run."))
    return go_to(request, reverse("runs:bin"))


def _move(request: PortalRequest, run: Run) -> HttpResponse:
    """Move the run to the bin, unless someone has just protected it or moved it there."""
    now = timezone.now()
    if moved := move_to_bin(Run.objects.filter(pk=run.pk), request.user, now):
        offer_undo(request, moved_words(moved), "restore", now)
        return go_to(request, reverse("runs:history"))
    if not Run.objects.filter(pk=run.pk, deleted_at=None).exists():
        return go_to(request, reverse("runs:bin"))
    messages.warning(request, _("Nothing was moved to the bin."))
    return go_to(request, run.get_absolute_url())


@require_POST
@makers_only
def bin_restore(request: PortalRequest) -> HttpResponse:
    """Restore the ticked runs from the bin."""
    ids = TickedForm.read(request.POST)["r"]
    if not ids:
        messages.warning(request, _("Tick at least one run first."))
        return go_to(request, reverse("runs:bin"))
    outcome = bulk_actions.bring_back(Run.objects.filter(public_id__in=ids), request.user)
    messages.success(request, outcome.words)
    return go_to(request, reverse("runs:bin"))


@require_POST
def run_restore(request: PortalRequest, run_id: str) -> HttpResponse:
    """Restore a run from the bin."""
    run = changeable_or_refuse(request, Run.objects.in_bin_of(request.user), public_id=run_id)
    bring_back(Run.objects.filter(pk=run.pk))
    messages.success(request, _("The run was restored."))
    return go_to(request, run.get_absolute_url())
