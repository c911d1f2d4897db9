"""The inbox: a member's notices grouped by run, newest first, and what they have muted."""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from runs.display.bell import NoticeLine, lines_of
from runs.models import Member, Mute, Notice, Run
from runs.notices.kinds import KINDS

PAGE = 50


@dataclass(frozen=True)
class NoticeGroup:
    """The notices about one run, newest first. If there's no run, they're about the portal or about several runs."""

    run: Run | None
    name: str
    lines: list[NoticeLine]
    is_muted: bool = False


@dataclass(frozen=True)
class Inbox:
    """One page of the inbox. The next page has the notices before the id `older` ("" if this is the last page). `until`
    is when this page was loaded."""

    groups: list[NoticeGroup]
    older: str
    is_first: bool
    until: str

    @property
    def has_unread(self) -> bool:
        return any(line.is_unread for group in self.groups for line in group.lines)


def inbox_page(member: Member, before: str = "") -> Inbox:
    """Return the page of notices that come before the one with the id `before`. Takes one query, or two for later
    pages."""
    until = timezone.now()
    notices = Notice.objects.of(member).for_lists().annotate(**_mutes(member))
    if before:
        last = Notice.objects.filter(member=member, public_id=before).first()
        notices = notices.filter(_earlier(last)) if last is not None else notices
    rows = list(notices[: PAGE + 1])
    return Inbox(
        groups=_groups(rows[:PAGE]),
        older=rows[PAGE - 1].public_id if len(rows) > PAGE else "",
        is_first=not before,
        until=_exact(until),
    )


def _mutes(member: Member) -> dict[str, Exists]:
    """Return annotations that say for each notice whether its run or conversation is muted."""
    own = Mute.objects.filter(member=member, run=OuterRef("run"))
    conversation = own.filter(comment=Coalesce(OuterRef("comment__parent"), OuterRef("comment")))
    return {"is_run_muted": Exists(own.filter(comment=None)), "is_conversation_muted": Exists(conversation)}


def _earlier(last: Notice) -> Q:
    return Q(created_at__lte=last.created_at) & (Q(created_at__lt=last.created_at) | Q(pk__lt=last.pk))


def _groups(notices: list[Notice]) -> list[NoticeGroup]:
    """Group notices by run; the run with the newest notice comes first."""
    order: dict[tuple[int | None, str], int] = {}
    for notice in notices:
        order.setdefault(_subject(notice), len(order))
    by_run = groupby(sorted(notices, key=lambda one: order[_subject(one)]), key=_subject)
    return [_group(list(rows), heading) for (_run, heading), rows in by_run]


def _subject(notice: Notice) -> tuple[int | None, str]:
    """Return what the notice is grouped under: its run and, if it has none, the heading for its kind."""
    return notice.run_id, str(KINDS[notice.kind].heading)


def _group(notices: list[Notice], heading: str) -> NoticeGroup:
    run = notices[0].run
    return NoticeGroup(
        run=run,
        name=run.display_title if run is not None else heading,
        lines=lines_of(notices),
        is_muted=getattr(notices[0], "is_run_muted", False),
    )


def _exact(at: datetime) -> str:
    """Format a time for `ReadAllForm`, to the microsecond."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f%z")
