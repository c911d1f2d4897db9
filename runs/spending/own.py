"""What somebody has spent this month and may still spend, for their own pages."""

from dataclasses import dataclass
from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _

from runs.models import Member
from runs.models.spending import month_of
from runs.spending.left import Left, left_for
from runs.spending.overview import Chosen, Spending, overview
from runs.spending.period import Period, moved
from runs.words.amounts import amount_words, credit_words
from runs.words.moments import day_words


@dataclass(frozen=True)
class Own:
    """A member's own month."""

    left: Left
    spending: Spending
    next_month: date

    @property
    def words(self) -> str:
        """What is used, of what limit, such as "62 of 100 credits used this month."."""
        used = self.left.used
        if self.left.limit is None:
            return _("%(used)s used this month.") % {"used": credit_words(used)}
        values = {"used": amount_words(used), "limit": credit_words(self.left.limit)}
        return _("%(used)s of %(limit)s used this month.") % values

    @property
    def left_words(self) -> str:
        """What is left and until when it has to last; how it is without a limit."""
        if self.left.limit is None:
            return _("You have no monthly limit.")
        values = {"left": credit_words(self.left.left or 0), "day": day_words(self.next_month)}
        return _("%(left)s left. The next month begins on %(day)s.") % values


def own_spending(member: Member) -> Own:
    """Return what `member` has used this month, by app, and in the months before."""
    month = month_of(timezone.now())
    chosen = Chosen(Period(month), person=member)
    return Own(left_for(member), overview(chosen), moved(month, 1))


def own_left_words(left: Left) -> str:
    """Return what is left for somebody this month, beside what is left in the account; "" without a limit.

    If less is left for everyone together, that is what counts.
    """
    if left.left is not None and left.left == left.least:
        return _("%(left)s of your %(limit)s left this month") % {
            "left": amount_words(left.left),
            "limit": amount_words(left.limit or 0),
        }
    if left.portal_left is not None:
        return _("%(left)s of the team's %(limit)s left this month") % {
            "left": amount_words(left.portal_left),
            "limit": amount_words(left.portal_limit or 0),
        }
    return ""
