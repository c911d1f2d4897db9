"""How much a member may keep here that no run uses: enough for any work, not for a disk to fill."""

from django.db.models import Count, Exists, OuterRef, Sum

from runs.models import Member, OutputFile
from runs.storage.fetch import size_words
from runs.storage.orphans import UNUSED_AFTER, unused_uploads

UNUSED_BYTES = 5_000_000_000
UNUSED_FILES = 1_000
SENTENCE = (
    f"You have {size_words(UNUSED_BYTES)} or {UNUSED_FILES:,} files here that no run has used yet: that is the limit. "
    f"Start runs with some of them, or wait: what is unused for {UNUSED_AFTER.days} days is removed by itself."
)


def has_room(member: Member, more_bytes: int = 0) -> bool:
    """True if MEMBER may add a file of MORE_BYTES. What is a result anyway costs nothing twice."""
    is_result = OutputFile.objects.filter(file=OuterRef("file"))
    used = unused_uploads(member).filter(~Exists(is_result)).aggregate(n=Count("pk"), size=Sum("file__size_bytes"))
    return used["n"] < UNUSED_FILES and (used["size"] or 0) + more_bytes <= UNUSED_BYTES
