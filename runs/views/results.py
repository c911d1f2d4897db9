"""One result: its page."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from runs.http import PortalRequest, render_page
from runs.services.file_page import file_page, find_run, result_of_file


@require_safe
def file_detail(request: PortalRequest, file_id: str) -> HttpResponse:
    """The page of a result; the id of a file leads to the result that holds it."""
    run = find_run(request.user, file_id)
    if run is None:
        if url := result_of_file(request.user, file_id):
            return redirect(url)
        raise Http404
    number = request.GET.get("n", "1")
    page = file_page(run, file_id, int(number[:4]) if number.isascii() and number.isdigit() else 1)
    return render_page(request, "runs/file_detail.html", {"section": "history", "page": page})
