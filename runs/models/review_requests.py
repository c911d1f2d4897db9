"""Requests for decisions: who is asked to decide on which results."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _lazy

from runs.models.decisions import Decision, ReviewRules
from runs.models.ids import new_public_id
from runs.models.joined import is_one_of
from runs.models.member import Member
from runs.models.output import Output, is_own_work
from runs.models.run import Run
from runs.models.sharing import GuestLink


class ReviewRequestQuerySet(models.QuerySet["ReviewRequest"]):
    def manageable_by(self, member: Member) -> Self:
        """Return requests that the member may close or remind people about: their own or, for admins, all of them."""
        return self if member.is_admin else self.filter(asker=member)

    def open(self) -> Self:
        return self.filter(closed_at=None)


class ReviewRequest(models.Model):
    """A request to decide on results. It can be addressed to anyone who may decide, to specific members, or to the
    guests of a link."""

    class Audience(models.TextChoices):
        ANYONE = "anyone", _lazy("Anyone who may decide")
        NAMED = "named", _lazy("Specific people")
        GUESTS = "guests", _lazy("A client, via guest link")

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    asker = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="review_requests")
    audience = models.CharField(max_length=6, choices=Audience, default=Audience.ANYONE)
    members = models.ManyToManyField(Member, related_name="asked_reviews")  # the specific members asked, if any
    link = models.ForeignKey(GuestLink, on_delete=models.PROTECT, null=True, blank=True, related_name="review_requests")
    message = models.CharField(max_length=200, blank=True, default="")
    due_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    reminded_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)  # closed by the person who asked, or by an admin
    closed_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    is_automatic = models.BooleanField(default=False)  # created because this app's results are always reviewed
    is_example = models.BooleanField(default=False, db_default=False, editable=False)

    objects = ReviewRequestQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(audience="guests", link__isnull=False) | ~Q(audience="guests") & Q(link=None),
                name="review_request_of_guests_has_link",
            ),
        )
        indexes = (models.Index(F("asker"), F("created_at").desc(), name="review_request_of_asker"),)

    def __str__(self) -> str:
        return f"{self.public_id} by {self.asker_id}"

    def is_manageable_by(self, member: Member) -> bool:
        """Return whether the member may close the request or remind people about it."""
        return member.is_admin or self.asker_id == member.pk


class ReviewItemQuerySet(models.QuerySet["ReviewItem"]):
    def due_between(self, first: date, last: date) -> Self:
        """Return items whose request is due between `first` and `last`, inclusive."""
        is_next = Q(due_on=date.min, request__due_on__range=(first, last))
        return self.filter(Q(due_on__range=(first, last)) | is_next)

    def undecided(self) -> Self:
        """Return items that are still waiting for someone's verdict."""
        return self.filter(settled_at=None, request__closed_at=None)

    def decidable(self) -> Self:
        """Return items whose result is ready. Results that aren't ready yet join the queue later; results that are
        removed leave it."""
        return self.filter(
            output__status=Output.Status.COMPLETED, output__removed_at=None, output__run__deleted_at=None
        )

    def waiting_for(self, member: Member) -> Self:
        """Return items that are waiting for the member's verdict, in queue order: next versions first, then by due day,
        then oldest first.

        All the rules are applied in a single query, so that every page can afford to show the count. What the member
        asked others about is left to them, and so are, under the four-eyes rule, results that the member can't approve.
        """
        if not member.is_active or not member.can_run:
            return self.none()
        members = ReviewRequest.members.through.objects.filter(
            reviewrequest_id=OuterRef("request_id"), member_id=member.pk
        )
        decisions = Decision.objects.standing().filter(
            output_id=OuterRef("output_id"), content_hash=OuterRef("output__content_hash"), member_id=member.pk
        )
        own = Q(request__asker=member, request__is_automatic=False)
        to_member = Q(request__audience="anyone") & ~own | Q(request__audience="named") & Exists(members)
        visible = is_one_of(Run.objects.visible_to(member), "output__run")
        four_eyes = Q(Exists(ReviewRules.objects.filter(four_eyes=True)))
        waiting = self.undecided().decidable().filter(to_member, visible).exclude(Exists(decisions))
        waiting = waiting.exclude(four_eyes & is_own_work(member, "output__"))
        waiting = waiting.filter(ReviewRules.lets_decide(member.role))
        return waiting.order_by("due_on", "waiting_since", "pk")


class ReviewItem(models.Model):
    """A result in a request. Once the next version of the result is ready, the item switches to it."""

    request = models.ForeignKey(ReviewRequest, on_delete=models.CASCADE, related_name="items")
    output = models.ForeignKey(Output, on_delete=models.CASCADE, related_name="review_items")
    position = models.PositiveIntegerField()
    # Determines the order of the queue: the request's due date, `date.max` if it has none, or `date.min` for a next
    # version
    due_on = models.DateField(default=date.max)
    waiting_since = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True, blank=True)  # when the last of the requested verdicts was given

    objects = ReviewItemQuerySet.as_manager()

    class Meta:
        ordering = ("position",)
        constraints = (models.UniqueConstraint(fields=["request", "output"], name="review_item_unique"),)
        indexes = (
            models.Index(fields=["due_on", "waiting_since"], condition=Q(settled_at=None), name="review_item_queue"),
        )

    def __str__(self) -> str:
        return f"{self.request_id}/{self.position}"

    @property
    def due_day(self) -> date | None:
        """The request's due date. Unlike `due_on`, it stays the same when the item switches to the next version."""
        return self.request.due_on
