"""Apps that the portal keeps up to date because people use them. Other apps are only read when someone opens them.

The apps in use are all starred apps, plus others if needed to make 60 in total. Each takes two requests a day (form and
estimate). An idle portal reads at most 60 apps a day: because the order of Lamina's list keeps changing, all apps read
within the last day count towards this limit. Among the starred apps, the least recently requested one comes first, so
that each gets its turn, however many there are.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import F, Q

from runs.models import App, Run
from runs.models.ages import AHEAD, is_due
from runs.models.app import AppQuerySet

USED, WITH_STARRED_RUN, SHOWN_FIRST, IN_ALL = 16, 16, 24, 60
LOOKED_BACK = 100  # how many recent runs to search for apps that were used or have a starred run
DETAIL_EVERY = timedelta(hours=24)
RETRY_EVERY = timedelta(minutes=10)  # how long to wait after an unusable response about an app
UNREAD_RETRY_EVERY = timedelta(minutes=1)  # for an app that has never been read, while people are using the portal
QUIET_RETRY_EVERY = timedelta(hours=12)
ROUND_A_DAY = 96  # how many apps are checked by id each day (`requests.ROUND_EVERY`)
PICTURES_EVERY = timedelta(hours=6)


def apps_in_use() -> list[int]:
    """Return the ids of the apps in use: starred or with a starred run, used recently, or at the top of the list.

    Any remaining places go to the next apps in the list.
    """
    stars = App.objects.listed().filter(starred_at__isnull=False)
    starred = stars.order_by(F("schema_asked_at").asc(nulls_first=True), "-starred_at").values_list("pk", flat=True)
    runs = Run.objects.newest_first().values_list("app_id", flat=True)
    with_starred_run = dict.fromkeys(runs.filter(has_star=True)[:LOOKED_BACK])
    used = dict.fromkeys(runs[:LOOKED_BACK])
    pks = list(App.objects.listed().values_list("pk", flat=True)[:IN_ALL])
    ranked = dict.fromkeys(
        [*starred, *list(with_starred_run)[:WITH_STARRED_RUN], *list(used)[:USED], *pks[:SHOWN_FIRST]]
    )
    return list(ranked | dict.fromkeys(pks))[: max(IN_ALL, len(ranked))]


def is_old(now: datetime) -> Q:
    """Return a filter for apps that we haven't checked with Lamina by id in the last day."""
    return is_due("schema_fetched_at", now, DETAIL_EVERY)


def incomplete(now: datetime, *, is_one_there: bool) -> list[App]:
    """Return apps in use whose form or estimate is missing or over a day old, in the order of `apps_in_use`.

    Apps that were requested recently have to wait, longer if the portal is idle.
    """
    ids = apps_in_use()
    is_there = Q(gone_at=None, forbidden_at=None)
    is_unpriced = is_due("estimated_at", now, DETAIL_EVERY)
    wait = RETRY_EVERY if is_one_there else QUIET_RETRY_EVERY
    may_ask = is_due("schema_asked_at", now, wait)
    if is_one_there:
        is_unread = Q(schema_fetched_at=None) | Q(estimated_at=None)
        may_ask |= is_unread & Q(schema_asked_at__lt=now - UNREAD_RETRY_EVERY)
    wanting = App.objects.filter(may_ask, is_old(now) | (is_there & is_unpriced), pk__in=ids)
    apps = in_order(wanting.select_related("schema"), ids)
    return apps if is_one_there or not apps else apps[: _quiet_allowance(now)]


def _quiet_allowance(now: datetime) -> int:
    """Return how many more apps may be read today on an idle portal."""
    today = (now - DETAIL_EVERY, now + AHEAD)
    priced = App.objects.filter(estimated_at__range=today).count()
    count = App.objects.filter(schema_asked_at__range=today).count()
    return max(0, min(IN_ALL - priced, IN_ALL + ROUND_A_DAY - count))


def without_picture(now: datetime) -> AppQuerySet:
    """Return the listed apps without a thumbnail; after a failed download, an app is left out for a while."""
    may_try = is_due("pictures_tried_at", now, PICTURES_EVERY)
    return App.objects.listed().filter(may_try, thumbnail=None).exclude(thumbnail_url="")


def in_order(apps: Iterable[App], ids: list[int]) -> list[App]:
    places = {pk: n for n, pk in enumerate(ids)}
    return sorted(apps, key=lambda app: places[app.pk])
