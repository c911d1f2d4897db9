"""What admins can change about an app: who sees it, its name, and what its fields accept."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from runs.audit.actors import current_actor
from runs.background.queue import enqueue_long
from runs.catalog.field_rules import as_rule, form_questions
from runs.catalog.pauses import check_pause
from runs.catalog.summaries import search_text_of, shown_words
from runs.models import App, AppRule, FieldRule, Member, StoredFile
from runs.models.app_rules import (
    GROUP_LENGTH,
    HELP_LENGTH,
    HOUSE_RULES_LENGTH,
    LABEL_LENGTH,
    LINE_LENGTH,
    NAME_LENGTH,
)
from runs.schema_forms.field_rules import match_rules
from runs.schema_forms.questions import Question
from runs.schema_forms.types import Rule
from runs.words.numbers import number_words

NONE_ALLOWED = _lazy("Allow at least one option.")
HIDING_SECONDS = 900  # enough time to go through all of an app's runs


class RulesRejectedError(Exception):
    """The rules can't be saved. `errors` maps each place with a problem ("name", "house_rules", "p0", …) to a sentence
    about it."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = dict(errors)


class RulesChangedError(Exception):
    """Since the page was opened, another admin has changed the app's rules, or its form has changed on Lamina."""


@dataclass(frozen=True)
class FieldEdit:
    """The admin's settings for one field.

    `value` and `file` are what a locked or hidden field sends; if both are unset, it sends the app's current default.
    If the field has options, `value` and `options` are exact labels.
    """

    label: str = ""
    help: str = ""
    mode: str = FieldRule.Mode.OPEN
    value: str | None = None
    file: StoredFile | None = None
    options: Sequence[str] = ()


@dataclass(frozen=True)
class AppEdit:
    """The admin's settings for an app. `fields` maps each field's name in the form ("p0") to its settings."""

    is_hidden: bool = False
    roles: Sequence[str] = ()  # empty means all
    name: str = ""  # empty means Lamina's own; the same goes for `line` and for labels
    line: str = ""
    group: str = ""
    house_rules: str = ""
    fields: Mapping[str, FieldEdit] = field(default_factory=dict)


@dataclass(frozen=True)
class FieldLine:
    """One of an app's fields with the admin's rule for it, for the admins' page. `plain` is the field without the
    rule."""

    question: Question
    plain: Question
    row: FieldRule | None


def rule_of(app: App) -> AppRule:
    """Return the admin's rules for `app`; an unsaved row if there are none."""
    return AppRule.of(app) or AppRule(app=app)


def field_lines(app: App) -> list[FieldLine]:
    """Return the fields in the form of `app`, in the author's order, with their rules."""
    rows = _rows_by_position(app, app.questions)
    ruled = zip(form_questions(app), app.questions, strict=True)
    return [FieldLine(question, plain, rows.get(plain.position)) for question, plain in ruled]


def lost_rules(app: App) -> list[FieldRule]:
    """Return the rules for fields that the form of `app` no longer has. A rule applies again if its field comes
    back."""
    current = {row.pk for row in _rows_by_position(app, app.questions).values()}
    return [row for row in app.field_rules.select_related("file") if row.pk not in current]


@transaction.atomic
def save_rules(app: App, admin: Member, edit: AppEdit, version: int, now: datetime) -> AppRule:
    """Save `edit`; fields that it doesn't mention keep their rules.

    `version` is the version of the rules on the admin's page. If anything has changed since that version, raises
    `RulesChangedError`; if anything can't be saved, raises `RulesRejectedError`. Either way, nothing is saved.
    """
    rule = _locked_rule(app, version)
    questions = app.questions
    if errors := _errors(edit, questions):
        raise RulesRejectedError(errors)
    rule.is_hidden, rule.shown_to = edit.is_hidden, _stored_roles(edit.roles)
    rule.name, rule.line, rule.group = edit.name.strip(), edit.line.strip(), edit.group.strip()
    rule.house_rules = edit.house_rules
    _save(rule, admin, now)
    rows, hidden = _rows_by_position(app, questions), _hidden_values(app)
    for question in questions:
        if (field := edit.fields.get(question.field_name)) is not None:
            _save_field(app, question, rows.get(question.position), field)
    if _hidden_values(app) - hidden:
        _hide_earlier(rule, now)
    _show_words(app, rule)
    check_pause(app, now)
    return rule


