"""Convert answers to the inputs to send, fit them to a new version of the app, and match Lamina's errors to fields."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from runs.schema_forms.answers import Answer, Files, matched
from runs.schema_forms.questions import Question, clean_text, shortened


@dataclass(frozen=True)
class Fitted:
    """Stored answers after fitting them to another parameter list: `initial` values by field name, and the labels of
    the `dropped` answers."""

    initial: dict[str, str | Files]
    dropped: list[str] = field(default_factory=list)


def to_inputs(
    questions: Sequence[Question], answers: Sequence[Answer], urls: Mapping[str, str], *, by_key: bool = False
) -> dict[str, Any]:
    """Return the `inputs` to send. `urls` maps every upload id to its URL; raises KeyError if one is missing.

    Inputs are identified by name, which every dialect of Lamina's API accepts; with `by_key`, by key or id. Defaults
    and blanks are left out. Several files become a list; a single file becomes a plain string.
    """
    handles = Counter(word for q in questions for word in {q.name, q.key, q.id})
    inputs: dict[str, Any] = {}
    for question, answer in matched(questions, answers)[0].items():
        if answer.is_default:
            continue
        value: str | list[str] = answer.text
        if question.kind == "url":
            addresses = [urls[upload] for upload in answer.upload_ids]
            if not question.is_multiple:
                addresses = addresses[:1]
            value = addresses[0] if len(addresses) == 1 else addresses
        if value in ("", []) and not (question.kind == "options" and value in question.options):
            continue
        inputs[_handle(question, handles, by_key=by_key)] = value
    return inputs


def is_about_names_alone(
    questions: Sequence[Question], names: Iterable[str], problems: Iterable[tuple[str, str]]
) -> bool:
    """Return whether `problems` (pairs of field and code) mean only that Lamina doesn't recognize the `names` we sent.

    If Lamina doesn't recognize the name of an input without a default, it may also report that input as missing.
    """
    own_names, is_any = set(names), False
    for name, code in problems:
        if code == "unknown_parameter":
            is_any = True
            continue
        missed = _asked_as(name, questions) if code == "missing_no_default" else None
        if missed is None or own_names.isdisjoint({missed.name, missed.key, missed.id} - {""}):
            return False
    return is_any


def fit_answers(questions: Sequence[Question], answers: Sequence[Answer]) -> Fitted:
    """Fit `answers`, which may be from another version of the app or of its rules, to a form with `questions`."""
    answer_of, left = matched(questions, answers)
    initial: dict[str, str | Files] = {}
    dropped = [shortened(answer.name) for answer in left if answer.is_given]
    for question, answer in answer_of.items():
        if question.is_fixed or (answer.is_default and not question.is_needed):
            continue
        value = _FIT[question.kind](question, answer)
        if value is not None:
            initial[question.field_name] = value
        elif answer.is_given:
            dropped.append(question.label)
    return Fitted(initial, dropped)


def map_field_errors(questions: Sequence[Question], errors: list[dict[str, str]]) -> dict[str, str]:
    """Return Lamina's error messages by field name ("p0"); those that don't belong to a field are under "".

    Each error is {"field", "message"}, possibly with a "key", which is tried first because names may repeat.
    """
    messages_at: dict[str, list[str]] = {}
    for error in errors:
        name, message = error.get("field") or "", (error.get("message") or "").strip()
        question = _asked_as(error.get("key") or "", questions) or _asked_as(name, questions)
        if question is None and name:
            message = f"{shortened(name)}: {message}"
        message = message or _("Lamina didn't accept this input.")
        messages_at.setdefault(question.field_name if question else "", []).append(message)
    return {at: " ".join(dict.fromkeys(messages)) for at, messages in messages_at.items()}


def _handle(question: Question, counts: Counter[str], *, by_key: bool = False) -> str:
    """Return the first of name, key and id that identifies just this question; with `by_key`, try the name last.

    Lamina looks at keys first, then ids, then names, so a name that is also another question's key wouldn't work.
    """
    own = [question.key, question.id, question.name] if by_key else [question.name, question.key, question.id]
    return next((word for word in own if word and counts[word] == 1), question.key or question.id or question.name)


def _asked_as(word: str, questions: Sequence[Question]) -> Question | None:
    handles: list[Callable[[Question], str]] = [lambda q: q.name, lambda q: q.key, lambda q: q.id]
    for same in (str, lambda text: " ".join(text.casefold().split())):
        for handle in handles:
            for question in questions:
                if word and same(handle(question)) == same(word):
                    return question
    return None


def _fit_text(question: Question, answer: Answer) -> str | None:
    return clean_text(answer.value) if isinstance(answer.value, str) else None


def _fit_options(question: Question, answer: Answer) -> str | None:
    label = answer.value
    options = question.options if question.allowed is None else question.allowed
    return str(question.options.index(label)) if isinstance(label, str) and label in options else None


def _fit_url(question: Question, answer: Answer) -> Files | None:
    if not isinstance(answer.value, Files):
        return None
    return answer.value if question.is_multiple else Files(answer.upload_ids[:1], answer.link)


_FIT: dict[str, Callable[[Question, Answer], str | Files | None]] = {
    "text": _fit_text,
    "options": _fit_options,
    "url": _fit_url,
}
