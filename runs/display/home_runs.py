"""The runs and apps on Home."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import BigIntegerField, Case, Count, Exists, OuterRef, Q, QuerySet, When, Window
from django.db.models.functions import Cast
from django.utils import timezone

from runs.catalog import arrange
from runs.display.cards import RunCard, run_cards
from runs.display.run_sentences import failure_words
from runs.models import App, Member, Notice, NoticeKind, Run
from runs.models.run import RunQuerySet
from runs.review import review_queries

FAILED_SHOWN = 3
LATEST = 8
STARRED = 8
ACTIVE_SHOWN = 24
USED_LATELY = 4
STARRED_APPS = 8
LOOKED_BACK = 100  # how many runs to search for recently used apps


@dataclass(frozen=True)
class FailedRun:
    """A run that failed, and why."""

    card: RunCard
    words: str


@dataclass(frozen=True)
class Shelves:
    """The runs on Home. `failed` lists the member's own runs, and `team_active` the runs shared by teammates;
    `has_more_active` is about the member's own runs."""

    failed: list[FailedRun]
    active: list[RunCard]
    has_more_active: bool
    team_active: list[RunCard]
    latest: list[RunCard]
    starred: list[RunCard]
    has_decided: bool  # others have recently decided on the member's results


def shelves_of(member: Member) -> Shelves:
    """Collect the runs for Home. Each run is read only once, with its pictures, even if it is on several shelves."""
    runs = Run.objects
    of_active = [list(_active(some)) for some in (runs.owned_by(member), runs.shared_by_others(member))]
    has_more_active = len(of_active[0]) > ACTIVE_SHOWN
    of_active = [of_one[:ACTIVE_SHOWN] for of_one in of_active]
    active = [pk for of_one in of_active for pk in of_one]
    since = timezone.now() - review_queries.NEWS_FOR
    failed = list(_failed(member, since)) if member.unread else []
    rows = list(_latest(member, since))
    latest = [pk for pk, _is_decided in rows]
    starred = list(_starred(runs.own_or_shared(member)))
    pks = {*active, *latest, *starred, *(pk for pk, *_ in failed)}
    with_cards = runs.filter(pk__in=pks).newest_first().for_cards()
    cards = {card.run.pk: card for card in run_cards(list(with_cards), member)}
    mine, teams = ([cards[pk] for pk in of_one if pk in cards] for of_one in of_active)
    return Shelves(
        failed=[FailedRun(cards[pk], failure_words(cause, needs)) for pk, cause, needs in failed if pk in cards],
        active=mine,
        has_more_active=has_more_active,
        team_active=teams,
        latest=[cards[pk] for pk in latest if pk in cards],
        has_decided=any(is_decided for _pk, is_decided in rows),
        starred=[cards[pk] for pk in starred if pk in cards and pk not in active and pk not in latest],
    )


@dataclass(frozen=True)
class AppShelves:
    """The apps on Home besides the first ones of the list: those with a star, and those used most recently, latest
    first. `by_team` leaves out the apps in `by_member`."""

    starred: list[App]
    by_member: list[App]
    by_team: list[App]


def first_apps(member: Member, count: int) -> tuple[list[App], int]:
    """Return the first `count` apps that the member is offered, and how many there are in total."""
    listed = App.objects.listed().offered_to(member).order_by(*arrange.NEARLY_IN_ORDER)
    first: list[Any] = list(listed.for_cards().annotate(of=Window(Count("pk")))[:count])
    return first, first[0].of if first else 0


def app_shelves(member: Member, *, lists_all: bool) -> AppShelves:
    """Collect the apps on Home that are still available. With `lists_all`, Home lists every app anyway, so it only says
    which of them have a star.

    Which apps teammates use in private is their own business, so only runs that they have shared count, even for
    admins.
    """
    offered = App.objects.listed().offered_to(member).for_cards()
    if lists_all:
        return AppShelves(list(offered.starred()[:STARRED_APPS]), [], [])
    used = _apps_of(Run.objects.owned_by(member))
    used_by_team = _apps_of(Run.objects.shared_by_others(member))
    apps = {app.pk: app for app in offered.filter(Q(pk__in={*used, *used_by_team}) | Q(starred_at__isnull=False))}
    starred = sorted(
        (app for app in apps.values() if app.has_star), key=lambda app: (app.starred_at, -app.pk), reverse=True
    )
    by_member = [pk for pk in used if pk in apps][:USED_LATELY]
    by_team = [pk for pk in used_by_team if pk in apps and pk not in by_member][:USED_LATELY]
    return AppShelves(starred[:STARRED_APPS], *([apps[pk] for pk in keys] for keys in (by_member, by_team)))


def _apps_of(runs: RunQuerySet) -> list[int]:
    """Return the primary keys of the apps of the newest `runs`, the last used first."""
    return list(dict.fromkeys(runs.newest_first().values_list("app_id", flat=True)[:LOOKED_BACK]))


def _active(runs: RunQuerySet) -> "QuerySet[Run, Any]":
    """Return the runs in progress, up to one more than Home shows: runs that need a person to decide come first, then
    the newest. The sandbox's examples only appear once they're ready."""
    asks_first = Case(When(status="checking", due_at=None, then=0), default=1)
    active = runs.active().exclude(is_example=True).order_by(asks_first, "-created_at", "-pk")
    return active.values_list("pk", flat=True)[: ACTIVE_SHOWN + 1]


def _failed(member: Member, since: datetime) -> "QuerySet[Notice, Any]":
    """Return the member's runs that failed after `since`, newest first, each with the cause and the estimated cost.
    Runs are left out if the member has read the notice about the failure or has run them again."""
    own = {"run__member": member, "run__status": Run.Status.FAILED, "run__deleted_at": None}
    notices = Notice.objects.unread().filter(member=member, kind=NoticeKind.FAILED, created_at__gte=since, **own)
    # The cast makes SQLite look up the few runs by their parent instead of reading all of the member's runs.
    again = Run.objects.filter(parent=OuterRef("run")).annotate(whose=Cast("member", BigIntegerField()))
    left = notices.exclude(Exists(again.filter(whose=member.pk)))
    return left.values_list("run", "run__failure", "run__credits_estimated")[:FAILED_SHOWN]


def _starred(runs: RunQuerySet) -> "QuerySet[Run, Any]":
    return runs.filter(has_star=True).newest_first().values_list("pk", flat=True)[:STARRED]


def _latest(member: Member, since: datetime) -> "QuerySet[Run, Any]":
    """Return the newest runs with results, and whether others have decided on those results since then."""
    listed = Run.objects.owned_by(member) if member.can_run else Run.objects.shared_by_others(member)
    with_results = listed.exclude(finished_at=None).filter(outputs_ready__gt=0).newest_first()
    is_decided = Exists(review_queries.decided_on_mine_since(member, since))
    return with_results.annotate(is_decided=is_decided).values_list("pk", "is_decided")[:LATEST]
