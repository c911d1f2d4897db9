"""The library: earlier results and uploads for a form field."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods

from runs.launching.forms import FieldForm
from runs.launching.library import SOURCES, browse, form_url, put_into_draft, question_of, source_words, take
from runs.models import App
from runs.models.addresses import url_with
from runs.schema_forms.questions import Question
from runs.uploads import uploads
from runs.web.http import PortalRequest, go_to, makers_only, render_page


@require_http_methods(["GET", "HEAD", "POST"])
@makers_only
def library(request: PortalRequest) -> HttpResponse:
    """GET lists files for the field `?field=` of the app `?app=`, as a page or inside the form; POST puts the picked
    files into the form."""
    data = FieldForm.read(request.POST if request.method == "POST" else request.GET)
    app = get_object_or_404(App.objects.open_to(request.user).select_related("schema"), public_id=data["app"])
    question = question_of(app, data["field"])
    if question is None:
        raise Http404
    if request.method == "POST":
        return _use_files(request, app, question, data["pick"])
    source = request.GET.get("source", "")
    source = source if source in SOURCES else "results"
    q = request.GET.get("q", "").strip()[:200]
    before, is_similar = request.GET.get("before", "")[:16], "similar" in request.GET
    page = browse(request.user, question.accept, source, q, before, is_similar=is_similar)
    similar = "1" if page.search.is_similar else ""
    context = {
        "section": "apps",
        "app": app,
        "question": question,
        "source": source,
        "sources": [(key, words, _url(app, question, source=key, q=q)) for key, words in source_words().items()],
        "q": q,
        "items": page.items,
        "marker": page.search.marker,
        "is_similar": page.search.is_similar,
        "older_url": _url(app, question, source=source, q=q, before=page.before, similar=similar)
        if page.before
        else "",
        "form_url": form_url(request.user, app, question),
        "is_inside": bool(request.htmx),
    }
    return render_page(request, "launching/library.html", context, partial="library")


def _url(app: App, question: Question, **query: str) -> str:
    return url_with("library", app=app.public_id, field=question.field_name, **query)


def _use_files(request: PortalRequest, app: App, question: Question, picked: list[str]) -> HttpResponse:
    """Put the picked files into the open form (htmx) or into its draft."""
    new_uploads = take(request.user, question, picked[:50])
    if request.htmx:
        infos = uploads.upload_infos(request.user, [upload.public_id for upload in new_uploads])
        context = {"tiles": infos, "field": question.field_name, "app": app}
        return render_page(request, "launching/library.html", context, partial="tiles")
    if new_uploads:
        return go_to(request, put_into_draft(request.user, app, question, new_uploads))
    return go_to(request, form_url(request.user, app, question))
