"""A run's results: an `Output` for each result, and an `OutputFile` for each media URL in it."""

from typing import Any, Self

from django.db import models
from django.db.models import Exists, Max, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce, Substr
from django.db.models.lookups import Exact
from django.utils import timezone
from django.utils.translation import gettext_lazy as _lazy

from runs.models.addresses import path_to
from runs.models.file import StoredFile
from runs.models.ids import new_public_id
from runs.models.joined import is_one_of
from runs.models.member import Member
from runs.models.messages import MessageCharField, MessageTextField
from runs.models.run import RUN_CARD_RELATIONS, Run, RunInput, RunInputUpload, RunQuerySet

LABEL_START = 80  # characters


class OutputQuerySet(models.QuerySet["Output"]):
    def visible_to(self, member: Member) -> Self:
        return self.filter(is_one_of(Run.objects.visible_to(member), "run"))

    def with_content(self) -> Self:
        """Return results that have something to show: ready, with a saved file or text."""
        # Look up the files of each result separately. With IN, PostgreSQL would read millions of files for a run's
        # four results.
        files = OutputFile.objects.filter(output=OuterRef("pk"), status=OutputFile.Status.SAVED)
        return self.filter(~Q(text="") | Exists(files), status=Output.Status.COMPLETED)

    def in_line_of(self, output: "Output") -> Self:
        """Return all versions of `output`, starting with the first."""
        return self.filter(Q(pk=output.first_id) | Q(line=output.first_id)).order_by("number")

    def needing_changes(self) -> Self:
        """Return results that need changes, unless their newest version doesn't. Versions that failed, weren't made or
        are in the bin don't count."""
        later = Output.objects.filter(
            Q(line=OuterRef("pk")) | Q(line=OuterRef("line")), number__gt=OuterRef("number"), run__deleted_at=None
        ).exclude(status__in=(Output.Status.ERROR, Output.Status.CANCELLED))
        newest = Subquery(later.order_by("-number").values("verdict")[:1])
        return self.filter(Exact(Coalesce(newest, Value("changes")), "changes"), verdict="changes")

    def own_work_of(self, member: Member) -> Self:
        """Return results that the member made, or made an earlier version of since the last approved one.

        Under the four-eyes rule, members can't approve these (`review.deciders`), so their queue leaves them out.
        """
        return self.filter(is_own_work(member))


def is_own_work(member: Member, at: str = "") -> Q:
    """Return the condition of `OutputQuerySet.own_work_of` for use on rows that refer to a result; `at` is the path to
    the result, such as "output__".

    The query never collects all of the member's own work, which could be most of the table.
    """
    is_maker = Exact(Coalesce(f"{at}run__made_by", f"{at}run__member"), member.pk)
    earlier = Output.objects.filter(
        Q(pk=OuterRef(f"{at}line")) | Q(line=OuterRef(f"{at}line")),
        Exact(Coalesce("run__made_by", "run__member"), member.pk),
        number__lt=OuterRef(f"{at}number"),
    )
    approved = Output.objects.filter(
        Q(pk=OuterRef(OuterRef(f"{at}line"))) | Q(line=OuterRef(OuterRef(f"{at}line"))),
        verdict="approved",
        number__gte=OuterRef("number"),
        number__lt=OuterRef(OuterRef(f"{at}number")),
    )
    return Q(is_maker) | Q(Exists(earlier.exclude(Exists(approved))), **{f"{at}line__isnull": False})


