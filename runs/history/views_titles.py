"""Renaming a run."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from runs.history import titles
from runs.history.forms import TitleForm
from runs.models import Run
from runs.web.http import PortalRequest, go_to, refuse_viewers


@require_POST
def run_rename(request: PortalRequest, run_id: str) -> HttpResponse:
    """Give a run a title; an empty one restores the app's name."""
    run = get_object_or_404(Run.objects.manageable_by(request.user), public_id=run_id)
    refuse_viewers(request.user)
    titles.rename(run, TitleForm.read(request.POST)["title"])
    return go_to(request, run.get_absolute_url())
