"""The library for a form field: earlier results and uploads of the kinds it accepts, with search and paging.

This module also puts picked files into the form. Results start with those of the newest runs, uploads with the files
used last.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from runs.catalog.form_rules import form_questions, with_rules
from runs.launching import drafts
from runs.launching.app_form import app_form
from runs.launching.library_search import LibrarySearch
from runs.models import App, Draft, Member, OutputFile, Run, StoredFile, Upload, files_visible_to
from runs.models.run_access import in_mine, in_team
from runs.schema_forms.build import SchemaForm
from runs.schema_forms.questions import MEDIA_KINDS, Question, files_question
from runs.uploads.ownership import adopt
from runs.words.time_spans import age_words

PER_PAGE = 24
SOURCES = ("results", "team", "uploads")
NEWEST_RESULTS = ("output__run__created_at", "output__run_id", "pk")  # the order of results, newest first


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
    """One page of a list; `before` says where the next page starts and is empty on the last page.

    `search` is what people searched for, or a wider search if nothing matched their exact words.
    """

    items: list[Item]
    before: str
    search: LibrarySearch


def source_words() -> dict[str, str]:
    """Return the display name of each list."""
    return {"results": _("My results"), "team": _("Shared with the team"), "uploads": _("My uploads")}


def question_of(app: App, field: str) -> Question | None:
    """Return the question behind the form field `field` (such as "p0"), if it accepts files."""
    return files_question(app.questions, field)


def browse(
    member: Member, kinds: Sequence[str], source: str, words: str, before: str, *, is_similar: bool = False
) -> LibraryPage:
    """Return files from `source` that `member` may use and that match all `words`. If `kinds` is empty, return media of
    any kind.

    If nothing matches, return files with similar words; to get the later pages of such a list, set `is_similar`. Each
    file is listed only once, however often it was generated, added or used; its latest use counts. Files with the same
    content count as one. Takes only a few queries, however long the list is.
    """
    search = LibrarySearch.read(words, is_similar=is_similar)
    page = _page(member, list(kinds or MEDIA_KINDS), source, search, before)
    if not page.items and search.all_ways and not (is_similar or before):
        wider = LibrarySearch.read(words, is_similar=True)
        return _page(member, list(kinds or MEDIA_KINDS), source, wider, before)
    return page


def _page(member: Member, kinds: list[str], source: str, search: LibrarySearch, before: str) -> LibraryPage:
    page: list[Any]
    if source == "uploads":
        page = list(_used_uploads(member, kinds, search, before))
    else:
        page = list(_made_results(member, kinds, search.looked_up(member), source, before))
    items = [_item(row) for row in page[:PER_PAGE]]
    return LibraryPage(items, items[-1].file.public_id if len(page) > PER_PAGE else "", search)


def _made_results(
    member: Member, kinds: list[str], search: LibrarySearch, source: str, before: str
) -> "QuerySet[OutputFile]":
    """Return one page of results plus one extra, starting with those of the newest runs.

    These runs are found first, in a query of their own, because both databases can read them from the index of
    History's tab.
    """
    runs = Run.objects.shared_by_others(member) if source == "team" else Run.objects.owned_by(member)
    results = _results(member, kinds, search, source)
    same = results.filter(file__sha256=OuterRef("file__sha256"))
    results = results.filter(~Exists(same.filter(_beyond("gt", *map(OuterRef, NEWEST_RESULTS)))))
    if before and (last := results.filter(file__public_id=before).values_list(*NEWEST_RESULTS).first()):
        results, runs = results.filter(_beyond("lt", *last)), runs.filter(created_at__lte=last[0])
    # PostgreSQL would turn `Exists` into a join, and read all runs before it knows which are the newest.
    of_run = runs.alias(of_run=Subquery(results.filter(output__run=OuterRef("pk")).values("pk")[:1]))
    newest = of_run.filter(of_run__isnull=False).newest_first().values_list("pk", flat=True)
    page = results.filter(output__run__in=list(newest[: PER_PAGE + 1])).select_related("file", "output__run")
    return page.order_by(*(f"-{column}" for column in NEWEST_RESULTS))[: PER_PAGE + 1]


def _beyond(comparison: str, created_at: Any, run: Any, key: Any) -> Q:
    """Return a condition for results that come before ("gt") or after ("lt") the one with these `NEWEST_RESULTS`."""
    in_run = Q(output__run_id=run, **{f"pk__{comparison}": key})
    in_moment = Q(output__run__created_at=created_at) & (Q(**{f"output__run_id__{comparison}": run}) | in_run)
    return Q(**{f"output__run__created_at__{comparison}": created_at}) | in_moment


def _used_uploads(member: Member, kinds: list[str], search: LibrarySearch, before: str) -> "QuerySet[Upload]":
    """Return one page of uploads plus one extra, starting with those added or used most recently. There is an index for
    this order."""
    recent = _uploads(member, kinds, search)
    same, later = recent.filter(file__sha256=OuterRef("file__sha256")), Q(used_at__gt=OuterRef("used_at"))
    recent = recent.filter(~Exists(same.filter(later | Q(used_at=OuterRef("used_at"), pk__gt=OuterRef("pk")))))
    if before and (last := recent.filter(file__public_id=before).values_list("used_at", "pk").first()):
        recent = recent.filter(Q(used_at__lt=last[0]) | Q(used_at=last[0], pk__lt=last[1]))
    return recent.order_by("-used_at", "-pk")[: PER_PAGE + 1]


def _results(member: Member, kinds: list[str], search: LibrarySearch, source: str) -> "QuerySet[OutputFile]":
    condition = in_team(member, "output__run__") if source == "team" else in_mine(member, "output__run__")
    results = OutputFile.objects.filter(condition, status=OutputFile.Status.SAVED, file__kind__in=kinds)
    return results.filter(search.in_results())


def _uploads(member: Member, kinds: list[str], search: LibrarySearch) -> "QuerySet[Upload]":
    """Return files that the member uploaded, except results reused in a form, which are listed as results."""
    own = Upload.objects.owned_by(member).filter(is_hidden=False)
    ready = own.filter(status=Upload.Status.READY, file__kind__in=kinds, file__results=None)
    return ready.filter(search.in_uploads()).select_related("file")


def _item(row: OutputFile | Upload) -> Item:
    assert row.file is not None  # noqa: S101 - by the filters above
    if isinstance(row, Upload):
        return Item(row.file, row.name, age_words(row.created_at))
    run = row.output.run
    return Item(
        row.file, row.output.numbered_label or run.app_name, f"{run.display_title} · {age_words(run.created_at)}"
    )


def take(member: Member, question: Question, file_ids: Sequence[str]) -> list[Upload]:
    """Return the member's own uploads of these files, in the given order and no more than `question` accepts.

    Files that don't exist, that the member can't see or that are of the wrong kind are left out.
    """
    kinds = question.accept or MEDIA_KINDS
    visible = files_visible_to(member).filter(kind__in=kinds)
    by_id = visible.in_bulk(list(file_ids), field_name="public_id")
    files = [by_id[file_id] for file_id in dict.fromkeys(file_ids) if file_id in by_id]
    return [adopt(member, file) for file in (files if question.is_multiple else files[:1])]


def put_into_draft(
    member: Member, app: App, question: Question, value: list[Upload] | str, *, is_new: bool = False
) -> str:
    """Answer `question` in the member's draft with text or files; return the URL of the form at that question.

    If the form is new to the member (`is_new`), the URL leads to the first unanswered required question above
    `question`, if any.

    If the question accepts several files, the new ones are added; otherwise, the new file replaces the current one. The
    rest of the draft doesn't change.
    """
    assert app.schema is not None  # noqa: S101 - the question is in the schema
    draft = drafts.current_draft(member, app) or Draft()
    form = app_form(member, app, app.schema, answers=draft.answers, wanted_outputs=draft.wanted_outputs)
    positions = [bound.question.position for bound in form.questions if not bound.question.is_fixed]
    if question.position not in positions:  # an admin has since set a fixed value for it
        return form_url(member, app, question)
    answers, place = form.draft_answers(draft.answers), positions.index(question.position)
    answer = answers[place]
    if isinstance(value, str):
        answer = answer.with_text(value)
    else:
        before = answer.upload_ids if question.is_multiple else ()
        answer = answer.with_uploads(dict.fromkeys([*before, *(upload.public_id for upload in value)]))
    answers[place] = replace(answer, is_default=False)
    copy = Draft(member=member, app=app, answers=answers, wanted_outputs=draft.wanted_outputs, source=draft.source)
    drafts.save_draft(copy)
    return form_url(member, app, _first_empty(form, question) if is_new else question, added=question)


def _first_empty(form: SchemaForm, question: Question) -> Question:
    """Return the first unanswered required question above `question` on the page, or `question` itself if there is
    none."""
    above = takewhile(lambda bound: bound.question != question, form.needed)
    return next((bound.question for bound in above if bound.answer.is_empty), question)


def form_url(member: Member, app: App, question: Question, *, added: Question | None = None) -> str:
    """Return the URL of the app's form at `question`, including the run or preset that the draft was started from. With
    `added`, the page says that this question has just been answered."""
    source = Draft.objects.current().filter(member=member, app=app).values_list("source", flat=True).first()
    query = ({"from": source} if source else {}) | ({"added": added.field_name} if added else {})
    return f"{app.get_absolute_url()}{f'?{urlencode(query)}' if query else ''}#{question.field_name}-field"


@dataclass(frozen=True)
class AppUse:
    """An app that accepts a result, and the question that the result would answer."""

    app: App
    question: Question


def uses_of(member: Member, kind: str) -> list[AppUse]:
    """Return apps offered to `member` that accept a file of `kind` (or text), each with its first matching question."""
    uses = []
    apps = App.objects.listed().offered_to(member).exclude(schema=None)
    for app in with_rules(apps.select_related("schema", "thumbnail")):
        if (question := first_question(app, kind)) is not None:
            uses.append(AppUse(app, question))
    return uses


def first_question(app: App, kind: str) -> Question | None:
    """Return the first question of the app's form that people can answer with a file of `kind` (or with text)."""
    questions = [question for question in form_questions(app) if not question.is_fixed]
    if kind == "text":
        return next((q for q in questions if q.kind == "text" and not q.is_unknown), None)
    return next((q for q in questions if q.kind == "url" and kind in (q.accept or MEDIA_KINDS)), None)
