"""Retention rules, applied once a day: how long runs, rejected results, uploads and the record are kept.

Old runs are moved to the bin, where they stay for 30 days as usual. Runs on hold, starred runs and runs that guests can
open are kept, because someone still wants them. If a run is restored, its retention period starts again. Without a
rule, everything is kept. The work is done in batches and stops when the worker stops, so even a million rows don't
block anything.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from runs.audit import old_entries
from runs.audit.overtaken import change_row, locked_row, version_of
from runs.audit.record import values_of
from runs.background.queue import stop_requested
from runs.history import bin, old_uploads, query_timeout, rejected
from runs.models import Entry, GuestLink, GuestLinkOutput, Output, RetentionRules, Run, StoredFile, Verb
from runs.models.run import RunQuerySet
from runs.words.numbers import number_words
from runs.words.sizes import size_words

FEWEST_DAYS, MOST_DAYS = 7, 3650
STATUSES = {"ready_days": ("completed",), "failed_days": ("failed", "cancelled")}
RULES = ("ready_days", "failed_days", "rejected_days", "uploads_days", "record_days")
SENTENCES = {  # translated where they are used
    "ready_days": gettext_noop("Runs with results that will be moved to the bin within a day: %(things)s."),
    "failed_days": gettext_noop("Failed or cancelled runs that will be moved to the bin within a day: %(things)s."),
    "rejected_days": gettext_noop("Rejected results whose files will be removed in 30 days: %(things)s."),
    "uploads_days": gettext_noop("Uploads that will be permanently deleted within a day: %(things)s."),
    "record_days": gettext_noop("Entries in the record that will be permanently deleted within a day: %(things)s."),
}
SLICE = 250  # runs moved in one transaction, which a database writes in under 0.1 s
# Time limits for counting what one rule would remove, and for adding up file sizes.
COUNT_SECONDS, SIZE_SECONDS = 2.0, 1.0
SAMPLE = 2_000  # if a rule would remove more things than this, a sample of this many is used to estimate their size
COUNTED = 100_000  # if counting everything takes too long, count only up to this many

type FilesOf = Callable[[QuerySet[Any]], QuerySet[StoredFile]]


@dataclass(frozen=True)
class Removal:
    """What one rule would remove now. `size_bytes` and `count` are None if determining them takes too long.

    If `is_about`, the size is an estimate. If `is_more`, there are more things than `count`.
    """

    rule: str
    count: int | None
    size_bytes: int | None = None
    is_about: bool = False
    is_more: bool = False

    @property
    def words(self) -> str:
        """The amount in words, such as "412 results, 3.1 GB"."""
        if self.count is None:
            return _("many")
        words = _removal_words(self.rule, self.count) % {"count": number_words(self.count)}
        if self.is_more:
            return _("more than %(things)s") % {"things": words}
        if not self.size_bytes:
            return words
        both = _("%(things)s, about %(size)s") if self.is_about else _("%(things)s, %(size)s")
        return both % {"things": words, "size": size_words(self.size_bytes)}

    @property
    def today_words(self) -> str:
        """The text next to the rule, which tells admins what the rule would remove now."""
        if self.count == 0:
            return _("Nothing is that old yet.")
        return _("Today: %(things)s") % {"things": self.words}

    @property
    def sentence(self) -> str:
        """A sentence about what will happen when the rule is saved."""
        return _(SENTENCES[self.rule]) % {"things": self.words}


def _removal_words(rule: str, count: int) -> str:
    if rule == "rejected_days":
        return ngettext("%(count)s result", "%(count)s results", count)
    if rule == "uploads_days":
        return ngettext("%(count)s upload", "%(count)s uploads", count)
    if rule == "record_days":
        return ngettext("%(count)s entry", "%(count)s entries", count)
    return ngettext("%(count)s run", "%(count)s runs", count)


def overdue_runs(name: str, days: int, now: datetime) -> RunQuerySet:
    """Return the runs that the rule `name` would move to the bin now."""
    since = now - timedelta(days=days)
    is_old = Q(finished_at__lt=since) & (Q(brought_back_at=None) | Q(brought_back_at__lt=since))
    deletable = Run.objects.filter(deleted_at=None, held_at=None, has_star=False, status__in=STATUSES[name])
    # Not `open()`: turning guest links off for a while mustn't move what they show to the bin.
    in_links = GuestLinkOutput.objects.filter(link__in=GuestLink.objects.alive())
    return deletable.filter(is_old).exclude(pk__in=in_links.values("output__run"))


def removals(rules: RetentionRules, now: datetime) -> dict[str, Removal]:
    """Return what each rule that is turned on would remove now, by the rule's name."""
    return {name: _removal(name, days, now) for name in RULES if (days := getattr(rules, name)) is not None}


