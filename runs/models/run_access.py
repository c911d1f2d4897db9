"""Who may see, change and share a run, depending on who owns it and whether it's shared, on hold or in the bin.

Each rule comes in two forms: a method for one run, and a queryset method for many.
"""

from typing import Self

from django.db import models
from django.db.models import F, Q

from runs.models.member import Member


def seen_by(member: Member, path: str = "") -> Q:
    """Return the condition that `RunQuerySet.visible_to` filters by. With a `path` to the run, such as "run__", it can
    be used in a join. To show one page of a long list, a join reads only the rows on that page, whereas a subquery
    would read all runs."""
    not_deleted = Q((f"{path}deleted_at", None))
    return (
        not_deleted
        if member.is_admin
        else not_deleted & (Q((f"{path}member", member)) | Q((f"{path}shared_at__isnull", False)))
    )


def in_mine(member: Member, path: str = "") -> Q:
    """Return the condition that `RunQuerySet.owned_by` filters by; for `path`, see `seen_by`."""
    return Q((f"{path}member", member), (f"{path}deleted_at", None))


def in_team(member: Member, path: str = "") -> Q:
    """Return the condition that `RunQuerySet.shared_by_others` filters by; for `path`, see `seen_by`."""
    return Q((f"{path}shared_at__isnull", False), (f"{path}deleted_at", None)) & ~Q((f"{path}member", member))


class RunAccessQuerySet[R: RunAccess](models.QuerySet[R]):
    def visible_to(self, member: Member) -> Self:
        """Return the member's own runs and those shared with the team; for admins, all runs. Pages respond with 404 for
        any other run. Runs in the bin are left out, because the bin shows only their smallest thumbnails
        (`file_access`)."""
        return self.filter(seen_by(member))

    def owned_by(self, member: Member) -> Self:
        """Return the member's own runs that aren't in the bin, for the Mine tab of History: runs they started, and runs
        transferred to them (see `Run.made_by`)."""
        return self.filter(in_mine(member))

    def shared_by_others(self, member: Member) -> Self:
        """Return runs shared by teammates, for the Team tab of History."""
        return self.filter(in_team(member))

    def transferred(self) -> Self:
        """Return runs that belong to someone other than their maker."""
        return self.exclude(made_by=F("member"))

    def own_or_shared(self, member: Member) -> Self:
        """Return the member's own runs and those shared by teammates, for the search on Home, starred runs and the
        examples beside a form, where not even admins see other people's private runs."""
        return self.filter(Q(member=member) | Q(shared_at__isnull=False), deleted_at=None)

    def manageable_by(self, member: Member) -> Self:
        """Return the member's own runs; for admins, all runs. Pages respond with 404 for any other run. If viewers try
        to change one of their own runs, pages respond with a 403 that says why (`web.http.refuse_viewers`)."""
        not_deleted = self.filter(deleted_at=None)
        return not_deleted if member.is_admin else not_deleted.filter(member=member)

    def changeable_by(self, member: Member) -> Self:
        """Return runs the member may cancel, review, rename, share or move to the bin: those they can manage; for
        viewers, none."""
        return self.manageable_by(member) if member.can_run else self.none()

    def releasable_by(self, member: Member) -> Self:
        """Return the runs on hold that the member may release: those they put on hold themselves and may change; for
        admins, all of them."""
        on_hold = self.changeable_by(member).filter(held_at__isnull=False)
        return on_hold if member.is_admin else on_hold.filter(held_by=member)

    def in_bin_of(self, member: Member) -> Self:
        """Return the runs in the bin that the member may restore."""
        in_bin = self.filter(deleted_at__isnull=False)
        return in_bin if member.is_admin else in_bin.filter(member=member)


class RunAccess(models.Model):
    """The part of `Run` that determines who may do what with it."""

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="runs")
    # Only the few runs whose maker isn't their owner are indexed (`run_made_for`).
    made_by = models.ForeignKey(
        Member, on_delete=models.PROTECT, null=True, blank=True, editable=False, db_index=False, related_name="+"
    )
    # When it was shared with the team; null = only its owner and admins see it
    shared_at = models.DateTimeField(null=True, blank=True)
    # When it was moved to the bin; deleted with its files 30 days later
    deleted_at = models.DateTimeField(null=True, blank=True)
    brought_back_at = models.DateTimeField(null=True, blank=True)  # when it was restored; retention restarts then
    deleted_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    # While a run is on hold, neither people nor the retention rules can delete anything in it.
    held_at = models.DateTimeField(null=True, blank=True)
    held_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        abstract = True

    @property
    def is_transferred(self) -> bool:
        """Whether the run now belongs to someone other than its maker."""
        return self.made_by_id != self.member_id

    @property
    def maker(self) -> Member:
        """Who made the run. If it was transferred before makers were recorded, that's its owner."""
        return self.made_by or self.member

    def belongs_to(self, member: Member) -> bool:
        """Return whether the run is the member's own, even if it's in the bin."""
        return self.member_id == member.pk

    def is_seen_only_as_admin(self, member: Member) -> bool:
        """Return whether `member` can see the run only because they are an admin: it is private and someone else's."""
        return self.shared_at is None and self.member_id != member.pk

    def is_visible_to(self, member: Member) -> bool:
        """Return whether `RunQuerySet.visible_to` would include this run."""
        is_shown = member.is_admin or self.belongs_to(member) or self.shared_at is not None
        return self.deleted_at is None and is_shown

    def is_manageable_by(self, member: Member) -> bool:
        """Return whether `RunQuerySet.manageable_by` would include this run."""
        return self.deleted_at is None and (member.is_admin or self.belongs_to(member))

    def is_changeable_by(self, member: Member) -> bool:
        """Return whether `RunQuerySet.changeable_by` would include this run."""
        return member.can_run and self.is_manageable_by(member)

    def is_shareable_by(self, member: Member) -> bool:
        """Return whether the member may share the run with the team. Creating a guest link also requires
        `SharingRules.may_make_links`."""
        return self.is_changeable_by(member)

    def is_releasable_by(self, member: Member) -> bool:
        """Return whether `RunQuerySet.releasable_by` would include this run."""
        is_own_hold = member.is_admin or self.held_by_id == member.pk
        return self.is_held and is_own_hold and self.is_changeable_by(member)

    @property
    def is_held(self) -> bool:
        """Whether the run is on hold, which means that nothing in it can be deleted."""
        return self.held_at is not None
