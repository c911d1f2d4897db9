"""The lists of the review pages, as queries: what is waiting for a member, what they asked for, and what was decided.

What is waiting for a member isn't stored (`ReviewItem.objects.waiting_for`): results appear once they are ready, and
disappear on their own when they're moved to the bin or the member can no longer see them.
"""

from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, F, Min, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from runs.models import Decision, GuestLink, Member, ReviewItem, ReviewRequest, Run
from runs.models.joined import Among, is_one_of

COUNTED = 99  # waiting results are counted on every page, but only up to this number
NEWS_FOR = timedelta(days=14)
LOOKED_THROUGH = 500  # how many of the latest decisions we search for ones on a member's results


def waiting_for(member: Member) -> QuerySet[ReviewItem]:
    """Return what is waiting for the member's verdict: next versions first, then by due date, then oldest first. A
    result appears once for each request that asks about it."""
    return ReviewItem.objects.waiting_for(member)


def waiting_count(member: Member) -> int:
    """Return how many results are waiting for `member`, but stop counting at `COUNTED` + 1. Takes at most one query."""
    return counted_for(member).count() if member.can_run else 0


def counted_for(member: Member) -> QuerySet[ReviewItem, Any]:
    """Return one row for each result that is waiting for `member`, but at most `COUNTED` + 1 rows, for counting."""
    return waiting_for(member).order_by().values("output_id").distinct()[: COUNTED + 1]


def day_for_guests(link: GuestLink) -> date | None:
    """Return the earliest due date among the open requests to the guests of `link`; None if none has one."""
    requests = ReviewRequest.objects.open().filter(link=link, due_on__isnull=False)
    day: date | None = requests.aggregate(day=Min("due_on"))["day"]
    return day


def asked_by(member: Member) -> QuerySet[ReviewRequest]:
    """Return the member's requests, newest first. `total` and `settled` count each request's results, leaving out those
    in the bin."""
    items = ReviewItem.objects.filter(request=OuterRef("pk"), output__run__deleted_at=None).order_by()
    requests = ReviewRequest.objects.filter(asker=member).select_related("link", "closed_by")
    with_counts = requests.annotate(total=_count(items), settled=_count(items.filter(settled_at__isnull=False)))
    return with_counts.prefetch_related("members")


def _count(items: QuerySet[ReviewItem]) -> Coalesce:
    """Count in a subquery, so that the database counts only for the requests on a page."""
    counts = items.values("request").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counts), 0)


def decided_lately(member: Member) -> QuerySet[Decision]:
    """Return the verdicts in force on results that `member` may see, latest first."""
    visible = is_one_of(Run.objects.visible_to(member), "output__run")
    decisions = Decision.objects.standing().on_current_content().filter(visible)
    with_related = decisions.select_related("member", "link__member", "link__made_by", "output__run", "chosen__run")
    return with_related.order_by("-created_at", "-pk")


def decided_on_mine(member: Member, now: datetime) -> QuerySet[Decision]:
    """Return recent decisions that others made on the member's results, latest first."""
    return decided_on_mine_since(member, now - NEWS_FOR)


def decided_on_mine_since(member: Member, since: datetime) -> QuerySet[Decision]:
    """Return decisions that others made on the member's results after `since`, latest first."""
    lately = Decision.objects.filter(created_at__gt=since).order_by("-created_at").values("pk")
    among = Among(F("pk"), Subquery(lately[:LOOKED_THROUGH]))  # don't read every decision ever made
    mine = decided_lately(member).filter(among, output__run__member=member)
    return mine.exclude(member=member)


def last_decision(member: Member, since: datetime) -> Decision | None:
    """Return the member's latest verdict that is still in force and was given after `since`, so it can be undone; None
    if there is none.

    `of_batch` is the number of verdicts in force that were given together with it.
    """
    own = Decision.objects.standing().filter(member=member, created_at__gt=since)
    same = Decision.objects.standing().filter(batch=OuterRef("batch")).order_by()
    counts = same.values("batch").annotate(of_batch=Count("pk")).values("of_batch")
    return own.annotate(of_batch=Subquery(counts)).select_related("output__run").order_by("-created_at", "-pk").first()