def stricter(before: dict[str, int | None], rules: RetentionRules) -> RetentionRules:
    """Return only the rules that are new, or that keep things for less time than in `before`; the rest wouldn't remove
    anything more."""
    days = {name: getattr(rules, name) for name in RULES}
    shorter = {name: n for name, n in days.items() if n is not None and n < (before[name] or MOST_DAYS + 1)}
    return RetentionRules(**(dict.fromkeys(RULES) | shorter))


def rules_version(rules: RetentionRules) -> str:
    """Return `rules` as a single string, so that `save` can tell whether they've changed."""
    return version_of(values_of(rules, *RULES))


@transaction.atomic
def save(rules: RetentionRules, version: str = "") -> None:
    """Save the rules. If there is no rule for rejected results, all scheduled removals are cancelled.

    `version` is what `rules_version` returned when the page was opened, if known. Raises `OvertakenError` if someone
    has saved different rules since then.
    """
    row = locked_row(RetentionRules)
    change_row(row, values_of(rules, *RULES), version, Verb.RULES_CHANGED, row)
    if rules.rejected_days is None:
        rejected.unschedule()


def _removal(name: str, days: int, now: datetime) -> Removal:
    things, files_of = _overdue(name, days, now)
    count = _count(things)
    if count is None:
        least = _count(things.order_by()[: COUNTED + 1])
        return Removal(name, COUNTED, is_more=True) if least and least > COUNTED else Removal(name, None)
    if not count:
        return Removal(name, 0)
    try:
        with query_timeout.at_most(SIZE_SECONDS):
            return _with_size(name, things, files_of, count)
    except query_timeout.TookTooLong:
        return Removal(name, count)


def _count(things: QuerySet[Any]) -> int | None:
    """Return the number of `things`; None if counting them takes too long."""
    try:
        with query_timeout.at_most(COUNT_SECONDS):
            return things.count()
    except query_timeout.TookTooLong:
        return None


def _with_size(name: str, things: QuerySet[Any], files_of: FilesOf, count: int) -> Removal:
    """Return the `Removal` for `things`, including the total size of their files. If there are many, the size is
    estimated from a sample."""
    is_about = count > SAMPLE
    if is_about:
        things = things.model._default_manager.filter(
            pk__in=list(things.order_by().values_list("pk", flat=True)[:SAMPLE])
        )
    size = files_of(things).aggregate(size=Sum("size_bytes"))["size"] or 0
    return Removal(name, count, size * count // SAMPLE if is_about else size, is_about=is_about)


def _overdue(name: str, days: int, now: datetime) -> tuple[QuerySet[Any], FilesOf]:
    """Return what the rule `name` would remove now, and a function that returns the files of all or some of it."""
    if name == "rejected_days":
        return rejected.overdue(days, now), rejected.files_of
    if name == "uploads_days":
        return old_uploads.going(days, now), old_uploads.files_of
    if name == "record_days":
        return Entry.objects.older_than(now - timedelta(days=days)), lambda _entries: StoredFile.objects.none()
    return overdue_runs(name, days, now), lambda runs: rejected.files_of(Output.objects.filter(run__in=runs))


def apply(now: datetime) -> int:
    """Apply the rules; return how many runs were moved to the bin."""
    rules = RetentionRules.current()
    moved = sum(_move_overdue(name, days, now) for name in STATUSES if (days := getattr(rules, name)) is not None)
    if (days := rules.rejected_days) is not None:
        rejected.remove_due(days, now)
        rejected.schedule(days, now)
    if (days := rules.uploads_days) is not None:
        old_uploads.remove(days, now)
    old_entries.apply(now, rules.record_days, go_on=lambda: not stop_requested())
    return moved


def _move_overdue(name: str, days: int, now: datetime) -> int:
    count = 0
    while not stop_requested():
        overdue = overdue_runs(name, days, now)
        first = list(overdue.order_by("finished_at")[:SLICE].values_list("pk", flat=True))
        moved = bin.move_to_bin(overdue.filter(pk__in=first), None, now)
        if not moved:
            break
        count += moved
    return count
