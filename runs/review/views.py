"""Views for deciding on results: each button is a small form.

With JavaScript, the response is the updated panel; without it, the page that the panel was on. If nothing was decided,
the panel says why and keeps what was typed.
"""

from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from runs.audit.admin_access import record_openings
from runs.display.result_page import next_version_url
from runs.display.run_page import onward_of
from runs.display.run_sentences import failure_of
from runs.display.verdicts import verdict_of, verdicts_of
from runs.models import Decision, Member, Output, Run
from runs.models.joined import is_one_of
from runs.review import verdicts
from runs.review.deciders import Reviewer
from runs.review.errors import (
    DecisionError,
    NotAllowedError,
    NoteTooLongError,
    ReasonNeededError,
    SupersededError,
)
from runs.review.forms import ChooseForm, DecideForm, ReviewPanelForm, UndoForm
from runs.web.http import PortalRequest, changeable_or_refuse, go_to, own_path, refuse_viewers, render_page
from runs.words.numbers import number_words

# These errors are caused by what was typed, and all others by the state of the result
TYPED = (ReasonNeededError, NoteTooLongError)


def _output_of(request: PortalRequest, result_id: str) -> Output:
    return get_object_or_404(Output.objects.visible_to(request.user).select_related("run"), public_id=result_id)


@require_POST
def result_decide(request: PortalRequest, result_id: str) -> HttpResponse:
    """Record a verdict, unless the result has changed since the page was shown."""
    output = _output_of(request, result_id)
    data = DecideForm.read(request.POST)
    if not data["verdict"]:
        raise Http404
    try:
        decision = verdicts.decide(output, data["verdict"], data["note"], Reviewer(request.user), data["seen"])
    except DecisionError as error:
        return _refused(request, output, data, error, {"note": data["note"], "pressed": data["verdict"]})
    return _reply(request, output, data, str(Decision.Verdict(decision.verdict).label), decision.batch)


@require_POST
def result_withdraw(request: PortalRequest, result_id: str) -> HttpResponse:
    """Withdraw the member's own verdict."""
    output = _output_of(request, result_id)
    refuse_viewers(request.user)
    verdicts.withdraw(output, Reviewer(request.user))
    return _reply(request, output, ReviewPanelForm.read(request.POST), _("Your decision was withdrawn."))


@require_POST
def decision_set_aside(request: PortalRequest, decision_id: str) -> HttpResponse:
    """Set someone else's verdict aside, for the reason given."""
    visible = Decision.objects.filter(is_one_of(Output.objects.visible_to(request.user), "output"))
    decision = changeable_or_refuse(request, visible.select_related("output__run"), public_id=decision_id)
    data = DecideForm.read(request.POST)
    try:
        verdicts.set_aside(decision, data["note"], Reviewer(request.user))
    except DecisionError as error:
        values = {"aside_note": data["note"], "aside": decision.public_id}
        return _refused(request, decision.output, data, error, values)
    output = _output_of(request, decision.output.public_id)
    return _reply(request, output, data, _("The decision was set aside."))


@require_POST
def decision_undo(request: PortalRequest, batch: str) -> HttpResponse:
    """Undo a batch of decisions that this member made together, if it is at most 10 minutes old."""
    if not Decision.objects.filter(batch=batch, member=request.user).exists():
        raise Http404
    refuse_viewers(request.user)
    data = UndoForm.read(request.POST)
    count = verdicts.undo(batch, Reviewer(request.user))
    if count == 1 and data["result"] and request.htmx:
        return _panel(request, _output_of(request, data["result"]), data, {"is_new": True})
    if count:
        words = ngettext("%(count)s decision was undone.", "%(count)s decisions were undone.", count)
        messages.success(request, words % {"count": number_words(count)})
    else:
        messages.warning(request, _("It's too late to undo this. You can still change or withdraw your decision."))
    return _go_back(request, data["next"], reverse("runs:home"))


