"""One run: its page, and the actions that people can take on it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from runs import catalog
from runs.audit.admin_access import record_openings
from runs.display.bin_rows import binned_page
from runs.display.comment_draft import run_draft
from runs.display.run_page import run_page
from runs.display.selection_bar import selection_bar
from runs.display.share_panel import share_panel
from runs.display.timeline import timeline_of
from runs.engine import poller_wakeups, polling_schedule, progress
from runs.engine.changed_by_rules import RulesRefuseError
from runs.history.undo import take_undo
from runs.launching.retry import retry_failed, retry_of
from runs.live.forms import RetryForm
from runs.models import Run, Selection, for_page
from runs.notices import alerts, read_state
from runs.notices.mutes import with_mute
from runs.spending.limits import LimitReached
from runs.web.http import PortalRequest, changeable_or_refuse, go_to, refuse_viewers, render_page


def _run_of(request: PortalRequest, run_id: str) -> Run:
    return get_object_or_404(for_page(Run.objects.visible_to(request.user)), public_id=run_id)


def _changeable_run_of(request: PortalRequest, run_id: str) -> Run:
    run = changeable_or_refuse(request, for_page(Run.objects.manageable_by(request.user)), public_id=run_id)
    return run


@require_safe
def run_detail(request: PortalRequest, run_id: str) -> HttpResponse:
    visible = with_mute(for_page(Run.objects.visible_to(request.user)), request.user)
    run = visible.filter(public_id=run_id).first()
    if run is None:
        context = binned_page(request.user, public_id=run_id)
        record_openings(request, [context["run"]])
        return render_page(request, "history/run_binned.html", context, status=404)
    read_state.opened(request, run)
    # Previous and Next follow the History list that the page was opened from.
    walk = urlencode({"in": request.GET["in"]}) if "in" in request.GET else ""
    page = run_page(run, request.user, walk=walk)
    record_openings(request, page.named_runs)
    if page.is_live:
        polling_schedule.touch_opened([run], timezone.now())
        poller_wakeups.ensure_poller()
    shows_all, retry = "comments" in request.GET, retry_of(run, request.user)
    bar = selection_bar(request.user, Selection.Place.RESULTS, [output.public_id for output in run.outputs.all()])
    can_share = run.is_manageable_by(request.user)
    context = {
        "section": "history",
        "run": run,
        "page": page,
        "timeline": timeline_of(page, request.user, shows_all=shows_all),
        "draft": run_draft(run, walk, shows_all=shows_all),
        "retry": retry,
        "has_asked": retry.can_ask and alerts.has_asked(request.user),
        "share": share_panel(request.user, run, ticked=bar["ticked"]) if can_share else None,
        "back": request.get_full_path(),
        "undo": take_undo(request, Selection.Place.RESULTS),
        **bar,
    }
    return render_page(request, "live/run_detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def run_cancel(request: PortalRequest, run_id: str) -> HttpResponse:
    """GET asks for confirmation on a separate page (used when JavaScript is off); POST cancels the run.

    If Lamina still has to stop the run, no message is shown: it would soon be out of date, and the run page shows the
    current status anyway.
    """
    run = _changeable_run_of(request, run_id)
    if request.method != "POST":
        record_openings(request, [run])
        return render_page(
            request, "live/run_cancel.html", {"section": "history", "run": run, "page": run_page(run, request.user)}
        )
    outcome = progress.ask_cancel(run, request.user, timezone.now())
    if outcome == "too late":
        messages.info(request, _("This run had already ended."))
    elif outcome == "cancelled":
        messages.success(request, _("The run was cancelled before it was sent to Lamina, so nothing was charged."))
    elif outcome == "sent before":
        messages.success(request, _("The run was cancelled. An earlier attempt to start it may have cost credits."))
    return go_to(request, run.get_absolute_url())


@require_POST
def run_start_again(request: PortalRequest, run_id: str) -> HttpResponse:
    """Resend a start request whose outcome is unknown; the page has warned that the run may be charged twice.

    Nothing is started if the page is out of date, someone else has already decided, or the admin's rules don't allow
    it.
    """
    run = _changeable_run_of(request, run_id)
    try:
        if progress.press_start_again(run, request.user, timezone.now()):
            poller_wakeups.ensure_poller()
    except (LimitReached, RulesRefuseError) as refused:
        messages.error(request, refused.sentence)
    return go_to(request, run.get_absolute_url())


@require_POST
def run_leave(request: PortalRequest, run_id: str) -> HttpResponse:
    """Give up on a start whose outcome is unknown, or on a run that won't end."""
    run = _changeable_run_of(request, run_id)
    progress.leave_it(run, timezone.now())
    return go_to(request, run.get_absolute_url())


@require_POST
def run_retry_failed(request: PortalRequest, run_id: str) -> HttpResponse:
    """Retry the failed results. Idempotent: pressing the button twice leads to the same run."""
    refuse_viewers(request.user)
    run = _run_of(request, run_id)
    if catalog.check_before_run(run.app):
        run = _run_of(request, run_id)
    try:
        again = retry_failed(run, request.user, RetryForm.read(request.POST)["token"])
    except LimitReached as reached:
        messages.error(request, reached.sentence)
        return go_to(request, run.get_absolute_url())
    if again is None:
        messages.info(request, _("Nothing was retried. This page shows the run's current state."))
    return go_to(request, (again or run).get_absolute_url())
