"""Let people reuse files from earlier results and uploads in a form.

Runs and presets can only use uploads that belong to the person who sends the form. Other files are adopted: the sender
gets their own upload of the same stored file. Nothing is copied, and the file is kept as long as any upload needs it.

Viewing a page adopts nothing: a page with a teammate's files shows them (`visible_answers`, `infos`) under the ids of
the teammate's uploads. Files are adopted only when the form is sent (`own_files`, `take_over`), and only for people who
may run apps. Otherwise, a viewer could keep a file for good just by opening the page (or because the browser prefetched
it), even if its owner later stops sharing the run.
"""

from collections.abc import Callable, Iterable, Sequence

from runs.models import Member, StoredFile, Upload, files_visible_to
from runs.schema_forms.answers import Answer, upload_ids
from runs.schema_forms.types import UploadInfo
from runs.uploads import uploads
from runs.words.fold import name_fields


def adopt(member: Member, stored: StoredFile, *, is_hidden: bool = False) -> Upload:
    """Return the member's own upload of `stored`, creating it if necessary. The caller checks that the member may see
    `stored`; if they may not, it passes `is_hidden`, so that the new upload is hidden from them too."""
    own = Upload.objects.owned_by(member).filter(file=stored, status=Upload.Status.READY)
    fitting = own if is_hidden else own.filter(is_hidden=False)
    return fitting.order_by("is_hidden", "pk").first() or Upload.objects.create(
        member=member,
        file=stored,
        is_hidden=is_hidden,
        status=Upload.Status.READY,
        **name_fields(stored.name),
        # If any run has sent this file before, Lamina already has it, because there is only one workspace.
        asset_url=stored.uploads.exclude(asset_url="").values_list("asset_url", flat=True).first() or "",
    )


def infos(member: Member, ids: Iterable[str]) -> list[UploadInfo]:
    """Return data for showing uploads in a form, in the order of `ids`: the member's own uploads, and other people's if
    the member may see the file. Other ids are left out."""
    public_ids = list(ids)
    by_id = {info.id: info for info in uploads.upload_infos(member, public_ids)}
    for public_id, stored in _seen_of_others(member, public_ids).items():
        upload = Upload(public_id=public_id, file=stored, status=Upload.Status.READY, name=stored.name)
        by_id[public_id] = uploads.upload_info(upload)  # show it as if it had been adopted
    return [by_id[public_id] for public_id in public_ids if public_id in by_id]


def take_over(member: Member, ids: Sequence[str]) -> list[str]:
    """Return the posted upload `ids`, with other people's uploads replaced by the member's own wherever the member may
    see the file. For viewers, the ids are returned unchanged."""
    files = _seen_of_others(member, ids) if member.can_run else {}
    return [adopt(member, files[upload_id]).public_id if upload_id in files else upload_id for upload_id in ids]


def _seen_of_others(member: Member, ids: Sequence[str]) -> dict[str, StoredFile]:
    """Return the files in other people's uploads that `member` may see, keyed by upload id."""
    others = Upload.objects.filter(public_id__in=ids, file__isnull=False).exclude(member=member) if ids else []
    files = {upload.public_id: upload.file_id for upload in others}
    visible = files_visible_to(member).in_bulk(files.values()) if files else {}
    return {upload_id: visible[file] for upload_id, file in files.items() if file in visible}


def visible_answers(member: Member, answers: list[Answer]) -> list[Answer]:
    """Return `answers` as shown to `member`, leaving out other people's uploads that have no file yet."""
    by_id = Upload.objects.in_bulk(upload_ids(answers), field_name="public_id")

    def usable(upload_id: str) -> bool:
        upload = by_id.get(upload_id)
        return upload is not None and (upload.belongs_to(member) or upload.file_id is not None)

    return [_with_uploads(answer, lambda ids: [i for i in ids if usable(i)]) for answer in answers]


def own_files(member: Member, answers: list[Answer]) -> list[Answer]:
    """Return `answers` with other people's uploads replaced by the member's own uploads of the same files, creating
    uploads as needed.

    Other people's uploads that have no file yet are left out. The caller checks that the member may see the files.
    """
    by_id = Upload.objects.select_related("file").in_bulk(upload_ids(answers), field_name="public_id")
    return [_with_uploads(answer, lambda ids: _owned(member, ids, by_id)) for answer in answers]


def only_own(member: Member, answers: Sequence[Answer]) -> list[Answer]:
    """Return `answers` with only the member's own uploads, because anyone can post a form that names other people's."""
    ids = upload_ids(answers)
    own = set(Upload.objects.owned_by(member).filter(public_id__in=ids).values_list("public_id", flat=True))
    return [_with_uploads(answer, lambda ids: [i for i in ids if i in own]) for answer in answers]


def _with_uploads(answer: Answer, change: Callable[[Sequence[str]], list[str]]) -> Answer:
    return answer.with_uploads(change(answer.upload_ids)) if answer.upload_ids else answer


def _owned(member: Member, ids: Sequence[str], by_id: dict[str, Upload]) -> list[str]:
    owned = []
    for upload in (by_id[upload_id] for upload_id in ids if upload_id in by_id):
        if upload.belongs_to(member):
            owned.append(upload.public_id)
        elif upload.file is not None:
            owned.append(adopt(member, upload.file, is_hidden=upload.is_hidden).public_id)
    return owned
