"""Our copy of Lamina's app catalogue, so that pages never have to wait for Lamina."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, Self

from django.db import models
from django.urls import reverse
from django.utils import timezone

from runs.models.addresses import path_to_app, slug_of
from runs.models.ages import is_younger
from runs.models.file import PICTURE_COLUMNS
from runs.models.ids import new_public_id
from runs.models.member import Member
from runs.models.messages import MessageCharField
from runs.schema_forms.questions import Question, questions_of

SCHEMA_FRESH_FOR = timedelta(minutes=10)
APP_CARD_COLUMNS = (
    *("public_id", "name", "description", "makes", "price", "credits_expected", "usual_seconds", "slow_seconds"),
    *("is_listed", "gone_at", "starred_at", "starred_by__name", "starred_by__email"),
    *(f"thumbnail__{name}" for name in PICTURE_COLUMNS),
)


class AppQuerySet(models.QuerySet["App"]):
    def listed(self) -> Self:
        """Return the apps on the list that everyone sees. Apps that no longer exist on Lamina, or that were only found
        by searching, aren't listed but keep their URLs."""
        return self.filter(models.Q(is_listed=True) | models.Q(starred_at__isnull=False), gone_at=None)

    def list_for_all(self) -> int:
        """Add these apps to everyone's list, because someone now uses them. Until now, they could only be found by
        searching."""
        return self.filter(is_listed=False).update(is_listed=True)

    def open_to(self, member: Member) -> Self:
        """Return the apps that `member` may open and run. Admins may open all apps, because they decide who may open
        which."""
        if member.is_admin:
            return self
        is_theirs = models.Q(rule__shown_to="") | models.Q(rule__shown_to__contains=f" {member.role} ")
        return self.filter(models.Q(rule=None) | models.Q(is_theirs, rule__is_hidden=False))

    def offered_to(self, member: Member) -> Self:
        """Return the apps to show to `member` in lists, searches and suggestions. Nobody is offered hidden apps."""
        return self.open_to(member).exclude(rule__is_hidden=True)

    def for_cards(self) -> Self:
        """Fetch what the apps' cards show. Using any other column takes another query."""
        return self.select_related("thumbnail", "starred_by").only(*APP_CARD_COLUMNS)

    def starred(self) -> Self:
        """Return the apps with a star, the newest star first."""
        return self.filter(starred_at__isnull=False).order_by("-starred_at", "pk")

    def making(self, kind: str) -> Self:
        return self.filter(makes_text__contains=f" {kind} ")


