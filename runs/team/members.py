"""Managing people: changing their roles, deactivating and reactivating them, and counting what they leave behind
(`transfers` passes it on).

There is always at least one active admin; a change that would remove the last one is refused.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from runs import events
from runs.audit.record import differences, record, record_each, values_of
from runs.models import GuestLink, Invite, Member, Run, RunCount, Verb
from runs.team import sessions
from runs.words.fold import fold
from runs.words.numbers import number_words
from runs.words.time_spans import age_words


class RefusedError(Exception):
    """A change was refused; the message says why."""


@dataclass(frozen=True)
class PersonRow:
    """A member as shown in the list of people."""

    member: Member
    runs: int
    seen_at: datetime | None

    @property
    def seen_words(self) -> str:
        return age_words(self.seen_at) if self.seen_at else ""

    @property
    def runs_words(self) -> str:
        return runs_words(self.runs)


@dataclass(frozen=True)
class Belongings:
    """How many runs, presets and guest links a person would leave behind for others to take over."""

    runs: int
    presets: int
    links: int
    open_links: int

    @property
    def words(self) -> str:
        """The counts in words, such as "12 runs, 1 preset and 2 guest links"; empty if there is nothing."""
        presets = ngettext("%(count)s preset", "%(count)s presets", self.presets) % {"count": self.presets}
        links = ngettext("%(count)s guest link", "%(count)s guest links", self.links) % {"count": self.links}
        parts = ((self.runs, self.runs_words), (self.presets, presets), (self.links, links))
        return get_text_list([words for count, words in parts if count], _("and"))

    @property
    def runs_words(self) -> str:
        return runs_words(self.runs)


def runs_words(count: int) -> str:
    """Return "1 run" or "1,200 runs"."""
    words = ngettext("%(count)s run", "%(count)s runs", count)
    return words % {"count": number_words(count)}


def people(run_counts: Sequence[RunCount]) -> list[PersonRow]:
    """Return all members, active ones first, sorted by name. Each person's runs are added up from `run_counts`, or
    counted now if `run_counts` is empty."""
    runs = _sum_by_member(run_counts) if run_counts else _count_by_member()
    rows = [PersonRow(row, runs.get(row.pk, 0), seen_at(row)) for row in Member.objects.all()]
    return sorted(rows, key=lambda one: (not one.member.is_active, fold(one.member.display_name)))


def _sum_by_member(run_counts: Sequence[RunCount]) -> dict[int, int]:
    """Return how many runs each member has outside the bin, based on the counts that the worker stored."""
    runs: Counter[int] = Counter()
    for one in run_counts:
        if not one.is_binned:
            runs[one.member_id] += one.runs
    return runs


def _count_by_member() -> dict[int, int]:
    return dict(Run.objects.filter(deleted_at=None).order_by().values_list("member").annotate(Count("pk")))


def seen_at(member: Member) -> datetime | None:
    """Return when `member` was last seen, or None if never."""
    return max((at for at in (member.seen_at, member.last_login) if at is not None), default=None)


def left_by(member: Member) -> Belongings:
    """Count what `member` would leave behind: runs (including those in the bin), presets and guest links."""
    links = GuestLink.objects.filter(member=member)
    return Belongings(member.runs.count(), member.presets.count(), links.count(), links.alive().count())


def successors(member: Member) -> QuerySet[Member]:
    """Return the people who could take over what `member` owns: other active members who may run apps."""
    return Member.objects.filter(is_active=True).exclude(role=Member.Role.VIEWER).exclude(pk=member.pk).order_by("name")


@transaction.atomic
def change_role(member: Member, role: str) -> None:
    """Change the role of `member`. If they are no longer an admin, also revoke their open invites."""
    if role != Member.Role.ADMIN:
        _refuse_last_admin(member)
        _revoke_invites_of(member)
    if role != member.role:
        record(Verb.PERSON_CHANGED, member, changes={"role": (member.role, role)})
    member.role, member.is_superuser = role, role == Member.Role.ADMIN and member.is_superuser
    member.save(update_fields=["role", "is_superuser"])


@transaction.atomic
def deactivate(member: Member) -> None:
    """Deactivate `member`: end their sessions and revoke their open invites at once. Their runs are kept, and their
    guest links still work."""
    _refuse_last_admin(member)
    _revoke_invites_of(member)
    member.is_active, member.deactivated_at = False, timezone.now()
    member.save(update_fields=["is_active", "deactivated_at"])
    record(Verb.PERSON_DEACTIVATED, member)
    events.member_left.send(member)
    sessions.end_all(member)


@transaction.atomic
def reactivate(member: Member) -> None:
    """Let `member` sign in again, with the same password and role as before."""
    member.is_active, member.deactivated_at, member.gives_to = True, None, None
    member.save(update_fields=["is_active", "deactivated_at", "gives_to"])
    record(Verb.PERSON_REACTIVATED, member)


@transaction.atomic
def change_settings(member: Member, settings: Mapping[str, Any]) -> None:
    """Save the settings that `member` has chosen; `settings` maps each field to its value."""
    before = values_of(Member.objects.get(pk=member.pk), *settings)
    for name, value in settings.items():
        setattr(member, name, value)
    member.save(update_fields=list(settings))
    if changes := differences(before, settings):
        record(Verb.PERSON_CHANGED, member, changes=changes)


def lock_admins_and(member: Member) -> list[int]:
    """Lock the active admins and `member` until the transaction ends; return the primary keys of the admins.

    To avoid deadlocks, all of them are locked at once, always in the same order.
    """
    is_admin = Q(role=Member.Role.ADMIN, is_active=True)
    locked = Member.objects.select_for_update().filter(is_admin | Q(pk=member.pk)).order_by("pk")
    rows = locked.values_list("pk", "role", "is_active")
    return [pk for pk, role, is_active in rows if is_active and role == Member.Role.ADMIN]


def _refuse_last_admin(member: Member) -> None:
    """Raise `RefusedError` if `member` is the last admin.

    Call this in a transaction: if two admins demote each other at the same time, only one of them may succeed.
    """
    if lock_admins_and(member) == [member.pk]:
        sentence = _("%(name)s is the only admin. Make someone else an admin first.")
        raise RefusedError(sentence % {"name": member.display_name})


def _revoke_invites_of(member: Member) -> None:
    """Revoke open invites created by `member`, so that `member` can't use one to get back in."""
    waiting = Invite.objects.filter(invited_by=member, accepted_at=None, revoked_at=None)
    record_each(Verb.PERSON_UNINVITED, waiting)
    waiting.update(revoked_at=timezone.now())
