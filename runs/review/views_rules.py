"""The page where admins set the rules for deciding."""

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from runs.audit.overtaken import OvertakenError
from runs.models import ReviewRules
from runs.review import rules
from runs.review.forms import ReviewRulesForm
from runs.team.reauthentication import recent_password_required
from runs.web.http import PortalRequest, admins_only, go_to, render_page
from runs.web.posted import posted_of


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admins_only
@recent_password_required
def manage_review(request: PortalRequest) -> HttpResponse:
    """GET shows the rules; POST changes them. New rules apply only to later decisions."""
    form = ReviewRulesForm(posted_of(request), ReviewRules.current())
    if form.is_valid():
        data = form.cleaned_data
        try:
            rules.change_rules(form.instance, data["on"], data["app"], data["seen"])
        except OvertakenError as error:
            form.overtake(error.name, ReviewRulesForm(None, ReviewRules.current()))
        else:
            messages.success(request, _("Saved."))
            return go_to(request, reverse("runs:manage-review"))
    apps = list(rules.reviewable_apps()[: rules.APPS_SHOWN])
    context = {
        "section": "manage",
        "form": form,
        "rules": form.instance,
        "deciders": ReviewRules.Deciders.choices,
        "apps": apps,
        "asking": form.cleaned_data["app"] if form.is_bound else [app.public_id for app in apps if app.asks_review],
    }
    return render_page(request, "review/manage_review.html", context, status=422 if form.errors else 200)
