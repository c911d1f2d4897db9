"""An app's page as a maker sees it, for admins who are setting up the app."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from runs.launching.app_form import app_form
from runs.launching.prefill import Opening
from runs.launching.views import app_page
from runs.models import App, Member
from runs.web.http import PortalRequest, admins_only

NOBODY = 0  # a primary key that no member has


@require_safe
@never_cache
@admins_only
def manage_app_preview(request: PortalRequest, app_id: str) -> HttpResponse:
    """Show the app's page as it looks to a maker who hasn't used the app yet, with a banner that says so."""
    apps = App.objects.select_related("schema", "rule", "thumbnail", "starred_by")
    app, maker = get_object_or_404(apps, public_id=app_id), _maker_like(request.user)
    form = app_form(maker, app, app.schema) if app.schema else None
    return app_page(request, app, form, Opening(), viewer=maker)


def _maker_like(admin: Member) -> Member:
    """Return an imaginary maker with the admin's name and settings. They own nothing, and their form token can't start
    anything."""
    copied = {
        name: getattr(admin, name) for name in ("name", "email", "theme", "has_shortcuts", "language", "time_zone")
    }
    return Member(pk=NOBODY, role=Member.Role.MAKER, **copied)
