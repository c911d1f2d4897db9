"""An admin's settings for an app: who sees it, what people read about it, and what its fields accept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from runs.audit.record import values_of
from runs.catalog.form_rules import as_rule, form_questions
from runs.models import App, AppRule, FieldRule, StoredFile
from runs.schema_forms.field_rules import match_rules
from runs.schema_forms.questions import Question

PLAIN_FIELDS = [field for field in AppRule._meta.concrete_fields if field.name in AppRule.PLAIN]


@dataclass(frozen=True)
class FieldSettings:
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
class AppSettings:
    """All of the admins' settings for one app, as stored or as posted.

    `plain` has a value for each of `AppRule.PLAIN`; an empty text means Lamina's own. `fields` maps each field's name
    in the form ("p0") to its settings, and `forget` lists the rules to delete because their fields no longer exist.
    """

    plain: Mapping[str, Any]
    is_hidden: bool = False
    roles: Sequence[str] = ()  # empty means all
    asks_review: bool = False
    price: Decimal | None = None  # in credits; used if Lamina gives no estimate
    fields: Mapping[str, FieldSettings] = field(default_factory=dict)
    forget: Sequence[FieldRule] = ()


@dataclass(frozen=True)
class FieldLine:
    """One of an app's fields with the admin's rule for it, for the admins' page. `plain` is the field without the
    rule."""

    question: Question
    plain: Question
    row: FieldRule | None

    @property
    def stored(self) -> FieldSettings:
        row = self.row
        if row is None:
            return FieldSettings()
        return FieldSettings(row.label, row.help, row.mode, row.value, row.file, tuple(row.options))


def rule_of(app: App) -> AppRule:
    """Return the admin's rules for `app`; an unsaved row if there are none."""
    return AppRule.of(app) or AppRule(app=app)


def stored_settings(app: App, lines: Sequence[FieldLine]) -> AppSettings:
    """Return the stored settings for `app`; `lines` are its fields."""
    rule = rule_of(app)
    fields = {line.plain.field_name: line.stored for line in lines}
    plain = values_of(rule, *AppRule.PLAIN)
    return AppSettings(plain, rule.is_hidden, rule.roles, app.asks_review, app.price, fields)


def field_lines(app: App) -> list[FieldLine]:
    """Return the fields in the form of `app`, in the author's order, with their rules."""
    rows = rows_by_position(app)
    ruled = zip(form_questions(app), app.questions, strict=True)
    return [FieldLine(question, plain, rows.get(plain.position)) for question, plain in ruled]


def lost_rules(app: App) -> list[FieldRule]:
    """Return the rules for fields that the form of `app` no longer has. A rule applies again if its field comes
    back."""
    current = {row.pk for row in rows_by_position(app).values()}
    return [row for row in app.field_rules.select_related("file") if row.pk not in current]


def rows_by_position(app: App) -> dict[int, FieldRule]:
    """Return the stored rules for the fields in the form of `app`, by the field's position."""
    rows = [(as_rule(row), row) for row in app.field_rules.select_related("file")]
    rules = match_rules(app.questions, [rule for rule, _row in rows]).by_position
    return {position: next(row for one, row in rows if one is rule) for position, rule in rules.items()}
