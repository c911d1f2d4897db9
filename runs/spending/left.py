"""What is left for a member this month."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from runs.models import Member, MemberLimit, MonthTotal, SpendingLimits
from runs.models.spending import day_of, month_of


@dataclass(frozen=True)
class Left:
    """Amounts of one month in hundredths of a credit. `limit`, `left` and `portal_left` are None without a limit;
    what is left is never below zero."""

    limit: int | None
    used: int
    left: int | None
    portal_left: int | None
    allows_unknown: bool

    @property
    def least(self) -> int | None:
        """What may still be spent: the smaller of what is left for the member and for the portal."""
        known = [amount for amount in (self.left, self.portal_left) if amount is not None]
        return min(known, default=None)


def left_for(member: Member, now: datetime | None = None) -> Left:
    """Return what `member` has used this month and what is left, in one query."""
    now = now or timezone.now()
    totals = MonthTotal.objects.filter(month=month_of(now))
    row = (
        Member.objects.filter(pk=member.pk)
        .select_related("spending_limit")
        .annotate(
            used=Subquery(totals.filter(member=OuterRef("pk")).values("used")),
            portal_used=Subquery(totals.filter(member=None).values("used")),
            default=Subquery(SpendingLimits.objects.values("default_hundredths")[:1]),
            portal=Subquery(SpendingLimits.objects.values("portal_hundredths")[:1]),
            allows_unknown=Subquery(SpendingLimits.objects.values("allows_unknown")[:1]),
        )
        .get()
    )
    own = getattr(row, "spending_limit", None) or MemberLimit(member=row)
    used, limit = row.used or 0, own.limit(row.default, day_of(now))
    return Left(
        limit=limit,
        used=used,
        left=_rest(limit, used),
        portal_left=_rest(row.portal, row.portal_used or 0),
        allows_unknown=row.allows_unknown is not False,
    )


def _rest(limit: int | None, used: int) -> int | None:
    return None if limit is None else max(0, limit - used)