@require_POST
def results_choose(request: PortalRequest) -> HttpResponse:
    """Approve the chosen result and reject the ones it's compared with, all at once."""
    data = ChooseForm.read(request.POST)
    visible = Output.objects.visible_to(request.user).filter(public_id__in=data["on"]).select_related("run")
    outputs = {output.public_id: output for output in visible}
    if data["chosen"] not in outputs:
        raise Http404
    best = outputs.pop(data["chosen"])
    decided_in = {output.pk: data["on"][output.public_id] for output in (best, *outputs.values())}
    try:
        batch = verdicts.choose(best, list(outputs.values()), Reviewer(request.user), decided_in)
    except NotAllowedError as error:
        raise PermissionDenied(error.sentence) from None
    except SupersededError as error:
        messages.error(request, _with_newer(error, request.user))
    except DecisionError as error:
        messages.error(request, error.sentence)
    else:
        words = ngettext(
            "You approved one result and rejected %(count)s other.",
            "You approved one result and rejected %(count)s others.",
            len(outputs),
        )
        messages.success(request, words % {"count": number_words(len(outputs))}, extra_tags=batch)
    return _go_back(request, data["next"], best.get_absolute_url())


def _with_newer(error: SupersededError, member: Member) -> str:
    """Return the error's sentence, with a link to the newer version if the member can see it."""
    newer = error.output
    if not newer.run.is_visible_to(member):
        return error.sentence
    words = _("Version %(number)s") % {"number": newer.number}
    return format_html('{} <a href="{}">{}</a>', error.sentence, newer.get_absolute_url(), words)


def _reply(request: PortalRequest, output: Output, data: dict[str, Any], words: str, batch: str = "") -> HttpResponse:
    """Return the updated panel; without JavaScript, go back and show `words`, with a button that undoes `batch`."""
    if request.htmx:
        return _panel(request, output, data, {"is_new": True})
    messages.success(request, words, extra_tags=batch)
    return _go_back(request, data["next"], output.get_absolute_url(), f"verdict-{output.public_id}")


def _refused(
    request: PortalRequest, output: Output, data: dict[str, Any], error: DecisionError, values: dict[str, str]
) -> HttpResponse:
    """Return the current panel, with what was typed and the reason why nothing was decided."""
    if isinstance(error, NotAllowedError):
        raise PermissionDenied(error.sentence)
    fresh = _output_of(request, output.public_id)
    status = 422 if request.htmx or isinstance(error, TYPED) else 409  # 422 is the only error that pages swap in
    why = {"error": error.sentence, "is_reason_missing": isinstance(error, ReasonNeededError)}
    return _panel(request, fresh, data, why | values, status=status)


def _panel(
    request: PortalRequest, output: Output, data: dict[str, Any], more: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """Return the panel as it looks on its page; without JavaScript, return it as a page of its own."""
    record_openings(request, [output.run])
    look = data["look"] if request.htmx else "page"
    is_full = look == "page"
    panel = verdict_of(output, request.user) if is_full else verdicts_of([output], request.user)[output.pk]
    next_url = own_path(data["next"], output.get_absolute_url())
    context = {"section": "history", "panel": panel, "look": look, "next": next_url, **more}
    if request.htmx:
        context |= _beside(request, output, look)
    template = "review/_verdict_swapped.html" if request.htmx else "review/result_decide.html"
    return render_page(request, template, context, status=status)


def _beside(request: PortalRequest, output: Output, look: str) -> dict[str, Any]:
    """Return the link to the next version, which the page shows outside the panel."""
    if look == "column":
        return {}
    # Reload the run, because the decision has changed its counts
    run = Run.objects.select_related("app").get(pk=output.run_id)
    if look == "page":
        output.run = run
        return {"next_version_url": next_version_url(output, request.user)}
    return {"onward": onward_of(run, request.user, failure_of(run, request.user))}


def _go_back(request: PortalRequest, path: str, otherwise: str, fragment: str = "") -> HttpResponse:
    """Redirect back to the page where the button was pressed."""
    url = urlsplit(own_path(path, otherwise))._replace(fragment=fragment).geturl()
    return go_to(request, url)
