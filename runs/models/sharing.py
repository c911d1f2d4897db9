"""Guest links, and the team's rules for sharing. `link_access` says who may revoke, extend and restore a link."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Exists, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _lazy

from runs.models.file import StoredFile
from runs.models.ids import new_public_id
from runs.models.member import Member
from runs.models.messages import MessageCharField
from runs.models.output import Output


class GuestLinkQuerySet(models.QuerySet["GuestLink"]):
    def manageable_by(self, member: Member) -> Self:
        """Return the member's own links; for admins, all links."""
        return self if member.is_admin else self.filter(member=member)

    def owned_by(self, member: Member) -> Self:
        """Return the links that the member created."""
        return self.filter(member=member)

    def alive(self, now: datetime | None = None) -> Self:
        """Return links that are neither revoked nor expired, even if guest links are turned off at the moment."""
        return self.filter(is_alive_at(now or timezone.now()))

    def open(self, now: datetime | None = None) -> Self:
        """Return links that guests can open now."""
        return self.alive(now).filter(~Exists(SharingRules.objects.filter(guests_allowed=False)))


def is_alive_at(now: datetime) -> Q:
    """Return the condition of `GuestLinkQuerySet.alive`, for sorting links by it."""
    return Q(revoked_at=None, expires_at__gt=now)


class GuestLink(models.Model):
    """A link to selected results for people without an account, at `/s/<token>/`.

    Only a hash of the token is stored. The token is derived from `nonce` and the portal's secret key, so the creator of
    the link can copy it again, but the database alone doesn't reveal it.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    nonce = models.CharField(max_length=43)
    token_hash = models.CharField(max_length=64, unique=True)  # SHA-256 in hex
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="guest_links")
    # See `maker`
    made_by = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    outputs = models.ManyToManyField(Output, through="GuestLinkOutput", related_name="guest_links")
    audience = models.CharField(max_length=150, blank=True, default="")  # "for Kim at Acme"
    message = models.TextField(blank=True, default="")
    passphrase = models.CharField(max_length=128, blank=True, default="")  # a password hash; empty = none
    may_download = models.BooleanField(default=False)
    shows_inputs = models.BooleanField(default=False)
    shows_app = models.BooleanField(default=False)
    # The list of files in a guest's zip says who made each result, what its run cost, and what was decided
    lists_maker = models.BooleanField(default=False, db_default=False)
    lists_cost = models.BooleanField(default=False, db_default=False)
    lists_decision = models.BooleanField(default=False, db_default=False)
    lets_decide = models.BooleanField(default=False, db_default=False)  # guests may decide, and their verdicts count
    lets_comment = models.BooleanField(default=False, db_default=False)
    # Guests see each other's comments, and the comments that the team wrote for guests
    shows_comments = models.BooleanField(default=False, db_default=False)
    hides_names = models.BooleanField(default=False, db_default=False)  # guests don't see other people's names
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    views = models.PositiveIntegerField(default=0)  # visits by guests; prefetches, bots and members aren't counted
    viewed_at = models.DateTimeField(null=True, blank=True)
    is_example = models.BooleanField(default=False, db_default=False, editable=False)  # until somebody edits it

    rules: "SharingRules | None" = None  # set by `sharing.views_guest_base` for guest pages
    answered: int  # number of results that guests have answered, counted by `review.guest_answers.with_answered`

    objects = GuestLinkQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        indexes = (models.Index(fields=["member", "-created_at"], name="guest_link_of_member"),)

    def __str__(self) -> str:
        return f"{self.public_id} for {self.audience or 'anyone'}"

    @property
    def maker(self) -> Member:
        """Who made the link. Someone else owns it if it was transferred; only then is `made_by` set."""
        return self.made_by or self.member

    @property
    def last_second(self) -> datetime:
        """The last second before the link expires. Unlike `expires_at`, it is always on the link's last day."""
        return self.expires_at - timedelta(seconds=1)

    def has_expired(self, now: datetime | None = None) -> bool:
        return self.expires_at <= (now or timezone.now())

    def is_alive(self, now: datetime | None = None) -> bool:
        """Return whether `GuestLinkQuerySet.alive` would include this link."""
        return self.revoked_at is None and not self.has_expired(now)

    def is_open(self, rules: "SharingRules", now: datetime | None = None) -> bool:
        """Return whether `GuestLinkQuerySet.open` would include this link."""
        return rules.guests_allowed and self.is_alive(now)

    def belongs_to(self, member: Member) -> bool:
        """Return whether `GuestLinkQuerySet.owned_by` would include this link."""
        return self.member_id == member.pk

    def is_manageable_by(self, member: Member) -> bool:
        """Return whether `GuestLinkQuerySet.manageable_by` would include this link."""
        return member.is_admin or self.belongs_to(member)


