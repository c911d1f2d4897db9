"""A member's selections: runs across all pages of one tab of History, or results of any runs.

Selections are stored on the server, one for each browser and place (`Selection.Place`), so that paging, reloading or
going back doesn't lose anything. Anything that a member may no longer see is left out automatically, because all
queries go through `visible_to`.
"""

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from runs.history import query_timeout
from runs.history.filter_choices import Directory
from runs.history.filters import Filter
from runs.models import Member, Output, Run, Selection
from runs.models.output import OutputQuerySet
from runs.models.run import RunQuerySet
from runs.words.numbers import number_words
from runs.words.sizes import files_words, size_words

Place = Selection.Place
AT_MOST = 10_000  # maximum number of runs or results in a selection; a busy team produces about this many a year
FILES_AT_MOST = 2_000  # maximum number of results in one zip or guest link
ZIP_BYTES_AT_MOST = 20_000_000_000
COUNT_SECONDS = 0.5


@dataclass(frozen=True)
class SelectionSummary:
    """How many runs or results are selected in one place, and how many results and files they have."""

    place: str
    count: int = 0
    results: int = 0
    files: int = 0
    size_bytes: int = 0

    @property
    def words(self) -> str:
        """A message such as "137 selected"; "" if nothing is selected."""
        if self.count >= AT_MOST:
            return _("%(count)s selected; that's the maximum") % {"count": number_words(self.count)}
        return _("%(count)s selected") % {"count": number_words(self.count)} if self.count else ""

    @property
    def size_words(self) -> str:
        """The contents of a download, such as "412 files, 3.1 GB"; "" if nothing has been saved."""
        return files_words(self.files, self.size_bytes)

    @property
    def too_many_words(self) -> str:
        """The reason why the results don't fit into one zip or guest link; "" if they fit."""
        if self.results <= FILES_AT_MOST:
            return ""
        words = _("You selected %(count)s results, but at most %(most)s can be used at once. Select fewer.")
        return words % {"count": number_words(self.results), "most": number_words(FILES_AT_MOST)}

    @property
    def too_large_words(self) -> str:
        """The reason why the files don't fit into one zip; "" if they fit. For a guest link, the size doesn't
        matter."""
        if self.too_many_words or self.size_bytes <= ZIP_BYTES_AT_MOST:
            return ""
        words = _("You selected %(size)s, but a download can hold at most %(most)s. Select fewer results.")
        return words % {"size": size_words(self.size_bytes), "most": size_words(ZIP_BYTES_AT_MOST)}

    @property
    def refusal_words(self) -> str:
        """The reason why a zip can't be created; "" if it can."""
        return self.too_many_words or self.too_large_words


@dataclass(frozen=True)
class MatchCount:
    """How many runs or results a filter finds, and how many of those aren't selected yet, both counted up to a
    limit."""

    total: int
    left: int
    is_filtered: bool  # False if the filter finds everything in its list

    @property
    def words(self) -> str:
        """The label of the button that selects all matches; "" if there is nothing left to select."""
        if not self.left:
            return ""
        if not self.is_filtered:
            words = _("Select the newest %(count)s") if self.total > AT_MOST else _("Select all %(count)s")
            return words % {"count": number_words(min(self.total, AT_MOST))}
        if self.total > AT_MOST:
            return _("Select the newest %(count)s that match") % {"count": number_words(AT_MOST)}
        if self.total == 1:
            return _("Select the one that matches")
        return _("Select all %(count)s that match") % {"count": number_words(self.total)}


def matches(member: Member, filters: Filter, directory: Directory | None = None) -> MatchCount | None:
    """Count the runs or results that match `filters`; return None if that takes too long. Pass the `directory` of
    `filters` if you already have it."""
    field = "outputs" if filters.place == Place.RESULTS else "runs"
    try:
        with query_timeout.at_most(COUNT_SECONDS) if filters.q else nullcontext():
            runs = filters.runs(member, directory or filters.directory(member)).order_by()
            some = _matching(runs, filters).order_by()
            first = some.model._default_manager.filter(pk__in=some.values("pk")[: AT_MOST + 1])
            is_left = ~Q(pk__in=Selection.objects.open(member, filters.place).values(field))
            counts = first.aggregate(total=Count("pk"), left=Count("pk", filter=is_left))
            return MatchCount(**counts, is_filtered=bool(filters.conditions))
    except query_timeout.TookTooLong:
        return None


