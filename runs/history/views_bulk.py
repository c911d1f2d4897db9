"""Actions on many runs at once, and the saved views of History."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from runs.display import guest_links
from runs.history import bin, bulk_actions, holds, saved_views, selection
from runs.history.filters import Filter
from runs.history.forms import ChangeViewForm, SaveViewForm, SelectionForm
from runs.history.undo import end_selection, moment, offer_undo
from runs.models import Output, SavedView
from runs.models.output import OutputQuerySet
from runs.sharing import links
from runs.web.http import PortalRequest, go_to, refuse_viewers, wants_fragment
from runs.words.numbers import number_words

UNDOES = ("restore", "reselect", "unhold", "unshare")
ENDS = {"bin": "restore", "share": "unshare"}  # the actions that use up the selection, and what undoes them


@require_POST
def history_bulk_action(request: PortalRequest) -> HttpResponse:
    """Apply the posted action to the whole selection, then redirect."""
    posted = SelectionForm.read(request.POST)
    act, member, place, back = posted["do"], request.user, posted["place"], posted["back"]
    if act in UNDOES:
        return _undo(request, posted)
    selection.keep(member, place, posted["on"], posted["ticks"])
    outputs = selection.outputs_in(member, place)
    summary = selection.summary_of(member, place)
    if act in bulk_actions.DOWNLOADS:
        return _download(request, act, summary, back)
    if not summary.count:
        messages.warning(request, _("Select at least one run first."))
        return go_to(request, back)
    if act == "compare":
        return _compare(request, outputs, place, back)
    refuse_viewers(member)
    if act in ("ask", "decide"):
        return _review(request, act, summary, back)
    if act == "guest":
        return _guest_link(request, outputs, summary, back)
    if act == "bin" and _must_ask(request, posted, summary):
        return go_to(request, f"{reverse('runs:bin-selected')}?{urlencode({'place': place, 'back': back})}")
    _change(request, act, place)
    return go_to(request, back)


def _must_ask(request: PortalRequest, posted: dict[str, Any], summary: selection.SelectionSummary) -> bool:
    """Return whether to ask for confirmation before moving the selection to the bin.

    Ask if others use its results, or if some of its items aren't on the page: they may have been ticked days ago or on
    another page. Don't ask if this selection was already confirmed.
    """
    member, place = request.user, summary.place
    if posted["at"] and posted["at"] == selection.stamp(member, place):
        return False
    on_page = {*(posted["shown"] or posted["on"]), *posted["ticks"]}
    if len(selection.ticked(member, place, on_page)) < summary.count:
        return True
    runs = selection.runs_in(member, place)
    return bool(bin.warnings_for(bulk_actions.can_go_to_bin(runs, member), member))


def _undo(request: PortalRequest, posted: dict[str, Any]) -> HttpResponse:
    """Undo the last action: restore the runs it moved to the bin, stop protecting or sharing the runs that it protected
    or shared, and restore the selection it cleared."""
    member = request.user
    if posted["do"] == "reselect":
        selection.undo_clear(member, posted["place"])
        return go_to(request, posted["back"])
    refuse_viewers(member)
    at = moment(posted["at"])
    if posted["do"] == "unhold":
        outcome = bulk_actions.release(holds.held_at(member, at), member)
    elif posted["do"] == "unshare":
        outcome = bulk_actions.unshare(member, at)
    else:
        outcome = bulk_actions.bring_back(bin.moved_at(member, at), member)
    messages.success(request, outcome.words)
    if posted["has_place"]:
        selection.undo_clear(member, posted["place"])
    return go_to(request, posted["back"])


def _download(request: PortalRequest, act: str, summary: selection.SelectionSummary, back: str) -> HttpResponse:
    """Send the selection, or only its approved results, as a zip, and end the selection. The browser stays on its page,
    so the next one offers Undo."""
    if refusal := bulk_actions.why_no_download(request.user, summary, act):
        messages.warning(request, refusal)
        return go_to(request, back)
    end_selection(request, summary.place, bulk_actions.download_words())
    return go_to(request, bulk_actions.download_url(summary.place, act))


def _review(request: PortalRequest, act: str, summary: selection.SelectionSummary, back: str) -> HttpResponse:
    """Open the page for deciding on the selected results, or the page for asking others to decide."""
    if summary.too_many_words:
        messages.warning(request, summary.too_many_words)
        return go_to(request, back)
    if not summary.results:
        messages.warning(request, _("Nothing you selected is ready for a decision."))
        return go_to(request, back)
    name = "runs:review-ask" if act == "ask" else "runs:review-many"
    url = f"{reverse(name)}?{urlencode({'selected': summary.place})}"
    # Let htmx follow the redirect and show the page in the sheet
    return HttpResponseRedirect(url) if wants_fragment(request) else go_to(request, url)


def _compare(request: PortalRequest, outputs: QuerySet[Output], place: str, back: str) -> HttpResponse:
    """Compare the selected results. If a selected run has several results, let people choose between them."""
    comparable = bulk_actions.results_to_compare(outputs, is_each=place == selection.Place.RESULTS)
    if comparable is None:
        messages.warning(request, _("To compare, select two to four items that have a result."))
        return go_to(request, back)
    query = {"f": ",".join(comparable.results)} | ({} if comparable.is_clear else {"pick": "1"})
    return go_to(request, f"{reverse('runs:compare')}?{urlencode(query, safe=',')}")


def _guest_link(
    request: PortalRequest, outputs: OutputQuerySet, summary: selection.SelectionSummary, back: str
) -> HttpResponse:
    """Create one guest link to all selected results that are ready, and open the link's page."""
    shareable = bulk_actions.results_for_guests(outputs, request.user)
    refusal = guest_links.refusal_of(request.user) or bulk_actions.why_no_link(shareable)
    if refusal:
        messages.warning(request, refusal)
        return go_to(request, back)
    link = links.link_of_click(request.user, shareable)
    count = len(shareable) if summary.place == selection.Place.RESULTS else len({output.run_id for output in shareable})
    if left := summary.count - count:
        words = ngettext(
            "%(count)s selected item isn't in the link: its result isn't ready, or it isn't yours to share.",
            "%(count)s selected items aren't in the link: their results aren't ready, or they aren't yours to share.",
            left,
        )
        messages.warning(request, words % {"count": number_words(left)})
    end_selection(request, summary.place)
    return go_to(request, f"{reverse('runs:link-detail', args=[link.public_id])}?made=1")


