"""Notices that members get in the portal and by email, once for each event; and messages to the team's chat."""

from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _lazy

from runs.models.comments import Comment
from runs.models.decisions import Decision
from runs.models.ids import new_public_id
from runs.models.member import Member
from runs.models.messages import MessageCharField
from runs.models.output import Output
from runs.models.review_requests import ReviewRequest
from runs.models.run import Run
from runs.models.run_access import seen_by


class NoticeKind(models.TextChoices):
    """What a notice is about. For each kind, people choose whether and how to get emails."""

    # The rest is in `notices/kinds.py`; `docs/architecture.md` says how to add a kind.
    MENTION = "mention", _lazy("Someone mentions you")
    REPLY = "reply", _lazy("Someone replies to you")
    COMMENT = "comment", _lazy("Someone comments on your run")
    ASKED = "asked", _lazy("You're asked for a decision")
    DECIDED = "decided", _lazy("Someone decides on your result")
    SET_ASIDE = "set-aside", _lazy("Someone sets your decision aside")
    GUEST = "guest", _lazy("A guest answers or comments")
    READY = "ready", _lazy("Your run is ready")
    FAILED = "failed", _lazy("Your run fails")
    LIMIT = "limit", _lazy("You've used most or all of your spending limit")
    PORTAL = "portal", _lazy("The portal needs an admin's attention")  # only admins get these

    @classmethod
    def concerning(cls, member: Member) -> "list[NoticeKind]":
        """Return the kinds of notices that the member can get."""
        return [kind for kind in cls if member.is_admin or kind != cls.PORTAL]


class Way(models.TextChoices):
    """How a member gets emails for one kind of notice. In the portal itself, everyone sees all kinds of notices."""

    OFF = "off", _lazy("No email")
    ONCE = "once", _lazy("Immediately")
    DAILY = "daily", _lazy("Once a day")


LIST_COLUMNS = (  # columns needed for lists of notices
    *("public_id", "member", "kind", "event", "message", "guest_name", "results", "created_at", "read_at", "is_undone"),
    *("run__public_id", "run__title", "run__app_name", "run__summary", "run__status", "run__deleted_at"),
    *("run__member", "run__shared_at"),
    *("output__public_id", "output__label", "output__list_number", "output__position", "output__run"),
    *("comment__public_id", "comment__text", "comment__parent", "comment__member", "comment__guest_name"),
    *("decision__act", "decision__verdict", "decision__note", "decision__batch", "decision__chosen"),
    *("decision__member", "decision__guest_name", "decision__is_counted"),
    *(
        "request__public_id",
        "request__message",
        "request__reminded_at",
        "request__asker__name",
        "request__asker__email",
    ),
    *("actor__name", "actor__email"),
)


class NoticeQuerySet(models.QuerySet["Notice"]):
    def of(self, member: Member) -> Self:
        """Return the member's notices, except those about runs that they may no longer see, and those for admins if
        they are no longer an admin."""
        notices = self.filter(Q(run=None) | seen_by(member, "run__"), member=member, is_undone=False)
        return notices if member.is_admin else notices.exclude(kind=NoticeKind.PORTAL)

    def unread(self) -> Self:
        return self.filter(read_at=None, is_undone=False)

    def for_lists(self) -> Self:
        """Load only what lists of notices show, because runs and results have many columns, some of them large."""
        with_related = self.select_related("run", "output", "comment", "decision", "request__asker", "actor")
        return with_related.only(*LIST_COLUMNS)


class Notice(models.Model):
    """One event that concerns one member. The database refuses a second row for the same event.

    It refers to the objects it is about, so that pages and emails show their current state. When an object is
    permanently deleted, so are the notices about it.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=9, choices=NoticeKind)
    event = models.CharField(max_length=60)  # such as "comment-12"; the same for everyone notified about this event
    run = models.ForeignKey(Run, on_delete=models.CASCADE, null=True, blank=True, related_name="notices")
    output = models.ForeignKey(Output, on_delete=models.CASCADE, null=True, blank=True, related_name="notices")
    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, null=True, blank=True, related_name="notices")
    decision = models.ForeignKey(Decision, on_delete=models.CASCADE, null=True, blank=True, related_name="notices")
    request = models.ForeignKey(ReviewRequest, on_delete=models.CASCADE, null=True, blank=True, related_name="notices")
    message = MessageCharField(max_length=300, blank=True, default="")  # for kinds "limit" and "portal"
    actor = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    guest_name = models.CharField(max_length=100, blank=True, default="")  # as the guest typed it
    results = models.PositiveIntegerField(default=0, db_default=0)  # number of results it is about, if more than one
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)
    is_undone = models.BooleanField(default=False)  # the decision was undone, so don't show or email this
    # How it will be emailed; cleared once it has been emailed
    way = models.CharField(max_length=5, choices=Way, default=Way.OFF)
    mail_due_at = models.DateTimeField(null=True, blank=True)  # only for "once": when to email the collected notices
    mail = models.ForeignKey("Mail", on_delete=models.SET_NULL, null=True, blank=True, related_name="notices")

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")
        constraints = (models.UniqueConstraint(fields=["member", "event"], name="notice_once_per_person"),)
        indexes = (
            models.Index(F("member"), F("created_at").desc(), name="notice_of_member"),
            models.Index(fields=["member"], condition=Q(read_at=None), name="notice_unread"),
            models.Index(
                fields=["mail_due_at"], condition=Q(mail=None, mail_due_at__isnull=False), name="notice_mail_due"
            ),
            models.Index(fields=["way", "member"], condition=Q(mail=None), name="notice_for_daily_mail"),
            models.Index(fields=["created_at"], name="notice_oldest"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.event} for {self.member_id}"


class NoticeChoice(models.Model):
    """How a member wants to be emailed about a kind of notice. If there is no row, the default applies."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="notice_choices")
    kind = models.CharField(max_length=9, choices=NoticeKind)
    way = models.CharField(max_length=5, choices=Way)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["member", "kind"], name="notice_choice_unique"),)

    def __str__(self) -> str:
        return f"{self.member_id} {self.kind} {self.way}"


