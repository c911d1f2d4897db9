"""Marks notices as read and keeps the counts up to date. Updates `Member.unread` and `Member.news_at`."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from runs.models import Member, Notice, Output, Run
from runs.models.notice import NoticeQuerySet
from runs.web.http import PortalRequest

COUNTED = 100  # unread notices are only counted up to this number
RETENTION = timedelta(days=90)
RECOUNTED = timedelta(hours=2)
SLICE = 2_000  # old notices deleted in one statement, which a database does in under 0.1 s


def mark_read(member: Member, notices: NoticeQuerySet) -> int:
    """Mark the member's unread notices among `notices` as read; return how many there were."""
    with transaction.atomic():
        locked = _lock(member.pk)
        count = notices.filter(member=member, read_at=None).update(read_at=timezone.now())
        if count:
            member.unread, member.news_at = _count(locked)
    return count


def mark_all(member: Member, until: datetime) -> int:
    """Mark as read all of the member's notices up to `until`, the time when the page was shown. Later ones stay
    unread."""
    return mark_read(member, Notice.objects.filter(created_at__lte=until))


def mark_read_for_all(notices: NoticeQuerySet, at: datetime) -> None:
    """Mark everyone's unread `notices` as read, and record `at` as the time."""
    members = dict(_lock_free(notices.unread()).values_list("pk", "member"))
    Notice.objects.filter(pk__in=members).update(read_at=at)
    for pk in _free(sorted(set(members.values()))):
        _count(pk)


def mark_unread(notices: Iterable[Notice]) -> None:
    """Undo `mark_read_for_all`."""
    members = {notice.pk: notice.member_id for notice in notices}
    Notice.objects.filter(pk__in=members).update(read_at=None)
    for pk in _free(sorted(set(members.values()))):
        _count(pk)


def opened(request: PortalRequest, run: Run, output: Output | None = None) -> None:
    """Mark the notices about a run or result as read, because its page was opened. Prefetching the page doesn't
    count."""
    if request.user.unread and "Sec-Purpose" not in request.headers:
        mark_read(request.user, Notice.objects.filter(run=run, output=output))


def take_back(notices: NoticeQuerySet) -> None:
    """Hide `notices`, which no longer apply, both in the portal and in emails that haven't been sent yet."""
    members = sorted(set(notices.unread().values_list("member", flat=True)))
    notices.update(is_undone=True)
    for pk in _free(members):
        _count(pk)


def _lock_free(notices: NoticeQuerySet) -> NoticeQuerySet:
    """Lock and return those of `notices` that nobody else has locked. Whoever has locked the others is marking them as
    read anyway."""
    return notices.select_for_update(of=("self",), no_key=True, skip_locked=True).order_by("pk")


def show_again(members: Iterable[int]) -> None:
    """Make the open pages of `members` reload their notices."""
    Member.objects.filter(pk__in=_free(list(members))).update(news_at=timezone.now())


def _free(members: Collection[int]) -> list[int]:
    """Lock and return those of `members` that nobody else has locked. For the others, notices are counted after the
    transaction; otherwise, two transactions that notify the same people could deadlock."""
    if not members:
        return []
    free = Member.objects.select_for_update(no_key=True, skip_locked=True).filter(pk__in=members)
    locked = list(free.values_list("pk", flat=True))
    if busy := sorted(set(members).difference(locked)):
        transaction.on_commit(partial(count_again, busy))
    return locked


def count_more(members: Collection[int]) -> None:
    """Add one to each member's number of unread notices."""
    Member.objects.filter(pk__in=_free(members)).update(unread=F("unread") + 1, news_at=timezone.now())


def tidy(now: datetime) -> None:
    """Delete old notices. Also recount the notices of people who got some recently, in case a process died before it
    counted them."""
    members = _delete(Notice.objects.filter(created_at__lt=now - RETENTION))
    lately = Notice.objects.filter(created_at__gt=now - RECOUNTED)
    count_again(sorted(members.union(lately.values_list("member", flat=True).distinct())))


def _delete(old: NoticeQuerySet) -> set[int]:
    """Delete the notices in `old`, a slice at a time; return the members who hadn't read all of theirs.

    Each slice begins where the last one ended: PostgreSQL would otherwise read everything that has just been deleted.
    """
    members: set[int] = set()
    rest = old
    while rows := list(rest.order_by("created_at").values_list("pk", "member", "read_at", "created_at")[:SLICE]):
        members.update(member for _pk, member, read_at, _at in rows if read_at is None)
        Notice.objects.filter(pk__in=[row[0] for row in rows]).delete()
        rest = old.filter(created_at__gte=rows[-1][3])
    return members


def count_again(members: Iterable[int]) -> None:
    """Recount the unread notices of `members`, one person at a time."""
    for pk in members:
        with transaction.atomic():
            _count(_lock(pk))


def _lock(pk: int) -> int:
    """Lock the member, so that notices created at the same time are counted too."""
    Member.objects.select_for_update(no_key=True).only("pk").get(pk=pk)
    return pk


def _count(pk: int) -> tuple[int, datetime | None]:
    """Save how many notices of the locked member are unread; return that number and the time of the change."""
    unread = Notice.objects.unread().filter(member=pk)[:COUNTED].count()
    news_at = timezone.now() if unread else None
    Member.objects.filter(pk=pk).update(unread=unread, news_at=news_at)
    return unread, news_at
