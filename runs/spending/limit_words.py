"""Messages for people whose run would exceed a limit: what is left, what the run needs, and who can raise the limit."""

from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from runs.models import Member
from runs.models.spending import HUNDREDTHS
from runs.spending.left import Left
from runs.team.admins import admin_names
from runs.words.credits import about_credits, credits_words

# Messages about a limit: (for admins, for others).
OWN = (
    gettext_noop(
        "This needs %(cost)s; you have %(left)s of your %(limit)s left this month. You can raise your limit under "
        "“Manage”."
    ),
    gettext_noop(
        "This needs %(cost)s; you have %(left)s of your %(limit)s left this month. An admin can raise your limit: "
        "%(names)s."
    ),
)
PORTAL = (
    gettext_noop(
        "This needs %(cost)s; the team has %(left)s of its %(limit)s left this month. You can raise the limit under "
        "“Manage”."
    ),
    gettext_noop(
        "This needs %(cost)s; the team has %(left)s of its %(limit)s left this month. An admin can raise the limit: "
        "%(names)s."
    ),
)
THEIRS = (
    gettext_noop(
        "This needs %(cost)s; %(name)s has %(left)s of their %(limit)s left this month. You can raise their limit "
        "under “Manage”."
    ),
    gettext_noop(
        "This needs %(cost)s; %(name)s has %(left)s of their %(limit)s left this month. An admin can raise their "
        "limit: %(names)s."
    ),
)
UNKNOWN = (
    gettext_noop("The cost of this app is unknown, so nobody can run it. You can set a price under “Manage”."),
    gettext_noop("The cost of this app is unknown, so nobody can run it. An admin can set a price: %(names)s."),
)


def beyond_limit(member: Member, left: Left, hundredths: int | None, payer: Member | None = None) -> str:
    """Return why `member` can't spend `hundredths` (None = unknown) this month; empty if they can.

    If someone other than `member` pays, `payer` is that person and `left` is theirs.
    """
    own, name = (OWN, "") if payer is None or payer == member else (THEIRS, payer.display_name)
    if hundredths is None and not left.allows_unknown:
        return _say(UNKNOWN, member, {})
    for messages, limit, used in ((own, left.limit, left.used), (PORTAL, left.portal_limit, left.portal_used)):
        if limit is not None and used > used_at_most(limit, hundredths):
            amounts = {"left": amount_words(max(0, limit - used)), "limit": amount_words(limit)}
            return _say(messages, member, {"cost": _cost_words(hundredths), "name": name, **amounts})
    return ""


def is_own_limit(left: Left, hundredths: int | None) -> bool:
    """Return whether it is the member's own limit that a run would exceed."""
    is_allowed = hundredths is not None or left.allows_unknown
    return is_allowed and left.limit is not None and left.used > used_at_most(left.limit, hundredths)


def own_words(left: Left) -> str:
    """Return what is left of the member's limit or the team's, whichever is closer; empty if there is no limit."""
    if left.left is not None and left.left == left.least:
        sentence, rest, limit = _("You: %(left)s of %(limit)s left this month"), left.left, left.limit
    elif left.portal_left is not None:
        sentence, rest, limit = _("Team: %(left)s of %(limit)s left this month"), left.portal_left, left.portal_limit
    else:
        return ""
    return sentence % {"left": amount_words(rest), "limit": amount_words(limit or 0)}


def used_at_most(limit: int, hundredths: int | None) -> int:
    """Return how much of `limit` may have been used for a run that costs `hundredths` to be allowed.

    A run of unknown cost needs at least some room.
    """
    return limit - (1 if hundredths is None else hundredths)


def amount_words(hundredths: int) -> str:
    """Return an amount of credits such as "12" or "4,250.5"."""
    return credits_words(Decimal(hundredths) / HUNDREDTHS)


def _cost_words(hundredths: int | None) -> str:
    if hundredths is None:
        return _("an unknown number of credits")
    return about_credits(Decimal(hundredths) / HUNDREDTHS)


def _say(messages: tuple[str, str], member: Member, values: dict[str, str]) -> str:
    for_admins, for_others = messages
    if member.is_admin:
        return _(for_admins) % values
    return _(for_others) % {**values, "names": admin_names() or _("nobody at the moment")}
