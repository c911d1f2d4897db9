"""What was spent, by month, person, app and kind, from the sums that are updated with each charge."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from runs.models import App, Member, SpendingSum
from runs.spending.period import YEAR, Period, moved
from runs.words.credits import amount_words, credit_words, credits_words, to_credits
from runs.words.moments import brief_month_words, month_words
from runs.words.numbers import number_words

MOST_ROWS = 8  # how many rows a table shows; the rest are combined into one row
KINDS: dict[str, Promise] = {
    "image": _lazy("Images"),
    "video": _lazy("Videos"),
    "audio": _lazy("Audio"),
    "text": _lazy("Text"),
}
TOTALS = {name: Sum(name) for name in ("hundredths", "reserved", "count", "unknown_count", "approved", "rounds")}


@dataclass(frozen=True)
class Total:
    """Sums of charges. Amounts are in hundredths of a credit."""

    hundredths: int = 0
    reserved: int = 0
    count: int = 0
    unknown_count: int = 0
    approved: int = 0
    rounds: int = 0

    def __add__(self, other: "Total") -> "Total":
        return Total(*(mine + theirs for mine, theirs in zip(self._all, other._all, strict=True)))

    @property
    def _all(self) -> tuple[int, ...]:
        return (self.hundredths, self.reserved, self.count, self.unknown_count, self.approved, self.rounds)

    @property
    def amount_words(self) -> str:
        return amount_words(self.hundredths)

    @property
    def credit_words(self) -> str:
        return credit_words(self.hundredths)

    @property
    def count_words(self) -> str:
        return number_words(self.count)

    @property
    def approved_words(self) -> str:
        return number_words(self.approved)

    @property
    def each_words(self) -> str:
        """What one approved result costs: all spending divided by the number of approved results."""
        return credits_words(to_credits(self.hundredths) / self.approved) if self.approved else ""

    @property
    def rounds_words(self) -> str:
        """How many versions an approved result took on average, such as "1.5"."""
        return credits_words(Decimal(round(self.rounds * 10 / self.approved)) / 10) if self.approved else ""


@dataclass(frozen=True)
class SpendingLine:
    """A row of a table. `key` identifies its person or app in URLs; `percent` is the length of its bar, relative to the
    longest one."""

    name: str
    total: Total
    key: str = ""
    percent: float = 0
    is_rest: bool = False
    is_current: bool = False
    brief: str = ""

    @property
    def share(self) -> str:
        """The length of the bar in SVG notation, which is the same in every language, such as "37.5%"."""
        return f"{self.percent:.1f}%"

    @property
    def top(self) -> str:
        """The position of the column's top in the chart, such as "62.5%"."""
        return f"{100 - self.percent:.1f}%"


@dataclass(frozen=True)
class Spending:
    """Everything on the page. If the page is about one person or app, `people` or `apps` has only that row."""

    total: Total
    months: Sequence[SpendingLine]
    people: Sequence[SpendingLine]
    apps: Sequence[SpendingLine]
    kinds: Sequence[SpendingLine]
    approved: Sequence[SpendingLine]
    has_more_approved: bool

    @property
    def inside(self) -> list[SpendingLine]:
        """The lines for the months in the period."""
        return [line for line in self.months if line.is_current]


@dataclass(frozen=True)
class SpendingFilters:
    """What the page is about: a period, and possibly one person or app. `whole` names the table that shows all its
    rows: "people", "apps" or "approved"."""

    period: Period
    person: Member | None = None
    app: App | None = None
    whole: str = ""

    @property
    def sums(self) -> QuerySet[SpendingSum]:
        """The sums for the chosen person and app, for all months."""
        who = Q(member=self.person) if self.person else Q()
        return SpendingSum.objects.filter(who, Q(app=self.app) if self.app else Q()).order_by()


