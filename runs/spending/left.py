"""What is left for a member this month."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from runs.models import Member, MemberLimit
from runs.models.spending import day_of, month_of

# Plain SQL, because each press of Run needs it: Django takes five times as long to build this query as to run it.
QUERY = """
SELECT own.*, mine.used AS used, everyones.used AS portal_used, limits.default_hundredths AS default_limit,
    limits.portal_hundredths AS portal_limit, limits.allows_unknown AS allows_unknown
FROM (SELECT CAST(%(member)s AS bigint) AS id) member
LEFT JOIN runs_memberlimit own ON own.member_id = member.id
LEFT JOIN runs_monthtotal mine ON mine.member_id = member.id AND mine.month = %(month)s
LEFT JOIN runs_monthtotal everyones ON everyones.member_id IS NULL AND everyones.month = %(month)s
LEFT JOIN runs_spendinglimits limits ON limits.id = 1
LIMIT 1
"""


@dataclass(frozen=True)
class Left:
    """A member's limit and the team's for one month, and how much of each has been used, in hundredths of a credit.

    A limit is None if there is none.
    """

    limit: int | None
    used: int
    portal_limit: int | None
    portal_used: int
    allows_unknown: bool  # apps whose cost nobody knows may be run

    @property
    def left(self) -> int | None:
        """What is left for the member; never below zero."""
        return None if self.limit is None else max(0, self.limit - self.used)

    @property
    def portal_left(self) -> int | None:
        """What is left for everyone together; never below zero."""
        return None if self.portal_limit is None else max(0, self.portal_limit - self.portal_used)

    @property
    def least(self) -> int | None:
        """What the member may still spend: what is left of their limit or of the team's, whichever is less."""
        return min((amount for amount in (self.left, self.portal_left) if amount is not None), default=None)


def left_for(member: Member, now: datetime | None = None) -> Left:
    """Return what is left for `member` this month, in one query. An unsaved member has spent nothing."""
    now = now or timezone.now()
    found: Any = MemberLimit.objects.raw(QUERY, {"month": month_of(now).isoformat(), "member": member.pk})[0]
    return Left(
        limit=found.limit(found.default_limit, day_of(now)),
        used=found.used or 0,
        portal_limit=found.portal_limit,
        portal_used=found.portal_used or 0,
        allows_unknown=found.allows_unknown is None or bool(found.allows_unknown),  # None without a row
    )
