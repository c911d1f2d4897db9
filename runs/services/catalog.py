"""The catalogue: kept in the database, refreshed in the worker, so that pages never wait for Lamina."""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from runs.lamina.errors import LaminaError, LaminaRejected, LaminaUnavailable
from runs.lamina.types import AppDetail, AppSummary
from runs.models import App, AppSchema, LaminaStatus
from runs.queue import enqueue, enqueue_long, stop_requested
from runs.services import leases, outputs
from runs.services.budget import BudgetWait, Priority
from runs.services.filling.samples import sample_urls
from runs.services.folding import fold
from runs.services.remote import lamina
from runs.services.upkeep import health

DETAIL_EVERY = timedelta(hours=24)
ASK_AGAIN = timedelta(seconds=30)
CATALOG_EVERY = timedelta(minutes=10)
BALANCE_EVERY = timedelta(seconds=30)
KINDS = ("image", "video", "audio", "text")
LEASE_SECONDS = 150  # one app: form, estimate, picture and a few samples, each slow
SILENT_APPS = 3
LIST_LIMIT = 200
FOUND_POSITION = 100_000  # behind all that a list names
PICTURES_EVERY = timedelta(hours=6)
CATALOG_SECONDS = 300
WINDOW_SECONDS = 45.0  # one refresh; then the next one goes on


def request_refresh() -> None:
    """Ask the worker for a fresh catalogue; at most once in 30 s however many pages want it."""
    now = timezone.now()
    LaminaStatus.objects.get_or_create(pk=health.STATUS_ID)
    waiting = Q(catalog_asked_at=None) | Q(catalog_asked_at__lt=now - ASK_AGAIN)
    if LaminaStatus.objects.filter(waiting, pk=health.STATUS_ID).update(catalog_asked_at=now):
        enqueue_long("runs.tasks.refresh_catalog", timeout_seconds=CATALOG_SECONDS, is_saved=False)


def request_refresh_if_stale() -> None:
    """Ask for a fresh catalogue when the last one is older than ten minutes."""
    at = health.lamina_status().catalog_at
    if at is None or timezone.now() - at > CATALOG_EVERY:
        request_refresh()


def request_app_refresh(app: App) -> None:
    """Ask the worker for this app's form again; at most once in 30 s."""
    now = timezone.now()
    waiting = Q(schema_asked_at=None) | Q(schema_asked_at__lt=now - ASK_AGAIN)
    if App.objects.filter(waiting, pk=app.pk).update(schema_asked_at=now):
        enqueue_long("runs.tasks.refresh_app", app.pk, timeout_seconds=CATALOG_SECONDS, is_saved=False)


def request_balance_if_stale() -> None:
    """Ask for the balance again when the last one is older than 30 s; the page shows the known one meanwhile."""
    at = health.lamina_status().balance_at
    if at is None or timezone.now() - at > BALANCE_EVERY:
        request_balance()


def request_balance() -> None:
    if leases.may_kick("balance"):
        enqueue("runs.tasks.refresh_balance")


def refresh_catalog() -> None:
    """Read the app list, then whatever details, estimates and pictures are missing, as far as budget and time go."""
    _under_lease(_refresh_list)


def request_completion() -> None:
    """Have the worker go on with details that budget or time did not allow before, if any app still lacks them."""
    if App.objects.listed().filter(Q(schema_fetched_at=None) | Q(estimated_at=None)).exists():
        enqueue_long("runs.tasks.complete_catalog", timeout_seconds=CATALOG_SECONDS, is_saved=False)


def complete_catalog() -> None:
    """Read whatever details, estimates and pictures are still missing."""
    _under_lease()


def _under_lease(*first: Callable[[], None]) -> None:
    holder = leases.new_holder()
    if not leases.acquire("catalog", holder, LEASE_SECONDS):
        return
    try:
        for step in first:
            step()
        _refresh_details(holder)
    except (LaminaError, BudgetWait):
        pass  # the client has noted what is wrong; the Schedule comes again
    finally:
        leases.release("catalog", holder)


def refresh_balance() -> None:
    """Read the credits left and the workspace's name."""
    try:
        usage = lamina().usage()
    except (LaminaError, BudgetWait):
        return
    fields: dict[str, Any] = {"balance": usage.balance, "balance_at": timezone.now()}
    if not health.lamina_status().workspace_name:
        with suppress(LaminaError, BudgetWait):
            fields["workspace_name"] = lamina().account().workspace_name
    health.note_status(**fields)


def refresh_app(app_id: int) -> None:
    """Read one app's form again; an app Lamina no longer knows is marked as gone."""
    app = App.objects.filter(pk=app_id).first()
    if app is None:
        return
    try:
        detail = lamina(Priority.FINAL).get_app(app.remote_id)
    except LaminaRejected as error:
        if error.is_not_found:
            App.objects.filter(pk=app.pk, gone_at=None).update(gone_at=timezone.now())
        return
    except (LaminaError, BudgetWait):
        return
    _store_detail(app, detail)
    if app.estimated_at is None:
        with suppress(LaminaError, BudgetWait):
            _estimate(app, Priority.PARTIAL)
    _fetch_samples(app)


def record_found(summaries: Iterable[AppSummary]) -> list[App]:
    """Take in what a search at Lamina found, in its order: known apps are refreshed, new ones are not listed yet."""
    return [_store_summary(summary) for summary in summaries]


def _refresh_list() -> None:
    now = timezone.now()
    for position, summary in enumerate(lamina().list_apps(limit=LIST_LIMIT)):
        app = _store_summary(summary)
        App.objects.filter(pk=app.pk).update(position=position, listed_at=now, is_listed=True)
    health.note_status(catalog_at=now)
    refresh_balance()


