"""Saving the selection: runs selected in History, or results selected there or on their own pages."""

from django.http import HttpResponse
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from runs.display.selection_bar import selection_bar
from runs.history import selection
from runs.history.filters import Filter
from runs.history.forms import SelectionForm
from runs.history.undo import offer_undo
from runs.web.http import PortalRequest, go_to, own_path, render_page
from runs.words.numbers import number_words


@require_POST
def history_select(request: PortalRequest) -> HttpResponse:
    """Save what was ticked, select all matches, clear the selection, or undo clearing it. An htmx request gets the
    updated bar."""
    posted = SelectionForm.read(request.POST)
    member, place, found = request.user, posted["place"], Filter.parse(posted["query"])
    is_cleared, words = False, ""
    if posted["do"] == "clear":
        words = _cleared_words(selection.chosen(member, place).count)
        is_cleared = selection.clear(member, place)
    elif posted["do"] == "undo":
        selection.undo_clear(member, place)
    elif posted["do"] != "look":
        selection.keep(member, place, posted["on"], posted["ticks"])
        if posted["do"] == "all" and place == found.place:  # this button exists only in History
            selection.keep_all(member, found)
    if request.htmx:
        context = selection_bar(member, place, posted["on"], found)
        context |= {"cleared_words": words if is_cleared else ""}
        return render_page(request, "history/_selection.html", context, partial="told")
    if is_cleared:
        offer_undo(request, words, "reselect", place=place)
    return go_to(request, own_path(posted["to"], posted["back"]))


def _cleared_words(count: int) -> str:
    words = ngettext("%(count)s item is no longer selected.", "%(count)s items are no longer selected.", count)
    return words % {"count": number_words(count)}