def _change(request: PortalRequest, act: str, place: str) -> None:
    """Share, star, protect or delete the runs selected in `place`, and show a message about the outcome."""
    member, now = request.user, timezone.now()
    runs = selection.runs_in(member, place)
    if act == "share":
        outcome = bulk_actions.share(runs, member, now)
    elif act == "star":
        outcome = bulk_actions.star(runs, member, now)
    elif act == "bin":
        outcome = bulk_actions.move_to_bin(runs, member, now)
    elif act == "hold":
        outcome = bulk_actions.hold(runs, member, now)
    elif act == "release":
        outcome = bulk_actions.release(runs, member)
    else:
        raise BadRequest("no such act")
    if act in ENDS and outcome.changed:
        selection.clear(member, place)
        offer_undo(request, outcome.words, ENDS[act], now, place)
    elif act == "hold" and outcome.changed:
        offer_undo(request, outcome.words, "unhold", now)
    else:
        (messages.warning if outcome.is_partial else messages.success)(request, outcome.words)


@require_POST
def view_save(request: PortalRequest) -> HttpResponse:
    """Save the posted filter as a view."""
    posted = SaveViewForm.read(request.POST)
    try:
        view = saved_views.save_view(request.user, posted["name"], posted["query"])
    except saved_views.ViewRefusedError as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, _("“%(name)s” is saved.") % {"name": view.name})
    return go_to(request, Filter.parse(posted["query"]).url())


@require_POST
def view_change(request: PortalRequest, view_id: str) -> HttpResponse:
    """Rename or delete one of the member's saved views."""
    view = get_object_or_404(SavedView.objects.owned_by(request.user), public_id=view_id)
    url, posted = Filter.parse(view.query).url(), ChangeViewForm.read(request.POST)
    if posted["do"] == "delete":
        saved_views.delete_view(view)
        messages.success(request, _("The view “%(name)s” was deleted. Its runs are still there.") % {"name": view.name})
        return go_to(request, url)
    try:
        saved_views.rename_view(view, posted["name"])
    except saved_views.ViewRefusedError as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, _("The view is now called “%(name)s”.") % {"name": view.name})
    return go_to(request, url)
