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

from runs.audit.overtaken import refuse_older, seen_of
from runs.audit.record import differences, record
from runs.catalog.app_rules import record_outside_change
from runs.models import App, Entry, Member, MemberLimit, MonthTotal, SpendingLimits, Verb
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
    found = [_person(member, default, day) for member in people.annotate(used=Subquery(used))]
    return sorted(found, key=lambda one: (-one.used, one.member.display_name.lower()))


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


def rules_seen() -> str:
    """Return the current rules for everyone as text, so that `change_rules` can tell whether they have changed."""
    return seen_of(_told_rules(SpendingLimits.current()))


def limit_seen(limit: MemberLimit) -> str:
    """Return one person's limit as text, so that we can tell later whether it has changed."""
    return seen_of(_told_limit(limit))


def price_seen(app: App) -> str:
    """Return the price of an app as text, so that we can tell later whether it has changed."""
    return seen_of(_told_price(app.price))


@transaction.atomic
def change_rules(rules: SpendingLimits, seen: str = "") -> None:
    """Save the rules for everyone in the table's only row. `seen` is what `rules_seen` returned when the page was
    opened, if known.

    Raises `OvertakenError` if someone has changed the rules since then. The next two functions work the same way.
    """
    row, _is_new = SpendingLimits.objects.select_for_update().get_or_create(pk=1)
    before, after = _told_rules(row), _told_rules(rules)
    refuse_older(seen, before, after, Entry.objects.filter(verb=Verb.LIMITS_CHANGED).exclude(changes={}))
    rules.pk = row.pk
    rules.save()
    record(Verb.LIMITS_CHANGED, None, changes=differences(before, after))


@transaction.atomic
def change_person(limit: MemberLimit, seen: str = "") -> None:
    """Save one member's limit."""
    member = Member.objects.select_for_update().get(pk=limit.member_id)
    stored = MemberLimit.objects.filter(member=member).first() or MemberLimit(member=member)
    before, after = _told_limit(stored), _told_limit(limit)
    acts = Entry.objects.about("person", member.public_id).filter(verb=Verb.PERSON_LIMITED).exclude(changes={})
    refuse_older(seen, before, after, acts)
    names = ("hundredths", "is_unlimited", "raised_to", "raised_until")
    MemberLimit.objects.update_or_create(member=member, defaults={name: getattr(limit, name) for name in names})
    record(Verb.PERSON_LIMITED, member, changes=differences(before, after))


@transaction.atomic
def change_price(app: App, price: Decimal | None, seen: str = "") -> None:
    """Set what a full run of `app` costs while Lamina gives no estimate; None if unknown."""
    stored = App.objects.select_for_update(of=("self",), no_key=True).get(pk=app.pk)
    acts = Entry.objects.about("app", app.public_id).filter(verb__in=(Verb.APP_PRICED, Verb.APP_SHAPED))
    priced = acts.filter(changes__has_key="price")
    refuse_older(seen, _told_price(stored.price), _told_price(price), priced)
    App.objects.filter(pk=app.pk).update(price=price)
    record_outside_change([app.pk])
    record(Verb.APP_PRICED, app, changes={"price": (stored.price, price)})


def _told_rules(rules: SpendingLimits) -> dict[str, Any]:
    """Return the rules the way they're recorded when they change, with amounts in credits."""
    return {
        "each_person": _credits(rules.default_hundredths),
        "everyone": _credits(rules.portal_hundredths),
        "allows_unknown": rules.allows_unknown,
        "alert_spent": _credits(rules.day_hundredths),
        "alert_left": rules.left_credits,
    }


def _told_limit(limit: MemberLimit) -> dict[str, Any]:
    return {
        "limit": "unlimited" if limit.is_unlimited else _credits(limit.hundredths),
        "raised_to": _credits(limit.raised_to),
        "raised_until": limit.raised_until,
    }


def _told_price(price: Decimal | None) -> dict[str, Any]:
    return {"price": None if price is None else f"{price:.2f}"}


def _credits(hundredths: int | None) -> str | None:
    return None if hundredths is None else f"{to_credits(hundredths):.2f}"
