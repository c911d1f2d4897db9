"""Limits on each member's unused files (those no run uses): high enough for normal work, but too low to fill a disk."""

from django.db.models import Count, Exists, OuterRef, Sum

from runs.models import Member, OutputFile
from runs.models.messages import Message
from runs.storage.orphans import UNUSED_AFTER, unused_uploads

UNUSED_BYTES = 5_000_000_000
UNUSED_FILES = 1_000
OVER_QUOTA = Message("over_quota", {"limit_bytes": UNUSED_BYTES, "limit": UNUSED_FILES, "days": UNUSED_AFTER.days})


def has_room(member: Member, more_bytes: int = 0) -> bool:
    """Return whether `member` may add a file of `more_bytes`. Files that are also results don't count."""
    is_result = OutputFile.objects.filter(file=OuterRef("file"))
    used = unused_uploads(member).filter(~Exists(is_result)).aggregate(n=Count("pk"), size=Sum("file__size_bytes"))
    return used["n"] < UNUSED_FILES and (used["size"] or 0) + more_bytes <= UNUSED_BYTES
