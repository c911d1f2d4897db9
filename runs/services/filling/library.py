"""What a person has already: earlier results and uploads, taken into a form again.

A form knows only uploads of the person who fills it. A file from anywhere else is adopted: an upload of that person
which points at the same stored file. No byte is copied, and the file lives as long as anyone of them needs it.
"""

from collections.abc import Callable, Sequence

from runs.models import Member, Run, StoredFile, Upload
from runs.schema_forms.types import Answer
from runs.services import launch
from runs.services.folding import named


def adopt(member: Member, stored: StoredFile) -> Upload:
    """The member's own upload of STORED, made now unless there is one. Whether the member may see STORED is the
    caller's question."""
    own = Upload.objects.of(member).filter(file=stored, status=Upload.Status.READY)
    return own.order_by("pk").first() or Upload.objects.create(
        member=member,
        file=stored,
        status=Upload.Status.READY,
        **named(stored.name),
        # Lamina has it already if any run has handed it over: the workspace is one.
        asset_url=stored.uploads.exclude(asset_url="").values_list("asset_url", flat=True).first() or "",
    )


def answers_for(member: Member, run: Run) -> list[Answer]:
    """What RUN was started with, in a form that MEMBER can send: a teammate's files become the member's uploads."""
    return own_files(member, launch.answers_of(run))


def own_files(member: Member, answers: list[Answer]) -> list[Answer]:
    """ANSWERS with every upload of somebody else replaced by MEMBER's own of the same file; what has no file yet and
    belongs to somebody else is left out. Whether the member may see the files is the caller's question."""
    ids = {upload_id for answer in answers for upload_id in _upload_ids(answer)}
    found = Upload.objects.select_related("file").in_bulk(ids, field_name="public_id")
    return [_with_uploads(answer, lambda ids: _owned(member, ids, found)) for answer in answers]


def only_own(member: Member, answers: Sequence[Answer]) -> list[Answer]:
    """ANSWERS without the uploads in them that are not MEMBER's: a form names whatever is posted."""
    ids = {upload_id for answer in answers for upload_id in _upload_ids(answer)}
    own = set(Upload.objects.of(member).filter(public_id__in=ids).values_list("public_id", flat=True))
    return [_with_uploads(answer, lambda ids: [i for i in ids if i in own]) for answer in answers]


def _with_uploads(answer: Answer, change: Callable[[list[str]], list[str]]) -> Answer:
    ids = _upload_ids(answer)
    return answer | {"value": answer["value"] | {"uploads": change(ids)}} if ids else answer


def _upload_ids(answer: Answer) -> list[str]:
    value = answer["value"]
    return list(value.get("uploads") or []) if isinstance(value, dict) else []


def _owned(member: Member, ids: list[str], found: dict[str, Upload]) -> list[str]:
    owned = []
    for upload in (found[upload_id] for upload_id in ids if upload_id in found):
        if upload.member_id == member.pk:
            owned.append(upload.public_id)
        elif upload.file is not None:
            owned.append(adopt(member, upload.file).public_id)
    return owned
