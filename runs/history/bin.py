"""The bin: deleted runs can be restored for 30 days. After that, they are permanently deleted together with their
files.

Rows are deleted before files, so a crash in between may leave files without a row (the daily cleanup removes them), but
never a row without its file. Files that are also used elsewhere are kept, such as an upload in a preset or a result
used as an input.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import ngettext

from runs.audit.record import record, record_each
from runs.background.queue import stop_requested
from runs.models import GuestLink, Member, Output, Run, StoredFile, Upload, Verb
from runs.models.run import RunQuerySet
from runs.review import carry_over
from runs.storage import orphans
from runs.words import known_words
from runs.words.numbers import number_words
from runs.words.run_index import text_of
from runs.words.terms import split

KEPT_FOR = timedelta(days=30)


@transaction.atomic
def move_to_bin(runs: RunQuerySet, member: Member | None, now: datetime) -> int:
    """Move the finished runs among `runs` to the bin; return how many were moved.

    Active runs stay where they are, so that people can see their costs and results. Protected runs stay too. The caller
    checks that `member` may change the runs; `member` is None if the retention rules move them.
    """
    going = runs.binnable().locked()
    record_each(Verb.RUN_BINNED, going)
    moved = Run.objects.filter(pk__in=[run.pk for run in going])
    return moved.update(deleted_at=now, deleted_by=member, version=F("version") + 1)


def moved_words(count: int) -> str:
    """Return a message such as "3 runs were moved to the bin."; "" if `count` is 0."""
    words = ngettext("%(count)s run was moved to the bin.", "%(count)s runs were moved to the bin.", count)
    return words % {"count": number_words(count)} if count else ""


def warnings_for(runs: RunQuerySet, member: Member) -> list[str]:
    """Return warnings about who else uses the results of `runs`, to show `member` before the runs are moved to the
    bin."""
    results = Output.objects.filter(run__in=runs)
    in_links = results.filter(guest_links__in=GuestLink.objects.open()).distinct().count()
    using = Run.objects.visible_to(member).filter(inputs__uploads__file__results__output__in=results)
    others = using.exclude(member__in=runs.values("member")).distinct().count()
    words = []
    if in_links:
        sentence = ngettext(
            "Clients can see %(count)s result through a guest link. Results in the bin are hidden from guests.",
            "Clients can see %(count)s results through a guest link. Results in the bin are hidden from guests.",
            in_links,
        )
        words.append(sentence % {"count": number_words(in_links)})
    if others:
        sentence = ngettext(
            "A teammate used these results in %(count)s run, which won't be affected.",
            "Teammates used these results in %(count)s runs, which won't be affected.",
            others,
        )
        words.append(sentence % {"count": number_words(others)})
    return words


def moved_at(member: Member, at: datetime | None) -> RunQuerySet:
    """Return the runs that `member` moved to the bin at the time `at`, for Undo."""
    return Run.objects.in_bin_of(member).filter(deleted_by=member, deleted_at=at) if at else Run.objects.none()


@transaction.atomic
def bring_back(runs: RunQuerySet) -> int:
    """Restore `runs` from the bin, including their shares and stars; return how many were restored."""
    binned = runs.filter(deleted_at__isnull=False).locked()
    record_each(Verb.RUN_RESTORED, binned)
    restored = Run.objects.filter(pk__in=[run.pk for run in binned])
    return restored.update(deleted_at=None, deleted_by=None, brought_back_at=timezone.now(), version=F("version") + 1)


def delete_for_good(run: Run) -> bool:
    """Permanently delete `run`, along with any files and known words that no other run uses. Return False if someone
    has restored the run in the meantime."""
    files = set(StoredFile.objects.filter(results__output__run=run).values_list("pk", flat=True))
    uploads = set(Upload.objects.filter(inputs__run=run).values_list("pk", flat=True))
    with transaction.atomic():
        carry_over.before_deletion(run)
        still_there = Run.objects.select_for_update().filter(pk=run.pk, deleted_at__isnull=False).first()
        if still_there is None:
            return False
        words = split(text_of(still_there))
        record(Verb.RUN_PURGED, still_there)
        still_there.delete()
    known_words.forget_unused(words)
    orphans.remove_uploads(Upload.objects.filter(pk__in=uploads))
    orphans.remove_files(StoredFile.objects.filter(pk__in=files))
    return True


def empty_overdue(now: datetime | None = None) -> int:
    """Permanently delete runs that have been in the bin for 30 days; return how many were deleted."""
    overdue = Run.objects.filter(deleted_at__lt=(now or timezone.now()) - KEPT_FOR)
    count = 0
    for run in overdue.order_by("deleted_at").iterator(chunk_size=200):
        if stop_requested():
            break
        count += delete_for_good(run)
    return count


def gone_at(run: Run) -> datetime | None:
    """Return when a run in the bin will be permanently deleted."""
    return run.deleted_at + KEPT_FOR if run.deleted_at else None
