"""Members of the team. A portal has one team, which every active member belongs to."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _lazy

from runs.models.ids import new_public_id


class MemberManager(BaseUserManager["Member"]):
    def record_readable_by(self, member: "Member") -> models.QuerySet["Member"]:
        """Return the people whose recorded actions `member` may read: everyone if they are an admin, otherwise only
        themselves."""
        return self.all() if member.is_admin else self.filter(pk=member.pk)

    def get_by_natural_key(self, username: str | None) -> "Member":
        return self.get(email=self.normalize_email(username))

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Return the email address in lower case, so that no two accounts differ only by case."""
        return (email or "").strip().lower()

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "Member":
        member = self.model(email=self.normalize_email(email), **fields)
        member.set_password(password)
        member.save(using=self._db)
        return member

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "Member":
        return self.create_user(email, password, is_superuser=True, role=Member.Role.ADMIN, **fields)


class Member(AbstractBaseUser, PermissionsMixin):
    """A person who signs in with an email address (case-insensitive) and a password."""

    class Role(models.TextChoices):
        VIEWER = "viewer", _lazy("Viewer")
        MAKER = "maker", _lazy("Maker")
        APPROVER = "approver", _lazy("Approver")
        ADMIN = "admin", _lazy("Admin")

    class Theme(models.TextChoices):
        SYSTEM = "", _lazy("Same as device")
        LIGHT = "light", _lazy("Light")
        DARK = "dark", _lazy("Dark")

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    email = models.EmailField(_lazy("email address"), max_length=254, unique=True)
    name = models.CharField(max_length=150, blank=True, default="")
    role = models.CharField(max_length=10, choices=Role, default=Role.MAKER)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(default=timezone.now)
    deactivated_at = models.DateTimeField(null=True, blank=True)
    # Give or take a few minutes (`team.sessions`). Unlike the sessions' own times, it outlives the sessions.
    seen_at = models.DateTimeField(null=True, blank=True)
    # Who gets the rest of this person's runs while a worker is transferring them (`team.transfers`)
    gives_to = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    has_shortcuts = models.BooleanField(default=True)
    # A code from settings.LANGUAGES; empty means the browser's language (which is also stored for emails).
    language = models.CharField(max_length=10, blank=True, default="")
    browser_language = models.CharField(max_length=10, blank=True, default="")
    # A name such as "Europe/Berlin"; empty means the browser's time zone (which is also stored for emails).
    time_zone = models.CharField(max_length=64, blank=True, default="")
    browser_time_zone = models.CharField(max_length=64, blank=True, default="")
    theme = models.CharField(max_length=5, choices=Theme, blank=True, default=Theme.SYSTEM)

    # For notices (runs.notices). `news_at` is when unread notices last changed, or null if there are none; it saves
    # pages a query. `unread` counts unread notices, up to about 100, including those about runs that the member can
    # no longer see.
    news_at = models.DateTimeField(null=True, blank=True)
    unread = models.PositiveIntegerField(default=0, db_default=0)
    # Hour of the daily email, in the member's time zone
    mail_hour = models.PositiveSmallIntegerField(default=8, db_default=8)
    bounces = models.PositiveSmallIntegerField(default=0, db_default=0)  # hard bounces in a row
    mail_dead_at = models.DateTimeField(null=True, blank=True)  # when emails stopped, after three hard bounces

    # The browser that this request comes from (`HtmxLoginRequiredMiddleware`); not stored
    browser = ""

    objects = MemberManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = (models.UniqueConstraint(Lower("email"), name="member_email_unique_any_case"),)

    def __str__(self) -> str:
        return self.display_name

    def clean(self) -> None:
        super().clean()
        self.email = MemberManager.normalize_email(self.email)

    @property
    def display_name(self) -> str:
        return self.name or self.email.split("@")[0]

    @property
    def mail_language(self) -> str:
        """The language code for emails to this person."""
        return self.language or self.browser_language or settings.LANGUAGE_CODE

    @property
    def mail_time_zone(self) -> str:
        """The name of the time zone for emails to this person."""
        return self.time_zone or self.browser_time_zone or settings.TIME_ZONE

    @property
    def initials(self) -> str:
        words = self.display_name.replace(".", " ").split()
        return "".join(word[0] for word in words[:2]).upper() or "?"

    @property
    def is_admin(self) -> bool:
        return self.role == self.Role.ADMIN

    @property
    def can_run(self) -> bool:
        """Whether the member may run apps; viewers may not."""
        return self.role != self.Role.VIEWER


class ThrottleHit(models.Model):
    """An attempt that counts towards a rate limit (`throttling.Attempt`): a wrong password, an unknown link, a guest's
    visit.

    `key` is a hash, never an IP or email address.
    """

    key = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "runs_signinattempt"
        indexes = (models.Index(fields=["key", "at"], name="sign_in_attempt_recent"),)

    def __str__(self) -> str:
        return f"{self.key[:8]} {self.at:%H:%M:%S}"


class KnownAddress(models.Model):
    """An email address, and an IP address from which someone has signed in with it (`throttling.remember_address`).
    `key` is a keyed hash of both, so it reveals neither without the secret key."""

    key = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField(default=timezone.now, db_index=True)  # the latest sign-in

    def __str__(self) -> str:
        return f"{self.key[:8]} {self.at:%d %B}"
