"""Small tables that coordinate processes on all hosts: leases, heartbeats, the log of sent requests, and Lamina's
state."""

from decimal import Decimal
from typing import Any

from django.db import models
from django.utils import timezone

from runs.models.messages import MessageCharField


class Lease(models.Model):
    """The exclusive right to do the work called `name`. It ends at `until`, by the database's clock, and is acquired
    and renewed with a conditional UPDATE."""

    name = models.CharField(max_length=50, primary_key=True)
    holder = models.CharField(max_length=64, blank=True, default="")
    until = models.DateTimeField()
    kicked_at = models.DateTimeField(null=True, blank=True)  # when a task was last queued for this work

    def __str__(self) -> str:
        return f"{self.name} until {self.until:%H:%M:%S}"


class Heartbeat(models.Model):
    """The last heartbeat of a part of the portal: "poller", or "worker host:pid" for each group of worker processes."""

    name = models.CharField(max_length=120, primary_key=True)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.name} {self.at:%H:%M:%S}"


class RequestWindow(models.Model):
    """Requests sent by all processes in the last minute: row 1 counts all requests, row 2 only app searches.

    A row is locked while it is read and updated. Times are in Unix seconds.
    """

    # The times of the requests sent in the last 60 seconds, oldest first
    stamps: "models.JSONField[list[float], list[float]]" = models.JSONField(default=list)
    closed_until = models.FloatField(default=0.0)  # end of the wait that Lamina's last 429 asked for

    class Meta:
        db_table = "runs_requestlog"

    def __str__(self) -> str:
        return f"{len(self.stamps)} requests"


class LaminaStatus(models.Model):
    """A single row with the state of Lamina and of our key, based on the latest responses."""

    answered_at = models.DateTimeField(null=True, blank=True)
    reachable_since = models.DateTimeField(null=True, blank=True)
    clock_ahead_seconds = models.FloatField(default=0.0)  # Lamina's clock minus ours, as of its last response
    # When the difference between the clocks became steady; null = unknown
    clock_steady_since = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)  # number of unusable responses in a row
    away_since = models.DateTimeField(null=True, blank=True)
    key_refused_at = models.DateTimeField(null=True, blank=True)
    is_sandbox = models.BooleanField(default=False)
    workspace_name = models.TextField(blank=True, default="")
    balance = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    balance_at = models.DateTimeField(null=True, blank=True)
    spent = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)  # in total, as of `balance_at`
    balance_asked_at = models.DateTimeField(null=True, blank=True)
    # Estimated cost of runs that were sent after Lamina reported the balance, and that have ended since.
    spent_since = models.DecimalField(max_digits=14, decimal_places=2, default=0, db_default=0)
    catalog_at = models.DateTimeField(null=True, blank=True)
    catalog_asked_at = models.DateTimeField(null=True, blank=True)
    # How many apps to request from Lamina until `catalog_limit_until` (0: no limit); null: try the maximum first.
    catalog_limit = models.PositiveSmallIntegerField(null=True, blank=True)
    catalog_limit_until = models.DateTimeField(null=True, blank=True)
    catalog_count = models.PositiveIntegerField(default=0)  # number of apps in the last list
    # What is wrong with the app list ("refused", "late", "unreadable", "limited") or with single apps ("apps"), since
    # when, and what Lamina said.
    catalog_problem = models.CharField(max_length=20, blank=True, default="")
    catalog_problem_at = models.DateTimeField(null=True, blank=True)
    catalog_quote = models.CharField(max_length=300, blank=True, default="")
    app_asked_at = models.DateTimeField(null=True, blank=True)  # when we last requested an app by its id to check it
    signing_keys: "models.JSONField[Any, Any]" = models.JSONField(default=list)  # JWKs
    signing_keys_at = models.DateTimeField(null=True, blank=True)
    signing_keys_asked_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)  # last valid webhook
    stream_failures = models.PositiveSmallIntegerField(default=0, db_default=0)  # consecutive streams that failed
    # When and why the portal stopped following runs live: "forbidden", "missing" or "broken".
    streams_refused_at = models.DateTimeField(null=True, blank=True)
    streams_refusal = models.CharField(max_length=20, blank=True, default="", db_default="")

    class Meta:
        verbose_name_plural = "Lamina status"

    def __str__(self) -> str:
        return "away" if self.away_since else "reachable"

    @property
    def balance_left(self) -> Decimal | None:
        """The estimated balance: the one Lamina last reported, minus `spent_since`."""
        return None if self.balance is None else max(Decimal(), self.balance - self.spent_since)


class Incident(models.Model):
    """An event that an admin may want to know about. The Health page shows the latest ones. It never contains keys or
    inputs."""

    at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=30)  # "lamina", "delivery", "file", "storage", "worker", "app"
    text = MessageCharField(max_length=300)
    request_id = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        ordering = ("-at",)
        indexes = (models.Index(fields=["-at"], name="incident_newest"),)

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S} {self.kind}: {self.text}"
