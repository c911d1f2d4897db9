"""How much space stored files take up, by person, use and kind. The worker counts the files in batches, so that no page
has to wait.

Each file counts only once, under the first use that applies: a picture from the catalogue, a result, an upload (for
whoever added it first), and so on, in the order of `_slice`.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import Case, CharField, Count, Exists, Max, Min, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from runs.background.queue import enqueue_long, stop_requested
from runs.models import FieldRule, GuestCopy, OutputFile, SharingRules, StorageUse, StoredFile, Upload

SLICE = 5_000  # how many primary keys one batch spans; PostgreSQL reads these files in about 0.1 s
COUNTING_SECONDS = 900
Use = StorageUse.Use


class _FileGroup(NamedTuple):
    """A group of files that are counted together because they share the same person, use and kind."""

    member_id: int | None
    use: str
    media: str


def request_count() -> None:
    """Ask the worker to recount the files."""
    enqueue_long("count_storage", timeout_seconds=COUNTING_SECONDS)


def count(now: datetime) -> bool:
    """Recount all files and store the totals; return False if the worker has to stop before finishing."""
    files: Counter[_FileGroup] = Counter()
    sizes: Counter[_FileGroup] = Counter()
    ends = StoredFile.objects.aggregate(first=Min("pk"), last=Max("pk"))
    for start in range(ends["first"] or 0, (ends["last"] or -1) + 1, SLICE):
        if stop_requested():
            return False
        for key, number, size in _slice(StoredFile.objects.filter(pk__gte=start, pk__lt=start + SLICE)):
            files[key] += number
            sizes[key] += size
    nothing = StorageUse(use=Use.RESULTS, media=StoredFile.Kind.IMAGE, counted_at=now)
    rows = [StorageUse(**key._asdict(), files=n, size_bytes=sizes[key], counted_at=now) for key, n in files.items()]
    with transaction.atomic():
        StorageUse.objects.all().delete()
        StorageUse.objects.bulk_create(rows or [nothing])
    return True


def _slice(files: QuerySet[StoredFile]) -> Iterable[tuple[_FileGroup, int, int]]:
    """Yield each key with its number of `files` and their total size in bytes."""
    results = OutputFile.objects.filter(file=OuterRef("pk")).order_by("pk")
    owners = {
        "result_of": results.filter(output__run__deleted_at=None).values("output__run__member"),
        "upload_of": Upload.objects.filter(file=OuterRef("pk")).order_by("pk").values("member"),
        "binned_of": results.filter(output__run__deleted_at__isnull=False).values("output__run__member"),
    }
    use = Case(
        When(is_catalog=True, then=Value(Use.APPS.value)),
        When(result_of__isnull=False, then=Value(Use.RESULTS.value)),
        When(upload_of__isnull=False, then=Value(Use.UPLOADS.value)),
        When(Q(Exists(FieldRule.objects.filter(file=OuterRef("pk")))), then=Value(Use.APPS.value)),
        When(Q(Exists(SharingRules.objects.filter(logo=OuterRef("pk")))), then=Value(Use.APPS.value)),
        When(binned_of__isnull=False, then=Value(Use.BIN.value)),
        When(Q(Exists(GuestCopy.objects.filter(file=OuterRef("pk")))), then=Value(Use.COPIES.value)),
        default=Value(Use.UNUSED.value),
        output_field=CharField(),
    )
    with_owner = files.annotate(**{name: Subquery(owner[:1]) for name, owner in owners.items()})
    keyed = with_owner.annotate(use=use, owner=Coalesce(*owners))
    sums = keyed.values_list("owner", "use", "kind").annotate(number=Count("pk"), size=Sum("size_bytes")).order_by()
    for owner, named, kind, number, size in sums:
        yield _FileGroup(owner, named, kind), number, size