class GuestLinkOutput(models.Model):
    """A result shown by a guest link, and its position on the guest page."""

    link = models.ForeignKey(GuestLink, on_delete=models.CASCADE, related_name="chosen")
    output = models.ForeignKey(Output, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveIntegerField()
    # The link showed an earlier version before; the sharing panel of that version's run still lists the link
    is_replacement = models.BooleanField(default=False, db_default=False)

    class Meta:
        ordering = ("position",)
        constraints = (models.UniqueConstraint(fields=["link", "output"], name="guest_link_output_unique"),)
        indexes = (models.Index(fields=["is_replacement", "output"], name="guest_link_output_replaces"),)

    def __str__(self) -> str:
        return f"{self.link_id}/{self.position}"


class GuestCopy(models.Model):
    """A copy of a stored file for guests, without prompts or other metadata.

    Deleted with its `source`. Files with the same content share one copy, so several rows may have the same `file`.
    """

    class Status(models.TextChoices):
        PREPARING = "preparing", _lazy("Preparing")
        READY = "ready", _lazy("Ready")
        IMPOSSIBLE = "impossible", _lazy("Can't be made")
        NO_TOOL = "no-tool", _lazy("ffmpeg is missing")  # can't be made until ffmpeg is installed

    source = models.OneToOneField(StoredFile, on_delete=models.CASCADE, related_name="guest_copy")
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    sha256 = models.CharField(max_length=64, db_index=True)  # hash of the source
    status = models.CharField(max_length=10, choices=Status, default=Status.PREPARING)
    attempts = models.PositiveIntegerField(default=0)
    # Attempts that failed because of the file; not those whose worker was killed, or that had no disk space
    failures = models.PositiveSmallIntegerField(default=0, db_default=0)
    due_at = models.DateTimeField(null=True, blank=True, default=timezone.now)
    claimed_until = models.DateTimeField(null=True, blank=True)
    error = MessageCharField(max_length=300, blank=True)  # shown to members, not to guests
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=~models.Q(status="ready") | models.Q(file__isnull=False), name="guest_copy_ready_has_file"
            ),
        )
        indexes = (
            # Used by sharing.make_guest_copies to find copies that still have to be made
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="guest_copy_due"),
        )

    def __str__(self) -> str:
        return f"{self.source_id} {self.status}"


class SharingRules(models.Model):
    """A single row with the sharing rules set by admins. Read it with `SharingRules.current()`."""

    class Makers(models.TextChoices):
        MAKER = "maker", _lazy("Makers, approvers and admins")
        APPROVER = "approver", _lazy("Approvers and admins")

    guests_allowed = models.BooleanField(default=True)
    longest_days = models.PositiveSmallIntegerField(default=90)
    needs_passphrase = models.BooleanField(default=False)
    link_makers = models.CharField(max_length=10, choices=Makers, default=Makers.MAKER)
    company = models.CharField(max_length=60, blank=True, default="", db_default="")  # company name shown to guests
    # Shown to guests in place of the company name; a WebP without metadata
    logo = models.ForeignKey(StoredFile, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    team_by_default = models.BooleanField(default=False)  # new runs are shared with the team from the start

    def __str__(self) -> str:
        return "sharing rules"

    @classmethod
    def current(cls) -> "SharingRules":
        return cls.objects.first() or cls()

    def may_make_links(self, member: Member) -> bool:
        roles = {"approver", "admin"} if self.link_makers == self.Makers.APPROVER else {"maker", "approver", "admin"}
        return self.guests_allowed and member.role in roles