class Mute(models.Model):
    """A run, or one conversation about it, that a member has muted."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="mutes")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="mutes")
    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, null=True, blank=True, related_name="mutes")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["member", "run"], condition=Q(comment=None), name="mute_run_unique"),
            models.UniqueConstraint(
                fields=["member", "comment"], condition=Q(comment__isnull=False), name="mute_comment_unique"
            ),
        )

    def __str__(self) -> str:
        return f"{self.member_id} {self.run_id} {self.comment_id or ''}"

    @property
    def what(self) -> str:
        """The value to post for unmuting the run or conversation."""
        return f"comment-{self.comment.public_id}" if self.comment else self.run.public_id


class MailWhenReady(models.Model):
    """A member who wants an email when this run is ready, whatever they chose for ready runs in general."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="+")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="mail_when_ready")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["member", "run"], name="mail_when_ready_unique"),)

    def __str__(self) -> str:
        return f"{self.member_id} {self.run_id}"


class Mail(models.Model):
    """An email to a member about notices or due decisions, or to a guest about answers. The row is created before the
    email is sent, and determines its `Message-ID`.

    After a crash, a single email is sent again from the same row, so it arrives at least once. Daily emails and
    reminders have one row per day and aren't sent again, so they arrive at most once.
    """

    class Sort(models.TextChoices):
        ONCE = "once", _lazy("Immediately")
        DAILY = "daily", _lazy("Once a day")
        REMINDER = "reminder", _lazy("Reminder of due decisions")

    # Part of its Message-ID
    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, null=True, blank=True, related_name="mails")
    guest = models.ForeignKey(
        "runs.GuestContact", on_delete=models.CASCADE, null=True, blank=True, related_name="mails"
    )
    sort = models.CharField(max_length=8, choices=Sort, default=Sort.ONCE)
    day = models.DateField(null=True, blank=True)  # the day of a daily email or reminder, in the member's time zone
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)  # when to try sending it (again)
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(null=True, blank=True)  # permanently refused, or no attempts left
    error = models.CharField(max_length=300, blank=True, default="")  # the mail server's last response

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["member", "sort", "day"], condition=Q(day__isnull=False), name="mail_once_a_day"
            ),
            models.CheckConstraint(
                condition=Q(member__isnull=False, guest=None) | Q(member=None, guest__isnull=False),
                name="mail_to_member_or_guest",
            ),
        )
        indexes = (
            models.Index(fields=["due_at"], condition=Q(sent_at=None, given_up_at=None), name="mail_due"),
            models.Index(fields=["created_at"], name="mail_oldest"),
        )

    def __str__(self) -> str:
        return f"{self.public_id} to {self.member_id or 'a guest'}"


class ChatChannel(models.Model):
    """The team's channel in Slack or Teams; there is at most one in each. Its address is stored encrypted
    (`sealed_address`) and is never shown again."""

    class App(models.TextChoices):
        SLACK = "slack", "Slack"
        TEAMS = "teams", "Microsoft Teams"

    app = models.CharField(max_length=5, choices=App, unique=True)
    sealed_address = models.TextField()
    host = models.CharField(max_length=255)  # host name of the address, shown on pages
    kinds: Any = models.JSONField(default=list)  # values of `NoticeKind` to post
    apps = models.ManyToManyField("runs.App", related_name="+")  # post only about runs of these apps; none: all apps
    language = models.CharField(max_length=10, blank=True, default="")  # for its messages; empty: the portal's language
    off_at = models.DateTimeField(null=True, blank=True)  # when the portal turned it off because its address failed
    error = MessageCharField(max_length=300, blank=True, default="")  # why the last message wasn't accepted
    changed_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.app} at {self.host}"


class ChatMessageQuerySet(models.QuerySet["ChatMessage"]):
    def waiting(self) -> Self:
        """Return messages that haven't been sent or given up on."""
        return self.filter(sent_at=None, given_up_at=None)

    def due(self, now: datetime) -> Self:
        """Return the messages to send now, oldest first."""
        return self.waiting().filter(channel__off_at=None, due_at__lte=now).order_by("due_at", "pk")


class ChatMessage(models.Model):
    """A message for a chat channel about one event, sent at least once. The database refuses a second row for the same
    event."""

    channel = models.ForeignKey(ChatChannel, on_delete=models.CASCADE, related_name="messages")
    event = models.CharField(max_length=60)
    kind = models.CharField(max_length=9, choices=NoticeKind)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    output = models.ForeignKey(Output, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    decision = models.ForeignKey(Decision, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    request = models.ForeignKey(ReviewRequest, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    message = MessageCharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(null=True, blank=True)  # refused, no longer relevant, or no attempts left

    objects = ChatMessageQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["channel", "event"], name="chat_message_once"),)
        indexes = (
            models.Index(fields=["due_at"], condition=Q(sent_at=None, given_up_at=None), name="chat_message_due"),
        )

    def __str__(self) -> str:
        return f"{self.channel_id} {self.event}"
