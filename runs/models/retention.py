"""Rules for how long runs are kept."""

from django.db import models


class RetentionRules(models.Model):
    """A single row with the number of days after which finished runs move to the bin automatically; null means never.
    Read it with `RetentionRules.current()`."""

    ready_days = models.PositiveSmallIntegerField(null=True, blank=True)
    failed_days = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        db_table = "runs_keepingrules"

    def __str__(self) -> str:
        return "retention rules"

    @classmethod
    def current(cls) -> "RetentionRules":
        return cls.objects.first() or cls()
