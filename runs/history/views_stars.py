"""Stars on runs, results and apps. The form posts the desired state, so a second click changes nothing."""

from urllib.parse import urlsplit

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from runs.history import stars
from runs.history.forms import StarForm
from runs.models import App, Output, Run
from runs.web.http import PortalRequest, refuse_viewers, render_page


@require_POST
def run_star(request: PortalRequest, run_id: str) -> HttpResponse:
    run = get_object_or_404(Run.objects.visible_to(request.user), public_id=run_id)
    stars.star_run(run, request.user, timezone.now(), is_on=_is_on(request))
    return _answer(request, run)


@require_POST
def result_star(request: PortalRequest, result_id: str) -> HttpResponse:
    output = get_object_or_404(Output.objects.visible_to(request.user), public_id=result_id)
    stars.star_output(output, request.user, timezone.now(), is_on=_is_on(request))
    return _answer(request, output)


@require_POST
def app_star(request: PortalRequest, app_id: str) -> HttpResponse:
    app = get_object_or_404(App.objects.open_to(request.user), public_id=app_id)
    stars.star_app(app, request.user, timezone.now(), is_on=_is_on(request))
    return _answer(request, app)


def _is_on(request: PortalRequest) -> bool:
    refuse_viewers(request.user)
    return bool(StarForm.read(request.POST)["on"])


def _answer(request: PortalRequest, starred: Run | Output | App) -> HttpResponse:
    """Return the updated button. Without JavaScript, redirect back to the page, at the button that was pressed."""
    if request.htmx:
        context = {"starred": starred, "label": StarForm.read(request.POST)["label"]}
        return render_page(request, "history/_star.html", context, partial="star")
    came_from = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(came_from, {request.get_host()}):
        came_from = (starred.run if isinstance(starred, Output) else starred).get_absolute_url()
    return HttpResponseRedirect(f"{urlsplit(came_from)._replace(fragment='').geturl()}#star-{starred.public_id}")
