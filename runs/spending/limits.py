"""Monthly limits: what is left for a member, and the check before each run. Admins set them in `limit_settings`."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from runs.models import Member, MemberLimit, MonthTotal
from runs.models.spending import day_of, month_of
from runs.team.admins import admin_names
from runs.words.credits import about_credits, amount_words, credit_words, to_credits
from runs.words.errors import UserFacingError

# Plain SQL, because each press of Run needs this query, and Django takes five times as long to build it as the database
# takes to run it.
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
# Adds to one total, a member's or the portal's, unless that would exceed the limit.
ADD = 'UPDATE "runs_monthtotal" SET used = used + %s WHERE month = %s AND used <= %s AND '
ADD_OWN, ADD_PORTAL = f"{ADD}member_id = %s", f"{ADD}member_id IS NULL"
SHOWN_SECONDS = 10  # how long pages may show what was left
NO_LIMIT = 2**63 - 1
# Messages about a limit, each as (for admins, for everyone else).
OWN = (
    gettext_noop(
        "This needs %(cost)s; you have %(left)s of your %(limit)s left this month. You can raise your limit in "
        "“Manage”."
    ),
    gettext_noop(
        "This needs %(cost)s; you have %(left)s of your %(limit)s left this month. To have your limit raised, ask "
        "an admin: %(names)s."
    ),
)
PORTAL = (
    gettext_noop(
        "This needs %(cost)s; the team has %(left)s of its %(limit)s left this month. You can raise the limit in "
        "“Manage”."
    ),
    gettext_noop(
        "This needs %(cost)s; the team has %(left)s of its %(limit)s left this month. To have the limit raised, ask "
        "an admin: %(names)s."
    ),
)
THEIRS = (
    gettext_noop(
        "This needs %(cost)s; %(name)s has %(left)s of their %(limit)s left this month. You can raise their limit "
        "in “Manage”."
    ),
    gettext_noop(
        "This needs %(cost)s; %(name)s has %(left)s of their %(limit)s left this month. To have their limit "
        "raised, ask an admin: %(names)s."
    ),
)
UNKNOWN = (
    gettext_noop("The cost of this app is unknown, so nobody can run it. You can set a price in “Manage”."),
    gettext_noop(
        "The cost of this app is unknown, so nobody can run it. To have a price set, ask an admin: %(names)s."
    ),
)
JUST_REACHED = gettext_noop("The limit for this month has just been reached.")


class LimitReached(UserFacingError):
    """Raised when a run would exceed a limit, or when its cost is unknown and that isn't allowed."""


@dataclass(frozen=True)
class Allowance:
    """A member's limit and the team's for one month, and how much of each has been used, in hundredths of a credit.

    None means that there's no limit.
    """

    limit: int | None
    used: int
    portal_limit: int | None
    portal_used: int
    allows_unknown: bool  # whether people may run apps whose cost is unknown

    @property
    def left(self) -> int | None:
        """What is left of the member's own limit; never below zero."""
        return None if self.limit is None else max(0, self.limit - self.used)

    @property
    def portal_left(self) -> int | None:
        """What is left of the limit for everyone together; never below zero."""
        return None if self.portal_limit is None else max(0, self.portal_limit - self.portal_used)

    @property
    def least(self) -> int | None:
        """What the member may still spend: what is left of their limit or of the team's, whichever is less."""
        return min((amount for amount in (self.left, self.portal_left) if amount is not None), default=None)


def allowance_of(member: Member, now: datetime | None = None) -> Allowance:
    """Return what is left for `member` this month, using a single query. An unsaved member has spent nothing."""
    now = now or timezone.now()
    row: Any = MemberLimit.objects.raw(QUERY, {"month": month_of(now).isoformat(), "member": member.pk})[0]
    return Allowance(
        limit=row.limit(row.default_limit, day_of(now)),
        used=row.used or 0,
        portal_limit=row.portal_limit,
        portal_used=row.portal_used or 0,
        allows_unknown=row.allows_unknown is None or bool(row.allows_unknown),  # None if there is no row
    )


