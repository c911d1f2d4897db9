"""Runs and their inputs. Each press of Run creates one run. Only `engine.progress` changes the status of a run."""

from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models
from django.db.models import F, Q, prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext_lazy as _lazy

from runs.models.addresses import path_to
from runs.models.app import App, AppSchema
from runs.models.file import PICTURE_COLUMNS, StoredFile, Upload
from runs.models.ids import new_public_id, new_secret
from runs.models.member import Member
from runs.models.messages import MessageTextField
from runs.models.run_access import RunAccess, RunAccessQuerySet
from runs.schema_forms.answers import Answer, Files, load_value

ACTIVE = ("starting", "checking", "queued", "running")
FINAL = ("completed", "failed", "cancelled")
AT_LAMINA = ("queued", "running")
SILENT_AFTER = timedelta(hours=24)
# Columns that History filters by. They include the columns used in the indexes' conditions, because SQLite would
# otherwise read every row to check those conditions.
FACETS = (F("app"), F("status"), F("outputs_failed"), F("kinds"), F("verdicts"), F("shared_at"), F("deleted_at"))
NEWEST = (F("created_at").desc(), F("id").desc())
CARD_PEOPLE = ("member", "made_by", "starred_by")
RUN_CARD_RELATIONS = ("app__rule", "input_picture", *CARD_PEOPLE)
# The columns that cards need, from the run and from related rows. Using any other column takes a query for each card.
RUN_CARD_COLUMNS = (
    *("public_id", "version", "status", "title", "app_name", "summary", "created_at", "started_at", "running_at"),
    *("outputs_total", "outputs_ready", "outputs_failed", "outputs_approved", "outputs_changes", "outputs_rejected"),
    *("shared_at", "deleted_at", "held_at", "starred_at", "has_star", "is_example", *RUN_CARD_RELATIONS[1:]),
    *(f"app__{name}" for name in ("public_id", "name", "gone_at", "forbidden_at")),
    *(f"app__{name}_seconds" for name in ("quick", "slow", "late")),
    *(f"app__rule__{name}" for name in ("app", "is_hidden", "shown_to")),
    *(f"{who}__{name}" for who in CARD_PEOPLE for name in ("name", "email")),
    *(f"input_picture__{name}" for name in PICTURE_COLUMNS),
)


class RunQuerySet(RunAccessQuerySet["Run"]):
    def active(self) -> Self:
        # A constraint says that both conditions are the same; the first lets SQLite use the indexes of active runs.
        return self.filter(finished_at=None, status__in=ACTIVE)

    def at_lamina(self) -> Self:
        """Return runs that Lamina is working on, as far as we know."""
        return self.active().filter(status__in=AT_LAMINA)

    def needing_poller(self) -> Self:
        """Return the runs the poller has to handle: on Lamina, waiting to be sent, or being checked."""
        return self.active().exclude(status="checking", due_at=None)

    def due(self, now: datetime) -> Self:
        """Return runs whose next step is due by `now`: sending them, or checking whether they started."""
        return self.active().filter(status__in=("starting", "checking"), due_at__lte=now)

    def binnable(self) -> Self:
        """Return the runs that people who may change them may also move to the bin: runs that have ended and aren't on
        hold."""
        return self.filter(status__in=FINAL, deleted_at=None, held_at=None)

    def for_cards(self) -> Self:
        """Load what run cards show, except results, which `display.cards.run_cards` fetches."""
        return self.select_related(*RUN_CARD_RELATIONS).only(*RUN_CARD_COLUMNS)

    def in_state(self, key: str) -> Self:
        """Return runs whose displayed state is `key` (`words.run_states.RunState.key`); all runs if it is unknown."""
        if key == "progress":
            return self.filter(status__in=AT_LAMINA)
        if key == "ready":
            return self.filter(status="completed", outputs_failed=0)
        if key == "partly":
            return self.filter(status="completed", outputs_failed__gt=0)
        return self.filter(status=key) if key in Run.Status.values else self

    def locked(self) -> "list[Run]":
        """Lock the runs, always in the same order to avoid deadlocks, and return them with the columns that the audit
        record needs."""
        rows = self.select_related(None).order_by("pk").select_for_update(of=("self",))
        return list(rows.only("public_id", "title", "app_name"))

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")


