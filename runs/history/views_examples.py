"""Removing the sandbox examples, to start with an empty portal. Undo restores them."""

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from runs.history import examples
from runs.history.forms import ExamplesUndoForm
from runs.web.http import PortalRequest, admins_only, go_to


@require_POST
@admins_only
def examples_clear(request: PortalRequest) -> HttpResponse:
    """Remove the examples. If the button is pressed twice, Undo still restores what the first press removed."""
    removal = examples.put_away(request.user, timezone.now())
    if removal.runs:
        examples.keep_for_undo(request, removal)
    return go_to(request, reverse("runs:home"))


@require_POST
@admins_only
def examples_restore(request: PortalRequest) -> HttpResponse:
    """Restore the examples that `examples_clear` removed, or just stop offering to do so."""
    removal = examples.take_kept(request)
    if removal and ExamplesUndoForm.read(request.POST)["do"] != "close":
        examples.bring_back(removal)
    return go_to(request, reverse("runs:home"))
