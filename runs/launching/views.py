"""The form of one app: fill it, keep what is typed, run."""

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import reswap, retarget

from runs import catalog
from runs.display.cards import app_card, run_cards
from runs.display.form_look import form_look
from runs.engine import create_run
from runs.engine.create_run import LaunchRequest, TokenSpentError, launch_run
from runs.launching import drafts, form_files, prefill, presets, rerun
from runs.launching.prefill import NoSourceError, Notice, Opening
from runs.models import App, AppSchema, Preset, Run
from runs.schema_forms.answers import Answer
from runs.schema_forms.build import SchemaForm, build_form
from runs.schema_forms.types import UploadInfo
from runs.sharing import links
from runs.spending.estimates import cost_line
from runs.uploads import ownership, uploads
from runs.web.http import PortalRequest, go_to, render_page, wants_fragment

RESULTS_SHOWN = 4

CHANGED = "This app's form has changed since you opened it. What you filled in is kept where it still fits."
SPENT = "This form has already started a run. Press Run again to start another one with these values."
EXPIRED = "This form was opened for somebody else or too long ago. Everything is kept; press Run again."


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def app_detail(request: PortalRequest, slug: str, app_id: str) -> HttpResponse:
    app = get_object_or_404(App.objects.select_related("schema", "thumbnail", "starred_by"), public_id=app_id)
    if request.method == "POST":
        return _pressed(request, app)
    if slug != app.slug:
        return redirect(f"{app.get_absolute_url()}?{request.GET.urlencode()}" if request.GET else app)
    if app.schema_is_stale(timezone.now()):
        catalog.request_app_refresh(app)
    catalog.request_balance_if_stale()
    if app.schema is not None:
        return _opened(request, app, app.schema)
    if wants_fragment(request) and app.may_have_form:
        response = render_page(
            request, "launching/app_detail.html", {"look": form_look(app, request.GET)}, partial="form-look"
        )
        return reswap(retarget(response, "#form-look"), "outerHTML")
    return _page(request, app, None, Opening())


def _opened(request: PortalRequest, app: App, schema: AppSchema) -> HttpResponse:
    """The form as it was left: the draft, or the run or preset it is begun from, or fresh."""
    try:
        opened = prefill.opening(request.user, app, schema, request.GET)
    except NoSourceError:
        raise Http404 from None
    form = _form(
        request, app, schema, None, answers=opened.answers, wanted=opened.wanted, field_errors=opened.field_errors
    )
    opened.notices += _dropped(form)
    return _page(request, app, form, opened)


def _pressed(request: PortalRequest, app: App) -> HttpResponse:
    """Run was pressed, or a button inside the form."""
    if app.schema is None:
        raise Http404
    posted = request.POST.copy()
    known = AppSchema.objects.filter(app=app, version=posted.get("schema", "")).first()
    opened = known or app.schema
    if not request.user.can_run:  # the page says so beside Run; no file is taken, no preset changed
        return _page(request, app, _form(request, app, opened, posted), Opening(), status=422)
    errors = form_files.take_all(request.user, opened.parameters, posted, request.FILES)
    form_files.rearrange(posted, posted.get("act", ""))
    form_files.take_over(request.user, opened.parameters, posted)
    form = _form(request, app, opened, posted, field_errors=errors)
    opened_with = _keep_draft(request, app, form, posted)
    if (url := _library_url(app, posted.get("act", ""))) is not None:
        return go_to(request, url)
    if (act := posted.get("act", "")).startswith("preset") and not errors:
        return _preset_pressed(request, app, form, act, opened_with)
    if "act" in posted:
        again = _form(
            request, app, app.schema, None, answers=form.draft_answers(), wanted=_ticked(form), field_errors=errors
        )
        return _page(request, app, again, opened_with)
    if spent := create_run.run_of_form(request.user, posted.get("token", "")):
        return _pressed_again(request, app, form, spent, opened_with)
    if known != app.schema:  # positions of an unknown version could mean anything
        fresh = _form(request, app, app.schema, None, answers=form.draft_answers(), wanted=_ticked(form))
        opened_with.notices += [Notice(CHANGED), *_dropped(fresh)]
        return _page(request, app, fresh, opened_with, status=422)
    if not form.is_valid():
        return _page(request, app, form, opened_with, token=posted.get("token", ""), status=422)
    return _launch(request, app, form, posted.get("token", ""), opened_with)


def _library_url(app: App, act: str) -> str | None:
    """Where the button "library:p0" of a form without scripts leads; its values are a draft by now."""
    verb, _, field = act.partition(":")
    if verb != "library":
        return None
    return f"{reverse('runs:library')}?{urlencode({'app': app.public_id, 'field': field})}"


def _keep_draft(request: PortalRequest, app: App, form: SchemaForm, posted: QueryDict) -> Opening:
    """Keep what was posted, and whatever else was typed before; returns what the form had been opened with."""
    prefill.set_aside(request.user, app, posted.get("aside", ""))
    run = rerun.source_run(request.user, app, posted.get("from", "")[:16])
    preset = rerun.source_preset(request.user, app, posted.get("preset", "")[:16])
    source = run or preset
    drafts.save_draft(
        request.user, app, form.draft_answers(), _ticked(form), source.public_id if source is not None else ""
    )
    return Opening(run=run, preset=preset, is_private="private" in posted)


