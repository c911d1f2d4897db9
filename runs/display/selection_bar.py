"""The bar with actions for selected runs or results. It's on every page where they can be selected."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from runs.display.review_count import shows_review
from runs.history import selection
from runs.history.filter_choices import Directory
from runs.history.filters import Filter
from runs.history.selection import Place, SelectionSummary
from runs.models import Member
from runs.words.numbers import number_words

FIRST = 3  # how many actions fit on a phone


@dataclass(frozen=True)
class BarButton:
    """A button in the bar. `name` is the value that the button posts. `needs` names a condition for using the button:
    "files" or "zip" (the selection isn't too large), or "pair" (enough is selected to compare)."""

    name: str
    icon: str
    words: str
    needs: str = ""
    is_off: bool = False
    title: str = ""  # tooltip with more details


@dataclass(frozen=True)
class BarButtons:
    """The buttons in the bar. On a phone, only `first` are visible, and `more` are in a menu."""

    first: list[BarButton]
    more: list[BarButton]


def selection_bar(
    member: Member,
    place: str,
    public_ids: Iterable[str],
    filters: Filter | None = None,
    *,
    directory: Directory | None = None,
) -> dict[str, Any]:
    """Return the context for `history/_selection.html`: the selection in `place`, and which of `public_ids` are ticked.

    `filters` is the History filter; the bar offers to select everything that matches it. Pass the
    `directory` for `filters` if you already have it.
    """
    summary = selection.summary_of(member, place)
    ticked = selection.ticked(member, place, public_ids) if summary.count else set()
    elsewhere = max(0, summary.count - len(ticked))
    is_offered = filters is not None and place == filters.place and not filters.selected
    matches = selection.matches(member, filters, directory) if filters and is_offered and summary.count else None
    return {
        "place": place,
        "selection_summary": summary,
        "ticked": ticked,
        "elsewhere": elsewhere,
        "elsewhere_words": _("{count} not on this page").replace("{count}", number_words(elsewhere)),
        "plain_words": _plain_words(elsewhere),
        "elsewhere_url": _all_selected(place).url(),
        "results_url": "" if place == Place.RESULTS else (filters or Filter(tab=place)).in_view("results").url(),
        "has_all": is_offered and (matches is None or bool(matches.left)),
        "all_words": matches.words if matches else "",
        "acts": _acts(member, place, summary),  # takes one query if anything is selected
    }


def _plain_words(elsewhere: int) -> str:
    """Return what the bar says if JavaScript is off, because then its numbers can't change as boxes are ticked."""
    if not elsewhere:
        return _("Items ticked on this page")
    return _("%(count)s selected earlier, plus any ticked on this page") % {"count": number_words(elsewhere)}


def _all_selected(place: str) -> Filter:
    """Return the History filter that lists everything selected in `place`."""
    return Filter(selected="1", view="results") if place == Place.RESULTS else Filter(tab=place, selected="1")


def _acts(member: Member, place: str, summary: SelectionSummary) -> BarButtons:
    is_many, can_run, of_runs = bool(summary.too_many_words), member.can_run, place != Place.RESULTS
    has_held = bool(summary.count) and can_run and of_runs and _has_held(member, place)
    zip_words = _("A zip file, including a provenance.csv that lists where each file came from")
    acts = [
        (True, BarButton("download", "download", _("Download"), "zip", bool(summary.refusal_words), zip_words)),
        (can_run and of_runs, BarButton("share", "team", _("Share with team"))),
        (can_run, BarButton("guest", "link", _("Guest link"), "files", is_many)),
        (shows_review(member), BarButton("decide", "good", _("Decide…"), "files", is_many)),
        (can_run, BarButton("ask", "review", _("Ask for a decision…"), "files", is_many)),
        (True, BarButton("compare", "compare", _("Compare"), "pair")),
        (True, BarButton("download-approved", "download", _("Download approved"), "files", is_many, zip_words)),
        (can_run and of_runs, BarButton("star", "star", pgettext("button", "Star"))),
        (can_run and of_runs, BarButton("hold", "hold", _("Protect"))),
        (has_held, BarButton("release", "hold", _("Stop protecting"))),
        (can_run and of_runs, BarButton("bin", "trash", _("Move to bin"))),
    ]
    offered = [act for is_offered, act in acts if is_offered]
    return BarButtons(offered[:FIRST], offered[FIRST:])


def _has_held(member: Member, place: str) -> bool:
    """Return whether any of the selected runs is protected from deletion."""
    return selection.runs_in(member, place).filter(held_at__isnull=False).exists()
