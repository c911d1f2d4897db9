"""The order of History, newest first: a place in it, a page of it, and the neighbours of a result."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from django.db.models import Exists, OuterRef, Q, Subquery

from runs.history.filter_choices import Directory
from runs.history.search import Filter
from runs.models import Member, Output, Run
from runs.models.run import RunQuerySet

PAGE = 24
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Cursor:
    """A place in the list: next to one run, even if that run is gone by now."""

    at: datetime
    public_id: str

    @classmethod
    def of(cls, run: Run) -> Self:
        return cls(run.created_at, run.public_id)

    @classmethod
    def read(cls, text: str) -> "Cursor | None":
        """The cursor in an address; None if there is none or it makes no sense."""
        micros, _, public_id = text[:40].partition("-")
        if not (micros.isascii() and micros.isdigit() and len(micros) <= 16):
            return None
        return cls(EPOCH + timedelta(microseconds=int(micros)), public_id)

    def __str__(self) -> str:
        return f"{(self.at - EPOCH) // timedelta(microseconds=1)}-{self.public_id}"

    def older(self, runs: RunQuerySet) -> RunQuerySet:
        """Those of `runs` that come after this place in the list. The plain bound is what SQLite's index can use."""
        same_moment = Q(created_at=self.at, pk__lt=self._key())
        return runs.filter(Q(created_at__lt=self.at) | same_moment, created_at__lte=self.at)

    def newer(self, runs: RunQuerySet) -> RunQuerySet:
        """Those of `runs` that come before this place in the list."""
        same_moment = Q(created_at=self.at, pk__gt=self._key())
        return runs.filter(Q(created_at__gt=self.at) | same_moment, created_at__gte=self.at)

    def _key(self) -> Subquery:
        """Key of the run; none if it is gone, and then only its own microsecond is skipped."""
        return Subquery(Run.objects.filter(public_id=self.public_id).values("pk")[:1])


@dataclass(frozen=True)
class Page:
    """One page of runs, and where the list continues in both directions ("" where it ends)."""

    runs: list[Run]
    older: str = ""
    newer: str = ""


def page_of(runs: RunQuerySet, before: Cursor | None = None, after: Cursor | None = None, size: int = PAGE) -> Page:
    """The page of `runs` that follows `before`, or the one that leads up to `after`; otherwise the first."""
    if after is not None:
        found = _fetch(after.newer(runs), size + 1, is_newest_first=False)
        if len(found) > size:
            shown = found[1:]
            return Page(shown, str(Cursor.of(shown[-1])), str(Cursor.of(shown[0])))
        before = None  # the first page is shown whole, not as a remainder
    found = _fetch(before.older(runs) if before else runs, size + 1)
    shown = found[:size]
    older = str(Cursor.of(shown[-1])) if len(found) > size else ""
    return Page(shown, older, str(Cursor.of(shown[0])) if before and shown else "")


def _fetch(runs: RunQuerySet, count: int, *, is_newest_first: bool = True) -> list[Run]:
    """`count` of `runs` for cards, newest first whichever end they were taken from."""
    order = ("-created_at", "-pk") if is_newest_first else ("created_at", "pk")
    ids = runs.order_by(*order).values("pk")[:count]
    return list(Run.objects.filter(pk__in=ids).newest_first().for_cards())


@dataclass(frozen=True)
class Neighbours:
    """The results next to one in the list: `newer` comes before it, `older` after it."""

    newer: Output | None = None
    older: Output | None = None


def outputs_beside(output: Output, found: Filter, member: Member) -> Neighbours:
    """The results before and after `output` in the list of `found`, run by run."""
    done = Output.objects.filter(status=Output.Status.COMPLETED)
    siblings = done.filter(run=output.run_id)
    newer = siblings.filter(position__lt=output.position).order_by("-position").first()
    older = siblings.filter(position__gt=output.position).order_by("position").first()
    if newer and older:
        return Neighbours(newer, older)
    runs = found.runs(member, Directory.load(member)).filter(Exists(done.filter(run=OuterRef("pk"))))
    cursor = Cursor.of(output.run)
    if newer is None and (run := _next(cursor.newer(runs), "created_at", "pk")):
        newer = done.filter(run=run).order_by("-position").first()
    if older is None and (run := _next(cursor.older(runs))):
        older = done.filter(run=run).order_by("position").first()
    return Neighbours(newer, older)


def _next(runs: RunQuerySet, *order: str) -> Run | None:
    return runs.order_by(*(order or ("-created_at", "-pk"))).first()
