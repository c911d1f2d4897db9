"""Guests of a link: people without an account who have answered or commented."""

from django.db import models
from django.utils import timezone

from runs.models.ids import new_public_id
from runs.models.sharing import GuestLink

NAME_LENGTH = 100  # maximum length of a guest's name, in characters


class Guest(models.Model):
    """A guest of one link. The row is created when they first answer or comment; what they then say hangs on it.

    Their name proves nothing, since anyone with the link can type it. A signed field in the page's form says who they
    are, and so do the links in their emails and the code on their page.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    link = models.ForeignKey(GuestLink, on_delete=models.CASCADE, related_name="guests")
    name = models.CharField(max_length=NAME_LENGTH)  # as typed
    # The name that others see, such as "Kim (2)" if the link already has a guest called Kim
    shown_name = models.CharField(max_length=NAME_LENGTH)
    key = models.CharField(max_length=NAME_LENGTH)  # the name, folded for comparison
    # The same person's other row, if the link's maker said so. Then nothing hangs on this row any more.
    same_as = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("created_at", "pk")
        constraints = (models.UniqueConstraint(fields=["link", "shown_name"], name="guest_shown_name_unique"),)

    def __str__(self) -> str:
        return f"{self.public_id} of {self.link_id}"


class SentAnswer(models.Model):
    """An answer or comment that a guest has sent. Sending the same form again finds this row and changes nothing."""

    guest = models.ForeignKey(Guest, on_delete=models.CASCADE, related_name="+")
    page_key = models.CharField(max_length=22)  # the random key of the page that it was sent from
    digest = models.CharField(max_length=64, unique=True)  # hash of the page and of what was sent from it
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        indexes = (models.Index(fields=["page_key"], name="sent_answer_of_page"),)

    def __str__(self) -> str:
        return f"{self.page_key} by {self.guest_id}"
