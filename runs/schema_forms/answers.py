"""The answers in a form: how they are posted, sent to Lamina and stored in drafts, presets and runs, and which question
each of them answers."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from runs.schema_forms.questions import Question, as_words


@dataclass(frozen=True)
class Files:
    """The value of a `url` answer: the public ids of its uploads, in order, and (in drafts) a link that hasn't been
    fetched yet."""

    uploads: tuple[str, ...] = ()
    link: str = ""

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> Self:
        ids, link = stored.get("uploads"), stored.get("link")
        uploads = tuple(i for i in ids if isinstance(i, str)) if isinstance(ids, list) else ()
        return cls(uploads, link if isinstance(link, str) else "")


type Value = str | Files | None  # None means that nothing was stored


def load_value(stored: object) -> Value:
    """Parse a stored value: text, {"uploads": [...], "link": ...} or null; anything else is read as text."""
    if isinstance(stored, dict):
        return Files.from_stored(stored)
    return None if stored is None else as_words(stored)


@dataclass(frozen=True)
class Answer:
    """One answer, with everything needed to make sense of it without the parameter list.

    `value` is the text with LF line endings, the exact label of an option, or `Files`. If `is_default`, the answer
    isn't sent, so that the app uses its own default; `value` is then the default as it was shown.
    """

    name: str
    key: str
    id: str
    type: str
    value: Value
    is_default: bool = False

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> Self:
        """Parse an answer stored by any version of the portal: {"name", "key", "id", "type", "value", "is_default"}."""
        name, key, parameter_id, type_ = (as_words(stored.get(word) or "") for word in ("name", "key", "id", "type"))
        return cls(name, key, parameter_id, type_, load_value(stored.get("value")), bool(stored.get("is_default")))

    def to_stored(self) -> dict[str, Any]:
        """Return the answer as JSON data to store in a draft or preset."""
        value: Any = self.value
        if isinstance(value, Files):
            value = {"uploads": list(value.uploads)} | ({"link": value.link} if value.link else {})
        handles = {"name": self.name, "key": self.key, "id": self.id, "type": self.type}
        return handles | {"value": value, "is_default": self.is_default}

    @property
    def text(self) -> str:
        """The text or label; empty for a file field."""
        return self.value if isinstance(self.value, str) else ""

    @property
    def upload_ids(self) -> tuple[str, ...]:
        return self.value.uploads if isinstance(self.value, Files) else ()

    @property
    def link(self) -> str:
        return self.value.link if isinstance(self.value, Files) else ""

    @property
    def is_empty(self) -> bool:
        return self.value in ("", None, Files())

    @property
    def is_given(self) -> bool:
        """Whether anything has been entered."""
        return not self.is_default and not self.is_empty

    def with_uploads(self, ids: Iterable[str]) -> Self:
        """Return a copy of the answer with different uploads but the same link."""
        return replace(self, value=Files(tuple(ids), self.link))

    def with_text(self, text: str) -> Self:
        return replace(self, value=text)


def load_answers(stored: object) -> list[Answer]:
    """Parse answers stored by `dump_answers`; skip anything else."""
    items = stored if isinstance(stored, list) else []
    return [Answer.from_stored(item) for item in items if isinstance(item, dict)]


def dump_answers(answers: Iterable[Answer]) -> list[dict[str, Any]]:
    """Return `answers` as JSON data to store in a draft or preset."""
    return [answer.to_stored() for answer in answers]


def upload_ids(answers: Iterable[Answer]) -> list[str]:
    """Return the public ids of all files in `answers`, in order."""
    return [upload_id for answer in answers for upload_id in answer.upload_ids]


# Ways to match an answer to its question: by all three identifiers, then by id, then by key and, as a last resort, by
# name if it's unique.
_HANDLES: list[tuple[Callable[[Question], Any], Callable[[Answer], Any]]] = [
    (lambda q: (q.key, q.id, q.name), lambda a: (a.key, a.id, a.name)),
    (lambda q: q.id, lambda a: a.id),
    (lambda q: q.key, lambda a: a.key),
    (lambda q: (q.name,) if q.name else None, lambda a: (a.name,)),
]


def matched(questions: Sequence[Question], answers: Sequence[Answer]) -> tuple[dict[Question, Answer], list[Answer]]:
    """Return the answers keyed by question, and the answers that match no question. Each answer is used once, in
    order."""
    left = dict(enumerate(answers))
    by_position: dict[int, Answer] = {}
    twice = {(name,) for some in (questions, answers) for name, n in Counter(one.name for one in some).items() if n > 1}
    for of_question, of_answer in _HANDLES:
        waiting: dict[Any, deque[int]] = {}
        for n, answer in left.items():
            waiting.setdefault(of_answer(answer), deque()).append(n)
        for question in questions:
            handle = of_question(question)
            if question.position not in by_position and handle and handle not in twice and waiting.get(handle):
                by_position[question.position] = left.pop(waiting[handle].popleft())
    return {q: by_position[q.position] for q in questions if q.position in by_position}, list(left.values())
