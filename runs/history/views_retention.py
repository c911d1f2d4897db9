"""The retention rules, for admins. The page shows what each rule would remove before it is turned on."""

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from runs.audit.overtaken import OvertakenError
from runs.history import retention_rules
from runs.history.forms import RetentionForm
from runs.history.retention_rules import Removal
from runs.models import RetentionRules, Run
from runs.team.reauthentication import recent_password_required
from runs.web.http import PortalRequest, admins_only, go_to, render_page
from runs.web.posted import posted_of


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admins_only
@recent_password_required
def manage_retention(request: PortalRequest) -> HttpResponse:
    """GET shows the rules; POST changes them, or only shows what they would remove.

    If new rules would remove anything, the page says so and asks for confirmation before they are saved.
    """
    rules, now = RetentionRules.current(), timezone.now()
    before = {name: getattr(rules, name) for name in retention_rules.RULES}
    form = RetentionForm(posted_of(request), rules)
    if not form.is_valid():
        return _page(request, form)
    if form.cleaned_data["do"] == "look":
        return _page(request, form, retention_rules.removals(rules, now))
    stricter = retention_rules.stricter(before, rules)
    removals = {} if form.is_agreed else retention_rules.removals(stricter, now)
    if any(removal.count != 0 for removal in removals.values()):
        return _page(request, form, removals, asks=True)
    try:
        retention_rules.save(form.save(commit=False), form.cleaned_data["seen"])
    except OvertakenError as error:
        form.overtake(error.name, RetentionForm(None, RetentionRules.current()))
        return _page(request, form)
    messages.success(request, _("Saved. The rules are applied once a day."))
    return go_to(request, reverse("runs:manage-retention"))


def _page(
    request: PortalRequest, form: RetentionForm, removals: dict[str, Removal] | None = None, *, asks: bool = False
) -> HttpResponse:
    """Return the page. `removals` is what the rules would remove; if `asks`, the page asks for confirmation."""
    removals = removals or {}
    context = {
        "section": "manage",
        "rules": [(*rule, removals.get(rule[0].name)) for rule in form.shown()],
        "removals": [removal for removal in removals.values() if removal.count != 0] if asks else [],
        "stamp": form.stamp if asks else "",
        "seen": form["seen"],
        "overtaken": form.non_field_errors(),
        "fewest": retention_rules.FEWEST_DAYS,
        "most": retention_rules.MOST_DAYS,
        "in_bin": Run.objects.filter(deleted_at__isnull=False).count(),
        "held": Run.objects.filter(held_at__isnull=False).count(),
    }
    return render_page(request, "history/manage_retention.html", context, status=422 if form.errors else 200)
