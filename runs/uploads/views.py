"""Accept files and links for the fields of an app's form, and show their tiles there."""

import logging

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from runs.models import App, Upload
from runs.models.ids import new_public_id
from runs.uploads import quota, uploads
from runs.uploads.forms import RoomForm, UploadForm
from runs.web import body_limits
from runs.web.http import VIEWERS_LOOK, PortalRequest
from runs.words.messages import say
from runs.words.support import about_file

logger = logging.getLogger("runs.refused")


@body_limits.takes_files
@require_POST
def upload_create(request: PortalRequest) -> HttpResponse:
    """Accept one file or link for a field in an app's form; the response is its tile."""
    data = request.POST.copy()
    data.update(request.GET)  # a script names the app and field in the URL
    posted = UploadForm.read(data)
    app, field = get_object_or_404(App.objects.open_to(request.user), public_id=posted["app"]), posted["field"]
    name = getattr(request.FILES.get("file"), "name", "")
    try:
        if not request.user.can_run:
            raise uploads.UploadRejected(_(VIEWERS_LOOK))
        upload = uploads.receive_for_field(request.user, app, field, request.FILES.get("file"), posted["link"])
    except uploads.UploadRejected as rejected:
        reference, code = new_public_id(), rejected.message.code or rejected.message.quote
        logger.warning("reference %s is a file refused for app %s: %s", reference, app.public_id, code)
        support = about_file(app.name, name or posted["link"], reference, timezone.now(), str(rejected))
        context = {"error": str(rejected), "name": name, "support": support, "dom_id": f"support-{reference}"}
        return render(request, "uploads/_upload_error.html", context, status=422)
    return _tile(request, upload, field, app)


@require_safe
@never_cache
def upload_room(request: PortalRequest) -> HttpResponse:
    """Check whether there is room for a file of this size, before it is sent. The response is empty if there is room;
    otherwise, it is a sentence saying why there isn't."""
    size = RoomForm.read(request.GET)["bytes"]
    if not body_limits.has_room(size):
        sentence = _((body_limits.FOR_ADMINS if request.user.is_admin else body_limits.SENTENCES)[507])
    elif not quota.has_room(request.user, size):
        sentence = say(quota.OVER_QUOTA)
    else:
        return HttpResponse(status=204)
    return HttpResponse(sentence, status=507, content_type="text/plain; charset=utf-8")


@login_not_required
@body_limits.judges_body  # proxies may send the length of the body in question
@require_safe
@never_cache
def upload_allowed(request: HttpRequest) -> HttpResponse:
    """Tell the proxy whether to take in a request's body (204), or what to answer instead (401). The proxy asks before
    it reads the body, and names the method of the request."""
    is_read_only = request.headers.get("X-Forwarded-Method") in {"GET", "HEAD"}
    if is_read_only or body_limits.is_trusted_with_files(request):
        return HttpResponse(status=204)
    return body_limits.refuse(request, 401)


@require_safe
@never_cache
def upload_detail(request: PortalRequest, upload_id: str) -> HttpResponse:
    """Show the tile of one upload. The tile polls while the link is being fetched or the preview is being created."""
    upload = get_object_or_404(Upload.objects.shown_to(request.user).select_related("file"), public_id=upload_id)
    if request.GET.get("known") == "follows" and upload.file is not None and upload.file.picture_follows:
        return HttpResponse(status=204)  # nothing has changed, so keep the tile and its focus
    data = UploadForm.read(request.GET)
    app = App.objects.open_to(request.user).filter(public_id=data["app"]).first()
    return _tile(request, upload, data["field"], app)


def _tile(request: HttpRequest, upload: Upload, field: str, app: App | None) -> HttpResponse:
    context = {"upload": uploads.upload_info(upload), "field": field, "app": app}
    return render(request, "uploads/_upload.html", context)