@transaction.atomic
def reset_rules(app: App, admin: Member, version: int, now: datetime) -> AppRule:
    """Reset the app to Lamina's version: visible to everyone, with Lamina's name, line and fields. It keeps its place
    in the list.

    Raises `RulesChangedError`.
    """
    rule = _locked_rule(app, version)
    rule.is_hidden, rule.shown_to, rule.name, rule.line, rule.house_rules = False, "", "", "", ""
    _save(rule, admin, now)
    app.field_rules.all().delete()
    _show_words(app, rule)
    check_pause(app, now)
    return rule


@transaction.atomic
def forget_field(app: App, admin: Member, row: FieldRule, now: datetime) -> None:
    """Delete the rule for a field that the app no longer has."""
    rule = _locked_rule(app, None)
    row.delete()
    _save(rule, admin, now)
    check_pause(app, now)


def record_outside_change(apps: Collection[int]) -> None:
    """Record a change to these apps (primary keys) outside their rules, so that pages opened earlier notice it.

    Call this while the apps are locked. The version is part of an app's rules, so an app without rules gets some that
    have no effect.
    """
    AppRule.objects.bulk_create([AppRule(app_id=app) for app in apps], ignore_conflicts=True)
    rules = AppRule.objects.filter(app__in=apps)
    rules.update(version=F("version") + 1, changed_by=current_actor().member_id, changed_at=timezone.now())


def _locked_rule(app: App, version: int | None) -> AppRule:
    """Return the rules to change, locked for this transaction. The app is locked before its rules, in the same order as
    when a form is stored."""
    _lock_app(app)
    AppRule.objects.get_or_create(app=app)
    rule = AppRule.objects.select_for_update().get(app=app)
    if version is not None and rule.version != version:
        raise RulesChangedError
    return rule


def _lock_app(app: App) -> None:
    """Lock `app` and reload its text and `makes`. Raise `RulesChangedError` if its form has been updated in the
    meantime, because fields are found by their position in the form."""
    locked = App.objects.select_for_update(of=("self",), no_key=True).get(pk=app.pk)
    if locked.schema_id != app.schema_id:
        raise RulesChangedError
    for name in ("name", "description", "remote_name", "remote_description", "makes"):
        setattr(app, name, getattr(locked, name))


def _save(rule: AppRule, admin: Member, now: datetime) -> None:
    rule.version += 1
    rule.changed_by, rule.changed_at = admin, now
    rule.save()


def _hide_earlier(rule: AppRule, now: datetime) -> None:
    """Have a worker hide the newly hidden inputs in earlier runs too (`engine.hide_inputs`)."""
    AppRule.objects.filter(pk=rule.pk).update(hiding_due_at=now)
    enqueue_long("hide_inputs", timeout_seconds=HIDING_SECONDS)


def _hidden_values(app: App) -> set[str]:
    """Return the hidden fields of `app` and what they send, as strings that can be compared."""
    hidden = FieldRule.objects.filter(app=app, mode=FieldRule.Mode.HIDDEN)
    return {repr(row) for row in hidden.values_list("key", "parameter_id", "name", "value", "file")}


def _stored_roles(roles: Sequence[str]) -> str:
    """Return `roles` as they are stored; "" means all roles. Admins see every app anyway."""
    chosen_roles = [role for role in Member.Role.values if role in roles and role != Member.Role.ADMIN]
    is_all = len(chosen_roles) == len(Member.Role.values) - 1
    return "" if is_all or not roles else f" {' '.join(chosen_roles or [Member.Role.ADMIN])} "


def _show_words(app: App, rule: AppRule) -> None:
    """Set the name and line that everyone sees and that search uses: the admin's if set, otherwise Lamina's."""
    is_known = bool(app.remote_name)
    name, description = (app.remote_name, app.remote_description) if is_known else (app.name, app.description)
    words = shown_words(rule, name, description)
    App.objects.filter(pk=app.pk).update(**words, search_text=search_text_of(app, words))
    app.refresh_from_db(fields=[*words, "search_text"])


