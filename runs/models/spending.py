"""What runs cost, as far as we know, and how much people may spend each month.

Amounts are whole hundredths of a credit, because SQLite can't add decimals exactly. They are estimates: Lamina never
says what a single run cost. Only `spending.charges` changes charges and their sums.
"""

from datetime import date, datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone

from runs.models.app import App
from runs.models.member import Member
from runs.models.run import Run

HUNDREDTHS = 100  # of a credit


def month_of(at: datetime) -> date:
    """Return the first day of the month that `at` falls in, in the portal's time zone."""
    return day_of(at).replace(day=1)


def day_of(at: datetime) -> date:
    """Return the date of `at` in the portal's time zone (not the reader's)."""
    return timezone.localdate(at, timezone.get_default_timezone())


class Charge(models.Model):
    """The estimated cost of one run. The charge is kept even if the run is permanently deleted.

    Its names, kind and month stay as they were when Run was pressed.
    """

    class State(models.TextChoices):
        RESERVED = "reserved", "Reserved"  # Run was pressed, but we don't know yet if Lamina started it
        KEPT = "kept", "Kept"  # Lamina started it, or we can't be sure that it didn't
        RELEASED = "released", "Released"  # the run certainly never started; not included in any sum

    class Source(models.TextChoices):
        LAMINA = "lamina", "Lamina's estimate"
        ADMIN = "admin", "an admin"
        NONE = "none", "unknown"

    run = models.OneToOneField(Run, on_delete=models.SET_NULL, null=True, blank=True, related_name="charge")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="charges", db_index=False)
    member_name = models.CharField(max_length=254)
    app = models.ForeignKey(App, on_delete=models.PROTECT, related_name="charges", db_index=False)
    app_name = models.TextField()
    kind = models.CharField(max_length=50, blank=True, default="")  # kind of the app's first result
    month = models.DateField()  # first day of the month
    hundredths = models.PositiveBigIntegerField(default=0)
    is_unknown = models.BooleanField(default=False)  # neither Lamina nor an admin has said what it costs
    source = models.CharField(max_length=6, choices=Source)
    made = models.PositiveIntegerField(default=0)  # results requested, out of the app's `total`
    total = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=8, choices=State, default=State.RESERVED)
    pressed_at = models.DateTimeField(default=timezone.now)
    is_from_before = models.BooleanField(default=False)  # its run started before the portal recorded charges
    is_maker_known = models.BooleanField(default=True)  # if False, `member` is whoever owned the run when we counted it
    # How many of the run's results are currently approved, and the sum of their version numbers (`spending.approved`).
    approved = models.PositiveIntegerField(default=0, db_default=0)
    rounds = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(is_unknown=True, hundredths=0, source="none") | (Q(is_unknown=False) & ~Q(source="none")),
                name="charge_unknown_has_no_source",
            ),
        )
        indexes = (
            models.Index(fields=["month", "member"], name="charge_of_month"),
            models.Index(models.F("pressed_at").desc(), models.F("id").desc(), name="charge_lately"),
            models.Index(models.F("member"), models.F("pressed_at").desc(), name="charge_of_member"),
            models.Index(fields=["app", "month"], name="charge_of_app"),
            models.Index(fields=["is_from_before", "month"], name="charge_from_before"),
        )

    def __str__(self) -> str:
        return f"{self.member_name}: {self.hundredths / HUNDREDTHS} for {self.app_name}"


class SpendingSum(models.Model):
    """Sums of all charges except released ones. They're updated with each charge, so pages don't have to add them all
    up."""

    month = models.DateField()
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", db_index=False)
    app = models.ForeignKey(App, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=50, blank=True, default="")
    hundredths = models.BigIntegerField(default=0)  # reserved and kept
    reserved = models.BigIntegerField(default=0)  # the part of `hundredths` that is only reserved so far
    count = models.IntegerField(default=0)
    unknown_count = models.IntegerField(default=0)  # charges left out of `hundredths` because their cost is unknown
    approved = models.IntegerField(default=0, db_default=0)
    rounds = models.IntegerField(default=0, db_default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["month", "member", "app", "kind"], name="spending_sum_unique"),)

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}: {self.hundredths / HUNDREDTHS}"


class MonthTotal(models.Model):
    """How much of a member's monthly limit is used up by reserved and kept charges; if `member` is null, how much of
    the portal's limit."""

    member = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    month = models.DateField()
    used = models.BigIntegerField(default=0)  # in hundredths of a credit
    told = models.PositiveSmallIntegerField(default=0, db_default=0)  # the percentage that the last alert reported

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["member", "month"], name="month_total_of_member"),
            models.UniqueConstraint(fields=["month"], condition=Q(member=None), name="month_total_of_portal"),
        )

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}: {self.used / HUNDREDTHS}"


class SpendingLimits(models.Model):
    """A single row with the monthly limits, in hundredths of a credit; null means no limit. Read it with
    `SpendingLimits.current()`."""

    default_hundredths = models.PositiveBigIntegerField(
        null=True, blank=True
    )  # applies to people without a limit of their own
    portal_hundredths = models.PositiveBigIntegerField(null=True, blank=True)  # limit for everyone together
    allows_unknown = models.BooleanField(default=True)  # whether people may run apps whose cost is unknown
    # Thresholds for alerts, which never block anyone: the account spends this much within 24 hours, or has only this
    # much left.
    day_hundredths = models.PositiveBigIntegerField(null=True, blank=True)
    left_credits = models.PositiveBigIntegerField(null=True, blank=True)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(pk=1), name="spending_limits_single_row"),)

    def __str__(self) -> str:
        return "spending limits"

    @classmethod
    def current(cls) -> "SpendingLimits":
        return cls.objects.filter(pk=1).first() or cls(pk=1)


class MemberLimit(models.Model):
    """One member's monthly limit. The default applies if the member has no row, or a row with neither a limit nor
    `is_unlimited`.

    A raised limit applies up to and including the day `raised_until`, if that is set.
    """

    member = models.OneToOneField(Member, on_delete=models.CASCADE, related_name="spending_limit")
    hundredths = models.PositiveBigIntegerField(null=True, blank=True)
    is_unlimited = models.BooleanField(default=False)
    raised_to = models.PositiveBigIntegerField(null=True, blank=True)
    raised_until = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return f"limit of member {self.member_id}"

    def limit(self, default: int | None, on: date) -> int | None:
        """Return the limit for the day `on`, in hundredths of a credit; None if there is no limit."""
        own = self.hundredths if self.hundredths is not None else default
        if self.is_unlimited or own is None:
            return None
        return max(own, self.raised_to or 0) if self.is_raised(on) else own

    def is_raised(self, on: date) -> bool:
        return self.raised_to is not None and (self.raised_until is None or on <= self.raised_until)


class AccountReading(models.Model):
    """An hourly reading: the total spent on the Lamina account, and the total of our charges at that time."""

    at = models.DateTimeField(db_index=True)
    spent = models.BigIntegerField()  # in hundredths; includes spending outside this portal
    charged = models.BigIntegerField()  # in hundredths; all charges that were kept

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}: {self.spent / HUNDREDTHS}"