def _preset_pressed(request: PortalRequest, app: App, form: SchemaForm, act: str, opened_with: Opening) -> HttpResponse:
    """Save what is in the form under a name, which is asked for on a page of its own; or into the open preset."""
    preset = opened_with.preset
    if act == "preset-update" and preset and Preset.objects.changeable_by(request.user).filter(pk=preset.pk).exists():
        presets.update_preset(preset, request.user, form.draft_answers(), _ticked(form), timezone.now())
        drafts.clear_draft(request.user, app)
        messages.success(request, f"“{preset.name}” now holds these values.")
        return go_to(request, preset.get_absolute_url())
    return go_to(request, f"{reverse('runs:preset-new')}?app={app.public_id}")


def _pressed_again(
    request: PortalRequest, app: App, form: SchemaForm, spent: Run, opened_with: Opening
) -> HttpResponse:
    """This form has started a run: the same inputs lead to it, others give the form again with a new token."""
    if form.is_valid() and create_run.is_same(spent, app, form.answers(), form.wanted_outputs()):
        drafts.clear_draft(request.user, app)
        return go_to(request, spent.get_absolute_url())
    schema = app.schema or spent.schema
    again = _form(request, app, schema, None, answers=form.draft_answers(), wanted=_ticked(form))
    return _page(request, app, again, _saying(opened_with, SPENT), status=422)


def _launch(request: PortalRequest, app: App, form: SchemaForm, token: str, opened_with: Opening) -> HttpResponse:
    assert app.schema is not None  # noqa: S101 - narrowed by the caller
    if cost_line(app, request.user).is_blocked:
        return _page(request, app, form, opened_with, status=422)
    if create_run.read_form_token(token) != request.user.pk:
        return _page(request, app, form, _saying(opened_with, EXPIRED), status=422)
    press = LaunchRequest(
        app,
        app.schema,
        form.answers(),
        form.wanted_outputs(),
        token,
        parent=opened_with.run,
        preset=opened_with.preset,
        is_private=opened_with.is_private,
    )
    try:
        run = launch_run(request.user, press)
    except TokenSpentError:
        return _page(request, app, form, _saying(opened_with, SPENT), status=422)
    return go_to(request, run.get_absolute_url())


def _saying(opened_with: Opening, words: str) -> Opening:
    opened_with.notices.append(Notice(words))
    return opened_with


@require_POST
def draft_save(request: PortalRequest, app_id: str) -> HttpResponse:
    """Keep what is typed, valid or not; files travel by themselves."""
    app = get_object_or_404(App.objects.select_related("schema"), public_id=app_id)
    posted = request.POST.copy()
    schema = AppSchema.objects.filter(app=app, version=posted.get("schema", "")).first() or app.schema
    if schema is not None and create_run.is_unspent(request.user, posted.get("token", "")):
        form_files.take_over(request.user, schema.parameters, posted)
        form = _form(request, app, schema, posted)
        _keep_draft(request, app, form, posted)
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
    return render_page(request, "launching/app_detail.html", {"app": app}, partial="app-changed")


@require_safe
@never_cache
def app_cost(request: PortalRequest, app_id: str) -> HttpResponse:
    """What the app costs, for an open page that doesn't know yet; 204 until Lamina has said so."""
    app = get_object_or_404(App, public_id=app_id)
    if not request.htmx:
        return redirect(app)
    if app.estimated_at is None:
        catalog.request_app_refresh(app)
        return HttpResponse(status=204)
    context = {"app": app, "cost": cost_line(app, request.user)}
    return render_page(request, "launching/app_detail.html", context, partial="app-cost")


def _dropped(form: SchemaForm) -> list[Notice]:
    """A sentence that names the answers which no longer fit, if there are any."""
    names = ", ".join(f"“{name}”" for name in form.dropped)
    return [Notice(f"What was filled in for {names} no longer fits; choose again.")] if names else []


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
    is_sent = data is not None and request.user.can_run  # then all that counts is the member's own by now

    def lookup(ids: list[str]) -> list[UploadInfo]:
        return uploads.upload_infos(request.user, ids) if is_sent else ownership.infos(request.user, ids)

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
    opened_with: Opening,
    *,
    token: str = "",
    status: int = 200,
) -> HttpResponse:
    partial = "app-body" if request.method == "GET" else ""  # what replaces the waiting page's placeholder
    runs = Run.objects.owned_by(request.user) if request.user.can_run else Run.objects.shared_by_others(request.user)
    is_private = opened_with.is_private or (opened_with.run is not None and opened_with.run.shared_at is None)
    made = runs.filter(app=app).in_state("ready").newest_first()
    context = {
        "section": "apps",
        "app": app,
        "card": app_card(app),
        "form": form,
        "token": token or create_run.new_form_token(request.user),
        "schema_version": app.schema.version if app.schema else "",
        "opened": opened_with,
        "presets": presets.listed(request.user, app),
        "can_update_preset": opened_with.preset is not None
        and (opened_with.preset.member_id == request.user.pk or request.user.is_admin),
        "cost": cost_line(app, request.user),
        "audience_words": links.audience_words(opened_with.run, is_private=is_private),
        "is_private": is_private,
        "notices": opened_with.notices,
        "results": run_cards(made.for_cards()[:RESULTS_SHOWN], request.user),
        "look": form_look(app, request.GET) if form is None and app.may_have_form else None,
    }
    return render_page(request, "launching/app_detail.html", context, partial=partial, status=status)
