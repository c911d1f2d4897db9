"""What admins do with people: roles, coming and going, and who takes over the work of those who have left.

There is always an active admin: whatever would take the last one away is refused.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, F, Max, Q, QuerySet
from django.utils import timezone

from runs.models import BrowserSession, GuestLink, Invite, Member, Preset, Run, Upload
from runs.models.run import RunInputUpload
from runs.team import sessions
from runs.words.sentences import age_words

LAST_ADMIN = "{} is the only admin. Make somebody else an admin first."


class RefusedError(Exception):
    """The sentence says why."""


@dataclass(frozen=True)
class Person:
    """A member as the list of people shows them."""

    member: Member
    runs: int
    seen_at: datetime | None

    @property
    def seen_words(self) -> str:
        return age_words(self.seen_at) if self.seen_at else ""


@dataclass(frozen=True)
class Left:
    """What somebody has made and others may need."""

    runs: int
    presets: int
    links: int
    open_links: int

    @property
    def words(self) -> str:
        """ "12 runs, 1 preset and 2 links for guests"; empty when there is nothing."""
        counts = ((self.runs, "run", ""), (self.presets, "preset", ""), (self.links, "link", " for guests"))
        parts = [f"{count} {word}{'' if count == 1 else 's'}{what}" for count, word, what in counts if count]
        return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def people() -> list[Person]:
    """Everybody, active ones first, by name; three queries."""
    runs = dict(Run.objects.filter(deleted_at=None).order_by().values_list("member").annotate(Count("pk")))
    seen = dict(BrowserSession.objects.order_by().values_list("member").annotate(Max("seen_at")))
    found = [
        Person(row, runs.get(row.pk, 0), _latest(seen.get(row.pk), row.last_login)) for row in Member.objects.all()
    ]
    return sorted(found, key=lambda one: (not one.member.is_active, one.member.display_name.casefold()))


def _latest(*moments: datetime | None) -> datetime | None:
    return max((at for at in moments if at is not None), default=None)


def seen_at(member: Member) -> datetime | None:
    """When MEMBER was last here."""
    return _latest(member.signed_in.aggregate(at=Max("seen_at"))["at"], member.last_login)


def left_by(member: Member) -> Left:
    """What MEMBER would leave behind: runs (those in the bin too), presets, links for guests."""
    links = GuestLink.objects.filter(member=member)
    return Left(member.runs.count(), member.presets.count(), links.count(), links.alive().count())


def successors(member: Member) -> QuerySet[Member]:
    """Who may take over what MEMBER has made: whoever may run."""
    return Member.objects.filter(is_active=True).exclude(role=Member.Role.VIEWER).exclude(pk=member.pk).order_by("name")


@transaction.atomic
def change_role(member: Member, role: str) -> None:
    """Give MEMBER another role; whoever is no admin any more has no open invites either."""
    if role != Member.Role.ADMIN:
        _refuse_last_admin(member)
        _revoke_invites_of(member)
    member.role, member.is_superuser = role, role == Member.Role.ADMIN and member.is_superuser
    member.save(update_fields=["role", "is_superuser"])


@transaction.atomic
def deactivate(member: Member) -> None:
    """Close the door: sign-ins and open invites end at once; runs stay, and links for guests work until revoked."""
    _refuse_last_admin(member)
    _revoke_invites_of(member)
    member.is_active, member.deactivated_at = False, timezone.now()
    member.save(update_fields=["is_active", "deactivated_at"])
    sessions.end_all(member)


def reactivate(member: Member) -> None:
    """Open it again, with the password and the role there were."""
    member.is_active, member.deactivated_at = True, None
    member.save(update_fields=["is_active", "deactivated_at"])


@transaction.atomic
def hand_over(leaver: Member, to: Member) -> Left:
    """Everything LEAVER owns is TO's from now on, with the files that went in; returns how much it was. Who made each
    run stays as it is (`Run.made_by`)."""
    if leaver.is_active:
        raise RefusedError(f"{leaver.display_name} is active. Deactivate them first.")
    left = left_by(leaver)
    used = RunInputUpload.objects.filter(input__run__member=leaver).values("upload")
    Upload.objects.filter(Q(pk__in=used) | Q(presets__member=leaver), member=leaver).update(member=to)
    Run.objects.filter(member=leaver).update(member=to, version=F("version") + 1)
    GuestLink.objects.filter(member=leaver).update(member=to)
    for preset in Preset.objects.filter(member=leaver).select_related("app"):
        preset.name = _free_name(preset, to, leaver.display_name)
        preset.member = to
        preset.save(update_fields=["name", "member"])
    return left


def _free_name(preset: Preset, to: Member, whose: str) -> str:
    """The preset's name, with its maker's beside it when TO has one of that name for the same app."""
    taken = set(Preset.objects.filter(app=preset.app, member=to).values_list("name", flat=True))
    name, number = preset.name, 1
    while name in taken:
        ending = f" ({whose[:30]})" if number == 1 else f" ({whose[:30]} {number})"
        name = preset.name[: 100 - len(ending)] + ending
        number += 1
    return name


def lock_admins_and(member: Member) -> list[int]:
    """Keep the active admins (returned by `pk`) and MEMBER as they are until the transaction ends. Everybody locks all
    they will need at once and in the same order, or two would wait for each other."""
    is_admin = Q(role=Member.Role.ADMIN, is_active=True)
    locked = Member.objects.select_for_update().filter(is_admin | Q(pk=member.pk)).order_by("pk")
    rows = locked.values_list("pk", "role", "is_active")
    return [pk for pk, role, is_active in rows if is_active and role == Member.Role.ADMIN]


def _refuse_last_admin(member: Member) -> None:
    """Inside a transaction: two admins who demote each other at once must not both succeed."""
    if lock_admins_and(member) == [member.pk]:
        raise RefusedError(LAST_ADMIN.format(member.display_name))


def _revoke_invites_of(member: Member) -> None:
    """Nobody comes back by a door they have left open for themselves."""
    Invite.objects.filter(invited_by=member, accepted_at=None, revoked_at=None).update(revoked_at=timezone.now())