def overview(filters: SpendingFilters) -> Spending:
    """Return the tables of the page, using one query for each."""
    period = filters.period
    # List the months instead of comparing with a range, so that the database can find a person's sums in the index
    inside = filters.sums.filter(month__in=period.months)
    kinds = _lines(inside, "kind", _kind_words)
    people = _lines(inside, "member__public_id", _person_words, "member__name", "member__email")
    apps = _lines(inside, "app__public_id", lambda row: str(row["app__name"]), "app__name")
    approved = _approved(apps)
    return Spending(
        total=sum((line.total for line in kinds), Total()),
        months=_months(filters),
        people=_with_bars(people, is_whole=filters.whole == "people"),
        apps=_with_bars(apps, is_whole=filters.whole == "apps"),
        kinds=_with_bars(kinds, is_whole=True),
        approved=approved if filters.whole == "approved" else approved[:MOST_ROWS],
        has_more_approved=filters.whole != "approved" and len(approved) > MOST_ROWS,
    )


def _lines(
    sums: QuerySet[SpendingSum], key: str, name: Callable[[dict[str, Any]], str], *columns: str
) -> list[SpendingLine]:
    """Return the totals by `key`, largest first."""
    rows = sums.values(key, *columns).annotate(**{f"of_{column}": total for column, total in TOTALS.items()})
    lines = [SpendingLine(name(row), _total(row), key=row[key]) for row in rows]
    lines = [line for line in lines if line.total.count]
    return sorted(lines, key=lambda line: (-line.total.hundredths, -line.total.count, line.name))


def _total(row: Mapping[str, Any]) -> Total:
    return Total(*(row[f"of_{column}"] or 0 for column in TOTALS))


def _person_words(row: dict[str, Any]) -> str:
    return Member(name=row["member__name"], email=row["member__email"]).display_name


def _kind_words(row: dict[str, Any]) -> str:
    kind = row["kind"]
    return str(KINDS[kind]) if kind in KINDS else _("Other")


def _months(filters: SpendingFilters) -> list[SpendingLine]:
    """Return the twelve months of the chart, ending with the month that `_latest` returns."""
    last = _latest(filters.period)
    window = [moved(last, n + 1 - YEAR) for n in range(YEAR)]
    rows = filters.sums.filter(month__in=window).values("month")
    totals = {row["month"]: _total(row) for row in rows.annotate(**{f"of_{name}": t for name, t in TOTALS.items()})}
    lines = [_month(month, totals.get(month, Total()), filters.period) for month in window]
    return _with_bars(lines, is_whole=True)


def _latest(period: Period) -> date:
    """Return the last month of the chart: the current month or, if the period ended a year or more ago, its last
    month."""
    present = Period.parse("", "").month
    return present if period.month > moved(present, -YEAR) else period.month


def _month(month: date, total: Total, period: Period) -> SpendingLine:
    is_inside = period.first <= month <= period.month
    return SpendingLine(
        month_words(month), total, key=f"{month:%Y-%m}", is_current=is_inside, brief=brief_month_words(month)
    )


def _with_bars(lines: Sequence[SpendingLine], *, is_whole: bool) -> list[SpendingLine]:
    """Return the rows to show, with their bars. Unless `is_whole`, all rows after the first `SHOWN` are combined into
    one row."""
    rows = list(lines)
    if not is_whole and len(lines) > MOST_ROWS + 1:
        rest = lines[MOST_ROWS:]
        words = ngettext("%(count)s other", "%(count)s others", len(rest)) % {"count": number_words(len(rest))}
        rows = [*lines[:MOST_ROWS], SpendingLine(words, _sum(rest), is_rest=True)]
    longest = max((line.total.hundredths for line in rows if not line.is_rest), default=0)
    return [replace(line, percent=_percent(line.total.hundredths, longest)) for line in rows]


def _sum(lines: Iterable[SpendingLine]) -> Total:
    return sum((line.total for line in lines), Total())


def _percent(hundredths: int, longest: int) -> float:
    return min(100.0, max(0, hundredths) * 100 / longest) if longest else 0.0


def _approved(apps: Sequence[SpendingLine]) -> list[SpendingLine]:
    """Return the apps with approved results, most expensive per result first."""
    lines = [line for line in apps if line.total.approved > 0]
    return sorted(lines, key=lambda line: -line.total.hundredths / line.total.approved)
