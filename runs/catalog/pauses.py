"""Pause apps whose rules no longer fit their forms: to drop such a rule quietly could cost credits or break a brand."""

from datetime import datetime

from runs.background.incidents import record_incident
from runs.catalog.form_rules import rules_of
from runs.models import App, AppRule
from runs.models.messages import Message
from runs.schema_forms.questions import questions_of, shortened
from runs.schema_forms.rules import match_rules, problem_of, ruled_questions
from runs.schema_forms.types import Parameters, Rule

NAME_LENGTH = 60  # of names in the stored sentence


def check_pause(app: App, now: datetime) -> None:
    """Pause `app` if a rule doesn't fit its present form, and tell admins; resume it once all fit."""
    rule = AppRule.objects.filter(app=app).first()
    if rule is None or app.schema is None:
        return
    problem = pause_reason(app.schema.parameters, rules_of(app))
    row = AppRule.objects.filter(pk=rule.pk)
    if not problem:
        row.filter(paused_at__isnull=False).update(paused_at=None, pause="")
    elif rule.is_paused:
        row.filter(paused_at__isnull=False).update(pause=problem)
    elif row.filter(paused_at=None).update(paused_at=now, pause=problem):  # of two tasks, only one tells admins
        values = {"app": shortened(app.name, NAME_LENGTH), "reason_message": problem.to_stored()}
        record_incident("app", Message("app_paused", values))


def pause_reason(parameters: Parameters, rules: list[Rule]) -> Message:
    """Return why `rules` don't fit a form for `parameters`; an empty message if they do."""
    unclear = [rule for rule in match_rules(questions_of(parameters), rules).unclear if _is_strict(rule)]
    if unclear:
        return Message("rule_unclear", {"field": shortened(unclear[0].name, NAME_LENGTH)})
    for question in ruled_questions(parameters, rules):
        if problem := problem_of(question):
            return Message(f"rule_{problem}", {"field": shortened(question.label, NAME_LENGTH)})
    return Message()


def _is_strict(rule: Rule) -> bool:
    """Return whether runs would send something else without the rule."""
    return rule.is_fixed or bool(rule.options)