class Output(models.Model):
    """A result, or the place reserved for one. Results are identified by `remote_id` and `list_number` and ordered by
    `position`, because labels may repeat within a run."""

    class Status(models.TextChoices):
        PENDING = "pending", _lazy("Waiting")
        COMPLETED = "completed", _lazy("Ready")
        ERROR = "error", _lazy("Failed")
        CANCELLED = "cancelled", _lazy("Not made")  # the run was cancelled or never started, or Lamina left it out

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="outputs")
    position = models.PositiveIntegerField()
    remote_id = models.CharField(max_length=200, blank=True, default="")  # empty until Lamina assigns one
    # If Lamina's output is a list of files, each file is a result; this is its number in the list.
    list_number = models.PositiveIntegerField(default=1, db_default=1)
    label = models.TextField(blank=True, default="")
    search_text = models.TextField(blank=True, default="")  # the label, folded for searching
    kind = models.CharField(max_length=50)  # expected or actual: image, video, audio, text, or an unknown kind
    status = models.CharField(max_length=9, choices=Status, default=Status.PENDING)
    changed_in = models.PositiveIntegerField(default=1, db_column="version")  # the run's version when this last changed
    text = models.TextField(blank=True, default="")  # the content of a text result, or any value without a URL
    # What a member wrote for those who can't see or hear the files: a picture's alt text, or a transcript
    description = models.TextField(blank=True, default="", db_default="")
    error = MessageTextField(blank=True)  # quoted from Lamina, or our own message
    # Proportions of the space reserved for the picture, so that the page doesn't jump when it arrives. Based on the
    # inputs, or on the dimensions Lamina gives.
    box_width = models.PositiveIntegerField(default=1)
    box_height = models.PositiveIntegerField(default=1)
    raw_value: "models.JSONField[Any, Any]" = models.JSONField(null=True, default=None)
    starred_at = models.DateTimeField(null=True, blank=True)  # the whole team shares one star
    starred_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    # Index among the app's results; null for outputs that the app doesn't list, and for runs older than this column.
    schema_index = models.PositiveIntegerField(null=True, blank=True)
    # The result's place in a line of versions, assigned when Run is pressed: the line's first result (null if this is
    # the first), and the version number.
    line = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, db_index=False, related_name="later_versions"
    )
    number = models.PositiveIntegerField(default=1, db_default=1)

    # SHA-256 (hex) of its files' hashes in order, or of its text if it has no files; empty while files are being saved.
    # Verdicts and comments apply to this content only.
    content_hash = models.CharField(max_length=64, blank=True, default="", db_default="")
    # The overall verdict, maintained by `review.verdicts`; empty = not reviewed. `decided_in` counts its changes, so
    # that we can tell whether a page is out of date.
    verdict = models.CharField(max_length=8, blank=True, default="", db_default="")
    decided_in = models.PositiveIntegerField(default=0, db_default=0)
    comments_total = models.PositiveIntegerField(default=0, db_default=0)  # removed comments don't count

    # For removing rejected results (`history.rejected`): when the files and text are due to be removed (at first 30
    # days ahead); when someone kept the result, which restarts the period; and when the files and text were removed.
    removal_at = models.DateTimeField(null=True, blank=True)
    kept_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    is_only_version = False  # set by `for_page`: whether it's known that there are no other versions

    objects = OutputQuerySet.as_manager()

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=["run", "position"], name="output_position_unique"),
            models.UniqueConstraint(
                fields=["run", "remote_id", "list_number"], condition=~Q(remote_id=""), name="output_remote_id_unique"
            ),
            models.UniqueConstraint(
                fields=["line", "number"], condition=Q(line__isnull=False), name="output_line_number_unique"
            ),
        )
        indexes = (
            # Used by history.rejected to find rejected results without a removal date, and results that have one
            models.Index(
                fields=["verdict", "run"], condition=Q(removal_at=None, removed_at=None), name="output_rejected"
            ),
            models.Index(fields=["removal_at"], condition=Q(removal_at__isnull=False), name="output_removal"),
            # Used by launching.library_search. Contains only the first characters of each label, because the size of
            # index rows is limited.
            models.Index(Substr("search_text", 1, LABEL_START), name="output_label"),
        )

    def __str__(self) -> str:
        return f"{self.run_id}/{self.position} {self.label}"

    def get_absolute_url(self) -> str:
        """Return the path of this result's page."""
        return path_to("result-detail", self.public_id)

    @property
    def numbered_label(self) -> str:
        """The label, followed by the file's number if this is a further file of a list."""
        return f"{self.label} {self.list_number}" if self.label and self.list_number > 1 else self.label

    @property
    def first_id(self) -> int:
        """The primary key of this result's first version."""
        return self.line_id or self.pk

    @property
    def newest_number(self) -> int:
        """The number of the newest version of this result, finished or not."""
        latest = Output.objects.filter(line=self.first_id).aggregate(latest=Max("number"))["latest"]
        return latest or self.number

    @property
    def is_object(self) -> bool:
        """Whether the value is a JSON object or list. If so, `text` contains it as JSON, in its original order."""
        return bool(self.text) and isinstance(self.raw_value, dict | list)

    @property
    def text_ending(self) -> str:
        """The file extension for downloading `text`."""
        return "json" if self.is_object else "txt"

    @property
    def star_url(self) -> str:
        return path_to("result-star", self.public_id)


class OutputFile(models.Model):
    """A media URL from Lamina, and our copy of the file."""

    class Status(models.TextChoices):
        SAVING = "saving", _lazy("Saving")
        SAVED = "saved", _lazy("Saved")
        FAILED = "failed", _lazy("Could not be saved")
        REMOVED = "gone", _lazy("Removed")  # removed by the retention rules

    output = models.ForeignKey(Output, on_delete=models.CASCADE, related_name="files")
    position = models.PositiveIntegerField(default=0)
    source_url = models.TextField()
    status = models.CharField(max_length=6, choices=Status, default=Status.SAVING)
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, null=True, blank=True, related_name="results")
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True, default=timezone.now)
    claimed_until = models.DateTimeField(null=True, blank=True)
    error = MessageCharField(max_length=300, blank=True)
    is_refused = models.BooleanField(default=False)  # source_url isn't safe to open, so don't show it as a link
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
            # Used by engine.save_outputs to find files that still have to be fetched, and by manage.health_report to
            # count those that couldn't be saved. Without the condition, SQLite would use it for saved files, too.
            models.Index(fields=["status", "due_at"], condition=Q(file=None), name="output_file_due"),
        )

    def __str__(self) -> str:
        return f"{self.output_id}/{self.position} {self.status}"


def for_page(runs: RunQuerySet) -> RunQuerySet:
    """Return `runs` with everything a run page shows, including results and inputs, loaded at once."""
    files = models.Prefetch("files", OutputFile.objects.select_related("file"))
    marks = {"is_only_version": Q(line=None) & ~Exists(Output.objects.filter(line=OuterRef("pk")))}
    outputs = models.Prefetch("outputs", Output.objects.annotate(**marks).prefetch_related(files))
    links = models.Prefetch("links", RunInputUpload.objects.select_related("upload__file"))
    inputs = models.Prefetch("inputs", RunInput.objects.prefetch_related(links))
    with_related = runs.select_related(*RUN_CARD_RELATIONS, "schema", "cancelled_by", "held_by", "preset")
    return with_related.prefetch_related(outputs, inputs)
