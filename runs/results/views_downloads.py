"""Downloads: a zip of several results, with a sheet that says where each file came from, or the text of a single
result."""

from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from runs.audit.admin_access import record_openings
from runs.history import selection
from runs.history.bulk_actions import approved_of
from runs.history.undo import offer_undo
from runs.models import Output, Run, Selection
from runs.results import downloads
from runs.storage.serve import content_disposition
from runs.storage.store import StorageAway
from runs.web.http import PortalRequest, render_page
from runs.words import file_names


@require_safe
def results_download(request: PortalRequest) -> HttpResponseBase:
    """Send a zip of the results `?f=<result>` and all results of the runs `?r=<run>`; both can be repeated.

    `?ended=<place>` sends the selection that the member last used or cleared in that place (`history.selection`).
    `&only=approved` sends the newest approved version of each of these results.
    """
    try:
        outputs = _requested_outputs(request)
        if request.GET.get("only") == "approved" and outputs.exists():
            outputs = approved_of(request.user, outputs)
            if not outputs.exists():
                sentence = _("None of these results has been approved.")
                return _nothing(request, _("Nothing approved yet"), sentence, 404)
        parcel = downloads.pack(outputs)
    except downloads.TooMuch as refusal:
        return _nothing(request, _("Too much for one download"), refusal.sentence, 422)
    except StorageAway:
        sentence = _("The portal's storage isn't responding. Nothing is lost; try again in a moment.")
        return _nothing(request, _("The files can't be reached right now"), sentence, 503)
    if parcel is None:
        raise Http404
    if not parcel.files:
        sentence = _("None of these results has been saved yet.")
        return _nothing(request, _("Nothing to download yet"), sentence, 404)
    # Media files hardly compress, and compressing the response would remove its Content-Length.
    request.META.pop("HTTP_ACCEPT_ENCODING", None)
    headers = {
        "Content-Disposition": content_disposition(parcel.name, is_inline=False),
        "Content-Length": str(parcel.size),
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    record_openings(request, Run.objects.filter(pk__in=outputs.values("run_id")))
    if request.method == "HEAD":
        return HttpResponse(content_type="application/zip", headers=headers)
    downloads.record_download(parcel)
    return StreamingHttpResponse(parcel.blocks, content_type="application/zip", headers=headers)


def _requested_outputs(request: PortalRequest) -> QuerySet[Output]:
    place = request.GET.get("ended", "")
    if place in Selection.Place.values:
        return selection.outputs_in(request.user, place, is_ended=True)
    return downloads.outputs_of(request.user, request.GET.getlist("f"), request.GET.getlist("r"))


@require_safe
def result_text(request: PortalRequest, result_id: str) -> HttpResponse:
    """Send a text result as a plain text file, or a structured result as JSON, exactly as it was received."""
    outputs = Output.objects.visible_to(request.user).select_related("run").exclude(text="")
    output = get_object_or_404(outputs, public_id=result_id)
    record_openings(request, [output.run])
    name = file_names.stem_in_run(output).named(output.text_ending)
    headers = {"Content-Disposition": content_disposition(name, is_inline=False), "X-Content-Type-Options": "nosniff"}
    media_type = "application/json" if output.is_object else "text/plain; charset=utf-8"
    return HttpResponse(output.text.encode("utf-8", "replace"), content_type=media_type, headers=headers)


def _nothing(request: PortalRequest, heading: str, sentence: str, status: int) -> HttpResponse:
    place = request.GET.get("ended", "")
    if place in Selection.Place.values:
        offer_undo(request, _("The selection was cleared."), "reselect", place=place)
    context = {"section": "history", "heading": heading, "sentence": sentence}
    return render_page(request, "results/results_download.html", context, status=status)
