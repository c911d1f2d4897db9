"""Saves an admin's settings for apps in tests."""

from typing import Any

from django.utils import timezone

from runs import catalog
from runs.catalog.app_settings import PLAIN_FIELDS, AppSettings, FieldSettings
from runs.catalog.save_app_settings import save_settings
from runs.lamina.types import AppDetail
from runs.models import App, AppRule, Member


def set_rules(
    app: App, admin: Member, *, version: int | None = None, opened: App | None = None, **wanted: Any
) -> AppRule:
    """Save the settings in `wanted` as an admin would: `p0=FieldSettings(…)` for a field, `is_hidden=True` and the like
    for the app. `opened` is the app as it was when the admin opened its page."""
    fields = {name: edit for name, edit in wanted.items() if isinstance(edit, FieldSettings)}
    others = {name: value for name, value in wanted.items() if name not in fields}
    plain = {field.name: others.pop(field.name, field.get_default()) for field in PLAIN_FIELDS}
    if version is None:
        version = AppRule.objects.filter(app=app).values_list("version", flat=True).first() or 0
    opened = opened or App.objects.select_related("schema").get(pk=app.pk)
    settings = AppSettings(plain, asks_review=opened.asks_review, price=opened.price, fields=fields, **others)
    return save_settings(opened, admin, settings, version, timezone.now())


def locked(value: str | None = None, **more: Any) -> FieldSettings:
    return FieldSettings(mode="locked", value=value, **more)


def hidden(value: str | None = None, **more: Any) -> FieldSettings:
    return FieldSettings(mode="hidden", value=value, **more)


def send_form(app: App, parameters: list[dict[str, Any]], **fields: Any) -> None:
    """Store a different form for `app`, as if Lamina had sent it."""
    known = App.objects.select_related("schema").get(pk=app.pk)
    outputs = known.schema.outputs if known.schema else []
    given = {"appId": app.remote_id, "name": "Cartoonify!", "parameters": parameters, "outputs": outputs} | fields
    catalog.store_detail(known, AppDetail.model_validate(given))
