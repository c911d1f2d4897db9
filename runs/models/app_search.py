"""Searches on Lamina and their results, shared by all members and processes."""

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.utils import timezone

KEPT_FOR = timedelta(minutes=10)
PICTURES_WITHIN = timedelta(seconds=20)
LOST_AFTER = timedelta(seconds=60)  # after this long, assume that the task was lost


class AppSearch(models.Model):
    """A search on Lamina, identified by a hash of its words. We don't store who searched."""

    key = models.CharField(max_length=64, primary_key=True)
    words = models.CharField(max_length=200)
    asked_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True, blank=True)
    pictured_at = models.DateTimeField(null=True, blank=True)  # when the pictures of newly found apps were fetched
    # A list of {"app": App pk, "why": str, "credits": "12.5" | null, "is_new": bool}, best first.
    finds: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    # Why the search couldn't find more apps: "" or a key of `pages_search.PROBLEMS`. Don't retry before `retry_at`.
    problem = models.CharField(max_length=20, blank=True, default="")
    retry_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "app searches"

    def __str__(self) -> str:
        return self.words

    def is_waiting(self, now: datetime) -> bool:
        """Return whether the worker is still searching."""
        return self.answered_at is None and now - self.asked_at < LOST_AFTER

    def awaits_pictures(self, now: datetime) -> bool:
        """Return whether pictures of newly found apps are still being fetched."""
        is_young = self.answered_at is not None and now - self.answered_at < PICTURES_WITHIN
        return is_young and self.pictured_at is None and any(find["is_new"] for find in self.finds)

    def is_good(self, now: datetime) -> bool:
        """Return whether this search can still be used: its results are recent, or the worker is still searching."""
        if self.answered_at is None:
            return self.is_waiting(now)
        return now < (self.retry_at or self.answered_at + KEPT_FOR)
