"""Guests who want an email when someone answers them, and the events to email them about."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from runs.models.comments import Comment
from runs.models.guest import Guest
from runs.models.ids import new_public_id
from runs.models.notice import Mail
from runs.models.output import Output


class GuestContact(models.Model):
    """A guest's email address. It is used only to tell this guest about answers, and never shown to anyone.

    It is deleted along with the link, some time after the link has ended, or when the guest unsubscribes.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    guest = models.OneToOneField(Guest, on_delete=models.CASCADE, related_name="contact")
    email = models.EmailField(max_length=254)
    language = models.CharField(max_length=10, blank=True, default="")  # of the page where they entered the address
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.public_id} of {self.guest_id}"


class GuestNotice(models.Model):
    """One event that a guest gets an email about. The database refuses a second row for the same event."""

    contact = models.ForeignKey(GuestContact, on_delete=models.CASCADE, related_name="notices")
    event = models.CharField(max_length=60)  # such as "comment-12"
    output = models.ForeignKey(Output, on_delete=models.CASCADE, related_name="+")
    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    mail_due_at = models.DateTimeField(null=True, blank=True)  # when to email the collected notices
    mail = models.ForeignKey(Mail, on_delete=models.SET_NULL, null=True, blank=True, related_name="guest_notices")

    class Meta:
        ordering = ("created_at", "pk")
        constraints = (models.UniqueConstraint(fields=["contact", "event"], name="guest_notice_once"),)
        indexes = (
            models.Index(
                fields=["mail_due_at"],
                condition=Q(mail=None, mail_due_at__isnull=False),
                name="guest_notice_due",
            ),
        )

    def __str__(self) -> str:
        return f"{self.event} for {self.contact_id}"
