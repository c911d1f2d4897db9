"""Help: the list of keyboard shortcuts."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from runs.web.http import PortalRequest, render_page


@require_safe
def help_keys(request: PortalRequest) -> HttpResponse:
    """Show the shortcuts, as a page or as the content of the dialog that "?" opens."""
    return render_page(request, "help/keys.html", {"section": "help"}, partial="keys")
