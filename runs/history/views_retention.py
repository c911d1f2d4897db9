"""The retention rules, for admins."""

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from runs.history import retention
from runs.history.forms import RetentionForm
from runs.models import RetentionRules, Run
from runs.web.http import PortalRequest, admins_only, go_to, render_page
from runs.web.posted import posted_of
from runs.words.numbers import number_words


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admins_only
def manage_keeping(request: PortalRequest) -> HttpResponse:
    """GET shows the rules; POST changes them. Overdue runs go to the bin within a day and can still be restored."""
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
        return _("Saved. No run is that old yet.")
    words = ngettext(
        "Saved. %(count)s run will be moved to the bin within a day and can be restored for 30 days.",
        "Saved. %(count)s runs will be moved to the bin within a day and can be restored for 30 days.",
        count,
    )
    return words % {"count": number_words(count)}
