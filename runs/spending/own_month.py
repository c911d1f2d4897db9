"""What members have spent this month and may still spend, for their own pages."""

from dataclasses import dataclass
from datetime import date

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from runs.models import Member
from runs.models.spending import month_of
from runs.spending.limits import Allowance, allowance_of, own_limit_words, used_words
from runs.spending.overview import Spending, SpendingFilters, overview
from runs.spending.period import Period, moved
from runs.words.credits import credit_words
from runs.words.moments import day_words


@dataclass(frozen=True)
class Own:
    """What a member may still spend this month, and what they have spent."""

    left: Allowance
    spending: Spending
    next_month: date

    @property
    def has_any(self) -> bool:
        """Whether the member has spent anything in the last twelve months."""
        return any(line.total.count for line in self.spending.months)

    @property
    def words(self) -> str:
        """A sentence such as "62 of 100 credits used this month"."""
        return used_words(self.left.used, self.left.limit)

    @property
    def left_words(self) -> str:
        """Says what is left and when the limit resets, or that there is no limit."""
        if self.left.limit is None:
            return _("You have no monthly limit.")
        values = {"left": credit_words(self.left.left or 0), "day": day_words(self.next_month)}
        return _("%(left)s left. Your limit resets on %(day)s.") % values


def own_limit_context(request: HttpRequest) -> dict[str, object]:
    """Context processor that gives the bar what is left of the member's own limit, if the template shows the bar."""
    user = getattr(request, "user", None)
    return {"own_limit": SimpleLazyObject(lambda: own_limit_words(user) if isinstance(user, Member) else "")}


def own_spending(member: Member) -> Own:
    """Return what `member` has used this month, by app, and in previous months."""
    month = month_of(timezone.now())
    filters = SpendingFilters(Period(month), person=member)
    return Own(allowance_of(member), overview(filters), moved(month, 1))
