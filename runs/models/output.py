"""Results of a run: an `Output` for each result box, and an `OutputFile` for each media address in it."""

from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _lazy

from runs.models.addresses import path_to
from runs.models.file import StoredFile
from runs.models.ids import new_public_id
from runs.models.member import Member
from runs.models.messages import MessageCharField, MessageTextField
from runs.models.run import Run, RunInput, RunInputUpload, RunQuerySet


class OutputQuerySet(models.QuerySet["Output"]):
    def visible_to(self, member: Member) -> Self:
        return self.filter(run__in=Run.objects.visible_to(member))


class Output(models.Model):
    """A result box. `remote_id` identifies it and `position` orders it, since labels may repeat within a run."""

    class Status(models.TextChoices):
        PENDING = "pending", _lazy("Waiting")
        COMPLETED = "completed", _lazy("Ready")
        ERROR = "error", _lazy("Failed")
        CANCELLED = "cancelled", _lazy("Cancelled")

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="outputs")
    position = models.PositiveIntegerField()
    remote_id = models.CharField(max_length=200, blank=True, default="")  # empty until Lamina assigns one
    label = models.TextField(blank=True, default="")
    search_text = models.TextField(blank=True, default="")  # the folded label
    kind = models.CharField(max_length=50)  # expected or actual: image, video, audio, text, or an unknown word
    status = models.CharField(max_length=9, choices=Status, default=Status.PENDING)
    version = models.PositiveIntegerField(default=1)  # the run's version when this box last changed
    text = models.TextField(blank=True, default="")  # for text and for values without an address
    error = MessageTextField(blank=True)  # quoted from Lamina, or our own message
    # Space reserved until the picture arrives, based on the inputs or Lamina's dimensions, so that the page doesn't
    # jump.
    box_width = models.PositiveIntegerField(default=1)
    box_height = models.PositiveIntegerField(default=1)
    raw_value: "models.JSONField[Any, Any]" = models.JSONField(null=True, default=None)
    starred_at = models.DateTimeField(null=True, blank=True)  # shared by the whole team
    starred_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    objects = OutputQuerySet.as_manager()

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=["run", "position"], name="output_position_unique"),
            models.UniqueConstraint(
                fields=["run", "remote_id"], condition=~Q(remote_id=""), name="output_remote_id_unique"
            ),
        )

    def __str__(self) -> str:
        return f"{self.run_id}/{self.position} {self.label}"

    def get_absolute_url(self) -> str:
        """Return the path of this result's page."""
        return path_to("result-detail", self.public_id)

    @property
    def star_url(self) -> str:
        return path_to("result-star", self.public_id)


class OutputFile(models.Model):
    """A media address from Lamina, and our copy of its file."""

    class Status(models.TextChoices):
        SAVING = "saving", _lazy("Saving")
        SAVED = "saved", _lazy("Saved")
        FAILED = "failed", _lazy("Could not be saved")

    output = models.ForeignKey(Output, on_delete=models.CASCADE, related_name="files")
    position = models.PositiveIntegerField(default=0)
    source_url = models.TextField()
    status = models.CharField(max_length=6, choices=Status, default=Status.SAVING)
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, null=True, blank=True, related_name="results")
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True, default=timezone.now)
    claimed_until = models.DateTimeField(null=True, blank=True)
    error = MessageCharField(max_length=300, blank=True)
    is_refused = models.BooleanField(default=False)  # the guard refuses source_url: don't show it as a link
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=["output", "position"], name="output_file_position_unique"),
            models.CheckConstraint(
                condition=~Q(status="saved") | Q(file__isnull=False), name="output_file_saved_has_file"
            ),
        )
        indexes = (
            # engine.save_outputs: files still to be fetched
            models.Index(fields=["due_at"], condition=Q(status="saving"), name="output_file_due"),
        )

    def __str__(self) -> str:
        return f"{self.output_id}/{self.position} {self.status}"


def for_page(runs: RunQuerySet) -> RunQuerySet:
    """Return `runs` with everything that a run page shows, including results and inputs."""
    files = models.Prefetch("files", OutputFile.objects.select_related("file"))
    outputs = models.Prefetch("outputs", Output.objects.prefetch_related(files))
    links = models.Prefetch("links", RunInputUpload.objects.select_related("upload__file"))
    inputs = models.Prefetch("inputs", RunInput.objects.prefetch_related(links))
    told = runs.for_cards().select_related("schema", "made_by", "cancelled_by", "preset")
    return told.prefetch_related(outputs, inputs)
