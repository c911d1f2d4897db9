"""The admin's rules for apps: who sees them, their names, and what people may enter in their forms."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _lazy

from runs.models.app import App
from runs.models.file import StoredFile
from runs.models.member import Member
from runs.models.messages import MessageCharField

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

GROUP_LENGTH = 80
LABEL_LENGTH, HELP_LENGTH = 200, 1000


class AppRule(models.Model):
    """The admin's rules for one app. An app without a row appears as it does on Lamina.

    Pages read the resulting name and description from `App`.
    """

    app = models.OneToOneField(App, on_delete=models.CASCADE, related_name="rule")
    # A hidden app isn't offered to anyone, but admins can still open it.
    is_hidden = models.BooleanField(default=False)
    # The roles that see the app, as " maker approver "; empty means all. Admins always see it.
    shown_to = models.CharField(max_length=100, blank=True, default="")
    name = models.CharField(max_length=200, blank=True, default="")  # empty: Lamina's own name
    line = models.CharField(max_length=500, blank=True, default="")  # replaces Lamina's description
    group = models.CharField(max_length=GROUP_LENGTH, blank=True, default="")
    position = models.PositiveIntegerField(null=True, blank=True)  # null: comes last, in Lamina's order
    house_rules = models.TextField(max_length=5000, blank=True, default="")  # Markdown
    # The plain settings, which are texts and checkboxes, with their labels. Whatever reads, checks, saves, resets or
    # records settings goes through these.
    PLAIN: ClassVar["Mapping[str, StrOrPromise]"] = {
        "name": _lazy("Name"),
        "line": _lazy("Line below the name"),
        "group": _lazy("Group"),
        "house_rules": _lazy("House rules"),
    }
    # Why the app is paused: its form has changed, and a rule no longer fits it. While paused, the app can't be run.
    pause = MessageCharField(max_length=400, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    # When to look through earlier runs for values that are now hidden (`engine.hide_inputs`); null: done
    hiding_due_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=0)  # counts edits, so that admins don't overwrite each other's edits
    changed_at = models.DateTimeField(default=timezone.now)
    changed_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(paused_at=None, pause="") | ~Q(paused_at=None), name="app_rule_pause"),
        )

    def __str__(self) -> str:
        return f"rules of {self.app_id}"

    @classmethod
    def of(cls, app: App) -> "AppRule | None":
        """Return the rule for `app`, or None if there isn't one."""
        return app.rule if hasattr(app, "rule") else None

    @property
    def is_paused(self) -> bool:
        return self.paused_at is not None

    @property
    def roles(self) -> list[str]:
        """The roles that see the app; an empty list means all roles."""
        return self.shown_to.split()

    def shows_to(self, member: Member) -> bool:
        """Return whether `AppQuerySet.open_to` would include this app for `member`."""
        return member.is_admin or (not self.is_hidden and (not self.shown_to or member.role in self.roles))


class FieldRuleQuerySet(models.QuerySet["FieldRule"]):
    def shown_to(self, member: Member) -> Self:
        """Return rules for the fields that the member sees in forms; only admins see hidden fields."""
        return self if member.is_admin else self.exclude(mode="hidden")


class FieldRule(models.Model):
    """The admin's rule for one field of an app. The field is found by its key or, failing that, by its id or its name
    (`schema_forms.field_rules`).

    If the field disappears from Lamina, the rule is kept and applies again if the field comes back.
    """

    class Mode(models.TextChoices):
        OPEN = "open", _lazy("Open")
        LOCKED = "locked", _lazy("Locked")
        HIDDEN = "hidden", _lazy("Hidden")

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="field_rules")
    # What the field looked like when the rule was saved, so that we can recognize it
    key = models.TextField(blank=True, default="")
    parameter_id = models.TextField(blank=True, default="")
    name = models.TextField(blank=True, default="")
    type = models.CharField(max_length=50, blank=True, default="")
    label = models.CharField(max_length=LABEL_LENGTH, blank=True, default="")  # empty: Lamina's own label
    help = models.TextField(max_length=HELP_LENGTH, blank=True, default="")
    mode = models.CharField(max_length=6, choices=Mode, default=Mode.OPEN)
    # What a locked or hidden field sends: text, or an option's exact label; null: `file` if set, otherwise the app's
    # default.
    value: "models.JSONField[Any, Any]" = models.JSONField(null=True, blank=True, default=None)
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, null=True, blank=True, related_name="field_rules")
    options: "models.JSONField[Any, Any]" = models.JSONField(default=list, blank=True)  # allowed labels; empty: all

    objects = FieldRuleQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(condition=Q(mode__in=["open", "locked", "hidden"]), name="field_rule_mode_known"),
            models.CheckConstraint(
                condition=~Q(mode="open") | Q(value__isnull=True, file=None), name="field_rule_open_has_no_value"
            ),
        )

    def __str__(self) -> str:
        return self.label or self.name or self.key
