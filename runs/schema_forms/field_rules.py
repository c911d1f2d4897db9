"""The admin's rules for an app's fields: which field each rule applies to, what it does to the field and to answers,
wherever they come from, and whether it still fits the app's form."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from runs.schema_forms.answers import Answer, Files, matched
from runs.schema_forms.questions import Question, clean_text
from runs.schema_forms.types import Rule

type Problem = Literal["value_gone", "options_gone", "value_missing"]


@dataclass(frozen=True)
class MatchedRules:
    """The rules by question position, the rules whose field is `gone`, and the `unclear` rules, which could apply to
    several fields."""

    by_position: dict[int, Rule]
    gone: list[Rule] = field(default_factory=list)
    unclear: list[Rule] = field(default_factory=list)


@dataclass(frozen=True)
class Change:
    """An answer that the rules replaced. `before` is None if there was no answer."""

    label: str
    before: Answer | None
    after: Answer


@dataclass(frozen=True)
class RuledAnswers:
    """Answers after applying the rules: what to send, the positions of answers to `hidden` fields, what the rules
    `changed`, and the `refused` answers, which the rules no longer allow in an open field."""

    answers: list[Answer]
    hidden: set[int] = field(default_factory=set)
    changed: list[Change] = field(default_factory=list)
    refused: list[Answer] = field(default_factory=list)


# The identifier that authors change least often comes first. Several fields may have the same name.
_HANDLES: list[tuple[Callable[[Question], str], Callable[[Rule], str]]] = [
    (lambda q: q.key, lambda rule: rule.key),
    (lambda q: q.id, lambda rule: rule.id),
    (lambda q: q.name, lambda rule: rule.name),
]


def match_rules(questions: Sequence[Question], rules: Sequence[Rule]) -> MatchedRules:
    """Find each rule's question by its key, then by its id, then by its name. A key, id or name that several questions
    share doesn't count."""
    by_position: dict[int, Rule] = {}
    left = list(rules)
    for of_question, of_rule in _HANDLES:
        count = Counter(of_question(question) for question in questions)
        place = {of_question(q): q.position for q in questions if count[of_question(q)] == 1 and of_question(q)}
        waiting: list[Rule] = []
        for rule in left:
            at = place.get(of_rule(rule))
            if at is None or at in by_position:
                waiting.append(rule)
            else:
                by_position[at] = rule
        left = waiting
    free = [question for question in questions if question.position not in by_position]
    unclear = [rule for rule in left if any(_may_mean(rule, question) for question in free)]
    return MatchedRules(by_position, [rule for rule in left if rule not in unclear], unclear)


def _may_mean(rule: Rule, question: Question) -> bool:
    return any(of_rule(rule) and of_rule(rule) == of_question(question) for of_question, of_rule in _HANDLES)


def ruled_questions(questions: Sequence[Question], rules: Sequence[Rule]) -> Sequence[Question]:
    """Return `questions`, each with its rule if it has one."""
    if not rules:
        return questions
    rule_at = match_rules(questions, rules).by_position
    return [replace(question, rule=rule_at.get(question.position)) for question in questions]


def fixed_answer(question: Question) -> Answer | None:
    """Return the fixed value that `question` always sends; None if people can answer it themselves."""
    rule = question.rule
    if rule is None or not rule.is_fixed:
        return None
    handles = (question.name, question.key, question.id, question.type)
    if question.kind == "url":
        files = Files((rule.file.id,)) if rule.file else Files()
        return Answer(*handles, files, is_default=rule.file is None)
    if rule.value is None or (question.kind == "text" and not rule.value):  # blanks aren't sent
        return Answer(*handles, question.default_words, is_default=True)
    value = rule.value if question.kind == "options" else clean_text(rule.value)
    return Answer(*handles, value, is_default=False)


def is_allowed(question: Question, answer: Answer) -> bool:
    """Return whether the rules allow `answer` as the answer to an open question."""
    allowed = question.allowed
    return allowed is None or answer.text in allowed


def problem_of(question: Question) -> Problem | None:
    """Return why the rule for `question` no longer fits the app's form; None if it still does, or if there is no
    rule."""
    rule = question.rule
    if rule is None:
        return None
    if not rule.is_fixed:
        return "options_gone" if rule.options and not question.allowed else None
    if rule.file is not None:
        fits = question.kind == "url" and (not question.accept or rule.file.kind in question.accept)
        return None if fits else "value_gone"
    if rule.value is not None:
        if question.kind == "text" and not rule.value:  # with an empty value, the app would use its default
            if question.default is None:
                return "value_missing"
            return "value_gone" if question.default_words else None
        fits = question.kind == "text" or (question.kind == "options" and rule.value in question.options)
        return None if fits else "value_gone"
    return "value_missing" if question.default is None else None


def apply_rules(questions: Sequence[Question], answers: Sequence[Answer]) -> RuledAnswers:
    """Return `answers` with the rules of `questions` applied, in the author's order. If there are no rules, the answers
    are returned unchanged."""
    if not any(question.rule for question in questions):
        return RuledAnswers(list(answers))
    answer_of, left = matched(questions, list(answers))
    ruled = RuledAnswers([])
    for question in questions:
        answer, fixed = answer_of.get(question), fixed_answer(question)
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


def open_answers(questions: Sequence[Question], answers: Sequence[Answer]) -> list[Answer]:
    """Return only the `answers` to open fields, because drafts and presets don't store the admin's values."""
    fixed = closed_answers(questions, answers)
    return [answer for answer in answers if not any(answer is one for one in fixed)]


def closed_answers(questions: Sequence[Question], answers: Sequence[Answer]) -> list[Answer]:
    """Return only the `answers` to fields that the admin has fixed."""
    if not any(question.is_fixed for question in questions):
        return []
    return [answer for question, answer in matched(questions, answers)[0].items() if question.is_fixed]


def _sends_same(before: Answer, after: Answer) -> bool:
    """Return whether both answers send the same value, as far as we can tell without looking at files."""
    if isinstance(before.value, Files) or isinstance(after.value, Files):
        return before.value == after.value
    return before.text == after.text
