"""The hash of a result's content (`Output.content_hash`), which identifies the content that a verdict applies to.

Verdicts on earlier content don't count: if a file is fetched again and its bytes have changed, the result no longer
counts as reviewed. The copy that guests see counts as the same content.
"""

import hashlib
from collections.abc import Sequence

from django.db import transaction

from runs.models import Output, OutputFile
from runs.review import overall_verdict


def content_hash(output: Output) -> str:
    """Return the hash of the result's content; "" while a file is still being saved, or if one couldn't be saved."""
    files = list(output.files.order_by("position").values_list("status", "file__sha256"))
    if not files:
        return hash_of_text(output.text) if output.status == Output.Status.COMPLETED else ""
    is_whole = all(status == OutputFile.Status.SAVED for status, _ in files)
    return hash_of_files([sha256 for _, sha256 in files]) if is_whole else ""


def hash_of_files(hashes: Sequence[str]) -> str:
    """Combine the hashes of a result's files, in order, into one hash."""
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def hash_of_text(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@transaction.atomic
def on_content_changed(output: Output) -> None:
    """Store the hash. If the content has changed, only verdicts on the new content count from now on."""
    overall_verdict.lock_runs([output])
    new_hash = content_hash(output)
    if Output.objects.filter(pk=output.pk).exclude(content_hash=new_hash).update(content_hash=new_hash):
        overall_verdict.settle([output])
    else:
        overall_verdict.count([output.run_id])
    output.content_hash = new_hash
