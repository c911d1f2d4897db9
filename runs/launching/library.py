"""The library of a form field: earlier results and uploads of the kinds it accepts, with search and pages.

This module also puts picked files into the form. Lists are newest first, each in the order of one index.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from runs.launching import drafts
from runs.launching.app_form import app_form
from runs.models import App, Draft, Member, OutputFile, StoredFile, Upload, files_visible_to
from runs.schema_forms.questions import MEDIA_KINDS, Question, files_question, questions_of
from runs.uploads.ownership import adopt
from runs.words.fold import fold_words
from runs.words.sentences import age_words

PER_PAGE = 24
SOURCES = ("results", "team", "uploads")


@dataclass(frozen=True)
class Item:
    """One file in the library."""

    file: StoredFile
    name: str
    line: str

    @property
    def is_still(self) -> bool:
        """Whether the picture is a still from a video."""
        return self.file.kind == "video" and bool(self.file.small_url)


@dataclass(frozen=True)
class LibraryPage:
    """One page of a list; `before` is where the next page starts, empty on the last page."""

    items: list[Item]
    before: str


def source_words() -> dict[str, str]:
    """Return the names of the lists."""
    return {"results": _("My results"), "team": _("Shared with the team"), "uploads": _("My uploads")}


def question_of(app: App, field: str) -> Question | None:
    """Return the question behind the form field `field` ("p0"), if it accepts files."""
    return files_question(app.schema.parameters, field) if app.schema else None


def browse(member: Member, kinds: Sequence[str], source: str, words: str, before: str) -> LibraryPage:
    """Return files from `source` that `member` may use: of `kinds` (none = any media) and matching all `words`."""
    wanted = list(kinds or MEDIA_KINDS)
    found = _uploads(member, wanted, words) if source == "uploads" else _results(member, wanted, words, source)
    if before and (last := found.filter(file__public_id=before).values_list("pk", flat=True).first()):
        found = found.filter(pk__lt=last)
    page: list[Any] = list(found.order_by("-pk")[: PER_PAGE + 1])
    items = [_item(row) for row in page[:PER_PAGE]]
    return LibraryPage(items, items[-1].file.public_id if len(page) > PER_PAGE else "")


def _results(member: Member, kinds: list[str], words: str, source: str) -> "QuerySet[OutputFile]":
    found = OutputFile.objects.filter(
        status=OutputFile.Status.SAVED, file__kind__in=kinds, output__run__deleted_at=None
    ).select_related("file", "output__run")
    if source == "team":
        found = found.filter(output__run__shared_at__isnull=False).exclude(output__run__member=member)
    else:
        found = found.filter(output__run__member=member)
    for word in fold_words(words):
        found = found.filter(Q(output__run__search_text__contains=word) | Q(output__search_text__contains=word))
    return found


def _uploads(member: Member, kinds: list[str], words: str) -> "QuerySet[Upload]":
    """Return files that the member uploaded, except results reused in a form, which are listed as results."""
    found = Upload.objects.owned_by(member).filter(status=Upload.Status.READY, file__kind__in=kinds, file__results=None)
    for word in fold_words(words):
        found = found.filter(search_text__contains=word)
    return found.select_related("file")


def _item(row: OutputFile | Upload) -> Item:
    assert row.file is not None  # noqa: S101 - by the filters above
    if isinstance(row, Upload):
        return Item(row.file, row.name, age_words(row.created_at))
    run = row.output.run
    return Item(row.file, row.output.label or run.app_name, f"{run.display_title} · {age_words(run.created_at)}")


def take(member: Member, question: Question, file_ids: Sequence[str]) -> list[Upload]:
    """Return the member's own uploads of these files, in order, as many as `question` accepts.

    Files that are unknown, not visible to the member or of another kind are left out.
    """
    kinds = question.accept or MEDIA_KINDS
    seen = files_visible_to(member).filter(kind__in=kinds)
    found = seen.in_bulk(list(file_ids), field_name="public_id")
    chosen = [found[file_id] for file_id in dict.fromkeys(file_ids) if file_id in found]
    return [adopt(member, file) for file in (chosen if question.is_multiple else chosen[:1])]


def put_into_draft(member: Member, app: App, question: Question, value: list[Upload] | str) -> str:
    """Answer `question` in the member's draft with a text or files; return the form's address at that question.

    If the question accepts several files, they are added; otherwise they replace the current one. The rest of the draft
    doesn't change.
    """
    assert app.schema is not None  # noqa: S101 - the question is in the schema
    kept = drafts.load_draft(member, app)
    form = app_form(
        member, app, app.schema, answers=kept.answers if kept else None, wanted=kept.wanted if kept else None
    )
    answers = form.draft_answers()
    answer = answers[question.position]
    if isinstance(value, str):
        answer = answer.with_text(value)
    else:
        before = answer.upload_ids if question.is_multiple else ()
        answer = answer.with_uploads(dict.fromkeys([*before, *(upload.public_id for upload in value)]))
    answers[question.position] = replace(answer, is_default=False)
    drafts.save_draft(member, app, answers, kept.wanted if kept else None, kept.source if kept else "")
    return form_url(member, app, question)


def form_url(member: Member, app: App, question: Question) -> str:
    """Return the address of the app's form at `question`, with the run or preset the draft was started from."""
    source = Draft.objects.filter(member=member, app=app).values_list("source", flat=True).first()
    return f"{app.get_absolute_url()}{f'?from={source}' if source else ''}#{question.field_name}-field"


@dataclass(frozen=True)
class Use:
    """An app that accepts a result, and the question to use it for."""

    app: App
    question: Question


def uses_of(kind: str) -> list[Use]:
    """Return apps that accept a file of `kind` (or a text), each with its first matching question."""
    found = []
    for app in App.objects.listed().exclude(schema=None).select_related("schema", "thumbnail"):
        if (question := first_question(app, kind)) is not None:
            found.append(Use(app, question))
    return found


def first_question(app: App, kind: str) -> Question | None:
    """Return the first question of the app's form that accepts a file of `kind` (or a text)."""
    questions = questions_of(app.schema.parameters if app.schema else [])
    if kind == "text":
        return next((q for q in questions if q.kind == "text" and not q.is_unknown), None)
    return next((q for q in questions if q.kind == "url" and kind in (q.accept or MEDIA_KINDS)), None)
