"""An admin's settings for an app, as stored or as posted."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from runs.audit.record import differences, record
from runs.catalog import app_rules
from runs.catalog.app_rules import AppEdit, FieldEdit, FieldLine
from runs.models import App, AppRule, FieldRule, Member, Verb


@dataclass(frozen=True)
class AppSettings:
    """All of the admins' settings for one app. `forget` lists the rules to delete because their fields no longer
    exist."""

    edit: AppEdit
    asks_review: bool = False
    price: Decimal | None = None  # in credits; used if Lamina gives no estimate
    forget: list[FieldRule] = field(default_factory=list)


def stored_settings(app: App, lines: list[FieldLine]) -> AppSettings:
    """Return the stored settings for `app`; `lines` are its fields."""
    rule = app_rules.rule_of(app)
    edit = AppEdit(
        is_hidden=rule.is_hidden,
        roles=rule.roles,
        name=rule.name,
        line=rule.line,
        group=rule.group,
        house_rules=rule.house_rules,
        fields={line.plain.field_name: field_edit(line.row) for line in lines},
    )
    return AppSettings(edit, app.asks_review, app.price)


def field_edit(row: FieldRule | None) -> FieldEdit:
    """Convert a field's rule for use on the settings page."""
    if row is None:
        return FieldEdit()
    return FieldEdit(row.label, row.help, row.mode, row.value, row.file, tuple(row.options))


@transaction.atomic
def save_settings(app: App, admin: Member, settings: AppSettings, version: int, now: datetime) -> None:
    """Save all of `settings`, or raise `RulesChangedError` or `RulesRejectedError` and save nothing."""
    before = _recorded(app)
    old_group = app_rules.rule_of(app).group
    rule = app_rules.save_rules(app, admin, settings.edit, version, now)
    if rule.group != old_group:  # its old place was in another group, so clear it
        AppRule.objects.filter(pk=rule.pk).update(position=None)
    for row in settings.forget:
        app_rules.forget_field(app, admin, row, now)
    if (app.asks_review, app.price) != (settings.asks_review, settings.price):
        App.objects.filter(pk=app.pk).update(asks_review=settings.asks_review, price=settings.price)
    if changes := differences(before, _recorded(app)):
        record(Verb.APP_SHAPED, app, changes=changes)


@transaction.atomic
def reset_settings(app: App, admin: Member, version: int, now: datetime) -> None:
    """Reset the app to Lamina's version. Raises `RulesChangedError`."""
    before = _recorded(app)
    app_rules.reset_rules(app, admin, version, now)
    record(Verb.APP_RESET, app, changes=differences(before, _recorded(app)))


def _recorded(app: App) -> dict[str, Any]:
    """Return all stored settings for `app`, so that the record can show what has changed."""
    stored = App.objects.select_related("rule").get(pk=app.pk)
    rule = app_rules.rule_of(stored)
    rows = stored.field_rules.select_related("file")
    return {
        "name": rule.name,
        "line": rule.line,
        "group": rule.group,
        "house_rules": rule.house_rules,
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
