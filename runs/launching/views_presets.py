"""Presets: save a form or a run's inputs under a name; edit and delete presets. A preset opens in the app's form."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from runs.audit.admin_access import record_openings
from runs.catalog.form_rules import form_questions
from runs.launching import presets
from runs.launching.forms import PresetForm
from runs.launching.presets import NameTakenError
from runs.models import App, Draft, Preset, Run
from runs.schema_forms.field_rules import open_answers
from runs.uploads import ownership
from runs.web.http import PortalRequest, changeable_or_refuse, go_to, refuse_viewers, render_page
from runs.web.posted import posted_of

NAME_IN_USE = gettext_noop("You already have a preset with this name. Choose another name.")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def preset_new(request: PortalRequest) -> HttpResponse:
    """GET asks for a name; POST saves a preset from the run `?from=<run>` or the member's draft for `?app=<app>`."""
    preset, source = _unsaved(request)
    form = PresetForm(posted_of(request), initial={"name": source.title if isinstance(source, Run) else ""})
    if not form.is_valid():
        return _new_page(request, preset, source, form)
    preset.name, preset.is_team = form.cleaned_data["name"], form.cleaned_data["is_team"]
    preset.answers = ownership.own_files(request.user, preset.answers)
    try:
        presets.save_preset(preset)
    except NameTakenError:
        form.add_error("name", _(NAME_IN_USE))
        return _new_page(request, preset, source, form)
    if isinstance(source, Draft):  # its content is now in the preset, unless more has been typed since
        Draft.objects.filter(pk=source.pk, updated_at=source.updated_at).delete()
    messages.success(request, _("Saved as “%(name)s”.") % {"name": preset.name})
    return go_to(request, preset.get_absolute_url())


def _unsaved(request: PortalRequest) -> tuple[Preset, Run | Draft]:
    """Return the new preset and its source. It has teammates' files until it is saved with the member's own copies."""
    member, run_id = request.user, request.GET.get("from", "")[:16]
    if run_id:
        runs = Run.objects.visible_to(member).filter(app__in=App.objects.open_to(member))
        run = changeable_or_refuse(request, runs.select_related("app", "schema"), public_id=run_id)
        record_openings(request, [run])
        answers = open_answers(form_questions(run.app, run.schema), run.answers_for(member))
        own_answers = ownership.visible_answers(member, answers)
        return Preset(member=member, app=run.app, answers=own_answers, wanted_outputs=run.wanted_outputs or None), run
    app = get_object_or_404(App.objects.open_to(member), public_id=request.GET.get("app", "")[:16])
    draft = Draft.objects.current().filter(member=member, app=app).first()
    if draft is None:
        raise Http404
    refuse_viewers(member)
    own = ownership.only_own(member, draft.answers)
    return Preset(member=member, app=app, answers=own, wanted_outputs=draft.wanted_outputs), draft


def _new_page(request: PortalRequest, preset: Preset, source: Run | Draft, form: PresetForm) -> HttpResponse:
    context = {
        "section": "apps",
        "app": preset.app,
        "lines": presets.answer_lines(preset.answers),
        "form": form,
        "back_url": source.get_absolute_url() if isinstance(source, Run) else preset.app.get_absolute_url(),
    }
    return render_page(request, "launching/preset_new.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def preset_edit(request: PortalRequest, preset_id: str) -> HttpResponse:
    """Rename a preset, or change whether it is shared with the team."""
    preset = _changeable(request, preset_id)
    form = PresetForm(posted_of(request), initial={"name": preset.name, "is_team": preset.is_team})
    if form.is_valid():
        data = form.cleaned_data
        try:
            presets.edit_preset(preset, data["name"], timezone.now(), is_team=data["is_team"])
        except NameTakenError:
            form.add_error("name", _(NAME_IN_USE))
        else:
            messages.success(request, _("“%(name)s” is saved.") % {"name": preset.name})
            return go_to(request, preset.get_absolute_url())
    context = {
        "section": "apps",
        "app": preset.app,
        "preset": preset,
        "lines": presets.answer_lines(preset.answers),
        "form": form,
        "back_url": preset.get_absolute_url(),
    }
    return render_page(request, "launching/preset_edit.html", context, status=422 if form.errors else 200)


@require_POST
def preset_delete(request: PortalRequest, preset_id: str) -> HttpResponse:
    preset = _changeable(request, preset_id)
    app = preset.app
    presets.delete_preset(preset)
    messages.info(request, _("“%(name)s” was deleted. Runs made with it aren't affected.") % {"name": preset.name})
    return go_to(request, app.get_absolute_url())


def _changeable(request: PortalRequest, preset_id: str) -> Preset:
    apps = App.objects.open_to(request.user)
    mine = Preset.objects.manageable_by(request.user).filter(app__in=apps).select_related("app", "member")
    preset = changeable_or_refuse(request, mine, public_id=preset_id)
    return preset
