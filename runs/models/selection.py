"""Selections that members make in lists, kept across pages and reloads."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from runs.models.member import Member
from runs.models.output import Output
from runs.models.run import Run

KEPT_FOR = timedelta(days=7)


class SelectionQuerySet(models.QuerySet["Selection"]):
    def open(self, member: Member, place: str) -> Self:
        """Return the member's selection in `place` in this browser, unless it was cleared or hasn't changed for a
        week."""
        return self.of(member, place).current()

    def ended(self, member: Member, place: str) -> Self:
        """Return the selection that was last cleared in `place`, or used up by a download."""
        return self.of(member, place).filter(cleared_at__isnull=False)

    def of(self, member: Member, place: str) -> Self:
        """Return the member's selections in `place` in this browser, including the last one that was cleared."""
        return self.filter(member=member, browser=member.browser, place=place)

    def current(self) -> Self:
        """Return the selections that have changed in the last week and haven't been cleared."""
        return self.filter(cleared_at=None, changed_at__gt=timezone.now() - KEPT_FOR)

    def expired(self, now: datetime) -> Self:
        return self.filter(changed_at__lte=now - KEPT_FOR)


class Selection(models.Model):
    """The runs that a member selected in one tab of History, or the results they selected on run pages.

    It belongs to the browser in which the member signed in, so that nobody finds ticks that they made elsewhere, long
    ago. The selection bar says how much is selected beyond the current page, so that nobody unknowingly moves runs on
    other pages to the bin.

    A cleared selection is kept until the next one is cleared, so that clearing can be undone. Nobody else can see a
    selection.
    """

    class Place(models.TextChoices):
        MINE = "mine"
        TEAM = "team"
        STARRED = "starred"
        RESULTS = "results"

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="selections")
    # As in `Member.browser`
    browser = models.CharField(max_length=16, blank=True, default="", db_default="")
    place = models.CharField(max_length=7, choices=Place)
    runs = models.ManyToManyField(Run, related_name="+")
    outputs = models.ManyToManyField(Output, related_name="+")
    changed_at = models.DateTimeField(default=timezone.now, db_index=True)
    cleared_at = models.DateTimeField(null=True, blank=True)

    objects = SelectionQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["member", "browser", "place"], condition=Q(cleared_at=None), name="selection_open_unique"
            ),
        )

    def __str__(self) -> str:
        return f"{self.member_id}/{self.place}"