class Run(RunAccess):
    """A run. `status` is changed only by `engine.progress`. `version` goes up with every change that a page could
    show."""

    class Status(models.TextChoices):
        STARTING = "starting", _lazy("Starting")
        CHECKING = "checking", _lazy("Checking")
        QUEUED = "queued", _lazy("In progress")
        RUNNING = "running", _lazy("In progress")
        COMPLETED = "completed", _lazy("Ready")
        FAILED = "failed", _lazy("Failed")
        CANCELLED = "cancelled", _lazy("Cancelled")

    class Wait(models.TextChoices):
        """Reasons why a run hasn't been sent yet; `words.run_states.WAITS` has the messages that people see."""

        NONE = "", ""
        LAMINA = "lamina", "Lamina cannot be reached"
        BUDGET = "budget", "the shared request budget is used up"
        RATE = "rate", "Lamina asked us to wait"
        FILES = "files", "its files are being handed over"
        APP = "app", "another start of the same app comes first"

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    app = models.ForeignKey(App, on_delete=models.PROTECT, related_name="runs")
    schema = models.ForeignKey(AppSchema, on_delete=models.PROTECT, related_name="runs")
    app_name = models.TextField()  # the app's name when the run was started; the app may be renamed or removed later
    title = models.CharField(max_length=200, blank=True, default="")
    search_text = models.TextField(blank=True, default="")
    # The first few inputs as [{"name", "text", "type"}], copied here so that lists of cards needn't query the inputs.
    summary: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    input_picture = models.ForeignKey(StoredFile, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    form_token = models.CharField(max_length=100)
    wanted_outputs: "models.JSONField[Any, Any]" = models.JSONField(default=list)  # indexes; a full run has all of them

    status = models.CharField(max_length=10, choices=Status, default=Status.STARTING)
    version = models.PositiveIntegerField(default=1)
    wait = models.CharField(max_length=7, choices=Wait, blank=True, default=Wait.NONE)
    due_at = models.DateTimeField(null=True, blank=True, default=timezone.now)  # when the next step is due
    rung_at = models.DateTimeField(null=True, blank=True)  # when a task was last queued for that step
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)  # committed before sending the POST, which may cost credits
    remote_id = models.CharField(max_length=200, blank=True, default="")
    remote_status = models.CharField(max_length=50, blank=True, default="")  # Lamina's status, even one we don't know
    seen_at = models.DateTimeField(null=True, blank=True)  # when Lamina last told us something about this run
    asked_at = models.DateTimeField(null=True, blank=True)  # when we last requested the run by its id
    opened_at = models.DateTimeField(null=True, blank=True)  # when someone last had its page open
    # How many times in a row Lamina said "no such run" when we requested this run by its id; before the run starts, how
    # many times in a row one of its files didn't reach Lamina.
    missing_reads = models.PositiveSmallIntegerField(default=0)
    # How many checks of Lamina's run list didn't find this run, across all attempts to start it; and the ids of runs
    # that might be this one, if someone has to decide.
    empty_looks = models.PositiveSmallIntegerField(default=0)
    candidates: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    # Secret part of this run's webhook URL
    hook_token = models.CharField(max_length=43, unique=True, default=new_secret)

    cancel_asked_at = models.DateTimeField(null=True, blank=True)
    cancel_sent_at = models.DateTimeField(null=True, blank=True)
    # Lamina's response to the cancel request; the run may continue anyway
    cancel_answer = models.CharField(max_length=50, blank=True, default="")
    cancelled_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    outputs_total = models.PositiveIntegerField(default=0)
    outputs_ready = models.PositiveIntegerField(default=0)  # never goes down while the run is active
    outputs_failed = models.PositiveIntegerField(default=0)
    failure = models.CharField(max_length=30, blank=True, default="")  # the cause: a key of words.run_failures.FAILURES
    failure_text = MessageTextField(blank=True)  # quoted from Lamina, or our own message
    field_errors: "models.JSONField[Any, Any]" = models.JSONField(default=list)  # [{"field": "Style", "message": "…"}]
    request_id = models.CharField(max_length=100, blank=True, default="")
    credits_estimated = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)

    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)  # when Lamina accepted it
    # When we learned that the run had ended, if we couldn't read its results right away, for example because the
    # request budget was used up.
    ended_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    running_at = models.DateTimeField(null=True, blank=True)  # when it left Lamina's queue, if known
    work_seconds = models.FloatField(null=True, blank=True)  # how long it took by Lamina's clock, if known

    # The kinds of the run's results, such as " image video ", for filtering
    kinds = models.CharField(max_length=200, blank=True, default=" ")
    # The verdicts on its results, such as " approved changes rejected none ", for filtering; and how many of each, for
    # cards.
    verdicts = models.CharField(max_length=40, blank=True, default=" ", db_default=" ")
    outputs_approved = models.PositiveIntegerField(default=0, db_default=0)
    outputs_changes = models.PositiveIntegerField(default=0, db_default=0)
    outputs_rejected = models.PositiveIntegerField(default=0, db_default=0)
    comments_total = models.PositiveIntegerField(default=0, db_default=0)  # comments on the run and on its results
    parent = models.ForeignKey(  # the run that this one is based on, or whose failed outputs it retries
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="children"
    )
    preset = models.ForeignKey("runs.Preset", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    starred_at = models.DateTimeField(null=True, blank=True)  # when the run itself was starred, by anyone on the team
    starred_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    has_star = models.BooleanField(default=False)  # the run or one of its outputs is starred
    # Created in a new sandbox as an example for newcomers (`management.examples`); nobody is notified about it.
    is_example = models.BooleanField(default=False, db_default=False, editable=False)

    objects = RunQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["member", "form_token"], name="run_form_token_unique"),
            models.UniqueConstraint(fields=["remote_id"], condition=~Q(remote_id=""), name="run_remote_id_unique"),
            models.CheckConstraint(
                condition=Q(status__in=ACTIVE, finished_at=None) | Q(status__in=FINAL, finished_at__isnull=False),
                name="run_finished_at_matches_status",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=AT_LAMINA) | ~Q(remote_id=""), name="run_at_lamina_has_remote_id"
            ),
            models.CheckConstraint(condition=Q(held_at=None) | Q(deleted_at=None), name="run_on_hold_not_in_bin"),
        )
        indexes = (
            # Used by history.examples to check whether any examples exist, without reading every run
            models.Index(fields=["is_example", "created_at"], name="run_examples"),
            # Used by history.filters: whatever the filters, a page of History's Mine or Team tab can be read from one
            # of these indexes alone. PostgreSQL has further indexes, which begin with rare kinds, states and verdicts
            # (migration 0001_portal).
            models.Index(F("member"), *NEWEST, *FACETS, condition=Q(deleted_at=None), name="run_find_mine"),
            models.Index(
                *NEWEST,
                F("member"),
                *FACETS,
                condition=Q(shared_at__isnull=False, deleted_at=None),
                name="run_find_team",
            ),
            models.Index(
                F("app"), *NEWEST, F("member"), *FACETS[1:], condition=Q(deleted_at=None), name="run_find_app"
            ),
            models.Index(F("has_star"), *NEWEST, condition=Q(deleted_at=None), name="run_history_starred"),
            models.Index(F("member"), F("app"), F("created_at").desc(), name="run_history_app"),
            # Used by RunQuerySet.transferred to find the runs a person made that now belong to others
            models.Index(fields=["made_by"], condition=~Q(made_by=F("member")), name="run_made_for"),
            models.Index(fields=["deleted_at"], condition=Q(deleted_at__isnull=False), name="run_bin"),
            models.Index(
                *(F("member"), F("deleted_at").desc(), F("id").desc()),
                condition=Q(deleted_at__isnull=False),
                name="run_bin_of",
            ),
            # Used by history.retention_rules to find finished runs that are neither starred nor on hold, oldest first
            models.Index(
                fields=["has_star", "status", "finished_at"],
                condition=Q(deleted_at=None, held_at=None),
                name="run_overdue",
            ),
            models.Index(fields=["held_at"], condition=Q(held_at__isnull=False), name="run_on_hold"),
            # Used by display.new_runs
            models.Index(
                F("shared_at").desc(),
                F("member"),
                condition=Q(shared_at__isnull=False, deleted_at=None),
                name="run_shared_lately",
            ),
            # Used by RunQuerySet.active, at_lamina and due
            models.Index(fields=["status", "member", "created_at"], condition=Q(finished_at=None), name="run_active"),
        )

    def __str__(self) -> str:
        return f"{self.app_name} ({self.public_id})"

    def get_absolute_url(self) -> str:
        return path_to("run-detail", self.public_id)

    @property
    def told_input(self) -> dict[str, str] | None:
        """The input to show if the run has no title: the first text input, because a file name says little."""
        texts = (line for line in self.summary if line["type"] != "url" and line["text"])
        return None if self.title else next(texts, None)

    @property
    def display_title(self) -> str:
        """The run's name as members see it. Never show it to guests, since it may reveal an input."""
        return (
            f"{self.app_name} · {text_input['text']}"
            if (text_input := self.told_input)
            else self.title or self.app_name
        )

    @property
    def star_url(self) -> str:
        return path_to("run-star", self.public_id)

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    def is_binnable_by(self, member: Member) -> bool:
        """Return whether the member may move the run to the bin (see `RunQuerySet.binnable`)."""
        return self.is_changeable_by(member) and not self.is_active and not self.is_held

    def is_silent(self, now: datetime) -> bool:
        """Return whether the run has been on Lamina for over a day. If so, we ask its maker whether to keep waiting."""
        return self.status in AT_LAMINA and now - (self.started_at or self.created_at) > SILENT_AFTER

    @property
    def needs_confirmation(self) -> bool:
        """Whether we need a person to tell us if the run has started. Until someone does, only updates from Lamina
        change the run."""
        return self.status == "checking" and self.due_at is None

    @property
    def is_final(self) -> bool:
        return self.status in FINAL

    @property
    def answers(self) -> list[Answer]:
        """The inputs as form answers, including hidden ones."""
        prefetch_related_objects([self], "inputs__links__upload")
        return [run_input.answer for run_input in self.inputs.all()]

    def answers_for(self, member: Member) -> list[Answer]:
        """Return the inputs that `member` may see, as form answers. Inputs that were hidden stay hidden, even if their
        fields are visible now."""
        return [
            answer
            for run_input, answer in zip(self.inputs.all(), self.answers, strict=True)
            if run_input.is_shown_to(member)
        ]


