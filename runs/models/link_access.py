"""Who may revoke, extend and restore guest links, based on who may manage them (`GuestLink.is_manageable_by`)."""

from django.db.models import Exists, OuterRef, Q

from runs.models.member import Member
from runs.models.sharing import GuestLink, GuestLinkOutput, GuestLinkQuerySet, SharingRules


def links_revocable_by(member: Member) -> GuestLinkQuerySet:
    """Return links the member may copy and revoke: those they can manage, and any link that shows only runs they
    own."""
    if member.is_admin:
        return GuestLink.objects.all()
    link_outputs = GuestLinkOutput.objects.filter(link=OuterRef("pk"))
    others = link_outputs.exclude(output__run__member=member)
    return GuestLink.objects.filter(Q(member=member) | (Exists(link_outputs) & ~Exists(others)))


def may_extend(member: Member, link: GuestLink, rules: SharingRules) -> bool:
    """Return whether the member may extend the link, or replace a result in it: it hasn't been revoked, they can manage
    it, and `rules` let them create links."""
    return link.revoked_at is None and link.is_manageable_by(member) and rules.may_make_links(member)


def may_restore(member: Member, link: GuestLink, rules: SharingRules, *, is_revocable: bool) -> bool:
    """Return whether the member may restore the revoked link: they revoked it or are an admin, they may revoke it, and
    `rules` let them create links. `is_revocable` says whether `links_revocable_by` includes the link."""
    is_theirs = member.is_admin or link.revoked_by_id in (None, member.pk)
    return is_revocable and link.revoked_at is not None and is_theirs and rules.may_make_links(member)
