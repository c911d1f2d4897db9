"""The audit record: who did what, to which object, and when. Entries are never changed (`audit.guard`)."""

from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _lazy

from runs.models.ids import new_public_id
from runs.models.member import Member

LATEST = (F("at").desc(), F("id").desc())
LABEL_LENGTH = 200
HIDDEN = "•••"  # recorded instead of a secret, and instead of text that people typed


class EntryQuerySet(models.QuerySet["Entry"]):
    def about(self, kind: str, object_id: str) -> Self:
        """Return the entries about one object."""
        return self.filter(object_kind=kind, object_id=object_id)

    def by(self, member: Member) -> Self:
        """Return the entries that record the member's own actions."""
        return self.filter(actor_id=member.pk)

    def before(self, entry: "Entry") -> Self:
        """Return the entries older than `entry`, for lists that show the latest first."""
        return self.filter(Q(at__lt=entry.at) | Q(at=entry.at, pk__lt=entry.pk), at__lte=entry.at)

    def older_than(self, at: datetime) -> Self:
        return self.filter(at__lt=at)

    def latest_first(self) -> Self:
        return self.order_by(*LATEST)


class Entry(models.Model):
    """One recorded action. It stores names as they were at the time, rather than references, so it survives the
    deletion of its object.

    The database refuses to change or delete entries; only `audit.old_entries` removes old ones.
    """

    class Way(models.TextChoices):
        PAGE = "page", _lazy("On a page")
        GUEST = "guest", _lazy("Through a guest link")
        WORKER = "worker", _lazy("By the portal itself")
        COMMAND = "command", _lazy("By a command")

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    at = models.DateTimeField(default=timezone.now)
    actor_id = models.BigIntegerField(null=True, blank=True)  # the member's id; null: a guest, the portal or a command
    actor_name = models.CharField(max_length=200, blank=True, default="")
    way = models.CharField(max_length=7, choices=Way)
    verb = models.CharField(max_length=40)  # a value of `Verb`
    object_kind = models.CharField(max_length=20, blank=True, default="")  # one of the kinds in `audit.objects`
    object_id = models.CharField(max_length=40, blank=True, default="")  # the object's public id
    object_label = models.CharField(max_length=LABEL_LENGTH, blank=True, default="")
    changes: Any = models.JSONField(default=dict)  # {"role": ["maker", "admin"]}
    request_id = models.CharField(max_length=40, blank=True, default="")  # shared by all entries of one request or task

    objects = EntryQuerySet.as_manager()

    class Meta:
        ordering = ("-at", "-pk")
        indexes = (
            # One index for each way of filtering the log. The first also serves the unfiltered log and filtering by
            # day.
            models.Index(*LATEST, name="entry_latest"),
            models.Index(F("actor_id"), *LATEST, name="entry_of_person"),
            models.Index(F("verb"), *LATEST, name="entry_of_verb"),
            models.Index(F("actor_id"), F("verb"), *LATEST, name="entry_of_person_and_verb"),
            models.Index(F("way"), *LATEST, name="entry_of_way"),
            models.Index(F("way"), F("verb"), *LATEST, name="entry_of_way_and_verb"),
            models.Index(F("object_kind"), F("object_id"), *LATEST, name="entry_of_object"),
        )

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.verb} {self.object_kind} {self.object_id}"


class EntryOrigin(models.Model):
    """The network address of a guest or of someone who signed in, truncated to /24 or /48. Deleted after 90 days."""

    entry_id = models.BigIntegerField(unique=True)
    network = models.CharField(max_length=50)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"{self.entry_id} {self.network}"
