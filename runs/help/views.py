"""Help: the list of shortcuts."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from runs.web.http import PortalRequest, render_page


@require_safe
def help_keys(request: PortalRequest) -> HttpResponse:
    """A page of its own, or the content of the dialog that "?" opens."""
    return render_page(request, "help/keys.html", {"section": "help"}, partial="keys")