def _matching(runs: RunQuerySet, filters: Filter) -> QuerySet[Any]:
    """Return what can be selected: `runs`, or, if `filters` shows single results, the results of as many of them as
    needed.

    Each of the runs has at least one result, so we never need more runs than the number of results that can be
    selected.
    """
    if filters.place != Place.RESULTS:
        return runs
    return filters.results(Output.objects.filter(run__in=runs.values("pk")[: AT_MOST + 1]))


def runs_in(member: Member, place: str, *, is_ended: bool = False) -> RunQuerySet:
    """Return the runs that are selected in `place` and that `member` may see. With `is_ended`, return those of the
    selection that was last cleared there."""
    selected = Selection.runs.through.objects.filter(selection__in=_selections(member, place, is_ended=is_ended))
    return Run.objects.visible_to(member).filter(pk__in=selected.values("run"))


def outputs_in(member: Member, place: str, *, is_ended: bool = False) -> OutputQuerySet:
    """Return the completed results that `member` may see and that are selected in `place`, either directly or through
    their runs; for `is_ended`, see `runs_in`."""
    if place != Place.RESULTS:
        runs = runs_in(member, place, is_ended=is_ended)
        return Output.objects.filter(run__in=runs, status=Output.Status.COMPLETED)
    selected = Selection.outputs.through.objects.filter(selection__in=_selections(member, place, is_ended=is_ended))
    return Output.objects.visible_to(member).filter(pk__in=selected.values("output"), status=Output.Status.COMPLETED)


def _selections(member: Member, place: str, *, is_ended: bool) -> QuerySet[Selection]:
    return Selection.objects.ended(member, place) if is_ended else Selection.objects.open(member, place)


def summary_of(member: Member, place: str) -> SelectionSummary:
    """Count the selection in `place`, with one query if it is empty, otherwise with up to three."""
    if not Selection.objects.open(member, place).exists():
        return SelectionSummary(place)
    is_saved = Q(files__status="saved")
    counts = outputs_in(member, place).aggregate(
        results=Count("pk", distinct=True),
        saved=Count("files", filter=is_saved),
        texts=Count("pk", filter=~Q(text=""), distinct=True),
        size=Sum("files__file__size_bytes", filter=is_saved),
    )
    count = counts["results"] if place == Place.RESULTS else runs_in(member, place).count()
    return SelectionSummary(place, count, counts["results"], counts["saved"] + counts["texts"], counts["size"] or 0)


def stamp(member: Member, place: str) -> str:
    """Return when the selection last changed, as text; "" if nothing is selected. Confirmation pages send it back, so
    that people confirm only what the page showed."""
    changed_at = Selection.objects.open(member, place).values_list("changed_at", flat=True).first()
    return changed_at.isoformat() if changed_at else ""


def ticked(member: Member, place: str, public_ids: Iterable[str]) -> set[str]:
    """Return the public ids of the runs or results among `public_ids` that are selected."""
    one = Output.objects.all() if place == Place.RESULTS else Run.objects.all()
    field = "outputs" if place == Place.RESULTS else "runs"
    open_ones = Selection.objects.open(member, place)
    rows = one.filter(public_id__in=list(public_ids), pk__in=open_ones.values(field))
    return set(rows.values_list("public_id", flat=True))


def has_result(member: Member, public_id: str) -> Exists:
    """Return a query condition that is true if `member` has selected the result `public_id`."""
    selected = Selection.outputs.through.objects.filter(selection__in=Selection.objects.open(member, Place.RESULTS))
    return Exists(selected.filter(output__public_id=public_id))


def ticked_results(member: Member, runs: Iterable[Run]) -> set[str]:
    """Return the public ids of the selected results of `runs`."""
    selected = Selection.objects.open(member, Place.RESULTS).values("outputs")
    return set(
        Output.objects.filter(run__in=[run.pk for run in runs], pk__in=selected).values_list("public_id", flat=True)
    )


