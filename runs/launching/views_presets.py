"""Presets: save a form or a run's inputs under a name; edit and delete presets. A preset opens in the app's form."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from runs.audit.admin_access import record_openings
from runs.catalog.field_rules import form_questions
from runs.engine import run_inputs
from runs.launching import presets
from runs.launching.forms import PresetForm
from runs.launching.presets import NameTakenError
from runs.models import App, Draft, Preset, Run
from runs.schema_forms.answers import Answer
from runs.schema_forms.field_rules import open_answers
from runs.uploads import ownership
from runs.web.http import PortalRequest, changeable_or_refuse, go_to, refuse_viewers, render_page
from runs.web.posted import posted_of

NAME_IN_USE = gettext_noop("You already have a preset with this name. Choose another name.")


@dataclass(frozen=True)
class Source:
    """The source of a new preset: a run, or the member's draft for the app.

    Teammates' files are shown at first, and replaced with the member's own copies when the preset is saved.
    """

    app: App
    answers: list[Answer]
    wanted_outputs: list[int] | None
    run: Run | None = None
    draft: Draft | None = None


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def preset_new(request: PortalRequest) -> HttpResponse:
    """GET asks for a name; POST saves a preset from the run `?from=<run>` or the member's draft for `?app=<app>`."""
    source = _source(request)
    form = PresetForm(posted_of(request), initial={"name": source.run.title if source.run else ""})
    if not form.is_valid():
        return _new_page(request, source, form)
    data = form.cleaned_data
    answers = ownership.own_files(request.user, source.answers)
    try:
        preset = presets.save_preset(
            request.user, source.app, data["name"], answers, source.wanted_outputs, is_team=data["is_team"]
        )
    except NameTakenError:
        form.add_error("name", _(NAME_IN_USE))
        return _new_page(request, source, form)
    if source.draft is not None:  # the draft's content is now in the preset, unless more has been typed since
        Draft.objects.filter(pk=source.draft.pk, updated_at=source.draft.updated_at).delete()
    messages.success(request, _("Saved as “%(name)s”.") % {"name": preset.name})
    return go_to(request, preset.get_absolute_url())


def _source(request: PortalRequest) -> Source:
    run_id = request.GET.get("from", "")[:16]
    if run_id:
        runs = Run.objects.visible_to(request.user).filter(app__in=App.objects.open_to(request.user))
        run = changeable_or_refuse(request, runs.select_related("app", "schema"), public_id=run_id)
        record_openings(request, [run])
        past = run_inputs.answers_for(request.user, run)
        answers_given = open_answers(form_questions(run.app, run.schema), past)
        answers = ownership.shown(request.user, answers_given)
        return Source(run.app, answers, run.wanted_outputs or None, run=run)
    app = get_object_or_404(App.objects.open_to(request.user), public_id=request.GET.get("app", "")[:16])
    draft = Draft.objects.current().filter(member=request.user, app=app).first()
    if draft is None:
        raise Http404
    refuse_viewers(request.user)
    return Source(app, ownership.only_own(request.user, draft.answers), draft.wanted_outputs, draft=draft)


def _new_page(request: PortalRequest, source: Source, form: PresetForm) -> HttpResponse:
    context = {
        "section": "apps",
        "app": source.app,
        "lines": presets.answer_lines(source.answers),
        "form": form,
        "back_url": source.run.get_absolute_url() if source.run else source.app.get_absolute_url(),
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
