"""What people reuse: drafts of forms, presets, and saved views of History."""

from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from runs.models.app import App
from runs.models.file import Upload
from runs.models.ids import new_public_id
from runs.models.member import Member


class Draft(models.Model):
    """What somebody has typed into an app's form, kept over reloads, expired sign-ins and on other devices."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="drafts")
    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="drafts")
    answers: "models.JSONField[Any, Any]" = models.JSONField(default=list)  # as schema_forms.answers dumps them
    wanted_outputs: "models.JSONField[Any, Any]" = models.JSONField(null=True, default=None)  # indexes; null = all
    source = models.CharField(max_length=16, blank=True, default="")  # public id of the run or preset it came from
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["member", "app"], name="draft_unique"),)

    def __str__(self) -> str:
        return f"{self.member_id}/{self.app_id}"


class PresetQuerySet(models.QuerySet["Preset"]):
    def visible_to(self, member: Member) -> Self:
        """Own presets and the team's."""
        return self.filter(Q(member=member) | Q(is_team=True))

    def manageable_by(self, member: Member) -> Self:
        """Own presets; for admins also the team's. Viewers among them are told why they can't change them (403)."""
        return self.visible_to(member) if member.is_admin else self.filter(member=member)

    def changeable_by(self, member: Member) -> Self:
        """Presets the member may update, rename, share or delete."""
        return self.manageable_by(member) if member.can_run else self.none()


class Preset(models.Model):
    """Named answers of an app's form; its maker's own, or the team's."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="presets")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="presets")
    name = models.CharField(max_length=100)
    is_team = models.BooleanField(default=False)
    answers: "models.JSONField[Any, Any]" = models.JSONField(default=list)  # as schema_forms.answers dumps them
    wanted_outputs: "models.JSONField[Any, Any]" = models.JSONField(null=True, default=None)  # indexes; null = all
    uploads = models.ManyToManyField(Upload, related_name="presets")  # named in `answers`: kept as long as the preset
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = PresetQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=["app", "member", "name"], name="preset_name_unique"),)

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Address of the app's form, filled in."""
        return f"{self.app.get_absolute_url()}?preset={self.public_id}"

    def belongs_to(self, member: Member) -> bool:
        return self.member_id == member.pk

    def is_visible_to(self, member: Member) -> bool:
        """As `PresetQuerySet.visible_to`."""
        return self.is_team or self.belongs_to(member)

    def is_changeable_by(self, member: Member) -> bool:
        """As `PresetQuerySet.changeable_by`."""
        is_theirs = self.belongs_to(member) or (member.is_admin and self.is_team)
        return member.can_run and is_theirs


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def owned_by(self, member: Member) -> Self:
        """Own views: nobody else sees, changes or deletes them."""
        return self.filter(member=member)


class SavedView(models.Model):
    """A named filter of History."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=100)
    query = models.TextField(blank=True, default="")  # the query string, without a place in the list
    created_at = models.DateTimeField(default=timezone.now)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=["member", "name"], name="saved_view_name_unique"),)

    def __str__(self) -> str:
        return self.name
