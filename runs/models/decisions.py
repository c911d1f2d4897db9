"""Verdicts on results, and the rules for giving them."""

from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import Exists, F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _lazy

from runs.models.deciders import IS_GUEST, IS_MEMBER, Decider
from runs.models.ids import new_public_id
from runs.models.member import Member
from runs.models.output import Output

UNDO_FOR = timedelta(minutes=10)
NOTE_LENGTH = 500  # characters
# These roles may decide whatever the rules say, and may set other people's verdicts aside.
APPROVING_ROLES = (Member.Role.APPROVER, Member.Role.ADMIN)


class ReviewRules(models.Model):
    """A single row with the rules for deciding, set by admins. Read it with `ReviewRules.current()`."""

    class Deciders(models.TextChoices):
        APPROVER = "approver", _lazy("Approvers and admins")
        MAKER = "maker", _lazy("Makers, approvers and admins")

    deciders = models.CharField(max_length=10, choices=Deciders, default=Deciders.APPROVER)
    four_eyes = models.BooleanField(default=False)  # makers can't approve their own results
    needs_reason = models.BooleanField(default=True)  # verdicts other than approval need a reason
    # Guests' answers count only if the person who made the link may decide
    only_deciders_links = models.BooleanField(default=False, db_default=False)

    def __str__(self) -> str:
        return "rules for deciding"

    @classmethod
    def current(cls) -> "ReviewRules":
        return cls.objects.first() or cls()

    @property
    def deciding_roles(self) -> tuple[str, ...]:
        """The roles that may decide."""
        return (Member.Role.MAKER, *APPROVING_ROLES) if self.deciders == self.Deciders.MAKER else APPROVING_ROLES

    def may_decide(self, member: Member) -> bool:
        """Return whether the member may decide on results they can see."""
        return member.is_active and member.role in self.deciding_roles

    @classmethod
    def lets_decide(cls, role: str) -> Q:
        """Return a condition, for a query of any model: the current rules let people with `role` decide. It's empty for
        `APPROVING_ROLES`, which always may."""
        if role in APPROVING_ROLES:
            return Q()
        makers_may = Q(Exists(cls.objects.filter(deciders=cls.Deciders.MAKER)))
        return makers_may if role == Member.Role.MAKER else Q(pk__in=())

    @classmethod
    def who_may_decide(cls) -> models.QuerySet[Member]:
        """Return the members for whom the current rules' `may_decide` is true."""
        roles = Q(role__in=APPROVING_ROLES) | Q(cls.lets_decide(Member.Role.MAKER), role=Member.Role.MAKER)
        return Member.objects.filter(roles, is_active=True)


class DecisionQuerySet(models.QuerySet["Decision"]):
    def standing(self) -> Self:
        """Return the verdicts that currently count. Each person has at most one per result and content."""
        return self.filter(is_standing=True)

    def on_current_content(self) -> Self:
        """Return decisions on the current content of results, leaving out those on earlier content."""
        return self.filter(content_hash=F("output__content_hash"))


class Decision(Decider):
    """A decision, or a row that ends an earlier decision and points to it with `target`.

    Rows are never changed, except that `is_standing` is updated when a later row ends or restores the decision, and
    that two guests become one if they are the same person (`review.same_person`). Rows are deleted only along with
    their result.
    """

    class Act(models.TextChoices):
        DECIDE = "decide", _lazy("decided")
        UNDO = "undo", _lazy("undid a decision")  # restores the person's previous verdict
        WITHDRAW = "withdraw", _lazy("withdrew a decision")  # the person then has no verdict
        SET_ASIDE = "set-aside", _lazy("set a decision aside")  # ended by someone else who may decide

    class Verdict(models.TextChoices):
        APPROVED = "approved", _lazy("Approved")
        CHANGES = "changes", _lazy("Needs changes")
        REJECTED = "rejected", _lazy("Rejected")

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    output = models.ForeignKey(Output, on_delete=models.CASCADE, related_name="decisions")
    content_hash = models.CharField(max_length=64, blank=True, default="")  # empty if the files couldn't be saved
    act = models.CharField(max_length=9, choices=Act, default=Act.DECIDE)
    verdict = models.CharField(max_length=8, choices=Verdict, blank=True, default="")  # empty unless `act` is DECIDE
    note = models.CharField(max_length=NOTE_LENGTH, blank=True, default="")
    # The result that was chosen instead, if that is why this one was rejected. Pages then show "Another result was
    # chosen".
    chosen = models.ForeignKey(Output, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    target = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="ended_by")
    batch = models.CharField(max_length=16, default=new_public_id)  # shared by decisions that are undone together
    is_standing = models.BooleanField(default=False)
    # False if the rules made a guest's answer the client's word only (`review.deciders.is_word_only`). Later rules
    # don't change it.
    is_counted = models.BooleanField(default=True, db_default=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        ordering = ("created_at", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=["output", "content_hash", "member"],
                condition=Q(is_standing=True, member__isnull=False),
                name="decision_standing_of_member",
            ),
            models.UniqueConstraint(
                fields=["output", "content_hash", "guest"],
                condition=Q(is_standing=True, member=None),
                name="decision_standing_of_guest",
            ),
            models.CheckConstraint(condition=IS_MEMBER | IS_GUEST, name="decision_of_member_or_guest"),
            models.CheckConstraint(
                condition=Q(act="decide") & ~Q(verdict="") | ~Q(act="decide") & Q(verdict="", is_standing=False),
                name="decision_verdict_matches_act",
            ),
        )
        indexes = (
            models.Index(fields=["batch"], name="decision_batch"),
            # Used by History's filter "decided by", and to find someone's recent decisions
            models.Index(F("member"), F("created_at").desc(), name="decision_of_member"),
            models.Index(F("created_at").desc(), name="decision_lately"),
            models.Index(F("link"), F("created_at").desc(), condition=Q(link__isnull=False), name="decision_of_guest"),
            models.Index(
                F("guest_key"), F("created_at").desc(), condition=Q(link__isnull=False), name="decision_of_guest_name"
            ),
            models.Index(F("created_at").desc(), condition=Q(link__isnull=False), name="decision_of_guests_lately"),
        )

    def __str__(self) -> str:
        return f"{self.output_id} {self.verdict or self.act}"
