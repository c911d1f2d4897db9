"""Reads one app by its id: its form, its estimate, and whether it still exists."""

import hashlib
from collections import Counter
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from runs.catalog import app_changes, app_list, bounds
from runs.catalog.pauses import check_pause
from runs.catalog.summaries import KINDS, makes_fields, shown_words
from runs.connection.lamina_api import lamina
from runs.connection.rate_limit import Priority
from runs.lamina.client import LaminaClient
from runs.lamina.errors import LaminaRejected, LaminaUnavailable
from runs.lamina.types import AppDetail
from runs.models import App, AppRule, AppSchema
from runs.models.ages import AHEAD
from runs.models.messages import Message
from runs.schema_forms.questions import shortened

REFUSED_IN_A_ROW = 3  # after this many refusals in a row, we assume that the individual apps aren't the reason


def read_detail(app: App, client: LaminaClient) -> bool:
    """Request `app` from Lamina by its id and save the response; return True if Lamina sent the app.

    A 404 from Lamina means that the app is gone; a 403 means that this workspace can't use it. Either way, we keep the
    stored form. Problems that have nothing to do with the app (Lamina is down, no budget, a refused key, a proxy's
    error page) are raised.
    """
    try:
        detail = client.get_app(app.remote_id)
        ensure_same_app(app, detail)
    except LaminaRejected as error:
        if error.is_key_refused:
            _record_asked(app)
            raise
        _record_refusal(app, error)
        return False
    except LaminaUnavailable:
        _record_asked(app)
        raise
    store_detail(app, detail)
    return True


def ensure_same_app(app: App, detail: AppDetail) -> None:
    """Raise `LaminaUnavailable` if `detail` is about another app than `app`, as from a wrong cache. Saving it would
    give `app` that app's form."""
    if detail.app_id.casefold() != app.remote_id.casefold():
        raise LaminaUnavailable("Lamina sent another app.", status=HTTPStatus.OK)


def read_estimate(app: App, priority: Priority) -> None:
    """Read and save the cost of a full run of `app`. If Lamina gives no estimate, the cost is unknown, not zero."""
    fields: dict[str, Any] = {"estimated_at": timezone.now()}
    try:
        estimate = lamina(priority).estimate(app.remote_id)
    except LaminaRejected as error:
        if error.is_key_refused:
            _record_asked(app)
            raise
    except LaminaUnavailable:
        _record_asked(app)
        raise
    else:
        fields |= {
            "credits_expected": _cost(estimate.expected),
            "credits_min": _cost(estimate.min),
            "credits_max": _cost(estimate.max),
        }
    App.objects.filter(pk=app.pk).update(**fields)


def _cost(credits: Decimal | None) -> Decimal | None:
    """Return a cost; None if it is unknown. A negative cost (as if a run gave us credits) also counts as unknown."""
    return None if credits is None or credits < 0 else credits


@transaction.atomic
def store_detail(app: App, detail: AppDetail) -> None:
    """Save `detail`; if it has no usable form, save the reason instead. Changes to the form are recorded."""
    name, description = bounds.name_of(detail), bounds.description_of(detail)
    form = bounds.schema_of(detail)
    schema = None if form.problem else _schema_row(app, form)
    now = timezone.now()
    unknown = _unknown_fields(app, schema, now) if schema else []
    makes = Counter(o["type"] for o in form.outputs if o["type"] in KINDS) or Counter(app.makes)
    _record_changes(app, schema, now)  # this also locks the app, so that its rules can't change in the meantime
    words = shown_words(AppRule.objects.filter(app=app).first(), name, description)
    App.objects.filter(pk=app.pk).update(
        schema=schema,
        form_problem=form.problem,
        unknown_fields=unknown,
        schema_fetched_at=now,
        schema_asked_at=now,
        gone_at=None,
        forbidden_at=None,
        **words,
        **makes_fields(words, makes, [o["label"] for o in form.outputs]),
    )
    app.schema = schema
    app.unknown_fields = unknown
    app_list.forget_refused_apps()
    check_pause(app, now)


def _unknown_fields(app: App, schema: AppSchema, now: datetime) -> list[dict[str, str]]:
    """Return the fields whose type the portal doesn't know, and when each was first seen in this app."""
    since = {(field["label"], field["type"]): field["since"] for field in app.unknown_fields}
    fields = [(q.label, shortened(q.type)) for q in schema.questions if q.is_unknown]
    return [
        {"label": label, "type": type_, "since": since.get((label, type_), now.isoformat())} for label, type_ in fields
    ]


def _schema_row(app: App, form: bounds.FormSchema) -> AppSchema:
    version = hashlib.sha256(form.canonical.encode()).hexdigest()[:16]
    schema, _ = AppSchema.objects.get_or_create(
        app=app, version=version, defaults={"parameters": form.parameters, "outputs": form.outputs}
    )
    return schema


def _record_changes(app: App, schema: AppSchema | None, now: datetime) -> None:
    """Record what is new in `schema`. If another process has saved the schema in the meantime, it has already recorded
    the changes."""
    previous = App.objects.select_for_update(of=("self",), no_key=True).select_related("schema").get(pk=app.pk).schema
    if previous is None and schema is not None:  # there is no current form, so compare with the latest earlier one
        previous = app.schemas.exclude(pk=schema.pk).order_by("-created_at").first()
    if previous is not None and schema is not None and previous.pk != schema.pk:
        app_changes.record_changes(app, previous, schema, now)


def _record_asked(app: App) -> None:
    """Record that there was no usable response, so that we try this app again later."""
    App.objects.filter(pk=app.pk).update(schema_asked_at=timezone.now())


def _record_refusal(app: App, error: LaminaRejected) -> None:
    """Save what a refusal says about `app`. If the refusal may have nothing to do with the app, only record that we
    asked, and raise `LaminaUnavailable`."""
    is_closed = error.is_not_found or error.is_forbidden
    if not error.is_from_lamina or (is_closed and app.is_runnable and _closed_in_a_row() >= REFUSED_IN_A_ROW):
        _record_asked(app)
        if _asked_in_vain() >= REFUSED_IN_A_ROW:
            app_list.record_refused_apps(error.quote)
        raise LaminaUnavailable(error.message, quote=error.quote, status=error.status, request_id=error.request_id)
    now = timezone.now()
    fields: dict[str, Any] = {"schema_fetched_at": now, "schema_asked_at": now}
    if error.is_not_found:
        fields |= {"gone_at": app.gone_at or now, "forbidden_at": None}
    elif error.is_forbidden:
        fields |= {"forbidden_at": app.forbidden_at or now, "gone_at": None}
    elif app.schema_id is None:
        fields["form_problem"] = Message("form_refused")
    App.objects.filter(pk=app.pk).update(**fields)


def _closed_in_a_row() -> int:
    """Return how many apps have turned out to be gone or forbidden since Lamina last sent an app."""
    at = _last_sent_at()
    is_newly_closed = Q(gone_at__gt=at) | Q(forbidden_at__gt=at) if at else ~Q(gone_at=None, forbidden_at=None)
    return App.objects.filter(is_newly_closed).count()


def _asked_in_vain() -> int:
    """Return how many apps we've requested without success since Lamina last sent one."""
    at = _last_sent_at()
    return App.objects.filter(Q(schema_asked_at__gt=at) if at else ~Q(schema_asked_at=None)).count()


def _last_sent_at() -> datetime | None:
    apps = App.objects.filter(gone_at=None, forbidden_at=None, schema_fetched_at__lte=timezone.now() + AHEAD)
    latest = apps.aggregate(at=Max("schema_fetched_at"))
    at: datetime | None = latest["at"]
    return at
