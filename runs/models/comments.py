"""Comments on results and whole runs, the members mentioned in them, and later changes to comments."""

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _lazy

from runs.models.deciders import IS_GUEST, IS_MEMBER, Decider
from runs.models.ids import new_public_id
from runs.models.joined import is_one_of
from runs.models.member import Member
from runs.models.output import Output
from runs.models.run import Run

COMMENT_LENGTH = 2_000  # characters


class CommentQuerySet(models.QuerySet["Comment"]):
    def visible_to(self, member: Member) -> Self:
        """Return comments on runs that the member can see."""
        return self.filter(is_one_of(Run.objects.visible_to(member), "run"))

    def for_guests(self) -> Self:
        """Return comments that guests may see: those written for guests or by guests."""
        return self.filter(guests_see=True)


class Comment(Decider):
    """A comment on a result or on a whole run, with at most one level of replies."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="comments")
    output = models.ForeignKey(Output, on_delete=models.CASCADE, null=True, blank=True, related_name="comments")
    content_hash = models.CharField(max_length=64, blank=True, default="")  # hash of the result's content at the time
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="replies")
    text = models.TextField(max_length=COMMENT_LENGTH, blank=True, default="")  # empty if the comment was removed
    guests_see = models.BooleanField(default=False)
    spot_x = models.PositiveSmallIntegerField(null=True, blank=True)  # from the left, in ten-thousandths of the width
    spot_y = models.PositiveSmallIntegerField(null=True, blank=True)  # from the top, in ten-thousandths of the height
    at_ms = models.PositiveIntegerField(null=True, blank=True)  # position in the video or audio, in milliseconds
    file_position = models.PositiveIntegerField(default=0, db_default=0)  # which file the spot or time is in
    # If the comment was carried over to a later version: the result it was written on, and the hash of that result's
    # content at the time. `carried_from` is null if the comment wasn't carried over, or if that result has been
    # deleted.
    carried_from = models.ForeignKey(
        Output, on_delete=models.SET_NULL, null=True, blank=True, db_index=False, related_name="comments_carried_on"
    )
    written_hash = models.CharField(max_length=64, blank=True, default="", db_default="")
    mentions = models.ManyToManyField(Member, through="Mention", related_name="mentioned_in")
    created_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)  # removed by its author; its replies stay
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = CommentQuerySet.as_manager()

    class Meta:
        ordering = ("created_at", "pk")
        constraints = (
            models.CheckConstraint(condition=IS_MEMBER | IS_GUEST, name="comment_of_member_or_guest"),
            models.CheckConstraint(
                condition=Q(spot_x=None, spot_y=None) | Q(spot_x__lte=10_000, spot_y__lte=10_000),
                name="comment_spot_is_inside",
            ),
        )
        indexes = (
            models.Index(fields=["output", "created_at"], name="comment_of_output"),
            models.Index(fields=["run", "created_at"], condition=Q(output=None), name="comment_of_run"),
            models.Index(fields=["carried_from"], condition=Q(carried_from__isnull=False), name="comment_carried_from"),
            # Used by review.comments to count how many comments someone posted in the last minute
            models.Index(F("member"), F("created_at").desc(), name="comment_of_member"),
            models.Index(F("link"), F("created_at").desc(), condition=Q(link__isnull=False), name="comment_of_guest"),
        )

    def __str__(self) -> str:
        return f"{self.public_id} by {self.who}"

    @property
    def is_removed(self) -> bool:
        return self.removed_at is not None

    @property
    def has_spot(self) -> bool:
        return self.spot_x is not None

    def is_on_earlier_content(self, output: Output) -> bool:
        """Return whether `output`, the result commented on, has changed since the comment was written."""
        return bool(self.content_hash and output.content_hash) and self.content_hash != output.content_hash


class Mention(models.Model):
    """A member mentioned in a comment. `words` is the mention as it appears in the text ("@Sam"); empty if it isn't in
    the text.

    Pages show the member's current name in place of these words.
    """

    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, related_name="mention_rows")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="mention_rows")
    words = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["comment", "member"], name="mention_unique"),)

    def __str__(self) -> str:
        return f"{self.comment_id} {self.member_id}"


class CommentChange(models.Model):
    """A change to a comment after it was written, shown in the run's timeline."""

    class Act(models.TextChoices):
        RESOLVED = "resolved", _lazy("resolved a comment")
        REOPENED = "reopened", _lazy("reopened a comment")
        EDITED = "edited", _lazy("edited a comment")
        REMOVED = "removed", _lazy("removed a comment")
        CARRIED = "carried", _lazy("carried a comment over")
        RETURNED = "returned", _lazy("moved a comment back")

    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, related_name="changes")
    act = models.CharField(max_length=8, choices=Act)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, blank=True, related_name="+")  # null: guest
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("created_at", "pk")

    def __str__(self) -> str:
        return f"{self.comment_id} {self.act}"
