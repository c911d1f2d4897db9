"""How long things are kept, for admins."""

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from runs.history import retention
from runs.history.forms import RetentionForm
from runs.models import RetentionRules, Run
from runs.web.http import PortalRequest, admins_only, go_to, render_page
from runs.web.posted import posted_of


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admins_only
def manage_keeping(request: PortalRequest) -> HttpResponse:
    """Shows the rules; POST changes them. Nothing goes before the night, and from the bin all can come back."""
    form = RetentionForm(posted_of(request), instance=RetentionRules.current())
    if form.is_valid():
        rules = form.save()
        messages.success(request, _said(retention.count_overdue(rules, timezone.now())))
        return go_to(request, reverse("runs:manage-retention"))
    context = {
        "section": "manage",
        "fields": form.shown(),
        "fewest": retention.FEWEST_DAYS,
        "most": retention.MOST_DAYS,
        "in_bin": Run.objects.filter(deleted_at__isnull=False).count(),
    }
    return render_page(request, "history/manage_retention.html", context, status=422 if form.errors else 200)


def _said(count: int) -> str:
    if not count:
        return "Saved. No run is that old yet."
    runs = "1 run goes" if count == 1 else f"{count:,} runs go"
    return f"Saved. {runs} to the bin within a day, from where they can be brought back for 30 days."
