"""The order of History, newest first: cursors, pages, and the neighbours of a result."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Self

from django.db.models import Exists, OuterRef, Q, Subquery

from runs.history.filters import Filter
from runs.models import Member, Output, Run
from runs.models.run import RunQuerySet

PAGE = 24
NEWEST_ASKED = 1_000  # how many of the newest matching runs to check for apps to offer as filters
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Cursor:
    """A position in the list: the time and id of a run. It still works after that run is deleted."""

    at: datetime
    public_id: str

    @classmethod
    def of(cls, run: Run) -> Self:
        return cls(run.created_at, run.public_id)

    @classmethod
    def read(cls, text: str) -> "Cursor | None":
        """Read the cursor from a URL parameter; return None if it is missing or invalid."""
        micros, _, public_id = text[:40].partition("-")
        if not (micros.isascii() and micros.isdigit() and len(micros) <= 16):
            return None
        return cls(EPOCH + timedelta(microseconds=int(micros)), public_id)

    def __str__(self) -> str:
        return f"{(self.at - EPOCH) // timedelta(microseconds=1)}-{self.public_id}"

    def older(self, runs: RunQuerySet) -> RunQuerySet:
        """Return the runs after this position in the list. The condition `created_at__lte` is redundant, but it lets
        SQLite use the index."""
        same_moment = Q(created_at=self.at, pk__lt=self._key())
        return runs.filter(Q(created_at__lt=self.at) | same_moment, created_at__lte=self.at)

    def newer(self, runs: RunQuerySet) -> RunQuerySet:
        """Return the runs before this position in the list."""
        same_moment = Q(created_at=self.at, pk__gt=self._key())
        return runs.filter(Q(created_at__gt=self.at) | same_moment, created_at__gte=self.at)

    def _key(self) -> Subquery:
        """Select the primary key of the run. If the run has been deleted, other runs from the same microsecond are
        skipped."""
        return Subquery(Run.objects.filter(public_id=self.public_id).values("pk")[:1])


@dataclass(frozen=True)
class RunListPage:
    """One page of runs, and the cursors for the pages before and after it ("" at the end of the list).

    `newest_apps` are the apps of the newest runs on any page that match all filters but the app, newest first; None if
    they weren't read.
    """

    runs: list[Run]
    older: str = ""
    newer: str = ""
    is_whole: bool = False  # whether this is the only page
    newest_apps: list[int] | None = None


def page_of(
    runs: RunQuerySet, before: Cursor | None = None, after: Cursor | None = None, size: int = PAGE
) -> RunListPage:
    """Return the page of runs just older than `before` or just newer than `after`; without either, the first page."""
    if after is not None:
        runs_read = _fetch(after.newer(runs), size + 1, is_newest_first=False)
        if len(runs_read) > size:
            on_page = runs_read[1:]
            return RunListPage(on_page, str(Cursor.of(on_page[-1])), str(Cursor.of(on_page[0])))
        before = None  # there is less than a full page, so show the first page instead
    runs_read = _fetch(before.older(runs) if before else runs, size + 1)
    on_page = runs_read[:size]
    older = str(Cursor.of(on_page[-1])) if len(runs_read) > size else ""
    return RunListPage(
        on_page, older, str(Cursor.of(on_page[0])) if before and on_page else "", not older and before is None
    )


def first_page_with_apps(runs: RunQuerySet, app: int | None) -> RunListPage:
    """Return the first page of `runs` (only those of the app with the primary key `app`, unless it's None), with the
    apps of the newest of all `runs`.

    One search finds both, because most of its time goes into finding all the runs that contain the words. A second
    search is needed only if no more than a page of the newest runs are of that app.
    """
    newest = newest_keys(runs)
    apps = [its_app for _key, its_app in newest]
    keys = [key for key, its_app in newest if app is None or its_app == app]
    is_whole = len(keys) <= PAGE
    if app is not None and is_whole and len(newest) > NEWEST_ASKED:
        return replace(page_of(runs.filter(app_id=app), size=PAGE), newest_apps=apps)
    # If `keys` is empty, Django makes no query
    on_page = list(Run.objects.filter(pk__in=keys[:PAGE], deleted_at=None).newest_first().for_cards())
    older = str(Cursor.of(on_page[-1])) if on_page and not is_whole else ""
    return RunListPage(on_page, older, is_whole=is_whole, newest_apps=apps)


def newest_keys(runs: RunQuerySet) -> list[tuple[int, int]]:
    """Return the primary key and app of each of the newest `NEWEST_ASKED` runs, plus one more, so that the caller can
    tell whether there are more."""
    newest = runs.newest_first().values_list("pk", "app_id")
    return [(key, app) for key, app in newest[: NEWEST_ASKED + 1]]


def _fetch(runs: RunQuerySet, count: int, *, is_newest_first: bool = True) -> list[Run]:
    """Fetch the newest or oldest `count` runs for cards. The list is newest first either way."""
    order = ("-created_at", "-pk") if is_newest_first else ("created_at", "pk")
    ids = runs.order_by(*order).values("pk")[:count]
    return list(Run.objects.filter(pk__in=ids).newest_first().for_cards())


@dataclass(frozen=True)
class Neighbours:
    """The results before (`newer`) and after (`older`) a given result in the list."""

    newer: Output | None = None
    older: Output | None = None


def outputs_beside(output: Output, filters: Filter, member: Member) -> Neighbours:
    """Return the results before and after `output` in the list filtered by `filters`."""
    results = Output.objects.filter(status=Output.Status.COMPLETED)
    siblings = results.filter(run=output.run_id)
    newer = siblings.filter(position__lt=output.position).order_by("-position").first()
    older = siblings.filter(position__gt=output.position).order_by("position").first()
    if newer and older:
        return Neighbours(newer, older)
    runs = filters.runs(member, filters.directory(member)).filter(Exists(results.filter(run=OuterRef("pk"))))
    cursor = Cursor.of(output.run)
    if newer is None and (run := _next(cursor.newer(runs), "created_at", "pk")):
        newer = results.filter(run=run).order_by("-position").first()
    if older is None and (run := _next(cursor.older(runs))):
        older = results.filter(run=run).order_by("position").first()
    return Neighbours(newer, older)


def _next(runs: RunQuerySet, *order: str) -> Run | None:
    return runs.order_by(*(order or ("-created_at", "-pk"))).first()
