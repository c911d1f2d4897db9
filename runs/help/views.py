"""Help: the keyboard shortcuts and the accessibility statement."""

from datetime import date

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from runs.team.admins import mail_to_admins
from runs.web.http import PortalRequest, render_page

REVIEWED = date(2026, 12, 2)  # date of docs/accessibility.md, which has the same information in more detail


@require_safe
def help_keys(request: PortalRequest) -> HttpResponse:
    """Show the shortcuts, as a page or as the content of the dialog that "?" opens."""
    return render_page(request, "help/keys.html", {"section": "help"}, partial="keys")


@login_not_required
@require_safe
def help_accessibility(request: PortalRequest) -> HttpResponse:
    """Show the accessibility statement to everyone, signed in or not. Only members see admins' email addresses."""
    mail = mail_to_admins(_("Lamina Portal: accessibility")) if request.user.is_authenticated else ""
    context = {"section": "accessibility", "reviewed": REVIEWED, "mail": mail}
    return render_page(request, "help/accessibility.html", context)
