"""Saving the selection: runs selected in History, or results selected there or on their own pages."""

from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_POST

from runs.display.selection_bar import selection_bar
from runs.history import bulk_actions, selection
from runs.history.filters import Filter
from runs.history.forms import SelectionForm
from runs.history.undo import end_selection
from runs.web.http import PortalRequest, go_to, own_path, render_page


@require_POST
def history_select(request: PortalRequest) -> HttpResponse:
    """Save what was ticked, select all matches, clear the selection, or undo clearing it. An htmx request gets the
    updated bar; it can also start a download, which clears the selection."""
    posted = SelectionForm.read(request.POST)
    member, place, filters = request.user, posted["place"], Filter.parse(posted["query"])
    extra: dict[str, str] = {}
    if posted["do"] == "clear" and not request.htmx:
        end_selection(request, place)
    elif posted["do"] == "clear":
        words = selection.cleared_words(selection.summary_of(member, place).count)
        extra = {"cleared_words": words} if selection.clear(member, place) else {}
    elif posted["do"] in bulk_actions.DOWNLOADS:
        selection.keep(member, place, posted["on"], posted["ticks"])
        extra = _download(request, posted)
    elif posted["do"] == "undo":
        selection.undo_clear(member, place)
    elif posted["do"] != "look":
        selection.keep(member, place, posted["on"], posted["ticks"])
        if posted["do"] == "all" and place == filters.place:  # this button exists only in History
            selection.keep_all(member, filters)
    if request.htmx:
        context = selection_bar(member, place, posted["on"], filters) | extra
        return render_page(request, "history/_selection.html", context, partial="told")
    return go_to(request, own_path(posted["to"], posted["back"]))


def _download(request: PortalRequest, posted: dict[str, Any]) -> dict[str, str]:
    """Clear the selection, and return the URL of its zip and a message for the bar; or why there is no zip."""
    member, place = request.user, posted["place"]
    summary = selection.summary_of(member, place)
    if refusal := bulk_actions.why_no_download(member, summary, posted["do"]):
        return {"refusal_words": refusal}
    selection.clear(member, place)
    words = f"{bulk_actions.download_words()} {selection.cleared_words(summary.count)}"
    return {"cleared_words": words, "download_url": bulk_actions.download_url(place, posted["do"])}
