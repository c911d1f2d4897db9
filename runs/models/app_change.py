"""Changes that Lamina made to apps' forms, shown to admins."""

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _lazy

from runs.models.app import App


class AppChange(models.Model):
    """One change to one field, noticed when the portal fetched the app again. `field` is the field's name at the
    time."""

    class Kind(models.TextChoices):
        ADDED = "added", _lazy("New field")
        GONE = "gone", _lazy("Field removed")
        RENAMED = "renamed", _lazy("Field renamed")
        RETYPED = "retyped", _lazy("Field type changed")
        NEEDED = "needed", _lazy("Default removed")
        OPTIONS_ADDED = "options_added", _lazy("New options")
        OPTIONS_GONE = "options_gone", _lazy("Options removed")
        SAMPLE = "sample", _lazy("Sample changed")

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="changes")
    at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=13, choices=Kind)
    field = models.CharField(max_length=300)
    # RENAMED and RETYPED: {"from", "to"}; OPTIONS_ADDED and OPTIONS_GONE: {"options": the first few, "count": how
    # many}.
    detail: "models.JSONField[Any, Any]" = models.JSONField(default=dict)

    class Meta:
        ordering = ("-at", "pk")
        indexes = (models.Index(fields=["app", "-at"], name="app_change_of_app"),)

    def __str__(self) -> str:
        return f"{self.app_id} {self.kind} {self.field}"
