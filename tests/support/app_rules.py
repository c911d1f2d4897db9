"""Sets an admin's rules for apps in tests."""

from dataclasses import replace
from typing import Any

from django.utils import timezone

from runs import catalog
from runs.catalog import app_rules
from runs.catalog.app_rules import AppEdit, FieldEdit
from runs.lamina.types import AppDetail
from runs.models import App, AppRule, Member


def set_rules(app: App, admin: Member, *, version: int | None = None, **wanted: Any) -> AppRule:
    """Save the rules in `wanted` as an admin would: `p0=FieldEdit(…)` for a field, `is_hidden=True` and the like for
    the app."""
    fields = {name: edit for name, edit in wanted.items() if isinstance(edit, FieldEdit)}
    edit = replace(AppEdit(fields=fields), **{name: value for name, value in wanted.items() if name not in fields})
    known = AppRule.objects.filter(app=app).first()
    at = version if version is not None else known.version if known else 0
    fresh = App.objects.select_related("schema").get(pk=app.pk)
    return app_rules.save_rules(fresh, admin, edit, at, timezone.now())


def locked(value: str | None = None, **more: Any) -> FieldEdit:
    return FieldEdit(mode="locked", value=value, **more)


def hidden(value: str | None = None, **more: Any) -> FieldEdit:
    return FieldEdit(mode="hidden", value=value, **more)


def send_form(app: App, parameters: list[dict[str, Any]], **fields: Any) -> None:
    """Store a different form for `app`, as if Lamina had sent it."""
    known = App.objects.select_related("schema").get(pk=app.pk)
    outputs = known.schema.outputs if known.schema else []
    given = {"appId": app.remote_id, "name": "Cartoonify!", "parameters": parameters, "outputs": outputs} | fields
    catalog.store_detail(known, AppDetail.model_validate(given))
