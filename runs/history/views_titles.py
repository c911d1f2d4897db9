"""Renaming a run, and describing a result."""

from django.http import HttpResponse
from django.views.decorators.http import require_POST

from runs.history import titles
from runs.history.forms import DescriptionForm, TitleForm
from runs.models import Output, Run
from runs.web.http import PortalRequest, changeable_or_refuse, go_to


@require_POST
def run_rename(request: PortalRequest, run_id: str) -> HttpResponse:
    """Give a run a title; an empty one restores the app's name."""
    run = changeable_or_refuse(request, Run.objects.manageable_by(request.user), public_id=run_id)
    titles.rename(run, TitleForm.read(request.POST)["title"])
    return go_to(request, run.get_absolute_url())


@require_POST
def result_describe(request: PortalRequest, result_id: str) -> HttpResponse:
    """Save what a result's picture shows, or what is said and heard in its video or sound."""
    runs = Run.objects.manageable_by(request.user)
    output = changeable_or_refuse(request, Output, public_id=result_id, run__in=runs)
    titles.describe(output, DescriptionForm.read(request.POST)["description"])
    return go_to(request, f"{output.get_absolute_url()}#description")