class RunInputQuerySet(models.QuerySet["RunInput"]):
    def shown_to(self, member: Member) -> Self:
        """Return the inputs that the member may see, assuming that they may see the run. Only admins see hidden
        inputs."""
        return self if member.is_admin else self.filter(is_hidden=False)


class RunInput(models.Model):
    """One input, as entered in the form. The parameter's name, key and id are all stored, because Lamina doesn't
    consistently use the same one to identify a parameter."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="inputs")
    position = models.PositiveIntegerField()
    name = models.TextField()
    key = models.TextField(blank=True, default="")
    parameter_id = models.TextField(blank=True, default="")
    type = models.CharField(max_length=50)
    # A string for text and options. For url parameters without an added file: the app author's sample URLs.
    value: "models.JSONField[Any, Any]" = models.JSONField(default=str, blank=True)
    is_default = models.BooleanField(default=False)  # not sent to Lamina, so the app uses its own default
    # The field was hidden when Run was pressed, or is hidden now, so only admins can see this input.
    is_hidden = models.BooleanField(default=False, db_default=False)
    uploads = models.ManyToManyField(Upload, through="RunInputUpload", related_name="inputs")

    objects = RunInputQuerySet.as_manager()

    class Meta:
        ordering = ("position",)
        constraints = (models.UniqueConstraint(fields=["run", "position"], name="run_input_position_unique"),)

    def __str__(self) -> str:
        return f"{self.name}: {str(self.value)[:50]}"

    def is_shown_to(self, member: Member) -> bool:
        """Return whether `RunInputQuerySet.shown_to` would include this input."""
        return member.is_admin or not self.is_hidden

    @property
    def answer(self) -> Answer:
        """The input as a form answer."""
        value = load_value(self.value)
        if self.type == "url":
            value = Files(tuple(link.upload.public_id for link in self.links.all()))
        return Answer(self.name, self.key, self.parameter_id, self.type, value, self.is_default)


class RunInputUpload(models.Model):
    """A file added to an input, and its position among the input's files if the parameter is `multiple`."""

    input = models.ForeignKey(RunInput, on_delete=models.CASCADE, related_name="links")
    upload = models.ForeignKey(Upload, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveIntegerField()

    class Meta:
        ordering = ("position",)

    def __str__(self) -> str:
        return f"{self.input_id}/{self.position}"
