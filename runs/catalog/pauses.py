"""Pauses apps whose rules no longer fit their forms. If we silently dropped such a rule, runs could cost more credits,
or their results might not fit the brand."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from runs.audit.record import record
from runs.background.incidents import record_incident
from runs.catalog.form_rules import as_rule
from runs.models import App, AppRule, FieldRule, Member, Verb
from runs.models.messages import Message
from runs.schema_forms.field_rules import match_rules, problem_of, ruled_questions
from runs.schema_forms.questions import Question, shortened
from runs.schema_forms.types import Rule
from runs.words.messages import say

NAME_LENGTH = 60  # maximum length of a name in the stored message, in characters


@transaction.atomic
def check_pause(app: App, now: datetime) -> None:
    """Pause `app` and tell admins if a rule doesn't fit its current form; resume it once all rules fit."""
    rule = AppRule.objects.filter(app=app).first()
    if rule is None or app.schema is None:
        return
    # Read the rules again, because they may just have changed
    rows = FieldRule.objects.filter(app=app).select_related("file")
    problem = pause_reason(app.schema.questions, [as_rule(row) for row in rows])
    paused = AppRule.objects.filter(pk=rule.pk, paused_at__isnull=False)
    if problem and not rule.is_paused:
        _pause(app, rule, problem, now)
    elif problem:
        paused.update(pause=problem)
    elif paused.update(paused_at=None, pause=""):
        record(Verb.APP_RESUMED, app)


def _pause(app: App, rule: AppRule, problem: Message, now: datetime) -> None:
    """Pause `app` and tell admins. If two tasks try at the same time, only one succeeds."""
    if AppRule.objects.filter(pk=rule.pk, paused_at=None).update(paused_at=now, pause=problem):
        record(Verb.APP_PAUSED, app)
        values = {"app": shortened(app.name, NAME_LENGTH), "reason_message": problem.to_stored()}
        record_incident("app", Message("app_paused", values))


def closed_words(app: App, member: Member) -> str:
    """Return why the admin's rules don't let `member` run `app`; "" if they do."""
    if not app.is_open_to(member):
        return _("This app is no longer available to you. Ask an admin if you need it.")
    rule = AppRule.of(app)
    if rule is None or not rule.is_paused:
        return ""
    if member.is_admin:
        return _("This app is paused because its rules no longer match its form. %(reason)s") % {
            "reason": say(rule.pause)
        }
    return _("This app is paused until an admin checks its settings. What you've entered won't be lost.")


def pause_reason(questions: Sequence[Question], rules: list[Rule]) -> Message:
    """Return why `rules` don't fit a form with these `questions`; an empty message if they do."""
    unclear = [rule for rule in match_rules(questions, rules).unclear if _is_strict(rule)]
    if unclear:
        return Message("rule_unclear", {"field": shortened(unclear[0].name, NAME_LENGTH)})
    for question in ruled_questions(questions, rules):
        if problem := problem_of(question):
            return Message(f"rule_{problem}", {"field": shortened(question.label, NAME_LENGTH)})
    return Message()


def _is_strict(rule: Rule) -> bool:
    """Return whether, without the rule, runs could send values that it doesn't allow."""
    return rule.is_fixed or bool(rule.options)
