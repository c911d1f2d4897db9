"""The page of a result, using the result in another app, and fetching its files again."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from runs.audit.admin_access import record_openings
from runs.display.bin_rows import binned_page
from runs.display.comment_draft import result_draft
from runs.display.comments import player_start, result_comments
from runs.display.result_page import result_page
from runs.display.result_rows import result_rows
from runs.display.review_count import words_of
from runs.engine import save_outputs
from runs.launching import library
from runs.models import App, Output, Run
from runs.notices import read_state
from runs.results.forms import UseForm
from runs.review import threads
from runs.uploads.ownership import adopt
from runs.web.http import PortalRequest, changeable_or_refuse, go_to, refuse_viewers, render_page
from runs.words.numbers import number_in


def _number(number: str) -> int:
    """Return the number of a file within its result; 1 if `number` is invalid."""
    return number_in(number, 1, 9_999, 1)


@require_safe
def result_detail(request: PortalRequest, result_id: str) -> HttpResponse:
    """Show a result."""
    rows = result_rows(request.user, result_id)
    if rows is None:
        binned = binned_page(request.user, outputs__public_id=result_id)
        record_openings(request, [binned["run"]])
        return render_page(request, "history/run_binned.html", binned, status=404)
    page = result_page(rows, request.user, result_id, _number(request.GET.get("n", "1")), request.GET.get("in"))
    read_state.opened(request, page.run, page.slide.output)
    if request.htmx and page.is_live and request.GET.get("v") == str(page.slide.output.changed_in):
        return HttpResponse(status=204)  # nothing has changed, and swapping the page in again would lose the focus
    record_openings(request, [page.run])
    shows_all = "comments" in request.GET
    context = {
        "section": "history",
        "review_count": words_of(rows.waiting),
        "page": page,
        "comments": result_comments(page.slide, request.user, most=threads.MOST if shows_all else threads.LATEST),
        "draft": result_draft(page, shows_all=shows_all),
        "start": player_start(request.GET.get("at", "")),
    }
    return render_page(request, "results/result_detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def result_use(request: PortalRequest, result_id: str) -> HttpResponse:
    """Use a result in another app: GET lists the apps that accept it, and POST puts it into the chosen app's form."""
    refuse_viewers(request.user)
    rows = result_rows(request.user, result_id)
    if rows is None:
        raise Http404
    data = UseForm.read(request.POST if request.method == "POST" else request.GET)
    page = result_page(rows, request.user, result_id, _number(data["n"]))
    slide = page.slide
    kind = "text" if slide.kind in ("text", "object") else slide.file.kind if slide.file else ""
    if request.method == "POST":
        apps = App.objects.listed().offered_to(request.user)
        app = get_object_or_404(apps.select_related("schema"), public_id=data["app"])
        question = library.first_question(app, kind) if kind else None
        if question is None:
            raise Http404
        value = [adopt(request.user, slide.file)] if slide.file else slide.box.text
        return go_to(request, library.put_into_draft(request.user, app, question, value, is_new=True))
    record_openings(request, [page.run])
    uses = library.uses_of(request.user, kind) if kind else []
    uses.sort(key=lambda use: use.app == page.run.app)  # people usually want another app, so the run's app comes last
    context = {"section": "history", "page": page, "uses": uses}
    return render_page(request, "results/result_use.html", context)


@require_POST
def result_fetch_again(request: PortalRequest, result_id: str) -> HttpResponse:
    """Try again to fetch a result's files that couldn't be saved."""
    runs = Run.objects.manageable_by(request.user)
    output = changeable_or_refuse(request, Output.objects.select_related("run"), public_id=result_id, run__in=runs)
    if save_outputs.fetch_again(output):
        messages.info(request, _("The portal is fetching the result again."))
    return go_to(request, output.run.get_absolute_url())
