"""Files that the portal stores: results, uploads, catalogue pictures."""

from typing import Self
from urllib.parse import quote

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _lazy

from runs.models.addresses import path_to
from runs.models.ids import new_public_id
from runs.models.member import Member
from runs.models.messages import MessageCharField

THUMBNAIL_WIDTHS = (200, 400, 1200)
# What the thumbnail of a file needs
PICTURE_COLUMNS = (
    *("public_id", "sha256", "kind", "colour", "thumb_200", "thumb_400"),
    *("width", "height", "duration_seconds"),
)


def thumb_path(public_id: str, sha256: str, width: int) -> str:
    """Return the URL of a thumbnail at most `width` pixels wide. The URL includes the content hash of the original."""
    return f"{path_to('file-thumb', public_id, width)}?v={quote(sha256[:16])}"


class StoredFile(models.Model):
    """A complete, verified file in the storage. Its row is created once all bytes have been stored."""

    class Kind(models.TextChoices):
        IMAGE = "image", _lazy("Image")
        VIDEO = "video", _lazy("Video")
        AUDIO = "audio", _lazy("Audio")
        OTHER = "other", _lazy("Other")

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    file = models.FileField(max_length=200)
    name = models.CharField(max_length=200)  # the file name used for downloads
    kind = models.CharField(max_length=5, choices=Kind)
    media_type = models.CharField(max_length=100)  # detected from the content, e.g. image/png, and used for serving
    size_bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    duration_seconds = models.FloatField(null=True, blank=True)
    colour = models.CharField(max_length=7, blank=True, default="")  # dominant colour, "#rrggbb"
    thumb_200 = models.FileField(max_length=200, blank=True, default="")
    thumb_400 = models.FileField(max_length=200, blank=True, default="")
    thumb_1200 = models.FileField(max_length=200, blank=True, default="")
    is_catalog = models.BooleanField(default=False)
    # When the worker will create the thumbnails (storage.deferred_thumbnails); null if they exist or can't be created.
    picture_due_at = models.DateTimeField(null=True, blank=True)
    picture_attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = (
            # Used by storage.deferred_thumbnails to find files that still need thumbnails
            models.Index(fields=["picture_due_at"], condition=Q(picture_due_at__isnull=False), name="file_picture_due"),
            # Used by launching.library to find files with the same content
            models.Index(fields=["sha256"], name="file_content"),
            # Used by storage.orphans to find app pictures, which are a small fraction of all files
            models.Index(fields=["is_catalog", "created_at"], name="file_of_catalogue"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def picture_follows(self) -> bool:
        """Whether thumbnails still have to be created."""
        return self.picture_due_at is not None and self.kind in (self.Kind.IMAGE, self.Kind.VIDEO)

    @property
    def original_url(self) -> str:
        """The URL of the original, including its content hash, so that browsers may cache it as `immutable`."""
        return f"{path_to('file-original', self.public_id)}?v={self.sha256[:16]}"

    def thumb_url(self, width: int) -> str:
        """Return the URL of the thumbnail that is at most `width` pixels wide, or "" if there is none."""
        if not getattr(self, f"thumb_{width}"):
            return ""
        return thumb_path(self.public_id, self.sha256, width)

    @property
    def small_url(self) -> str:
        return self.thumb_url(200)

    @property
    def card_url(self) -> str:
        return self.thumb_url(400)

    @property
    def large_url(self) -> str:
        return self.thumb_url(1200)


class UploadQuerySet(models.QuerySet["Upload"]):
    def owned_by(self, member: Member) -> Self:
        """Return the uploads that the member added, and those that belong to runs transferred to them."""
        return self.filter(member=member)

    def shown_to(self, member: Member) -> Self:
        """Return the member's own uploads, without the hidden ones, which only admins may see."""
        own = self.owned_by(member)
        return own if member.is_admin else own.filter(is_hidden=False)


class Upload(models.Model):
    """A file or link that a member added for a `url` parameter; sent to Lamina when a run needs it."""

    class Status(models.TextChoices):
        FETCHING = "fetching", _lazy("Fetching")  # a pasted link that the worker hasn't fetched yet
        READY = "ready", _lazy("Ready")
        FAILED = "failed", _lazy("Failed")
        REMOVED = "removed", _lazy("Removed")  # removed by the retention rules, some time after a run last used it

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="uploads")
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, null=True, blank=True, related_name="uploads")
    status = models.CharField(max_length=8, choices=Status)
    source_url = models.TextField(blank=True, default="")  # empty for a file uploaded from disk
    accept = models.JSONField(default=list)  # kinds the field accepts, e.g. ["image"]; empty = any
    name = models.CharField(max_length=200)
    search_text = models.TextField(blank=True, default="")  # the name, folded for searching
    error = MessageCharField(max_length=300, blank=True)
    asset_url = models.TextField(blank=True, default="")  # its URL on Lamina once it has been sent; can be reused
    # Made from a picture that an admin put in a hidden field, when a run with that field was started; only admins may
    # see it.
    is_hidden = models.BooleanField(default=False, db_default=False)
    claimed_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(default=timezone.now)  # when it was added or failed, or when a run last used it

    objects = UploadQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=~Q(status="ready") | Q(file__isnull=False), name="upload_ready_has_file"),
        )
        indexes = (
            # Used by uploads.uploads to find links that still have to be fetched
            models.Index(fields=["status", "claimed_until"], condition=Q(file=None), name="upload_fetching"),
            # Used by launching.library
            models.Index(fields=["member", "status", "-used_at", "-id"], name="upload_latest"),
        )

    def __str__(self) -> str:
        return self.name

    def belongs_to(self, member: Member) -> bool:
        """Return whether `UploadQuerySet.owned_by` would include this upload."""
        return self.member_id == member.pk
