"""Save or reset what an admin has set for an app, and record it."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from runs.audit.actors import current_actor
from runs.audit.record import differences, record, values_of
from runs.background.queue import enqueue_long
from runs.catalog.app_settings import PLAIN_FIELDS, AppSettings, FieldSettings, rows_by_position, rule_of
from runs.catalog.pauses import check_pause
from runs.catalog.summaries import search_text_of, shown_words
from runs.models import App, AppRule, FieldRule, Member, StoredFile, Verb
from runs.models.app_rules import HELP_LENGTH, LABEL_LENGTH
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


@transaction.atomic
def save_settings(app: App, admin: Member, settings: AppSettings, version: int, now: datetime) -> AppRule:
    """Save `settings`; fields that they don't mention keep their rules.

    `version` is the version of the rules on the admin's page. If anything has changed since that version, raises
    `RulesChangedError`; if anything can't be saved, raises `RulesRejectedError`. Either way, nothing is saved.
    """
    rule, questions = _locked_rule(app, version), app.questions
    if errors := _errors(settings, questions):
        raise RulesRejectedError(errors)
    before = _recorded(app)
    if rule.group != settings.plain["group"]:  # its old place was in another group, so clear it
        rule.position = None
    for name in AppRule.PLAIN:
        setattr(rule, name, settings.plain[name])
    rule.is_hidden, rule.shown_to = settings.is_hidden, _stored_roles(settings.roles)
    App.objects.filter(pk=app.pk).update(asks_review=settings.asks_review, price=settings.price)
    rows, hidden = rows_by_position(app), _hidden_values(app)
    for question in questions:
        if (field := settings.fields.get(question.field_name)) is not None:
            _save_field(app, question, rows.get(question.position), field)
    if _hidden_values(app) - hidden:
        _hide_earlier(rule, now)
    app.field_rules.filter(pk__in=[row.pk for row in settings.forget]).delete()
    _save(app, rule, admin, now)
    if changes := differences(before, _recorded(app)):
        record(Verb.APP_SHAPED, app, changes=changes)
    return rule


@transaction.atomic
def reset_settings(app: App, admin: Member, version: int, now: datetime) -> None:
    """Reset the app to Lamina's version: visible to everyone, with Lamina's name, line and fields. It keeps its place
    in the list.

    Raises `RulesChangedError`.
    """
    rule = _locked_rule(app, version)
    before = _recorded(app)
    for field in PLAIN_FIELDS:
        if field.name != "group":
            setattr(rule, field.name, field.get_default())
    rule.is_hidden, rule.shown_to = False, ""
    app.field_rules.all().delete()
    _save(app, rule, admin, now)
    record(Verb.APP_RESET, app, changes=differences(before, _recorded(app)))


def record_outside_change(apps: Collection[int]) -> None:
    """Record a change to these apps (primary keys) outside their rules, so that pages opened earlier notice it.

    Call this while the apps are locked. The version is part of an app's rules, so an app without rules gets some that
    have no effect.
    """
    AppRule.objects.bulk_create([AppRule(app_id=app) for app in apps], ignore_conflicts=True)
    rules = AppRule.objects.filter(app__in=apps)
    rules.update(version=F("version") + 1, changed_by=current_actor().member_id, changed_at=timezone.now())


def _locked_rule(app: App, version: int) -> AppRule:
    """Return the rules to change, locked for this transaction. The app is locked before its rules, in the same order as
    when a form is stored."""
    _lock_app(app)
    AppRule.objects.get_or_create(app=app)
    rule = AppRule.objects.select_for_update().get(app=app)
    if rule.version != version:
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


def _save(app: App, rule: AppRule, admin: Member, now: datetime) -> None:
    rule.version += 1
    rule.changed_by, rule.changed_at = admin, now
    rule.save()
    _show_words(app, rule)
    check_pause(app, now)


def _hide_earlier(rule: AppRule, now: datetime) -> None:
    """Have a worker hide the newly hidden inputs in earlier runs too (`engine.hide_inputs`)."""
    rule.hiding_due_at = now
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


# --- fields -----------------------------------------------------------------------------------------------------------
def _save_field(app: App, question: Question, row: FieldRule | None, edit: FieldSettings) -> None:
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


def _fixed_value(question: Question, edit: FieldSettings) -> tuple[str | None, StoredFile | None]:
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


def _errors(settings: AppSettings, questions: Sequence[Question]) -> dict[str, str]:
    """Return error messages for `settings`, by field."""
    errors = {
        field.name: _too_long(field.max_length)
        for field in PLAIN_FIELDS
        if field.max_length and len(settings.plain[field.name]) > field.max_length
    }
    for question in questions:
        field = settings.fields.get(question.field_name)
        if field is not None and (sentence := _field_error(question, field, questions)):
            errors[question.field_name] = sentence
    return errors


def _too_long(limit: int) -> str:
    return _("Shorten this to %(limit)s characters.") % {"limit": number_words(limit)}


def _field_error(question: Question, edit: FieldSettings, questions: Sequence[Question]) -> str:
    if len(edit.label) > LABEL_LENGTH:
        return _("Shorten the label to %(limit)s characters.") % {"limit": number_words(LABEL_LENGTH)}
    if len(edit.help) > HELP_LENGTH:
        return _("Shorten the help text to %(limit)s characters.") % {"limit": number_words(HELP_LENGTH)}
    if edit == FieldSettings():
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


# --- the record -------------------------------------------------------------------------------------------------------
def _recorded(app: App) -> dict[str, Any]:
    """Return all stored settings for `app`, so that the record can show what has changed."""
    stored = App.objects.select_related("rule").get(pk=app.pk)
    rule = rule_of(stored)
    rows = stored.field_rules.select_related("file")
    return {
        **values_of(rule, *AppRule.PLAIN),
        "is_hidden": rule.is_hidden,
        "roles": rule.roles,
        "asks_review": stored.asks_review,
        "price": stored.price,
        "fields": {_field_name(row): _rule_values(row) for row in rows},
    }


def _field_name(row: FieldRule) -> str:
    """Return the name that the record uses for a rule's field. It includes the key or id, because several fields in a
    form may have the same name."""
    return " · ".join(filter(None, (row.name, row.key or row.parameter_id)))


def _rule_values(row: FieldRule) -> dict[str, Any]:
    """Return what a rule sets, keyed by setting. Of a value, only one of the app's own options is recorded. Any other
    could be anything, so the record just says that there is one (`audit.record.TYPED`)."""
    settings = {"label": row.label, "help": row.help, "mode": row.mode, "options": row.options}
    if row.type == "options":
        settings["choice"] = row.value
    else:  # stored as text, so that `false` and 0 count as values too
        settings["value"] = "" if row.value is None else json.dumps(row.value)
    return {name: value for name, value in (settings | {"file": row.file and row.file.name}).items() if value}
