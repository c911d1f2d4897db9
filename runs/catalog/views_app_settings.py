"""The page where admins set up an app: its name, who sees it, and what its fields accept."""

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from runs.catalog import arrange, forms_app_settings, pages_app_settings
from runs.catalog.app_settings import PLAIN_FIELDS, AppSettings, field_lines, lost_rules, rule_of, stored_settings
from runs.catalog.forms_app_settings import PostedSettings, ResetForm
from runs.catalog.save_app_settings import RulesChangedError, RulesRejectedError, reset_settings, save_settings
from runs.display.app_changes import change_days
from runs.display.managed_apps import audience_of
from runs.models import App, AppRule, Member
from runs.models.app_rules import HELP_LENGTH, LABEL_LENGTH
from runs.team.reauthentication import recent_password_required
from runs.web.body_limits import takes_files
from runs.web.http import PortalRequest, admins_only, go_to, render_page

LIMITS = {field.name: field.max_length for field in PLAIN_FIELDS} | {"label": LABEL_LENGTH, "help": HELP_LENGTH}


@takes_files
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admins_only
@recent_password_required
def manage_app(request: PortalRequest, slug: str, app_id: str) -> HttpResponse:
    """GET shows the app's settings; POST saves them, or shows the page again with everything that was entered."""
    app = _app(app_id)
    if request.method == "POST":
        posted = forms_app_settings.read_settings(request.user, app, request.POST.copy(), request.FILES)
        return _save(request, app, posted)
    if slug != app.slug:
        return redirect("runs:manage-app", app.slug, app.public_id)
    return _page(request, app)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@admins_only
@recent_password_required
def manage_app_reset(request: PortalRequest, app_id: str) -> HttpResponse:
    """GET asks whether to reset the app to Lamina's version; POST resets it, unless the rules have changed since."""
    app = _app(app_id)
    if request.method == "POST":
        try:
            reset_settings(app, request.user, ResetForm.read(request.POST)["seen"], timezone.now())
        except RulesChangedError:
            words = _("Someone has changed this app since you opened it. Review the changes before you reset it.")
            messages.info(request, words)
        else:
            messages.success(request, _("The app was reset to match Lamina."))
        return go_to(request, _url(app))
    lines = field_lines(app)
    parts = pages_app_settings.parts_of(lines, stored_settings(app, lines).fields, {}, None)
    changed = [part for part in parts if part.is_changed]
    context = {
        "section": "manage",
        "app": app,
        "rule": rule_of(app),
        "changed": changed,
        "lost": lost_rules(app),
        "back_url": _url(app),
    }
    return render_page(request, "catalog/manage_app_reset.html", context)


def _app(app_id: str) -> App:
    apps = App.objects.select_related("schema", "thumbnail", "rule__changed_by")
    return get_object_or_404(apps, public_id=app_id)


def _url(app: App) -> str:
    return reverse("runs:manage-app", args=[app.slug, app.public_id])


def _save(request: PortalRequest, app: App, posted: PostedSettings) -> HttpResponse:
    """Save what was posted, unless it has errors or the app has changed since the page was opened."""
    errors = posted.errors
    if not errors and not posted.is_older:
        try:
            save_settings(app, request.user, posted.settings, posted.version, timezone.now())
        except RulesChangedError:
            present = _app(app.public_id)
            posted = forms_app_settings.fitted(posted, app.schema, present.schema)
            return _page(request, present, posted, is_overtaken=rule_of(present).version != posted.version)
        except RulesRejectedError as rejected:
            errors = rejected.errors
        else:
            messages.success(request, _("Saved. Your changes apply from now on."))
            return go_to(request, _url(app))
    return _page(request, _app(app.public_id), posted, errors=errors)


def _page(
    request: PortalRequest,
    app: App,
    posted: PostedSettings | None = None,
    *,
    errors: dict[str, str] | None = None,
    is_overtaken: bool = False,
) -> HttpResponse:
    """Show the page with the posted settings, if any, or with the stored ones. `is_overtaken` means that another admin
    has saved changes since the page was opened."""
    lines = field_lines(app)
    stored = stored_settings(app, lines)
    settings, rule = posted.settings if posted else stored, rule_of(app)
    errors_now = errors or {}
    parts = pages_app_settings.parts_of(lines, settings.fields, errors_now, stored.fields if is_overtaken else None)
    context = {
        "section": "manage",
        "app": app,
        "own_name": app.remote_name or app.name,
        "own_line": app.remote_description or ("" if rule.line else app.description),
        "rule": rule,
        "audience_now": audience_of(rule),
        "settings": settings,
        "price": posted.price if posted else _number(settings.price),
        "audience": posted.audience if posted else _audience(settings),
        "roles": [(str(role), role.label, role in settings.roles) for role in Member.Role if role != "admin"],
        "parts": parts,
        "lost": lost_rules(app),
        "forget": [row.pk for row in settings.forget],
        "errors": errors_now,
        "error_list": _error_list(errors_now, parts),
        "is_overtaken": is_overtaken,
        "meanwhile": _meanwhile(stored, settings) if is_overtaken else {},
        "is_older": posted is not None and posted.is_older,
        "change_days": change_days(app),
        "group_names": arrange.group_names(),
        "limits": LIMITS,
        "reset_url": reverse("runs:manage-app-reset", args=[app.public_id]),
    }
    is_refused = bool(errors_now) or is_overtaken or context["is_older"]
    return render_page(request, "catalog/manage_app.html", context, status=422 if is_refused else 200)


def _number(price: Decimal | None) -> str:
    return "" if price is None else number_format(price.normalize(), use_l10n=True)


def _audience(settings: AppSettings) -> str:
    if settings.is_hidden:
        return "hidden"
    return "some" if settings.roles else "all"


def _meanwhile(stored: AppSettings, settings: AppSettings) -> dict[str, str]:
    """Return the settings saved by another admin, where they differ from what was entered here."""
    now, entered = _words_of(stored), _words_of(settings)
    return {name: text or _("empty") for name, text in now.items() if text != entered[name]}


def _words_of(settings: AppSettings) -> dict[str, str]:
    """Return all settings except those for individual fields, as text."""
    values = {
        **settings.plain,
        "audience": audience_of(AppRule(is_hidden=settings.is_hidden, shown_to=" ".join(settings.roles))).words,
        "asks": settings.asks_review,
        "price": _number(settings.price),
    }
    return {name: {True: _("Yes"), False: _("No")}.get(value, value) for name, value in values.items()}


def _error_list(errors: dict[str, str], parts: list[Any]) -> list[tuple[str, str, str]]:
    """Return each error's target id, label and sentence."""
    labels = {**AppRule.PLAIN, "audience": _("Who sees it"), "price": _("Price")}
    of_app = [(f"settings-{name}", str(label), errors[name]) for name, label in labels.items() if name in errors]
    return of_app + [(f"{part.name}-field", part.label, part.error) for part in parts if part.error]
