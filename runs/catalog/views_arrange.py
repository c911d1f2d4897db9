"""The admins' list of apps: finding apps, and changing their order, their groups, and who sees them."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from runs.catalog import arrange
from runs.catalog.forms_arrange import ArrangeForm
from runs.display import managed_apps
from runs.display.managed_apps import ManagedList
from runs.display.no_apps import no_apps
from runs.models import Member
from runs.models.addresses import url_with
from runs.team.reauthentication import recent_password_required
from runs.web.http import PortalRequest, admins_only, go_to, render_page
from runs.words.numbers import number_in, number_words

MOST_APPS = 1_000_000


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admins_only
@recent_password_required
def manage_apps(request: PortalRequest) -> HttpResponse:
    """GET lists the apps; POST moves, groups, hides or shows them, and returns to the list with the same filter."""
    if request.method == "POST":
        words, focus = _arranged(ArrangeForm.read(request.POST), request.user)
        if not request.htmx:
            messages.success(request, words)
            return go_to(request, _url(request, focus=focus))
        return _page(request, words)
    return _page(request)


def _page(request: PortalRequest, words: str = "") -> HttpResponse:
    q, kind, start = _query_of(request)
    apps = managed_apps.managed_list(q, kind, start)
    context = {
        "section": "manage",
        "listed": apps,
        "no_apps": None if apps.total else no_apps(request.user),
        "q": q,
        "shown": kind,
        "chips": _chips(apps, q, kind),
        "is_filtered": bool(q or kind),
        "next_url": _url(request, after=str(apps.next_start)) if apps.next_start else "",
        "first_url": _url(request) if start else "",
        "focus": request.GET.get("focus", ""),
        "told": words,
    }
    return render_page(request, "catalog/manage_apps.html", context, partial="apps")


def _arranged(posted: dict[str, Any], admin: Member) -> tuple[str, str]:
    """Do what the button that was pressed says; return a sentence about the result, and the id of the control to focus
    next."""
    act, _colon, what = posted["act"].partition(":")
    if act in ("up", "down"):
        return _step_words(arrange.step(what, -1 if act == "up" else 1)), f"{act}-{what}"
    if act in ("group-up", "group-down"):
        arrange.move_group(what, -1 if act == "group-up" else 1)
        return _("“%(group)s” was moved.") % {"group": what}, f"{act}-{what}"
    if act == "place":
        arrange.move_apps(posted["moved"])
        return _("The order was saved."), "place"
    if not posted["app"]:
        return _("Tick at least one app first."), act
    return _change_ticked(act, posted, admin), act


def _step_words(step: arrange.NewPlace | None) -> str:
    if step is None:
        return _("This app is no longer listed.")
    values = {"app": step.name, "place": number_words(step.place), "count": number_words(step.count)}
    return _("“%(app)s” is now number %(place)s of %(count)s.") % values


def _change_ticked(act: str, posted: dict[str, Any], admin: Member) -> str:
    """Change all ticked apps; return a sentence saying how many were changed."""
    if act == "group":
        count = arrange.put_in_group(posted["app"], posted["group"], admin, timezone.now())
        group = " ".join(posted["group"].split())
        words = ngettext("%(count)s app is now in “%(group)s”.", "%(count)s apps are now in “%(group)s”.", count)
        none = ngettext("%(count)s app is no longer in a group.", "%(count)s apps are no longer in a group.", count)
        return (words if group else none) % {"count": number_words(count), "group": group}
    if act == "hide":
        count = arrange.set_hidden(posted["app"], admin, timezone.now(), is_hidden=True)
        words = ngettext("%(count)s app is now hidden.", "%(count)s apps are now hidden.", count)
    else:
        count = arrange.set_hidden(posted["app"], admin, timezone.now(), is_hidden=False)
        words = ngettext("%(count)s app is visible again.", "%(count)s apps are visible again.", count)
    return words % {"count": number_words(count)}


def _query_of(request: PortalRequest) -> tuple[str, str, int]:
    """Return the search words, the chosen filter, and the number of the page's first row."""
    kind, after = request.GET.get("show", ""), request.GET.get("after", "")
    return (
        request.GET.get("q", "").strip()[:200],
        kind if kind in managed_apps.KINDS_OF_APPS else "",
        min(number_in(after, 0, 99_999_999, 0), MOST_APPS),
    )


def _url(request: PortalRequest, **more: str) -> str:
    """Return the URL of the list with the same filter."""
    q, kind, start = _query_of(request)
    at = {"after": str(start)} if start and "focus" in more else {}
    return url_with("manage-apps", **{"q": q, "show": kind, **at, **more})


def _chips(apps: ManagedList, q: str, current: str) -> list[tuple[str, int, str, bool]]:
    """Return the current filter, and any others that match some apps: for each, its label, count and URL, and whether
    it is selected."""
    labels = {
        "": pgettext("apps", "All"),
        "changed": _("Changed on Lamina"),
        "paused": _("Paused"),
        "hidden": _("Hidden"),
        "shaped": _("Changed here"),
    }
    counts = {"": apps.total, **apps.counts}
    return [
        (labels[kind], counts[kind], url_with("manage-apps", q=q, show=kind), kind == current)
        for kind in managed_apps.KINDS_OF_APPS
        if counts[kind] or kind == current
    ]
