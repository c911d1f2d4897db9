"""The catalogue and the form of one app: find, fill, run."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from runs.http import PortalRequest, go_to, render_page
from runs.models import App, AppSchema, Run
from runs.schema_forms.build import SchemaForm, build_form
from runs.schema_forms.inputs import map_field_errors
from runs.schema_forms.types import Answer, UploadInfo
from runs.services import catalog, drafts, form_files, health, launch, uploads
from runs.services.cards import app_card, run_cards
from runs.services.costs import cost_line
from runs.services.launch import Press, TokenSpentError, launch_run
from runs.services.people import mail_to_admins

KINDS = (("", "All"), ("image", "Images"), ("video", "Videos"), ("text", "Texts"))
NEAREST = 3
RESULTS_SHOWN = 4

CHANGED = "This app's form has changed since you opened it. What you filled in is kept where it still fits."
SPENT = "This form has already started a run. Press Run again to start another one with these values."
EXPIRED = "This form was opened for somebody else or too long ago. Everything is kept; press Run again."


@require_safe
def app_list(request: PortalRequest) -> HttpResponse:
    catalog.request_refresh_if_stale()
    q = request.GET.get("q", "").strip()[:200]
    makes = request.GET.get("makes", "")
    makes = makes if makes in dict(KINDS) else ""
    listed = App.objects.listed().select_related("thumbnail")
    found = listed.matching(q)
    if makes:
        found = found.making(makes)
    apps = [app_card(app) for app in found]
    everything = apps if not q and not makes else [app_card(app) for app in listed]
    context = {
        "section": "apps",
        "apps": apps,
        "q": q,
        "makes": makes,
        "chips": [(label, _list_url(q, kind), kind == makes) for kind, label in KINDS],
        "tell_admin_url": "" if apps else mail_to_admins(f"Lamina Portal: an app for {q}"),
        "nearest": [] if apps else _nearest(q, everything),
        "catalog_at": health.lamina_status().catalog_at,
        "has_catalog": bool(everything),
    }
    return render_page(request, "runs/app_list.html", context, partial="app-grid")


def _list_url(q: str, makes: str) -> str:
    query = QueryDict(mutable=True)
    for key, value in (("q", q), ("makes", makes)):
        if value:
            query[key] = value
    return f"{reverse('runs:app-list')}?{query.urlencode()}" if query else reverse("runs:app-list")


def _nearest(q: str, cards: list[Any]) -> list[Any]:
    """The three apps that share most letters-in-a-row with what was asked."""

    def pieces(text: str) -> set[str]:
        text = text.casefold()
        return {text[i : i + 3] for i in range(len(text) - 2)}

    asked = pieces(q)
    return sorted(cards, key=lambda card: -len(asked & pieces(f"{card.name} {card.description}")))[:NEAREST]


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def app_detail(request: PortalRequest, slug: str, app_id: str) -> HttpResponse:
    app = get_object_or_404(App.objects.select_related("schema", "thumbnail"), public_id=app_id)
    if request.method == "POST":
        return _pressed(request, app)
    if slug != app.slug:
        return redirect(f"{app.get_absolute_url()}?{request.GET.urlencode()}" if request.GET else app)
    if app.schema is None or app.schema_is_stale(timezone.now()):
        catalog.request_app_refresh(app)
    catalog.request_balance_if_stale()
    if app.schema is None:
        return _page(request, app, None, [])
    return _opened(request, app, app.schema)


def _opened(request: PortalRequest, app: App, schema: AppSchema) -> HttpResponse:
    """The form as it was left: the draft, or the run it is begun from, or fresh."""
    source = request.GET.get("from", "")[:16]
    draft = drafts.load_draft(request.user, app)
    notices, field_errors = [], {}
    answers, wanted = [], None
    if draft is not None and (not source or draft.source == source):
        answers, wanted = draft.answers, draft.wanted
        notices.append("Kept from last time.")
    elif source:
        run = get_object_or_404(Run.objects.visible_to(request.user), public_id=source, app=app)
        answers, wanted = launch.answers_of(run), run.wanted_outputs or None
        field_errors = map_field_errors(schema.parameters, run.field_errors)
        if run.schema_id != schema.pk:
            notices.append("This app's form has changed since that run. Check what is filled in.")
    form = _form(request, app, schema, None, answers=answers, wanted=wanted, field_errors=field_errors)
    return _page(request, app, form, [*notices, *_dropped(form)], source=source)


def _pressed(request: PortalRequest, app: App) -> HttpResponse:
    """Run was pressed, or a button inside the form."""
    if app.schema is None:
        raise Http404
    posted = form_files.posted_fields(request)
    known = AppSchema.objects.filter(app=app, version=posted.get("schema", "")).first()
    opened = known or app.schema
    errors = form_files.take_all(request.user, opened.parameters, posted, request.FILES)
    form_files.rearrange(posted, posted.get("act", ""))
    form = _form(request, app, opened, posted, field_errors=errors)
    source = posted.get("from", "")[:16]
    drafts.save_draft(request.user, app, form.draft_answers(), _ticked(form), source)
    if (url := _library_url(app, posted.get("act", ""))) is not None:
        return go_to(request, url)
    if "act" in posted:
        again = _form(
            request, app, app.schema, None, answers=form.draft_answers(), wanted=_ticked(form), field_errors=errors
        )
        return _page(request, app, again, [], source=source)
    if spent := launch.run_of_form(request.user, posted.get("token", "")):
        return _pressed_again(request, app, form, spent, source)
    if known != app.schema:  # positions of an unknown version could mean anything
        fresh = _form(request, app, app.schema, None, answers=form.draft_answers(), wanted=_ticked(form))
        return _page(request, app, fresh, [CHANGED, *_dropped(fresh)], source=source, status=422)
    if not form.is_valid():
        return _page(request, app, form, [], token=posted.get("token", ""), source=source, status=422)
    return _launch(request, app, form, posted.get("token", ""), source)


def _library_url(app: App, act: str) -> str | None:
    """Where the button "library:p0" of a form without scripts leads; its values are a draft by now."""
    verb, _, field = act.partition(":")
    if verb != "library":
        return None
    return f"{reverse('runs:library')}?{urlencode({'app': app.public_id, 'field': field})}"


def _pressed_again(request: PortalRequest, app: App, form: SchemaForm, spent: Run, source: str) -> HttpResponse:
    """This form has started a run: the same inputs lead to it, others give the form again with a new token."""
    if form.is_valid() and launch.is_same(spent, app, form.answers(), form.wanted_outputs()):
        drafts.clear_draft(request.user, app)
        return go_to(request, spent.get_absolute_url())
    schema = app.schema or spent.schema
    again = _form(request, app, schema, None, answers=form.draft_answers(), wanted=_ticked(form))
    return _page(request, app, again, [SPENT], source=source, status=422)


def _launch(request: PortalRequest, app: App, form: SchemaForm, token: str, source: str) -> HttpResponse:
    assert app.schema is not None  # noqa: S101 - narrowed by the caller
    if cost_line(app, request.user).is_blocked:
        return _page(request, app, form, [], source=source, status=422)
    if launch.read_form_token(token) != request.user.pk:
        return _page(request, app, form, [EXPIRED], source=source, status=422)
    press = Press(app, app.schema, form.answers(), form.wanted_outputs(), token)
    try:
        run = launch_run(request.user, press)
    except TokenSpentError:
        return _page(request, app, form, [SPENT], source=source, status=422)
    return go_to(request, run.get_absolute_url())


@require_POST
def draft_save(request: PortalRequest, app_id: str) -> HttpResponse:
    """Keep what is typed, valid or not; files travel by themselves."""
    app = get_object_or_404(App.objects.select_related("schema"), public_id=app_id)
    posted = form_files.posted_fields(request)
    schema = AppSchema.objects.filter(app=app, version=posted.get("schema", "")).first() or app.schema
    if schema is not None and launch.is_unspent(request.user, posted.get("token", "")):
        form = _form(request, app, schema, posted)
        source = posted.get("from", "")[:16]
        drafts.save_draft(request.user, app, form.draft_answers(), _ticked(form), source)
    return HttpResponse(status=204)


@require_POST
def draft_clear(request: PortalRequest, app_id: str) -> HttpResponse:
    """Start the form anew."""
    app = get_object_or_404(App, public_id=app_id)
    drafts.clear_draft(request.user, app)
    messages.info(request, "The form is as the app's author made it.")
    return go_to(request, app.get_absolute_url())


@require_safe
@never_cache
def app_news(request: PortalRequest, app_id: str) -> HttpResponse:
    """Has the form changed behind the open page (`?schema=<version>`)? 204 when not."""
    app = get_object_or_404(App.objects.select_related("schema"), public_id=app_id)
    if not request.htmx:
        return redirect(app)
    if app.schema is None or app.schema.version == request.GET.get("schema", ""):
        return HttpResponse(status=204)
    return render_page(request, "runs/app_detail.html", {"app": app}, partial="app-changed")


def _dropped(form: SchemaForm) -> list[str]:
    """A sentence that names the answers which no longer fit, if there are any."""
    names = ", ".join(f"“{name}”" for name in form.dropped)
    return [f"What was filled in for {names} no longer fits; choose again."] if names else []


def _ticked(form: SchemaForm) -> list[int] | None:
    return form.wanted_outputs() if form.results else None


def _form(
    request: PortalRequest,
    app: App,
    schema: AppSchema,
    data: QueryDict | None,
    *,
    answers: list[Answer] | None = None,
    wanted: list[int] | None = None,
    field_errors: dict[str, str] | None = None,
) -> SchemaForm:
    def lookup(ids: list[str]) -> list[UploadInfo]:
        return uploads.upload_infos(request.user, ids)

    return build_form(schema.parameters, schema.outputs)(
        data,
        answers=answers,
        wanted=wanted,
        uploads=lookup,
        field_errors=field_errors,
        samples=form_files.sample_pictures(app),
    )


def _page(
    request: PortalRequest,
    app: App,
    form: SchemaForm | None,
    notices: list[str],
    *,
    token: str = "",
    source: str = "",
    status: int = 200,
) -> HttpResponse:
    mine = Run.objects.of(request.user).filter(app=app).in_state("ready").newest_first()
    context = {
        "section": "apps",
        "app": app,
        "card": app_card(app),
        "form": form,
        "token": token or launch.new_form_token(request.user),
        "schema_version": app.schema.version if app.schema else "",
        "source": source,
        "cost": cost_line(app, request.user),
        "notices": notices,
        "results": run_cards(mine.for_cards()[:RESULTS_SHOWN], request.user),
        "is_waiting": form is None,
    }
    return render_page(request, "runs/app_detail.html", context, status=status)