class App(models.Model):
    """A Lamina app. `remote_id` is Lamina's id; `public_id` is our own, for URLs."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    remote_id = models.CharField(max_length=200, unique=True)
    # The name and description that people see: the admin's (`AppRule`) if set, otherwise Lamina's. `remote_name` and
    # `remote_description` are always Lamina's.
    name = models.TextField()
    description = models.TextField(blank=True, default="")
    remote_name = models.TextField(blank=True, default="", db_default="")
    remote_description = models.TextField(blank=True, default="", db_default="")
    # Number of outputs of each kind, e.g. {"image": 2, "video": 1}, and the kinds as " image video " for filtering.
    makes = models.JSONField(default=dict)
    makes_text = models.CharField(max_length=200, blank=True, default=" ")
    # The words that a search matches against (`words.terms.stored_words`): one line for the name, one for the rest.
    search_text = models.TextField(blank=True, default="")
    position = models.PositiveIntegerField(default=0)
    thumbnail_url = models.TextField(blank=True, default="")
    thumbnail = models.ForeignKey("runs.StoredFile", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    # Our copies of the sample files that serve as defaults for `url` parameters: {source URL: StoredFile public id}.
    samples = models.JSONField(default=dict)
    schema = models.ForeignKey("runs.AppSchema", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    # Fields of a type the portal doesn't know: [{"label", "type", "since"}], `since` in ISO format.
    unknown_fields: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    # Why the app has no form (and no schema).
    form_problem = MessageCharField(max_length=200, blank=True)
    schema_fetched_at = models.DateTimeField(null=True, blank=True)  # when Lamina last sent us the app or refused it
    schema_asked_at = models.DateTimeField(null=True, blank=True)  # when we last requested it, successfully or not
    # Lamina's estimate of what a full run costs. Null means that the cost is unknown, not that it is zero.
    credits_expected = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    credits_min = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    credits_max = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    estimated_at = models.DateTimeField(null=True, blank=True)
    # What a full run costs according to an admin; used if Lamina gives no estimate.
    price = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    # Percentiles of how long recent runs took: `quick` is the 10th, `usual` the 50th, `slow` the 90th and `late` the
    # 95th; null until five runs have completed.
    quick_seconds = models.FloatField(null=True, blank=True)
    usual_seconds = models.FloatField(null=True, blank=True)
    slow_seconds = models.FloatField(null=True, blank=True)
    late_seconds = models.FloatField(null=True, blank=True)
    # Whether Lamina has listed the app or someone has run it. If not, it was only found by searching, and is on
    # everyone's list only if it is starred.
    is_listed = models.BooleanField(default=True)
    listed_at = models.DateTimeField(default=timezone.now)  # when the app last appeared in Lamina's list
    # The star is shared by the whole team; a starred app stays on the list.
    starred_at = models.DateTimeField(null=True, blank=True)
    starred_by = models.ForeignKey(
        "runs.Member", on_delete=models.SET_NULL, null=True, blank=True, related_name="starred_apps"
    )
    # Whether a decision is requested automatically for results that are shared with the team.
    asks_review = models.BooleanField(default=False, db_default=False)
    pictures_tried_at = models.DateTimeField(null=True, blank=True)  # last attempt to copy the thumbnail and samples
    # When Lamina responded to a request for this app with 404 (gone) or 403 (forbidden). Other errors don't count.
    gone_at = models.DateTimeField(null=True, blank=True)
    forbidden_at = models.DateTimeField(null=True, blank=True)

    objects = AppQuerySet.as_manager()

    class Meta:
        ordering = ("position", "name")
        indexes = (
            # Used by App.objects.listed(), in catalogue order
            models.Index(fields=["position", "name"], condition=models.Q(gone_at=None), name="app_listed"),
            # Used by App.objects.starred()
            models.Index(
                models.F("starred_at").desc(), condition=models.Q(starred_at__isnull=False), name="app_starred"
            ),
        )

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return path_to_app(self.slug, self.public_id)

    @property
    def star_url(self) -> str:
        return reverse("runs:app-star", args=[self.public_id])

    @property
    def has_star(self) -> bool:
        return self.starred_at is not None

    @property
    def is_on_list(self) -> bool:
        """Whether the app is on everyone's list (`AppQuerySet.listed`)."""
        return (self.is_listed or self.has_star) and not self.is_gone

    @property
    def slug(self) -> str:
        return slug_of(self.name)

    @property
    def cost(self) -> Decimal | None:
        """The cost of a full run in credits: Lamina's estimate or, failing that, the price an admin entered; None if
        there is neither."""
        return self.price if self.credits_expected is None else self.credits_expected

    @property
    def is_gone(self) -> bool:
        return self.gone_at is not None

    @property
    def is_forbidden(self) -> bool:
        """Whether Lamina has this app but doesn't let our workspace use it."""
        return self.forbidden_at is not None

    @property
    def is_runnable(self) -> bool:
        """Whether this workspace can use the app. If not, no runs of the app can be started."""
        return not (self.is_gone or self.is_forbidden)

    def is_open_to(self, member: Member) -> bool:
        """Return whether `AppQuerySet.open_to` would include this app."""
        return not hasattr(self, "rule") or self.rule.shows_to(member)

    def is_runnable_by(self, member: Member) -> bool:
        """Return whether `member` may run the app. If not, pages don't link to its form."""
        return member.can_run and self.is_runnable and self.is_open_to(member)

    @property
    def questions(self) -> tuple[Question, ...]:
        """The questions of the app's current form; none if it has no form."""
        return self.schema.questions if self.schema else ()

    @property
    def may_have_form(self) -> bool:
        """Whether the app should have a form: this workspace can use it, and we know of no problem with the
        form."""
        return self.is_runnable and not self.form_problem

    def schema_is_stale(self, now: datetime) -> bool:
        """Return whether to fetch the app from Lamina again when someone opens it. We always fetch an app that Lamina
        refused last time, because it may be available by now."""
        if self.schema_fetched_at is None or not self.is_runnable or (self.schema_id is None and self.may_have_form):
            return True
        return not is_younger(self.schema_fetched_at, now, SCHEMA_FRESH_FOR)


class AppSchema(models.Model):
    """One version of an app's parameters and outputs, kept as long as a run or an open form refers to it."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="schemas")
    version = models.CharField(max_length=16)  # first 16 hex digits of the SHA-256 of the canonical JSON
    parameters: "models.JSONField[Any, Any]" = models.JSONField(default=list)  # list[dict] with Lamina's own keys
    outputs: "models.JSONField[Any, Any]" = models.JSONField(default=list)  # list of {"index", "label", "type"}
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["app", "version"], name="app_schema_version_unique"),)

    def __str__(self) -> str:
        return f"{self.app_id} {self.version}"

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """The parameters, parsed: one question each, in the author's order."""
        return questions_of(self.parameters)

    def outputs_at(self, indexes: Sequence[int]) -> list[dict[str, Any]]:
        """Return the outputs whose indexes are in `indexes`, in order; all outputs if `indexes` is empty."""
        return [output for output in self.outputs if not indexes or output["index"] in indexes]