@transaction.atomic
def keep(member: Member, place: str, on_page: Iterable[str], ticks: Iterable[str]) -> None:
    """Select `ticks` and deselect the rest of `on_page`; the selection on other pages doesn't change.

    Ids that the member may not see are ignored, and nothing is added beyond `AT_MOST`.
    """
    ticks = set(ticks)
    on_page = {*on_page, *ticks}
    if not on_page:
        return
    current = _begin(member, place)
    selected: Any = current.outputs if place == Place.RESULTS else current.runs
    visible = (Output if place == Place.RESULTS else Run).objects.visible_to(member)
    selected.remove(*selected.filter(public_id__in=on_page - ticks))
    new = visible.filter(public_id__in=ticks).exclude(pk__in=selected.values("pk"))
    selected.add(*new.order_by("pk")[: _room(selected, visible)])
    _end(current)


@transaction.atomic
def keep_all(member: Member, filters: Filter) -> None:
    """Add the runs or results that match `filters` to the selection, newest first, up to `AT_MOST` in total."""
    runs = filters.runs(member, filters.directory(member)).newest_first()
    is_of_results = filters.place == Place.RESULTS
    order = ("-run__created_at", "-run", "position") if is_of_results else ("-created_at", "-pk")
    current = _begin(member, filters.place)
    selected: Any = current.outputs if is_of_results else current.runs
    new = _matching(runs, filters).exclude(pk__in=selected.values("pk")).order_by(*order).values_list("pk", flat=True)
    visible = (Output if is_of_results else Run).objects.visible_to(member)
    selected.add(*new[: _room(selected, visible)])
    _end(current)


@transaction.atomic
def clear(member: Member, place: str) -> bool:
    """Deselect everything in `place`; return False if nothing was selected. `undo_clear` restores the selection."""
    selections = Selection.objects.of(member, place)
    current = selections.select_for_update().filter(cleared_at=None).first()
    if current is None:
        return False
    selections.ended(member, place).delete()
    current.cleared_at = timezone.now()
    current.save(update_fields=["cleared_at"])
    return True


def cleared_words(count: int) -> str:
    """Return the message for `clear`, if `count` items were selected."""
    words = ngettext("%(count)s item is no longer selected.", "%(count)s items are no longer selected.", count)
    return words % {"count": number_words(count)}


@transaction.atomic
def undo_clear(member: Member, place: str) -> None:
    """Restore the selection that was last cleared in `place`, adding it to anything selected since.

    The total may exceed `AT_MOST`, so that Undo doesn't lose anything.
    """
    last = Selection.objects.ended(member, place).select_for_update().order_by("-cleared_at").first()
    if last is None:
        return
    current = _begin(member, place)
    current.runs.add(*last.runs.values_list("pk", flat=True))
    current.outputs.add(*last.outputs.values_list("pk", flat=True))
    last.delete()
    _end(current)


def tidy(now: datetime) -> None:
    """Delete selections that haven't changed for a week."""
    Selection.objects.expired(now).delete()


def _begin(member: Member, place: str) -> Selection:
    """Lock and return the member's selection in `place`, so that changes are applied one after the other.

    If another request clears the selection while this one is waiting for the lock, create a new selection.
    """
    Selection.objects.of(member, place).expired(timezone.now()).delete()
    current = None
    while current is None:
        Selection.objects.get_or_create(member=member, browser=member.browser, place=place, cleared_at=None)
        current = Selection.objects.of(member, place).select_for_update().filter(cleared_at=None).first()
    return current


def _room(selected: Any, visible: QuerySet[Any]) -> int:
    """Return how many more runs or results can be selected. Anything that the member can no longer see, such as runs in
    the bin, doesn't count."""
    return max(0, AT_MOST - visible.filter(pk__in=selected.values("pk")).count())


def _end(current: Selection) -> None:
    """Record that the selection has just changed, or delete it if it is empty."""
    if not current.runs.exists() and not current.outputs.exists():
        current.delete()
        return
    current.changed_at = timezone.now()
    current.save(update_fields=["changed_at"])
