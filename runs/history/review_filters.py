"""History's filters for reviews: by verdict, by who decided, and by who still has to decide."""

from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.lookups import IsNull
from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from runs.models import Decision, Member, Output, ReviewItem, Run
from runs.models.joined import Among, AmongKeys, is_one_of
from runs.models.run import RunQuerySet

DECISIONS: dict[str, str | Promise] = {
    **{verdict.value: verdict.label for verdict in Decision.Verdict},
    "none": pgettext_lazy("verdict", "Not reviewed"),
}
GUEST = "guest"  # stands for any guest, instead of a person's id
ONE_GUEST = "guest:"  # followed by a folded name, stands for all guests with that name
ME, ANYONE = "me", "anyone"
FEW = 1_000  # up to this many decisions by someone, or runs waiting for someone, count as few
GUESTS_FROM = 200  # how many of the latest decisions by guests to read when listing guests to choose from


def decided_on(who: str, verdict: str = "") -> QuerySet[Decision]:
    """Return the decisions by `who` that are in force. `who` is a person's public id, `GUEST`, or `ONE_GUEST` with a
    name. With a `verdict`, return only decisions with that verdict."""
    decisions = Decision.objects.standing().on_current_content().order_by()
    if who.startswith(ONE_GUEST):
        decisions = decisions.filter(link__isnull=False, guest_key=who.removeprefix(ONE_GUEST))
    elif who == GUEST:
        decisions = decisions.filter(link__isnull=False)
    else:
        decisions = decisions.filter(member=_key_of(who))
    return decisions.filter(verdict=verdict) if verdict in Decision.Verdict.values else decisions


def _key_of(who: str) -> Subquery:
    return Subquery(Member.objects.filter(public_id=who).values("pk")[:1])


def few_decided_on(who: str) -> QuerySet[Decision]:
    """Return the latest decisions by `who`: up to one more than `FEW`."""
    if who == GUEST or who.startswith(ONE_GUEST):
        latest = decided_on(who).order_by("-created_at")
        return Decision.objects.filter(pk__in=Subquery(latest.values("pk")[: FEW + 1]))
    # Start at this person in the index that is sorted by person, even if we then also read some of the next person's
    # decisions. In the index of everyone's latest decisions, this person's decisions might be far down. And if
    # PostgreSQL expected to find only a few of them, it would read them all.
    key = _key_of(who)
    onward = Decision.objects.standing().on_current_content().filter(member__gte=key)
    few = Subquery(onward.order_by("member_id", "-created_at").values("pk")[: FEW + 1])
    return Decision.objects.alias(by=F("member_id") + 0).filter(pk__in=few, by=key)


def if_few(keys: Iterable[int]) -> frozenset[int] | None:
    """Return the keys of runs that `few_decided_on` or `few_waiting_for` found; None if there are more than `FEW`."""
    few_keys = list(keys)
    return frozenset(few_keys) if len(few_keys) <= FEW else None


def only(pks: Collection[int]) -> Q:
    """Return a condition for the runs with these few keys."""
    return Q(AmongKeys(F("pk"), tuple(pks))) if pks else Q(pk__in=[])


def with_decision_of(who: str, verdict: str, few: frozenset[int] | None) -> Q:
    """Return a condition for runs that `who` decided on.

    If there are only a few, `few` holds their keys, so that the database only looks up those runs. If there are many,
    the database soon finds enough of them among the newest runs to fill a page. The condition then avoids EXISTS,
    because with EXISTS the database would first collect all of the runs.
    """
    if few is not None and not verdict:
        return only(few)
    has_decision = Exists(decided_on(who, verdict).filter(output=OuterRef("pk")))
    # Results come first: starting from decisions, SQLite would go through all of this person's for each run
    first = Output.objects.filter(has_decision, run=OuterRef("pk")).order_by().values("pk")[:1]
    each = Q(IsNull(Subquery(first), rhs=False))
    return each if few is None else only(few) & each


def waiting_for(who: Member | None) -> QuerySet[ReviewItem, Any]:
    """Return the keys of runs with results that are waiting for a verdict from `who` (None: from anyone)."""
    items = ReviewItem.objects.undecided().decidable() if who is None else ReviewItem.objects.waiting_for(who)
    return items.order_by().values("output__run")


def few_waiting_for(who: Member | None) -> RunQuerySet:
    """Return the runs with results that are waiting for a verdict from `who` (None: from anyone), up to one more than
    `FEW`."""
    keys = waiting_for(who)
    if keys.query.is_empty():  # empty for viewers, who don't decide
        return Run.objects.none()
    return Run.objects.filter(Among(F("pk"), Subquery(keys.distinct()[: FEW + 1])))


def guests_lately(member: Member) -> QuerySet[Decision]:
    """Return guests' latest decisions on runs that `member` can see, because only people who can see a run may see its
    clients' names."""
    latest = Decision.objects.filter(link__isnull=False).order_by("-created_at").values("pk")[:GUESTS_FROM]
    visible = is_one_of(Run.objects.visible_to(member), "output__run")
    return Decision.objects.filter(visible, pk__in=Subquery(latest))
