"""Apply the admin's rules to answers, wherever they come from: a form, a draft, a preset or an earlier run."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from runs.schema_forms.answers import Answer, Files
from runs.schema_forms.field_rules import fixed_answer, is_allowed, ruled_questions
from runs.schema_forms.inputs import matched
from runs.schema_forms.types import Parameters, Rule


@dataclass(frozen=True)
class Change:
    """An answer that the rules replaced. `before` is None if there was no answer."""

    label: str
    before: Answer | None
    after: Answer


@dataclass(frozen=True)
class Ruled:
    """Answers after applying the rules: what to send, the positions of answers to `hidden` fields, what the rules
    `changed`, and the `refused` answers, which the rules no longer allow in an open field."""

    answers: list[Answer]
    hidden: set[int] = field(default_factory=set)
    changed: list[Change] = field(default_factory=list)
    refused: list[Answer] = field(default_factory=list)


def apply_rules(parameters: Parameters, rules: Sequence[Rule], answers: Sequence[Answer]) -> Ruled:
    """Return `answers` with the rules applied, in the author's order. If there are no rules, the answers are returned
    unchanged."""
    if not rules:
        return Ruled(list(answers))
    questions = ruled_questions(parameters, rules)
    given, left = matched(questions, list(answers))
    ruled = Ruled([])
    for question in questions:
        answer, fixed = given.get(question), fixed_answer(question)
        if fixed is not None:
            if question.is_hidden:
                ruled.hidden.add(len(ruled.answers))
            ruled.answers.append(fixed)
            if answer is None or not _sends_same(answer, fixed):
                ruled.changed.append(Change(question.label, answer, fixed))
        elif answer is not None:
            ruled.answers.append(answer)
            if not is_allowed(question, answer):
                ruled.refused.append(answer)
    ruled.answers.extend(left)
    return ruled


def open_answers(parameters: Parameters, rules: Sequence[Rule], answers: Sequence[Answer]) -> list[Answer]:
    """Return only the `answers` to open fields, because drafts and presets don't store the admin's values."""
    fixed = closed_answers(parameters, rules, answers)
    return [answer for answer in answers if not any(answer is one for one in fixed)]


def closed_answers(parameters: Parameters, rules: Sequence[Rule], answers: Sequence[Answer]) -> list[Answer]:
    """Return only the `answers` to fields that the admin has fixed."""
    if not rules or not answers:
        return []
    given = matched(ruled_questions(parameters, rules), list(answers))[0]
    return [answer for question, answer in given.items() if question.is_fixed]


def _sends_same(before: Answer, after: Answer) -> bool:
    """Return whether both answers send the same value, as far as we can tell without looking at files."""
    if isinstance(before.value, Files) or isinstance(after.value, Files):
        return before.value == after.value
    return before.text == after.text
