"""The storage page: how much space files take up, by use and by person, largest first."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Sum
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from runs.models import Member, StorageUse
from runs.storage import disk
from runs.words.numbers import number_words
from runs.words.sizes import size_words

PEOPLE = 50
Use = StorageUse.Use


@dataclass(frozen=True)
class StorageLine:
    """One line of a table. `percent` is the length of the line's bar (100 for the largest)."""

    label: str
    size_words: str
    files_words: str
    percent: float
    url: str = ""  # URL of the person's page
    details: str = ""  # what makes up the total


@dataclass(frozen=True)
class StorageReport:
    """Everything on the storage page. `counted_at` is None if nothing has been counted yet."""

    counted_at: datetime | None
    total_words: str
    free_words: str  # empty if files are in a bucket
    free_state: str  # "good", "warn" or "bad"
    uses: list[StorageLine]
    people: list[StorageLine]
    more_people: int


def storage_report() -> StorageReport:
    """Return a report based on the sums that the worker maintains. Makes four queries, however many files there are."""
    rows = StorageUse.objects.all()
    total = rows.aggregate(size=Sum("size_bytes"))["size"] or 0
    people = _people()
    free = disk.free_bytes()
    return StorageReport(
        counted_at=rows.values_list("counted_at", flat=True).first(),
        total_words=size_words(total),
        free_words=size_words(free) if free is not None else "",
        free_state="good" if free is None or free >= disk.LITTLE_ROOM else "warn" if free >= disk.NO_ROOM else "bad",
        uses=_uses(),
        people=people[:PEOPLE],
        more_people=max(0, len(people) - PEOPLE),
    )


def _uses() -> list[StorageLine]:
    sums = StorageUse.objects.values("use", "media").annotate(size=Sum("size_bytes"), n=Sum("files"))
    rows = sorted((row for row in sums if row["n"]), key=lambda row: -row["size"])
    largest = max((row["size"] for row in rows), default=0)
    return [_line(_use_words(row["use"], row["media"]), row["size"], row["n"], largest) for row in rows]


def _use_words(use: str, media: str) -> str:
    """Return a label such as "Results: videos"."""
    words = {
        "image": pgettext("kind of stored files", "pictures"),
        "video": pgettext("kind of stored files", "videos"),
        "audio": pgettext("kind of stored files", "audio"),
        "other": pgettext("kind of stored files", "other files"),
    }
    if use == Use.APPS:
        return str(Use.APPS.label)
    return _("%(use)s: %(kind)s") % {"use": Use(use).label, "kind": words.get(media, media)}


def _people() -> list[StorageLine]:
    """Return a line for each person who has files, sorted by total size, largest first."""
    sizes: dict[int, Counter[str]] = {}
    files: Counter[int] = Counter()
    owned = StorageUse.objects.exclude(member=None).values_list("member", "use", "size_bytes", "files")
    for pk, use, size, number in owned:
        sizes.setdefault(pk, Counter())[use] += size
        files[pk] += number
    members = Member.objects.in_bulk(sizes)
    largest = max((own.total() for own in sizes.values()), default=0)
    ordered = sorted(members.values(), key=lambda member: (-sizes[member.pk].total(), member.pk))
    return [
        replace(
            _line(member.display_name, sizes[member.pk].total(), files[member.pk], largest),
            url=reverse("runs:manage-person", args=[member.public_id]),
            details=" · ".join(f"{Use(use).label} {size_words(n)}" for use, n in sizes[member.pk].most_common()),
        )
        for member in ordered
    ]


def _line(label: str, size: int, files: int, largest: int) -> StorageLine:
    percent = round(100 * size / largest, 1) if largest else 0.0
    return StorageLine(label, size_words(size), number_words(files), percent)
