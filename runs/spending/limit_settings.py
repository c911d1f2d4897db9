"""Set monthly limits, and prices for apps without an estimate. Changes apply from the next run on; `limits` enforces
them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from runs.audit.overtaken import change_row, locked_row, version_of
from runs.audit.record import values_of
from runs.catalog.save_app_settings import record_outside_change
from runs.models import App, Member, MemberLimit, MonthTotal, SpendingLimits, Verb
from runs.models.spending import day_of, month_of
from runs.spending.limits import used_words
from runs.words.credits import amount_words, to_credits


@dataclass(frozen=True)
class PersonLimit:
    """What a member has used this month, and their limit (None if there is none), in hundredths of a credit."""

    member: Member
    own: MemberLimit
    used: int
    limit: int | None
    is_raised: bool

    @property
    def used_words(self) -> str:
        return amount_words(self.used)

    @property
    def limit_words(self) -> str:
        return limit_words(self.limit)

    @property
    def words(self) -> str:
        """A sentence saying how much has been used this month."""
        return used_words(self.used, self.limit)


def limit_words(limit: int | None) -> str:
    """Return a limit as shown in a table, such as "100" or "no limit"."""
    return _("no limit") if limit is None else amount_words(limit)


def person_limits(on: date | None = None) -> list[PersonLimit]:
    """Return the usage and limits of all active members who may run apps, starting with those who have used the most.
    Takes two queries."""
    default, day = SpendingLimits.current().default_hundredths, on or day_of(timezone.now())
    used = MonthTotal.objects.filter(month=day.replace(day=1), member=OuterRef("pk")).values("used")
    people = Member.objects.filter(is_active=True).exclude(role=Member.Role.VIEWER).select_related("spending_limit")
    limits = [_person(member, default, day) for member in people.annotate(used=Subquery(used))]
    return sorted(limits, key=lambda one: (-one.used, one.member.display_name.lower()))


def person_limit(member: Member) -> PersonLimit:
    """Return how much `member` has used this month, and their limit."""
    now = timezone.now()
    total = MonthTotal.objects.filter(month=month_of(now), member=member).first()
    row = Member.objects.select_related("spending_limit").get(pk=member.pk)
    row.used = total.used if total else 0  # type: ignore[attr-defined]  # as `person_limits` annotates it
    return _person(row, SpendingLimits.current().default_hundredths, day_of(now))


def _person(member: Member, default: int | None, day: date) -> PersonLimit:
    own = getattr(member, "spending_limit", None) or MemberLimit(member=member)
    used: int | None = getattr(member, "used", None)
    return PersonLimit(member, own, used or 0, own.limit(default, day), own.is_raised(day))


def unpriced_apps() -> Sequence[App]:
    """Return the listed apps for which Lamina gives no estimate, in list order."""
    return list(App.objects.listed().filter(credits_expected=None, estimated_at__isnull=False))


def rules_version() -> str:
    """Return the current rules for everyone as text, so that `change_rules` can tell whether they have changed."""
    return version_of(_rules_values(SpendingLimits.current()))


def limit_version(limit: MemberLimit) -> str:
    """Return one person's limit as text, so that we can tell later whether it has changed."""
    return version_of(_limit_values(limit))


def price_version(app: App) -> str:
    """Return the price of an app as text, so that we can tell later whether it has changed."""
    return version_of(_price_values(app))


@transaction.atomic
def change_rules(rules: SpendingLimits, version: str = "") -> None:
    """Save the rules for everyone in the table's only row. `version` is what `rules_version` returned when the page was
    opened, if known.

    Raises `OvertakenError` if someone has changed the rules since then. The next two functions work the same way.
    """
    row = locked_row(SpendingLimits)
    change_row(row, values_of(rules), version, Verb.LIMITS_CHANGED, None, _rules_values)


@transaction.atomic
def change_person(limit: MemberLimit, version: str = "") -> None:
    """Save one member's limit."""
    member = Member.objects.select_for_update().get(pk=limit.member_id)
    row, _is_new = MemberLimit.objects.get_or_create(member=member)
    values = values_of(limit, "hundredths", "is_unlimited", "raised_to", "raised_until")
    change_row(row, values, version, Verb.PERSON_LIMITED, member, _limit_values)


@transaction.atomic
def change_price(app: App, price: Decimal | None, version: str = "") -> None:
    """Set what a full run of `app` costs while Lamina gives no estimate; None if unknown."""
    row = App.objects.select_for_update(of=("self",), no_key=True).get(pk=app.pk)
    change_row(row, {"price": price}, version, Verb.APP_PRICED, row, _price_values)
    record_outside_change([app.pk])


def _rules_values(rules: SpendingLimits) -> dict[str, Any]:
    """Return the rules the way they're recorded when they change, with amounts in credits."""
    return {
        "each_person": _credits(rules.default_hundredths),
        "everyone": _credits(rules.portal_hundredths),
        "allows_unknown": rules.allows_unknown,
        "alert_spent": _credits(rules.day_hundredths),
        "alert_left": rules.left_credits,
    }


def _limit_values(limit: MemberLimit) -> dict[str, Any]:
    return {
        "limit": "unlimited" if limit.is_unlimited else _credits(limit.hundredths),
        "raised_to": _credits(limit.raised_to),
        "raised_until": limit.raised_until,
    }


def _price_values(app: App) -> dict[str, Any]:
    return {"price": None if app.price is None else f"{app.price:.2f}"}


def _credits(hundredths: int | None) -> str | None:
    return None if hundredths is None else f"{to_credits(hundredths):.2f}"
