"""Things people reuse: form drafts, presets and saved History views."""

from hashlib import sha256
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from runs.models.answers import AnswersField
from runs.models.app import App
from runs.models.file import Upload
from runs.models.ids import new_public_id
from runs.models.member import Member


def form_hash(token: str) -> str:
    """Return what is stored of a form's token: enough to recognise the form, but not to use the token."""
    return sha256(token.encode()).hexdigest()[:16] if token else ""


class DraftQuerySet(models.QuerySet["Draft"]):
    def current(self) -> Self:
        """Return the drafts that forms show: all except discarded ones."""
        return self.filter(is_dropped=False)

    def dropped(self) -> Self:
        """Return discarded drafts, which can still be restored."""
        return self.filter(is_dropped=True)


class Draft(models.Model):
    """Answers that a member has entered in an app's form. The answers survive reloading the page, having to sign in
    again, and switching devices.

    A discarded draft is kept for a while alongside the form's new draft, so that it can be restored.
    """

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="drafts")
    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="drafts")
    answers = AnswersField(default=list)
    wanted_outputs: "models.JSONField[Any, Any]" = models.JSONField(null=True, default=None)  # indexes; null = all
    source = models.CharField(max_length=16, blank=True, default="")  # public id of the run or preset it came from
    is_dropped = models.BooleanField(default=False, db_default=False)
    # Hashes of the open forms in which this draft was discarded or restored. Anything these forms send afterwards is
    # ignored.
    closed_forms = models.TextField(blank=True, default="", db_default="")
    form = models.CharField(max_length=16, blank=True, default="", db_default="")  # hash of the form that saved it last
    updated_at = models.DateTimeField(default=timezone.now)

    objects = DraftQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["member", "app", "is_dropped"], name="draft_unique"),)

    def __str__(self) -> str:
        return f"{self.member_id}/{self.app_id}"

    @property
    def stamp(self) -> str:
        """Changes whenever the draft is saved. A form that knows of the draft posts it as `seen`."""
        return self.updated_at.isoformat()

    @property
    def is_begun(self) -> bool:
        """Whether the draft contains anything that an untouched form wouldn't."""
        return any(answer.is_given for answer in self.answers)


class PresetQuerySet(models.QuerySet["Preset"]):
    def visible_to(self, member: Member) -> Self:
        """Return the member's own presets and those shared with the team."""
        return self.filter(Q(member=member) | Q(is_team=True))

    def manageable_by(self, member: Member) -> Self:
        """Return the member's own presets and, for admins, the team's as well. Viewers can't change any of these; if
        they try, they get a 403 that says why."""
        return self.visible_to(member) if member.is_admin else self.filter(member=member)

    def changeable_by(self, member: Member) -> Self:
        """Return presets the member may update, rename, share or delete."""
        return self.manageable_by(member) if member.can_run else self.none()


class Preset(models.Model):
    """A named set of answers for an app's form, private to its maker or shared with the team."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="presets")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="presets")
    name = models.CharField(max_length=100)
    is_team = models.BooleanField(default=False)
    answers = AnswersField(default=list)
    wanted_outputs: "models.JSONField[Any, Any]" = models.JSONField(null=True, default=None)  # indexes; null = all
    uploads = models.ManyToManyField(Upload, related_name="presets")  # files in `answers`, kept as long as the preset
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    is_example = models.BooleanField(default=False, db_default=False, editable=False)  # until somebody edits it
    # Whether this is a draft that was set aside. Setting aside another draft for the same app replaces it.
    is_set_aside = models.BooleanField(default=False, db_default=False)
    # Hash of the open form whose values it holds, because the draft was changed elsewhere in the meantime.
    form = models.CharField(max_length=16, blank=True, default="", db_default="")

    objects = PresetQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=["app", "member", "name"], name="preset_name_unique"),)

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the URL of the app's form, prefilled with the preset."""
        return f"{self.app.get_absolute_url()}?preset={self.public_id}"

    def belongs_to(self, member: Member) -> bool:
        return self.member_id == member.pk

    def is_visible_to(self, member: Member) -> bool:
        """Return whether `PresetQuerySet.visible_to` would include this preset."""
        return self.is_team or self.belongs_to(member)

    def is_changeable_by(self, member: Member) -> bool:
        """Return whether `PresetQuerySet.changeable_by` would include this preset."""
        is_theirs = self.belongs_to(member) or (member.is_admin and self.is_team)
        return member.can_run and is_theirs


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def owned_by(self, member: Member) -> Self:
        """Return the member's own views, which nobody else can see, change or delete."""
        return self.filter(member=member)


class SavedView(models.Model):
    """A named History filter."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=100)
    query = models.TextField(blank=True, default="")  # the query string, without the page position
    created_at = models.DateTimeField(default=timezone.now)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=["member", "name"], name="saved_view_name_unique"),)

    def __str__(self) -> str:
        return self.name
