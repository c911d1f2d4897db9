"""The form of one app: filling it in, saving the draft, starting a run."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import reswap, retarget

from runs import catalog
from runs.audit.admin_access import record_openings
from runs.catalog.form_rules import form_version
from runs.catalog.house_rules import house_rules_html
from runs.connection import balance
from runs.display.card_results import pictures_of
from runs.display.cards import run_cards
from runs.display.form_wait import form_look
from runs.display.launch_box import launch_box
from runs.engine import create_run
from runs.launching import drafts, form_after_redirect, prefill, presets
from runs.launching.app_form import app_form, with_answers_of
from runs.launching.app_runs import AppRuns, app_runs
from runs.launching.next_version import next_version
from runs.launching.posted_form import ControlsForm, PostedAppForm, posted_schema
from runs.launching.prefill import ADDED, RESET, NoSourceError, Opening
from runs.models import App, AppRule, AppSchema, Member
from runs.schema_forms.build import SchemaForm
from runs.sharing import visibility
from runs.web.automatic import AUTO
from runs.web.body_limits import takes_files
from runs.web.http import PortalRequest, go_to, render_page, wants_fragment
from runs.words.numbers import number_in


@takes_files
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def app_detail(request: PortalRequest, slug: str, app_id: str) -> HttpResponse:
    app = _app(request, app_id, "thumbnail", "starred_by", with_answers=request.method != "POST")
    if request.method == "POST":
        controls = ControlsForm.read(request.POST)
        return _previewed(request, app) if controls["preview"] else _pressed(request, app, controls)
    if slug != app.slug:
        return redirect(f"{app.get_absolute_url()}?{request.GET.urlencode()}" if request.GET else app)
    if run_id := request.GET.get("sent", ""):
        return redirect(prefill.sent_url(request.user, app, run_id, request.GET.get("next", "")[:16]))
    if app.schema_is_stale(timezone.now()):
        catalog.request_app_refresh(app)
    balance.request_balance_if_stale()
    if ADDED in request.GET and not request.htmx:
        messages.success(
            request,
            _(
                "We found this app on Lamina and added it. It will appear on everyone's list once someone stars or "
                "runs it."
            ),
        )
    if app.schema is not None:
        return _opened(request, app, app.schema)
    look = form_look(app, request.GET)
    if wants_fragment(request) and app.may_have_form and not look.is_over:
        response = render_page(request, "launching/app_detail.html", {"look": look}, partial="form-look")
        return reswap(retarget(response, "#form-look"), "outerHTML")
    return app_page(request, app, None, Opening())


def _app(request: PortalRequest, app_id: str, *more: str, with_answers: bool = False) -> App:
    """Return the app with its schema, its rules and the relations in `more`, if the admin's rules let the member see
    it."""
    apps = App.objects.open_to(request.user).select_related("schema", "rule", *more)
    if with_answers:
        apps = with_answers_of(request.user, apps)
    return get_object_or_404(apps, public_id=app_id)


def _opened(request: PortalRequest, app: App, schema: AppSchema) -> HttpResponse:
    """Show the form: empty, or filled with the draft or with the values of a run or preset."""
    runs = app_runs(request.user, app)
    try:
        opened = prefill.opening(request.user, app, schema, request.GET, runs.latest)
    except NoSourceError:
        raise Http404 from None
    answered = request.GET.get(form_after_redirect.PARAMETER, "")
    form_after_redirect.recall(request.session, request.user, app, answered, opened)
    form = app_form(
        request.user,
        app,
        schema,
        answers=opened.answers,
        wanted_outputs=opened.wanted_outputs,
        field_errors=opened.field_errors,
    )
    return app_page(request, app, form, opened.saying(*form.dropped_words), runs=runs)


def _pressed(request: PortalRequest, app: App, controls: dict[str, Any]) -> HttpResponse:
    """Handle the Run button or any other button in the form."""
    is_run = request.user.can_run and not controls["act"]
    if is_run and catalog.check_before_run(app):
        app = _app(request, app.public_id, "thumbnail", "starred_by")
    posted = _posted_form(request, app, controls)
    outcome = posted.outcome()
    if outcome is None and controls["plain"] and posted.opened.is_saved:
        return go_to(request, form_after_redirect.keep(request.session, app, posted.form, posted.opened))
    if outcome is None:
        return app_page(request, app, posted.form, posted.opened, status=422 if posted.is_refused else 200)
    if outcome.words:
        messages.success(request, outcome.words)
    return go_to(request, outcome.url)


def _previewed(request: PortalRequest, app: App) -> HttpResponse:
    """Respond to a form sent from an admin's preview, where nothing is saved or started."""
    messages.info(request, _("This is only a preview: nothing was saved or started."))
    is_admin = request.user.is_admin
    return go_to(
        request, reverse("runs:manage-app-preview", args=[app.public_id]) if is_admin else app.get_absolute_url()
    )


def _posted_form(request: PortalRequest, app: App, controls: dict[str, Any]) -> PostedAppForm:
    schema = posted_schema(app, controls["schema"])
    if schema is None:
        raise Http404
    return PostedAppForm(request.user, app, schema, controls, request.POST.copy(), request.FILES)


@require_POST
def draft_save(request: PortalRequest, app_id: str) -> HttpResponse:
    """Save what was typed, valid or not; files are sent separately.

    If the draft was changed elsewhere since the form was opened, say so, once. If the form belongs to someone else, who
    was signed in before, respond with 409.
    """
    app, controls = _app(request, app_id), ControlsForm.read(request.POST)
    if app.schema is None or controls["preview"]:
        return HttpResponse(status=204)
    posted = _posted_form(request, app, controls)
    if create_run.read_form_token(posted.token) != request.user.pk:
        return HttpResponse(status=409)
    posted.save_draft()
    if posted.opened.newer is None or controls["told"]:
        return HttpResponse(status=204)
    return render_page(request, "launching/_newer_draft.html", {"app": app, "opened": posted.opened, "oob": True})