def _store_summary(summary: AppSummary) -> App:
    """Keep what Lamina says of an app in short; that it says anything proves that the app is there."""
    description = summary.description or ""
    app, _ = App.objects.select_related("schema").get_or_create(
        remote_id=summary.app_id,
        defaults={
            "name": summary.name,
            "description": description,
            "position": FOUND_POSITION,
            "is_listed": False,
        },
    )
    url = summary.thumbnail.url if summary.thumbnail and summary.thumbnail.type == "image" else ""
    fields: dict[str, Any] = {
        "name": summary.name,
        "description": description,
        "gone_at": None,
        "thumbnail_url": url,
    }
    if not app.makes:  # until the details tell how many of each
        kinds = [kind for kind in KINDS if kind in {summary.modality, *summary.produces, *summary.output_formats}]
        fields |= _makes_fields(summary.name, description, Counter(kinds), [])
    elif summary.name != app.name or description != app.description:
        labels = [output["label"] for output in app.schema.outputs] if app.schema else []
        fields["search_text"] = _makes_fields(summary.name, description, Counter(app.makes), labels)["search_text"]
    if url != app.thumbnail_url:
        fields |= {"thumbnail": None, "pictures_tried_at": None}
    App.objects.filter(pk=app.pk).update(**fields)
    app.refresh_from_db(fields=list(fields))
    return app


def _makes_fields(name: str, description: str, makes: Counter[str], labels: list[str]) -> dict[str, Any]:
    words = [name, description, *labels, *makes]
    return {
        "makes": dict(makes),
        "makes_text": f" {' '.join(makes)} "[:200],
        "search_text": fold(" ".join(words)),
    }


def _refresh_details(holder: str) -> None:
    """Whatever an app's card and form lack, app by app in catalogue order, so that the first ones are whole first.

    An app Lamina has no sound answer for is left for another time; after three in a row Lamina itself is away.
    """
    ends_at = time.monotonic() + WINDOW_SECONDS
    silent = 0
    for app in App.objects.listed().select_related("schema"):
        if stop_requested() or time.monotonic() > ends_at or not leases.renew("catalog", holder, LEASE_SECONDS):
            return
        try:
            _complete(app)
        except LaminaUnavailable:
            silent += 1
            if silent == SILENT_APPS:
                raise
        else:
            silent = 0


def _complete(app: App) -> None:
    old = timezone.now() - DETAIL_EVERY
    if app.schema_fetched_at is None or app.schema_fetched_at < old:
        _read_one(app)
    if app.pictures_tried_at is None or app.pictures_tried_at < timezone.now() - PICTURES_EVERY:
        _fetch_pictures(app)
    if app.estimated_at is None or app.estimated_at < old:
        _estimate(app, Priority.CATALOG)


def _fetch_pictures(app: App) -> None:
    """Copy the thumbnail and the samples; noted first, so that a dead host costs its time once in six hours."""
    App.objects.filter(pk=app.pk).update(pictures_tried_at=timezone.now())
    if app.thumbnail_url and app.thumbnail_id is None:
        App.objects.filter(pk=app.pk).update(thumbnail=outputs.save_catalog_picture(app.thumbnail_url))
    _fetch_samples(app)


def _read_one(app: App) -> None:
    try:
        _store_detail(app, lamina().get_app(app.remote_id))
    except LaminaRejected:
        App.objects.filter(pk=app.pk).update(schema_fetched_at=timezone.now())  # one odd app holds up no other


def _store_detail(app: App, detail: AppDetail) -> None:
    parameters = [parameter.as_json() for parameter in detail.parameters]
    listed = [{"index": o.index, "label": o.label, "type": o.type} for o in detail.outputs]
    canonical = json.dumps([parameters, listed], sort_keys=True, ensure_ascii=True)
    version = hashlib.sha256(canonical.encode()).hexdigest()[:16]
    schema, _ = AppSchema.objects.get_or_create(
        app=app, version=version, defaults={"parameters": parameters, "outputs": listed}
    )
    makes = Counter(o.type for o in detail.outputs if o.type in KINDS)
    fields = _makes_fields(detail.name, detail.description or "", makes, [o.label for o in detail.outputs])
    if not makes:
        fields.pop("makes_text")
        fields.pop("makes")
    App.objects.filter(pk=app.pk).update(
        name=detail.name,
        description=detail.description or "",
        schema=schema,
        schema_fetched_at=timezone.now(),
        gone_at=None,
        **fields,
    )
    app.schema = schema


def _estimate(app: App, priority: Priority) -> None:
    fields: dict[str, Any] = {"estimated_at": timezone.now()}
    try:
        estimate = lamina(priority).estimate(app.remote_id)
    except LaminaRejected:
        pass  # this app has no estimate: unknown, not free
    else:
        fields |= {
            "credits_expected": estimate.expected,
            "credits_min": estimate.min,
            "credits_max": estimate.max,
        }
    App.objects.filter(pk=app.pk).update(**fields)


def _fetch_samples(app: App) -> None:
    """Copy sample pictures: the browser never loads a foreign address."""
    known = App.objects.values_list("samples", flat=True).get(pk=app.pk)
    samples: dict[str, str] = {}
    for url in sample_urls(app.schema.parameters if app.schema else []):
        if known.get(url):
            samples[url] = known[url]
        elif (stored := outputs.save_catalog_picture(url)) is not None:
            samples[url] = stored.public_id
    if samples != known:
        App.objects.filter(pk=app.pk).update(samples=samples)
