"""Runs that appeared since a page was opened: shared by teammates, or started by the member on another device."""

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, Subquery
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from runs.history.filters import Filter
from runs.models import Member, Run

AT_MOST = 100
# A run that was shared just before the page was rendered may not have been committed yet.
MARGIN = timedelta(seconds=10)


@dataclass(frozen=True)
class NewRuns:
    """New runs: their `ids`, separated by spaces and latest first, and the `url` of a list that includes them.

    `ids` has at most AT_MOST ids; `has_more` says whether there are even more new runs. `is_own` says whether the runs
    are the member's own or the team's.
    """

    since: str
    url: str
    is_own: bool
    ids: str = ""
    has_more: bool = False

    @property
    def token(self) -> str:
        return f"{zlib.crc32(self.ids.encode()):x}{'m' if self.has_more else ''}" if self.ids else ""


def page_opened(filters: Filter, url: str = "") -> NewRuns:
    """Return the state for a page that's being rendered right now: no new runs yet. `filters` is the list that the page
    shows or links to; pass its `url` if the list isn't in History."""
    return NewRuns(since=(timezone.now() - MARGIN).isoformat(), url=url or filters.url(), is_own=filters.tab == "mine")


def news_since(since: str, filters: Filter, member: Member, url: str = "") -> NewRuns | None:
    """Return runs that appeared after `since` in `member`'s list `filters` (Mine or Team).

    Return None if `since` isn't a valid time.
    """
    moment = _moment(since)
    if moment is None:
        return None
    runs = filters.runs(member, filters.directory(member)).exclude(is_example=True)
    if filters.tab == "mine":
        runs = runs.filter(created_at__gt=moment).newest_first()
    else:
        runs = runs.filter(shared_at__gt=moment).order_by("-shared_at", "-pk")
    ids = list(runs.values_list("public_id", flat=True)[: AT_MOST + 1])
    news: dict[str, Any] = {"ids": " ".join(ids[:AT_MOST]), "has_more": len(ids) > AT_MOST}
    return NewRuns(since=since, url=url or filters.url(), is_own=filters.tab == "mine", **news)


def own_runs(member: Member) -> tuple[bool, datetime | None]:
    """Return whether `member` has an active run and when they last started one, using a single query."""
    own = Run.objects.owned_by(member)
    newest = Subquery(own.newest_first().values("created_at")[:1])
    is_active, newest_at = Member.objects.filter(pk=member.pk).values_list(Exists(own.active()), newest).get()
    return is_active, newest_at


def is_after(at: datetime | None, since: str) -> bool:
    """Return whether the time `at` is after `since`; False if either isn't a valid time."""
    moment = _moment(since)
    return bool(at and moment and at > moment)


def _moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment and timezone.is_aware(moment) and moment.year > 1970 else None
