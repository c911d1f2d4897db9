"""How long things are kept, for admins."""

import re

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from runs.history import retention
from runs.models import RetentionRules, Run
from runs.web.http import PortalRequest, admins_only, go_to, render_page

FIELDS = {
    "ready_days": ("Runs with results", "What has a star, and what guests can open, stays."),
    "failed_days": ("Failed or cancelled runs", "They hold no results, only what went in."),
}


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admins_only
def manage_keeping(request: PortalRequest) -> HttpResponse:
    """Shows the rules; POST changes them. Nothing goes before the night, and from the bin all can come back."""
    rules, errors = RetentionRules.current(), {}
    if request.method == "POST":
        errors = _read_rules(request, rules)
        if not errors:
            rules.save()
            messages.success(request, _said(retention.count_overdue(rules, timezone.now())))
            return go_to(request, reverse("runs:manage-retention"))
    fields = [
        (name, label, help_text, request.POST.get(name, "") if errors else _shown(rules, name), errors.get(name, ""))
        for name, (label, help_text) in FIELDS.items()
    ]
    context = {
        "section": "manage",
        "fields": fields,
        "fewest": retention.FEWEST_DAYS,
        "most": retention.MOST_DAYS,
        "in_bin": Run.objects.filter(deleted_at__isnull=False).count(),
    }
    return render_page(request, "history/manage_retention.html", context, status=422 if errors else 200)


def _shown(rules: RetentionRules, name: str) -> str:
    days = getattr(rules, name)
    return "" if days is None else str(days)


def _read_rules(request: PortalRequest, rules: RetentionRules) -> dict[str, str]:
    """Put what was posted into RULES; returns what is wrong with it, by field."""
    errors = {}
    for name in FIELDS:
        days = request.POST.get(name, "").strip()
        if not days:
            setattr(rules, name, None)
        elif re.fullmatch(r"[0-9]{1,6}", days) and retention.FEWEST_DAYS <= int(days) <= retention.MOST_DAYS:
            setattr(rules, name, int(days))
        else:
            errors[name] = f"Give a number of days from {retention.FEWEST_DAYS} to {retention.MOST_DAYS}, or nothing."
    return errors


def _said(count: int) -> str:
    if not count:
        return "Saved. No run is that old yet."
    runs = "1 run goes" if count == 1 else f"{count:,} runs go"
    return f"Saved. {runs} to the bin within a day, from where they can be brought back for 30 days."
