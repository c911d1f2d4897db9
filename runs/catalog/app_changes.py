"""Changes to an app's form on Lamina. We notice them when a new version arrives, and store them for admins."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from runs.models import App, AppChange, AppSchema
from runs.schema_forms.questions import Question, shortened

KEPT_PER_APP = 200
OPTIONS_NAMED = 10
Kind = AppChange.Kind


def record_changes(app: App, old: AppSchema, new: AppSchema, now: datetime) -> None:
    """Save the differences between two versions of the form of `app`; only the latest changes are kept."""
    changes = list(changes_between(old.questions, new.questions))
    for change in changes:
        change.app, change.at = app, now
    AppChange.objects.bulk_create(changes)
    of_app = AppChange.objects.filter(app=app)
    AppChange.objects.filter(pk__in=list(of_app.values_list("pk", flat=True)[KEPT_PER_APP:])).delete()


def changes_between(before: Sequence[Question], after: Sequence[Question]) -> Iterator[AppChange]:
    """Yield the changes to each field, in the order of the new form, followed by the fields that were removed."""
    pairs = _paired(before, after)
    for question in after:
        was = pairs.get(question)
        if was is None:
            yield _change(Kind.ADDED, question)
        else:
            yield from _changes_of(was, question)
    earlier = set(pairs.values())
    yield from (_change(Kind.GONE, question) for question in before if question not in earlier)


def _changes_of(was: Question, question: Question) -> Iterator[AppChange]:
    if was.label != question.label:
        yield _change(Kind.RENAMED, question, {"from": was.label, "to": question.label})
    if (was.type, was.is_multiple) != (question.type, question.is_multiple):
        yield _change(Kind.RETYPED, question, {"from": shortened(was.type), "to": shortened(question.type)})
    elif question.is_needed and not was.is_needed:
        yield _change(Kind.NEEDED, question)
    if question.kind == was.kind == "url" and question.samples and _places(was) != _places(question):
        yield _change(Kind.SAMPLE, question)
    if question.kind == was.kind == "options":
        yield from _option_changes(was, question)


def _places(question: Question) -> list[str]:
    """Return the samples' URLs without their query strings, which only grant access and change every hour."""
    return [url.partition("?")[0] for url in question.samples]


def _option_changes(was: Question, question: Question) -> Iterator[AppChange]:
    old_options, new_options = set(was.options), set(question.options)
    added = [option for option in dict.fromkeys(question.options) if option not in old_options]
    gone = [option for option in dict.fromkeys(was.options) if option not in new_options]
    for kind, options in ((Kind.OPTIONS_ADDED, added), (Kind.OPTIONS_GONE, gone)):
        if options:
            names = [shortened(option, 100) for option in options[:OPTIONS_NAMED]]
            yield _change(kind, question, {"options": names, "count": len(options)})


def _change(kind: Kind, question: Question, detail: dict[str, Any] | None = None) -> AppChange:
    return AppChange(kind=kind, field=question.label, detail=detail or {})


def _paired(before: Sequence[Question], after: Sequence[Question]) -> dict[Question, Question]:
    """Match each field to its earlier version: the one with the same key or, failing that, the same id or (if only one
    field has it) the same name."""
    handles: list[Callable[[Question], str]] = [lambda q: q.key, lambda q: q.id, lambda q: q.name]
    pairs: dict[Question, Question] = {}
    left = list(before)
    for handle in handles:
        count = Counter(map(handle, after))
        candidates = {word: one for word, one in _unique(left, handle).items() if count[word] == 1}
        for question in after:
            if question not in pairs and (was := candidates.get(handle(question))) is not None:
                pairs[question] = was
                left.remove(was)
    return pairs


def _unique(questions: Sequence[Question], handle: Callable[[Question], str]) -> dict[str, Question]:
    count = Counter(map(handle, questions))
    return {handle(one): one for one in questions if handle(one) and count[handle(one)] == 1}
