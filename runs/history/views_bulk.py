"""Actions on many runs at once, and the saved views of History."""

from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from runs.display import share_panel
from runs.history import bulk_actions, filters
from runs.history.forms import BulkActionForm, ChangeViewForm, SaveViewForm
from runs.history.search import Filter
from runs.models import SavedView
from runs.sharing import links
from runs.web.http import PortalRequest, go_to
from runs.words.numbers import number_words

UNDO = "undo_bin"  # session key of the runs just moved to the bin, until History is shown again


@require_POST
def history_act(request: PortalRequest) -> HttpResponse:
    """Apply the posted action to the selected runs, then return to the filter."""
    posted = BulkActionForm.read(request.POST)
    act, ids = posted["do"], posted["r"]
    member, back = request.user, Filter.parse(posted["query"]).url()
    if len(ids) > bulk_actions.AT_MOST:
        messages.warning(request, _too_many(len(ids)))
        return go_to(request, back)
    if act == "download" and ids:
        return go_to(request, f"{reverse('runs:results-download')}?{urlencode([('r', one) for one in ids])}")
    if act == "compare":
        results = bulk_actions.results_to_compare(ids, member)
        if not results:
            messages.warning(request, _("To compare, select two to four runs that have a result."))
        return go_to(request, f"{reverse('runs:compare')}?f={','.join(results)}" if results else back)
    if not member.can_run:
        raise PermissionDenied
    if not ids:
        messages.warning(request, _("Select at least one run first."))
        return go_to(request, back)
    if act == "guest":
        return _guest_link(request, ids, back)
    outcome = _change(request, act, ids)
    if act == "bin" and outcome.changed:
        request.session[UNDO] = {"words": outcome.words, "ids": outcome.changed}
    else:
        (messages.warning if outcome.is_partial else messages.success)(request, outcome.words)
    return go_to(request, back)


def _too_many(count: int) -> str:
    words = ngettext(
        "You selected %(count)s run; the limit is %(most)s. Nothing was changed.",
        "You selected %(count)s runs; the limit is %(most)s. Nothing was changed.",
        count,
    )
    return words % {"count": number_words(count), "most": number_words(bulk_actions.AT_MOST)}


def _guest_link(request: PortalRequest, ids: list[str], back: str) -> HttpResponse:
    """Make one link to all ready results of the runs, and open the link's page."""
    outputs = bulk_actions.results_for_guests(ids, request.user)
    refusal = share_panel.refusal_of(request.user) or bulk_actions.why_no_link(outputs)
    if refusal:
        messages.warning(request, refusal)
        return go_to(request, back)
    link = links.link_of_click(request.user, outputs)
    if left := len(ids) - len({output.run_id for output in outputs}):
        words = ngettext(
            "%(count)s run isn't in the link: it has no ready result, or it isn't yours to share.",
            "%(count)s runs aren't in the link: they have no ready results, or they aren't yours to share.",
            left,
        )
        messages.warning(request, words % {"count": number_words(left)})
    return go_to(request, f"{reverse('runs:link-detail', args=[link.public_id])}?made=1")


def _change(request: PortalRequest, act: str, ids: list[str]) -> bulk_actions.Outcome:
    member, now = request.user, timezone.now()
    if act == "share":
        return bulk_actions.share(ids, member)
    if act == "star":
        return bulk_actions.star(ids, member, now)
    if act == "bin":
        return bulk_actions.move_to_bin(ids, member, now)
    if act == "restore":
        return bulk_actions.bring_back(ids, member)
    raise BadRequest("no such act")


def take_undo(request: PortalRequest) -> dict[str, object] | None:
    """Return the runs last moved to the bin, but only once; for a prefetched page, return None and keep them."""
    if UNDO not in request.session or "Sec-Purpose" in request.headers:
        return None
    undo: dict[str, object] = request.session.pop(UNDO)
    return undo


@require_POST
def view_save(request: PortalRequest) -> HttpResponse:
    """Save the posted filter as a view."""
    posted = SaveViewForm.read(request.POST)
    view = filters.save_view(request.user, posted["name"], posted["query"])
    if view is None:
        messages.warning(
            request,
            _("Give the view a name. You can save up to %(most)s views.") % {"most": filters.VIEWS_PER_MEMBER},
        )
    else:
        messages.success(request, _("“%(name)s” is saved.") % {"name": view.name})
    return go_to(request, Filter.parse(posted["query"]).url())


@require_POST
def view_change(request: PortalRequest, view_id: str) -> HttpResponse:
    """Rename or delete one of the member's saved views."""
    view = get_object_or_404(SavedView.objects.owned_by(request.user), public_id=view_id)
    url, posted = Filter.parse(view.query).url(), ChangeViewForm.read(request.POST)
    if posted["do"] == "delete":
        view.delete()
        messages.success(request, _("The view “%(name)s” was deleted. Its runs are still there.") % {"name": view.name})
    elif filters.rename_view(view, posted["name"]):
        messages.success(request, _("The view is now called “%(name)s”.") % {"name": view.name})
    else:
        messages.warning(request, _("Enter a name that you haven't used for another view."))
    return go_to(request, url)
