"""What the page on which admins shape an app holds: as stored, or as posted, with what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db import transaction

from runs.catalog import app_rules
from runs.catalog.app_rules import AppEdit, FieldEdit, FieldLine
from runs.models import App, AppRule, FieldRule, Member


@dataclass(frozen=True)
class Shape:
    """Everything that admins set for one app. `forget` has the rules to delete whose field is gone."""

    edit: AppEdit
    asks_review: bool = False
    forget: list[FieldRule] = field(default_factory=list)


def stored_shape(app: App, lines: list[FieldLine]) -> Shape:
    """Return what is stored for `app`; `lines` are its fields."""
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
    return Shape(edit, app.asks_review)


def field_edit(row: FieldRule | None) -> FieldEdit:
    """Return the rule of a field as the page has it."""
    if row is None:
        return FieldEdit()
    return FieldEdit(row.label, row.help, row.mode, row.value, row.file, tuple(row.options))


@transaction.atomic
def save_shape(app: App, admin: Member, shape: Shape, version: int, now: datetime) -> AppRule:
    """Save `shape`, all or nothing. Raises `RulesChangedError` and `RulesRejectedError`."""
    before = app_rules.rule_of(app).group
    rule = app_rules.save_rules(app, admin, shape.edit, version, now)
    if rule.group != before:  # its place was one among other apps
        AppRule.objects.filter(pk=rule.pk).update(position=None)
    for row in shape.forget:
        app_rules.forget_field(app, admin, row, now)
    if app.asks_review != shape.asks_review:
        App.objects.filter(pk=app.pk).update(asks_review=shape.asks_review)
    return rule


def with_fields(shape: Shape, fields: Mapping[str, FieldEdit]) -> Shape:
    """Return `shape` with other fields."""
    return replace(shape, edit=replace(shape.edit, fields=fields))
