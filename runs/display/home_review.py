"""Decisions on Home: results waiting for the member's decision, and other people's decisions on the member's
results."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch

from runs.display.review_lists import DecidedLine, Thumb, decided_lines, saved_files
from runs.display.review_queue import queue_url
from runs.models import Member, ReviewItem
from runs.review import review_queries
from runs.words.due_dates import due_words, is_urgent

WAITING = 4  # how many results to show
DECIDED = 3
READ = 12  # how many queue items to read to find those results, because several requests may be about the same result


@dataclass(frozen=True)
class WaitingLine:
    """A result that is waiting for the member's decision."""

    item: ReviewItem
    thumb: Thumb

    @property
    def url(self) -> str:
        """The URL of the queue, opened at this result."""
        return queue_url(at=self.thumb.output.public_id)

    @property
    def due_words(self) -> str:
        return due_words(self.item.due_day) if self.item.due_day else ""

    @property
    def is_urgent(self) -> bool:
        return self.item.due_day is not None and is_urgent(self.item.due_day)


def waiting_lines(member: Member) -> list[WaitingLine]:
    """Return the first results in the member's queue. Takes two queries."""
    items = review_queries.waiting_for(member).select_related("output__run", "request__asker")
    first: dict[int, ReviewItem] = {}
    for item in items.prefetch_related(Prefetch("output__files", saved_files()))[:READ]:
        first.setdefault(item.output_id, item)
    return [WaitingLine(item, Thumb(item.output)) for item in list(first.values())[:WAITING]]


def decided_on_mine(member: Member, now: datetime) -> list[DecidedLine]:
    """Return the latest decisions that others made on the member's results. Takes two queries."""
    return decided_lines(review_queries.decided_on_mine(member, now)[:DECIDED], member)
