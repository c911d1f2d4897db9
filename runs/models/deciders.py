"""Who decided or commented: a member, or a guest with a link."""

from django.db import models
from django.db.models import Q

from runs.models.member import Member
from runs.models.sharing import GuestLink

NAME_LENGTH = 100  # maximum length of a guest's name, in characters


class Decider(models.Model):
    """Fields that say who acted: a member, or a guest with a link, who is identified by the name they typed."""

    member = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    link = models.ForeignKey(GuestLink, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    guest_name = models.CharField(max_length=NAME_LENGTH, blank=True, default="")  # the name as typed
    guest_key = models.CharField(max_length=NAME_LENGTH, blank=True, default="")  # the name, folded for comparison

    class Meta:
        abstract = True

    @property
    def is_guest(self) -> bool:
        return self.member_id is None

    def belongs_to(self, member: Member) -> bool:
        """Return whether `member` made this decision or comment."""
        return self.member_id == member.pk

    def belongs_to_guest(self, link: GuestLink, key: str) -> bool:
        """Return whether this decision or comment was made by the guest of `link` whose folded name is `key`."""
        return (self.link_id, self.guest_key) == (link.pk, key)

    @property
    def who(self) -> str:
        """The name to show. Guests can type any name, so pages mark them as guests."""
        return self.member.display_name if self.member else self.guest_name


IS_MEMBER = Q(member__isnull=False, link=None, guest_name="", guest_key="")
IS_GUEST = Q(member=None, link__isnull=False) & ~Q(guest_key="")
