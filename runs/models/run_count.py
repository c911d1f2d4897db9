"""The number of runs per person and state, as last counted by the worker."""

from django.db import models
from django.utils import timezone

from runs.models.member import Member

MANY = 10_000  # with fewer runs than this, counting them all is quick


class RunCountQuerySet(models.QuerySet["RunCount"]):
    def if_many(self) -> "list[RunCount]":
        """Return all counts; an empty list if the portal has few runs or hasn't counted them yet."""
        counts = list(self)
        return counts if sum(count.runs for count in counts) >= MANY else []


class RunCount(models.Model):
    """The number of runs a person has in one state, with those in the bin counted separately. `history.run_counts`
    recounts them every hour."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="+")
    status = models.CharField(max_length=10)  # a value of `Run.Status`
    is_binned = models.BooleanField()
    runs = models.PositiveBigIntegerField()
    oldest = models.DateTimeField()  # when the oldest of these runs was created
    counted_at = models.DateTimeField(default=timezone.now)

    objects = RunCountQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.runs} {self.status} of {self.member_id}"