def spend(member: Member, hundredths: int | None, now: datetime) -> None:
    """Count `hundredths` (None = unknown) against this month's limits, in the caller's transaction. If a limit would be
    exceeded, this raises `LimitReached`, and the caller must roll back."""
    left, month = allowance_of(member, now), month_of(now)
    if hundredths is None and not left.allows_unknown:
        raise LimitReached(beyond_limit(member, left, hundredths))
    for member_id, limit in ((member.pk, left.limit), (None, left.portal_limit)):
        if _add(member_id, month, hundredths, limit):
            continue
        # Either the limit has been reached, or this is the first run of the month and there is no row yet.
        MonthTotal.objects.bulk_create([MonthTotal(member_id=member_id, month=month)], ignore_conflicts=True)
        if not _add(member_id, month, hundredths, limit):
            raise LimitReached(beyond_limit(member, allowance_of(member, now), hundredths) or _(JUST_REACHED))
    cache.delete(_cache_key(member))


def _add(member_id: int | None, month: date, hundredths: int | None, limit: int | None) -> bool:
    """Add `hundredths` to a total in one UPDATE; return False if the total doesn't exist or would exceed its limit."""
    at_most = NO_LIMIT if limit is None else used_at_most(limit, hundredths)
    values: list[int | str] = [hundredths or 0, month.isoformat(), at_most]
    with connection.cursor() as cursor:
        if member_id is None:
            cursor.execute(ADD_PORTAL, values)
        else:
            cursor.execute(ADD_OWN, [*values, member_id])
        return bool(cursor.rowcount == 1)


def beyond_limit(member: Member, left: Allowance, hundredths: int | None, payer: Member | None = None) -> str:
    """Return why `member` can't spend `hundredths` (None = unknown) this month; empty if they can.

    If someone other than `member` pays, `payer` is that person, and `left` is what they have left.
    """
    own, name = (OWN, "") if payer is None or payer == member else (THEIRS, payer.display_name)
    if hundredths is None and not left.allows_unknown:
        return _say(UNKNOWN, member, {})
    for messages, limit, used in ((own, left.limit, left.used), (PORTAL, left.portal_limit, left.portal_used)):
        if limit is not None and used > used_at_most(limit, hundredths):
            amounts = {"left": amount_words(max(0, limit - used)), "limit": amount_words(limit)}
            return _say(messages, member, {"cost": _cost_words(hundredths), "name": name, **amounts})
    return ""


def used_words(used: int, limit: int | None) -> str:
    """Return a sentence saying how much of the limit has been used this month."""
    if limit is None:
        return _("%(used)s used this month.") % {"used": credit_words(used)}
    values = {"used": amount_words(used), "limit": credit_words(limit)}
    return _("%(used)s of %(limit)s used this month.") % values


def is_own_limit(left: Allowance, hundredths: int | None) -> bool:
    """Return whether a run would exceed the member's own limit."""
    is_allowed = hundredths is not None or left.allows_unknown
    return is_allowed and left.limit is not None and left.used > used_at_most(left.limit, hundredths)


def own_words(left: Allowance) -> str:
    """Return what is left of the member's limit or the team's, whichever is less; empty if there is no limit."""
    if left.left is not None and left.left == left.least:
        sentence, rest, limit = _("You: %(left)s of %(limit)s left this month"), left.left, left.limit
    elif left.portal_left is not None:
        sentence, rest, limit = _("Team: %(left)s of %(limit)s left this month"), left.portal_left, left.portal_limit
    else:
        return ""
    return sentence % {"left": amount_words(rest), "limit": amount_words(limit or 0)}


def own_limit_words(member: Member) -> str:
    """Return what is left of the member's own limit, such as "26.5 of 100 left this month"; "" if there is none.

    Every page shows this, so it may be a few seconds old.
    """
    if not member.can_run:
        return ""
    left = cache.get_or_set(_cache_key(member), partial(allowance_of, member), SHOWN_SECONDS)
    if left is None or left.left is None:
        return ""
    values = {"left": amount_words(left.left), "limit": amount_words(left.limit or 0)}
    return _("%(left)s of %(limit)s left this month") % values


def _cache_key(member: Member) -> str:
    return f"own_limit:{member.pk}"


def used_at_most(limit: int, hundredths: int | None) -> int:
    """Return the most that may already be used up of `limit` if a run costing `hundredths` is to be allowed.

    If the cost is unknown, at least some of the limit must be left.
    """
    return limit - (1 if hundredths is None else hundredths)


def _cost_words(hundredths: int | None) -> str:
    if hundredths is None:
        return _("an unknown number of credits")
    return about_credits(to_credits(hundredths))


def _say(messages: tuple[str, str], member: Member, values: dict[str, str]) -> str:
    for_admins, for_others = messages
    if member.is_admin:
        return _(for_admins) % values
    return _(for_others) % {**values, "names": admin_names() or _("nobody at the moment")}
