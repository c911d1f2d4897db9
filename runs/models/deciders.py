"""Who decided or commented: a member, or a guest with a link."""

from django.db import models
from django.db.models import Q

from runs.models.guest import NAME_LENGTH, Guest
from runs.models.member import Member
from runs.models.sharing import GuestLink


class Decider(models.Model):
    """Fields that say who acted: a member, or a guest. `link`, `guest_name` and `guest_key` repeat what the guest's row
    says, so that searches and filters don't have to join it."""

    member = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    guest = models.ForeignKey(Guest, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    link = models.ForeignKey(GuestLink, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    guest_name = models.CharField(max_length=NAME_LENGTH, blank=True, default="")  # the name that others see
    guest_key = models.CharField(max_length=NAME_LENGTH, blank=True, default="")  # the typed name, folded

    class Meta:
        abstract = True

    @property
    def is_guest(self) -> bool:
        return self.member_id is None

    def belongs_to(self, member: Member) -> bool:
        """Return whether `member` made this decision or comment."""
        return self.member_id == member.pk

    def belongs_to_guest(self, guest: Guest) -> bool:
        """Return whether `guest` made this decision or comment."""
        return self.guest_id is not None and self.guest_id == guest.pk

    @property
    def who(self) -> str:
        """The name to show. Guests can type any name, so pages mark them as guests."""
        return self.member.display_name if self.member else self.guest_name


IS_MEMBER = Q(member__isnull=False, guest=None, link=None, guest_name="", guest_key="")
IS_GUEST = Q(member=None, guest__isnull=False, link__isnull=False) & ~Q(guest_key="")