@require_POST
def draft_clear(request: PortalRequest, app_id: str) -> HttpResponse:
    """Empty the form. The previous values can be restored until the person leaves the page."""
    app, controls = _app(request, app_id), ControlsForm.read(request.POST)
    if controls["preview"]:
        return _previewed(request, app)
    if app.schema is not None and _posted_form(request, app, controls).drop_draft(timezone.now()):
        return go_to(request, f"{app.get_absolute_url()}?{RESET}=1")
    messages.info(request, _("The form has been reset."))
    return go_to(request, app.get_absolute_url())


@require_POST
def draft_drop(request: PortalRequest, app_id: str) -> HttpResponse:
    """Discard a draft from the list on a page, which then offers to restore it."""
    app = _app(request, app_id)
    drafts.drop_draft(request.user, app, timezone.now())
    page = ControlsForm.read(request.POST)["page"]
    return go_to(request, _list_url(page, dropped=app.public_id) or reverse("runs:home"))


@require_POST
def draft_restore(request: PortalRequest, app_id: str) -> HttpResponse:
    """Restore a discarded draft, in the form or in the list on a page."""
    app, controls = _app(request, app_id), ControlsForm.read(request.POST)
    if app.schema is not None:
        _posted_form(request, app, controls).bring_back(timezone.now())
    return go_to(request, _list_url(controls["page"]) or app.get_absolute_url())


def _list_url(page: str, **query: str) -> str:
    """Return the URL of `page` if the button was pressed in its list of drafts; "" if it was pressed in a form."""
    shows_drafts = {"home": {}, "app-list": {}, "history": {"state": "draft"}}
    return reverse(f"runs:{page}", query=shows_drafts[page] | query) if page in shows_drafts else ""


@require_safe
@never_cache
def app_news(request: PortalRequest, app_id: str) -> HttpResponse:
    """Tell an open page (`?schema=<version>`) that the form has changed; respond with 204 if it hasn't."""
    app = _app(request, app_id)
    if not request.htmx:
        return redirect(app)
    if app.schema is None or form_version(app, app.schema) == request.GET.get("schema", ""):
        return HttpResponse(status=204)
    return render_page(request, "launching/app_detail.html", {"app": app}, partial="app-changed")


@require_safe
@never_cache
def app_cost(request: PortalRequest, app_id: str) -> HttpResponse:
    """Show the cost of the ticked results on an open page. As long as Lamina has sent no estimate, respond with just
    the cost and the next poll, if any."""
    app = _app(request, app_id)
    if not request.htmx:
        return redirect(app)
    if app.estimated_at is None:
        catalog.request_estimate(app)
    form = app_form(request.user, app, app.schema, request.GET) if app.schema else None
    polls = number_in(request.GET.get(AUTO, ""), 0, 999, 0)  # by this page, including this one
    context = {"box": launch_box(app, request.user, form, polls=polls)}
    partial = "app-cost" if app.estimated_at is None else "app-cost-changed"
    return render_page(request, "launching/_launch.html", context, partial=partial)


def app_page(
    request: PortalRequest,
    app: App,
    form: SchemaForm | None,
    opened_with: Opening,
    *,
    status: int = 200,
    viewer: Member | None = None,
    runs: AppRuns | None = None,
) -> HttpResponse:
    """Show the form of `app` as opened or posted, with `runs` made with it. If `viewer` is given, show an admin the
    page as that member would see it."""
    member = viewer or request.user
    runs = runs or app_runs(member, app, has_form=form is not None)
    partial = "app-body" if request.method == "GET" else ""  # for GET, this replaces the waiting page's placeholder
    is_private = opened_with.is_private or (opened_with.run is not None and opened_with.run.shared_at is None)
    source = [opened_with.run] if opened_with.run else []
    cards = run_cards([*runs.examples, *runs.recent, *source], member, approved_first=True)
    rule = AppRule.of(app)
    record_openings(request, opened_with.runs)
    context = {
        "section": "apps",
        "user": member,
        "preview": None if viewer is None else _preview_words(app, member),
        "app": app,
        "form": form,
        "house_rules": house_rules_html(rule.house_rules) if rule else "",
        "rule": rule,
        "is_paused": rule is not None and rule.is_paused,
        "token": opened_with.token or create_run.new_form_token(member),
        "schema_version": form_version(app, app.schema) if app.schema and form else "",
        "opened": opened_with,
        "presets": presets.presets_for(member, app),
        "can_update_preset": opened_with.preset is not None and opened_with.preset.is_changeable_by(member),
        "launch": launch_box(app, member, form, visibility.audience_words(opened_with.run, is_private=is_private)),
        "is_private": is_private,
        "notices": opened_with.notices,
        "next": next_version(opened_with.result, app.schema) if opened_with.result and app.schema else None,
        "examples": cards[: len(runs.examples)],
        "results": cards[len(runs.examples) : len(cards) - len(source)],
        "before": [picture for run in source for picture in pictures_of(run, opened_with.result)],
        "can_undo_reset": RESET in request.GET and drafts.dropped_draft(member, app.public_id) is not None,
        "look": form_look(app, request.GET) if form is None and app.may_have_form else None,
    }
    return render_page(request, "launching/app_detail.html", context, partial=partial, status=status)


def _preview_words(app: App, maker: Member) -> str:
    """Return a sentence telling an admin what the preview shows."""
    if app.is_open_to(maker):
        return _("This is what a maker sees. Nothing is saved or started from here.")
    return _(
        "Makers can't see this app. If they could, it would look like this. Nothing is saved or started from here."
    )
