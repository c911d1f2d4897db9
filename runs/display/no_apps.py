"""Why a page has no apps to show, and what to do about it."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from runs.catalog import app_list
from runs.connection import status
from runs.models import App, LaminaStatus, Member


@dataclass(frozen=True)
class NoApps:
    """A sentence, and for admins a link to where they can help. Everyone else can only check again."""

    words: str
    url: str = ""
    label: str = ""


def no_apps(member: Member) -> NoApps:
    """Return why there are no apps for `member`. Only promise some if the first list is on its way."""
    current, are_hidden = status.lamina_status(), App.objects.listed().exists()
    if are_hidden and member.is_admin:
        return NoApps(_("All apps are hidden. Choose which ones people see."), reverse("runs:manage-apps"), _("Apps"))
    if not are_hidden and _is_late(current):
        return _to_health(member, _("Lamina isn't sending its list of apps. We'll keep trying."))
    if not member.is_admin and (are_hidden or current.catalog_at is not None):
        return NoApps(_("No apps are available to you yet. Ask an admin."))
    if current.catalog_at is not None:
        return _to_health(member, _("Lamina's list is empty. Check that the key's workspace has apps."))
    if member.is_admin:
        return NoApps(
            _(
                "We're loading the apps from Lamina. If none appear within a minute, check that the key's workspace "
                "has apps."
            )
        )
    return NoApps(_("We're loading the apps from Lamina. They'll appear here in a moment."))


def _is_late(current: LaminaStatus) -> bool:
    """Return whether Lamina refuses the list, sends it too late, or can't be reached."""
    return current.away_since is not None or current.catalog_problem not in ("", app_list.APPS)


def _to_health(member: Member, words: str) -> NoApps:
    return NoApps(words, reverse("runs:manage"), _("Health")) if member.is_admin else NoApps(words)