def _rows_by_position(app: App, questions: Sequence[Question]) -> dict[int, FieldRule]:
    rows = [(as_rule(row), row) for row in app.field_rules.select_related("file")]
    rules = match_rules(questions, [rule for rule, _row in rows]).by_position
    return {position: next(row for one, row in rows if one is rule) for position, rule in rules.items()}


# --- fields -----------------------------------------------------------------------------------------------------------
def _save_field(app: App, question: Question, row: FieldRule | None, edit: FieldEdit) -> None:
    value, file = _fixed_value(question, edit)
    options = [option for option in question.options if option in edit.options]
    fields = {
        "key": question.key,
        "parameter_id": question.id,
        "name": question.name,
        "type": question.type[:50],
        "label": edit.label.strip(),
        "help": edit.help.strip(),
        "mode": edit.mode,
        "value": value,
        "file": file,
        "options": options if edit.mode == FieldRule.Mode.OPEN and set(options) != set(question.options) else [],
    }
    is_plain = edit.mode == FieldRule.Mode.OPEN and not (fields["label"] or fields["help"] or fields["options"])
    if row is not None and is_plain:
        row.delete()
    elif not is_plain:
        FieldRule(pk=row.pk if row else None, app=app, **fields).save()


def _fixed_value(question: Question, edit: FieldEdit) -> tuple[str | None, StoredFile | None]:
    """Return what a locked or hidden field sends. If no value is given, it's the app's current default, which we store
    because Lamina may change it. Empty text is never sent, so it means the default too. A default picture isn't stored
    with the rule."""
    if edit.mode == FieldRule.Mode.OPEN:
        return None, None
    if question.kind == "url":
        return None, edit.file
    is_text = question.kind == "text"
    is_empty = edit.value is None or (is_text and not edit.value)
    return (_own_value(question) if is_empty else edit.value), None


def _own_value(question: Question) -> str | None:
    """Return the app's default as a string if it's text, a number or one of the options; otherwise None."""
    if question.kind == "options":
        return None if question.default_option is None else question.options[question.default_option]
    return question.prefill if isinstance(question.default, str | int | float) else None


def _errors(edit: AppEdit, questions: Sequence[Question]) -> dict[str, str]:
    """Return error messages for `edit`, by field."""
    lengths = {
        "name": (edit.name, NAME_LENGTH),
        "line": (edit.line, LINE_LENGTH),
        "group": (edit.group, GROUP_LENGTH),
        "house_rules": (edit.house_rules, HOUSE_RULES_LENGTH),
    }
    errors = {name: _too_long(limit) for name, (text, limit) in lengths.items() if len(text) > limit}
    for question in questions:
        field = edit.fields.get(question.field_name)
        if field is not None and (sentence := _field_error(question, field, questions)):
            errors[question.field_name] = sentence
    return errors


def _too_long(limit: int) -> str:
    return _("Shorten this to %(limit)s characters.") % {"limit": number_words(limit)}


def _field_error(question: Question, edit: FieldEdit, questions: Sequence[Question]) -> str:
    if len(edit.label) > LABEL_LENGTH:
        return _("Shorten the label to %(limit)s characters.") % {"limit": number_words(LABEL_LENGTH)}
    if len(edit.help) > HELP_LENGTH:
        return _("Shorten the help text to %(limit)s characters.") % {"limit": number_words(HELP_LENGTH)}
    if edit == FieldEdit():
        return ""
    handles = Rule(key=question.key, id=question.id, name=question.name)
    if question.position not in match_rules(questions, [handles]).by_position:
        return _("Another field has the same name, so a rule can't tell them apart.")
    if edit.mode == FieldRule.Mode.OPEN:
        is_none_left = bool(edit.options) and not set(edit.options) & set(question.options)
        return str(NONE_ALLOWED) if is_none_left else ""
    value, file = _fixed_value(question, edit)
    if value is None and file is None:
        words = _("The app has no default for this field. Set a value, or leave the field open.")
        return "" if question.kind == "url" and question.default is not None else words
    if question.kind == "options" and value not in question.options:
        return _("Choose one of the listed options.")
    if file is not None and question.accept and file.kind not in question.accept:
        return _("This field doesn't accept this kind of file. Choose a different file.")
    return ""
