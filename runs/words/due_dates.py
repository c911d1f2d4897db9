"""Due dates in words."""

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from runs.words.moments import brief_day_words, portal_day

SOON_DAYS = 7  # for days further away than this, a date is clearer than a number of days


def due_words(day: date, today: date | None = None) -> str:
    """Return a day as "due today", "due tomorrow", "due in 3 days", "due 5 Mar" or "2 days overdue"."""
    days = (day - (today or portal_day())).days
    if days < 0:
        return ngettext("%(count)s day overdue", "%(count)s days overdue", -days) % {"count": -days}
    if days == 0:
        return _("due today")
    if days == 1:
        return _("due tomorrow")
    if days <= SOON_DAYS:
        return _("due in %(count)s days") % {"count": days}
    return _("due %(day)s") % {"day": brief_day_words(day)}


def is_urgent(day: date, today: date | None = None) -> bool:
    """Return whether the day is today or has passed."""
    return day <= (today or portal_day())
