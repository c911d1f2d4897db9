"""The retention rules, and the record of how much space stored files take up."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _lazy

from runs.models.member import Member

RECORD_DAYS = 730  # two years, unless an admin changes it


class RetentionRules(models.Model):
    """A single row with the number of days after which things are removed automatically; null means never. Read it with
    `RetentionRules.current()`.

    Finished runs move to the bin, rejected results are scheduled for removal, and uploads are removed some time after
    the last run that used them. Anything that belongs to a run on hold is kept.
    """

    ready_days = models.PositiveSmallIntegerField(null=True, blank=True)
    failed_days = models.PositiveSmallIntegerField(null=True, blank=True)
    rejected_days = models.PositiveSmallIntegerField(null=True, blank=True)
    uploads_days = models.PositiveSmallIntegerField(null=True, blank=True)
    record_days = models.PositiveSmallIntegerField(null=True, blank=True, default=RECORD_DAYS)

    class Meta:
        db_table = "runs_keepingrules"

    def __str__(self) -> str:
        return "retention rules"

    @classmethod
    def current(cls) -> "RetentionRules":
        return cls.objects.first() or cls()


class StorageUse(models.Model):
    """How many files one person has stored for one use, and how much space they take up; counted by `storage.usage`.

    Every file counts once, even if it has several uses. `member` is null for files that nobody owns: app pictures,
    copies for guests, and files that are no longer used.
    """

    class Use(models.TextChoices):
        RESULTS = "results", _lazy("Results")
        UPLOADS = "uploads", _lazy("Uploads")
        BIN = "bin", _lazy("In the bin")
        COPIES = "copies", _lazy("Copies for guests")
        APPS = "apps", _lazy("App pictures")
        UNUSED = "unused", _lazy("No longer used")

    member = models.ForeignKey(Member, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    use = models.CharField(max_length=7, choices=Use)
    media = models.CharField(max_length=5)  # a value of `StoredFile.Kind`
    files = models.PositiveBigIntegerField(default=0)
    size_bytes = models.PositiveBigIntegerField(default=0)
    counted_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.use} {self.media} of {self.member_id}: {self.size_bytes}"
