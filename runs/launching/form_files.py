"""Files and links in a posted form. They are turned into uploads before the form is read, so that no file is lost if
the form has errors."""

from collections.abc import Iterable, Sequence

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from runs.models import Member, Upload
from runs.schema_forms.file_words import one_file_words
from runs.schema_forms.questions import Question, file_questions
from runs.storage.media import WebWait
from runs.uploads import ownership, uploads
from runs.uploads.uploads import UploadRejected

MAX_FILES = 50  # maximum number of files in a field

type PostedFiles = "MultiValueDict[str, UploadedFile[bytes]]"


def take_all(member: Member, questions: Iterable[Question], posted: QueryDict, files: PostedFiles) -> dict[str, str]:
    """Turn every file and link in a posted form into an upload and put its id into `posted` (changed in place).

    Returns error messages by field name. A rejected link stays in its text box.
    """
    errors: dict[str, str] = {}
    wait = WebWait()
    for question in file_questions(questions):
        _take_field(member, question, posted, files.getlist(f"{question.field_name}_file"), errors, wait)
    return errors


def _take_field(
    member: Member,
    question: Question,
    posted: QueryDict,
    files: "Sequence[UploadedFile[bytes]]",
    errors: dict[str, str],
    wait: WebWait,
) -> None:
    name = question.field_name
    sentences: list[str] = []
    new_ids = _take_files(member, question, files, sentences, wait)
    link = posted.get(f"{name}_link", "").strip()
    if link:
        try:
            new_ids.append(uploads.receive_link(member, link, list(question.accept)).public_id)
            posted[f"{name}_link"] = ""
        except UploadRejected as rejected:
            sentences.append(str(rejected))
    if new_ids:
        all_ids = [*posted.getlist(f"{name}_kept"), *new_ids] if question.is_multiple else new_ids[-1:]
        posted.setlist(f"{name}_kept", all_ids)
    if sentences:
        errors[name] = " ".join(dict.fromkeys(sentences))


def _take_files(
    member: Member, question: Question, files: "Sequence[UploadedFile[bytes]]", sentences: list[str], wait: WebWait
) -> list[str]:
    """Receive as many files as the field accepts. Add an error message to `sentences` for any file that is rejected or
    over the limit."""
    new_uploads: list[Upload] = []
    left: list[str] = []
    for file in files:
        if len(new_uploads) >= (MAX_FILES if question.is_multiple else 1):
            left.append(file.name or "")
            continue
        try:
            new_uploads.append(uploads.receive_file(member, file, list(question.accept), wait))
        except UploadRejected as rejected:
            values = {"name": file.name, "problem": str(rejected)}
            sentences.append(_("“%(name)s”: %(problem)s") % values if len(files) > 1 else str(rejected))
    if left and question.is_multiple:
        words = _("This field takes at most %(limit)s files, so we left out %(left)s.")
        sentences.append(words % {"limit": MAX_FILES, "left": ", ".join(left)})
    elif left:
        sentences.append(one_file_words(new_uploads[0].name, left))
    return [upload.public_id for upload in new_uploads]


def take_over(member: Member, questions: Iterable[Question], posted: QueryDict) -> None:
    """Replace teammates' uploads in `posted` (changed in place) with the member's own uploads of the same files."""
    for question in file_questions(questions):
        name = f"{question.field_name}_kept"
        if ids := posted.getlist(name):
            posted.setlist(name, ownership.take_over(member, ids))


def rearrange(posted: QueryDict, act: str) -> None:
    """Handle a button used without JavaScript: "remove:p0:<id>", "up:p0:<id>" or "down:p0:<id>"."""
    verb, _colon, rest = act.partition(":")
    field, _colon, upload_id = rest.partition(":")
    ids = posted.getlist(f"{field}_kept")
    if upload_id not in ids:
        return
    at = ids.index(upload_id)
    ids.pop(at)
    if verb in ("up", "down"):
        ids.insert(max(0, at - 1) if verb == "up" else at + 1, upload_id)
    posted.setlist(f"{field}_kept", ids)
