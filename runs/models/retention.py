"""How long the team keeps what it made."""

from django.db import models


class RetentionRules(models.Model):
    """One row: days after its end until a run goes to the bin by itself, by kind; null = kept for ever. Read it with
    `KeepingRules.current()`."""

    ready_days = models.PositiveSmallIntegerField(null=True, blank=True)
    failed_days = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        db_table = "runs_keepingrules"

    def __str__(self) -> str:
        return "keeping rules"

    @classmethod
    def current(cls) -> "RetentionRules":
        return cls.objects.first() or cls()
