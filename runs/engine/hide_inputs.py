"""When an admin hides a value in a form, hide the same value in earlier runs too.

Only inputs equal to the hidden value are hidden, for example in runs made while the field was locked to that value.
Other values that people entered stay visible. The hidden value also disappears from search, cards and files.
`AppRule.hiding_due_at` records that an app's runs still need checking, so losing the task does no harm.
"""

from collections.abc import Iterator, Sequence

from django.db import transaction
from django.db.models import Q, QuerySet

from runs.background.due_work import DueWork, Slot
from runs.engine.input_summary import summarise
from runs.models import App, AppRule, FieldRule, Member, Run, RunInput, StoredFile, Upload
from runs.models.run import RunInputUpload

SLICE = 200


def _next_rule() -> AppRule | None:
    return AppRule.objects.filter(hiding_due_at__isnull=False).select_related("app").first()


def _hide_for(rule: AppRule, slot: Slot) -> None:
    """Check all runs of an app. If the worker is stopped, the next one starts over, but has less left to do."""
    fields = list(FieldRule.objects.filter(app=rule.app, mode=FieldRule.Mode.HIDDEN).select_related("file"))
    telling = _telling(fields)
    for runs in _slices(rule.app) if fields else ():  # no runs if the admin has made the fields visible again
        if not slot.is_kept():
            return
        for run in Run.objects.filter(pk__in=telling.filter(run__in=runs).values("run")).order_by("pk"):
            _hide(run, telling)
    _hide_uploads([field.file for field in fields if field.file])
    AppRule.objects.filter(pk=rule.pk, hiding_due_at=rule.hiding_due_at).update(hiding_due_at=None)


def _slices(app: App) -> Iterator[list[int]]:
    """Yield the primary keys of all runs of `app`, including those in the bin, in batches."""
    runs, last = Run.objects.filter(app=app).order_by("pk"), 0
    while pks := list(runs.filter(pk__gt=last).values_list("pk", flat=True)[:SLICE]):
        last = pks[-1]
        yield pks


@transaction.atomic
def _hide(run: Run, telling: QuerySet[RunInput]) -> None:
    telling.filter(run=run).update(is_hidden=True)
    summarise(run)


def _telling(fields: Sequence[FieldRule]) -> QuerySet[RunInput]:
    """Return inputs that are still visible even though they contain a value from one of the hidden `fields`."""
    condition = Q(pk__in=())
    for field in fields:
        condition |= _field_of(field) & _value_of(field)
    return RunInput.objects.filter(condition, is_hidden=False)


def _field_of(rule: FieldRule) -> Q:
    """Return a condition for inputs of the rule's field. Matching any one of the field's identifiers is enough, because
    it is better to hide too many inputs than too few."""
    handles = {"key": rule.key, "parameter_id": rule.parameter_id, "name": rule.name}
    condition = Q(pk__in=())
    for name, handle in handles.items():
        if handle:
            condition |= Q(**{name: handle})
    return condition


def _value_of(rule: FieldRule) -> Q:
    if rule.file is not None:
        files = RunInputUpload.objects.filter(upload__file__sha256=rule.file.sha256)
        return Q(pk__in=files.values("input"))
    return Q(is_default=True) if rule.value is None else Q(value=rule.value)


def _hide_uploads(files: Sequence[StoredFile]) -> None:
    """Hide uploads that runs made from pictures that are now hidden. Leave out admins' uploads, and uploads that their
    owners also use elsewhere."""
    uploads = Upload.objects.filter(file__in=files, is_hidden=False, presets=None)
    used = RunInputUpload.objects.filter(upload__file__in=files)
    hidden, visible = (used.filter(input__is_hidden=is_hidden).values("upload") for is_hidden in (True, False))
    uploads = uploads.filter(pk__in=hidden).exclude(pk__in=visible).exclude(member__role=Member.Role.ADMIN)
    Upload.objects.filter(pk__in=uploads.values("pk")).update(is_hidden=True)


HIDING = DueWork("hide_inputs", lambda: _next_rule() is not None, _next_rule, _hide_for)
