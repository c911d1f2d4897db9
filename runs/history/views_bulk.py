"""Many runs at once, and the saved views of History: everything there that changes something."""

from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from runs.display import share_panel
from runs.history import bulk_actions, filters
from runs.history.forms import BulkActionForm, ChangeViewForm, SaveViewForm
from runs.history.search import Filter
from runs.models import SavedView
from runs.sharing import links
from runs.web.http import PortalRequest, go_to

UNDO = "undo_bin"  # in the session: the runs that were binned last, until the next look at History


@require_POST
def history_act(request: PortalRequest) -> HttpResponse:
    """`do` to every run named by `r`; `query` is the filter to go back to."""
    posted = BulkActionForm.read(request.POST)
    act, ids = posted["do"], posted["r"]
    member, back = request.user, Filter.parse(posted["query"]).url()
    if len(ids) > bulk_actions.AT_MOST:
        messages.warning(
            request, f"At most {bulk_actions.AT_MOST} at once; {len(ids)} are chosen. Nothing was changed."
        )
        return go_to(request, back)
    if act == "download" and ids:
        return go_to(request, f"{reverse('runs:results-download')}?{urlencode([('r', one) for one in ids])}")
    if act == "compare":
        results = bulk_actions.results_to_compare(ids, member)
        if not results:
            messages.warning(request, "Choose two to four runs that have a result; then they can be compared.")
        return go_to(request, f"{reverse('runs:compare')}?f={','.join(results)}" if results else back)
    if not member.can_run:
        raise PermissionDenied
    if not ids:
        messages.warning(request, "Choose at least one run first.")
        return go_to(request, back)
    if act == "guest":
        return _guest_link(request, ids, back)
    outcome = _change(request, act, ids)
    if act == "bin" and outcome.changed:
        request.session[UNDO] = {"words": outcome.words, "ids": outcome.changed}
    else:
        (messages.warning if outcome.is_partial else messages.success)(request, outcome.words)
    return go_to(request, back)


def _guest_link(request: PortalRequest, ids: list[str], back: str) -> HttpResponse:
    """One link to all that is ready in the runs; its page has the address to copy, and what it shows to choose from."""
    outputs = bulk_actions.results_for_guests(ids, request.user)
    refusal = share_panel.refusal_of(request.user) or bulk_actions.why_no_link(outputs)
    if refusal:
        messages.warning(request, refusal)
        return go_to(request, back)
    link = links.link_of_click(request.user, outputs)
    if left := len(ids) - len({output.run_id for output in outputs}):
        words = "One of the runs is" if left == 1 else f"{left} of the runs are"
        messages.warning(request, f"{words} not in it: nothing there is ready, or it is not yours to share.")
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
    """What was moved to the bin last, told once; a page fetched ahead tells nothing yet."""
    if UNDO not in request.session or "Sec-Purpose" in request.headers:
        return None
    undo: dict[str, object] = request.session.pop(UNDO)
    return undo


@require_POST
def view_save(request: PortalRequest) -> HttpResponse:
    """Keep the filter of `query` under `name`."""
    posted = SaveViewForm.read(request.POST)
    view = filters.save_view(request.user, posted["name"], posted["query"])
    if view is None:
        messages.warning(request, "Give the view a name. One person can keep 50 of them.")
    else:
        messages.success(request, f"“{view.name}” is saved.")
    return go_to(request, Filter.parse(posted["query"]).url())


@require_POST
def view_change(request: PortalRequest, view_id: str) -> HttpResponse:
    """Rename or delete one of one's own views."""
    view = get_object_or_404(SavedView.objects.owned_by(request.user), public_id=view_id)
    url, posted = Filter.parse(view.query).url(), ChangeViewForm.read(request.POST)
    if posted["do"] == "delete":
        view.delete()
        messages.success(request, f"The view “{view.name}” is gone. The runs are still there.")
    elif filters.rename_view(view, posted["name"]):
        messages.success(request, f"The view is called “{view.name}” now.")
    else:
        messages.warning(request, "That name is empty or taken by another of your views.")
    return go_to(request, url)
