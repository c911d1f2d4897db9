"""The admin's rules for an app's fields, converted to the type that forms and runs use (`Rule`)."""

import hashlib
from collections.abc import Sequence

from django.db.models import Prefetch, prefetch_related_objects

from runs.models import App, AppRule, AppSchema, FieldRule, StoredFile
from runs.models.app import AppQuerySet
from runs.schema_forms.field_rules import ruled_questions
from runs.schema_forms.questions import Question
from runs.schema_forms.types import Rule, UploadInfo


def rules_of(app: App) -> list[Rule]:
    """Return the rules for the fields of `app`, including fields that its form no longer has.

    The rules are read once for each `App` instance. If the app has no rules or was loaded `with_rules`, no query is
    needed.
    """
    return [as_rule(row) for row in _rows(app)]


def form_questions(app: App, schema: AppSchema | None = None) -> Sequence[Question]:
    """Return the questions of the app's form (or of an earlier version of it, `schema`), each with the admin's rule for
    it."""
    return ruled_questions((schema or app).questions, rules_of(app))


def with_rules(apps: AppQuerySet) -> AppQuerySet:
    """Return `apps` as a query that also loads their rules."""
    return apps.select_related("rule").prefetch_related(_field_rules())


def locked_files(app: App) -> dict[str, StoredFile]:
    """Return the pictures that the rules of `app` set for locked or hidden fields, keyed by their id in `Rule.file`."""
    return {row.file.public_id: row.file for row in _rows(app) if row.file}


def _rows(app: App) -> list[FieldRule]:
    if AppRule.of(app) is None:  # apps without an `AppRule` row have no field rules either
        return []
    prefetch_related_objects([app], _field_rules())
    return list(app.field_rules.all())


def _field_rules() -> "Prefetch[str]":
    return Prefetch("field_rules", FieldRule.objects.select_related("file"))


def as_rule(row: FieldRule) -> Rule:
    """Convert `row` for use in forms. A locked picture can be shown even though it isn't anyone's upload yet."""
    return Rule(
        key=row.key,
        id=row.parameter_id,
        name=row.name,
        label=row.label,
        help=row.help,
        mode=row.mode,
        value=row.value,
        file=locked_file(row.file) if row.file else None,
        options=tuple(row.options),
    )


def locked_file(stored: StoredFile) -> UploadInfo:
    """Return what a form needs to show `stored` as the picture in a locked field."""
    return UploadInfo(
        id=stored.public_id,
        name=stored.name,
        status="ready",
        kind=stored.kind,
        size_bytes=stored.size_bytes,
        small_url=stored.small_url,
        card_url=stored.card_url,
        width=stored.width,
        height=stored.height,
        picture_follows=stored.picture_follows,
    )


def form_version(app: App, schema: AppSchema) -> str:
    """Return the version of the app's form: the version of its parameters and, if there are rules, a short hash of
    them, so that a form can tell whether they have changed."""
    values = [
        (r.key, r.id, r.name, r.label, r.help, r.mode, r.value, r.file.id if r.file else "", r.options)
        for r in rules_of(app)
    ]
    if not values:
        return schema.version
    return f"{schema.version}.{hashlib.sha256(repr(values).encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
