"""Serves files from results, uploads and the catalogue to people who may see them."""

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from runs.audit.admin_access import record_opening_of
from runs.models import Member, Output, OutputFile, StoredFile, files_visible_to, files_with_small_picture_for
from runs.models.file import THUMBNAIL_WIDTHS
from runs.models.joined import is_one_of
from runs.storage.serve import file_response
from runs.web.http import PortalRequest
from runs.words.file_names import ending_of, file_name


@require_safe
def file_original(request: PortalRequest, file_id: str) -> HttpResponseBase:
    file = get_object_or_404(files_visible_to(request.user), public_id=file_id)
    return _file_response(request, file, "original", name=_name(request.user, file))


@require_safe
def file_thumb(request: PortalRequest, file_id: str, width: int) -> HttpResponseBase:
    if width not in THUMBNAIL_WIDTHS:
        return HttpResponse(status=404)
    is_smallest = width == min(THUMBNAIL_WIDTHS)
    allowed = files_with_small_picture_for(request.user) if is_smallest else files_visible_to(request.user)
    return _file_response(request, get_object_or_404(allowed, public_id=file_id), f"thumb_{width}")


def _file_response(request: PortalRequest, file: StoredFile, variant: str, *, name: str = "") -> HttpResponseBase:
    response = file_response(request, file, variant, name=name)
    if response.status_code < 400:
        record_opening_of(request, file)
    return response


def _name(member: Member, file: StoredFile) -> str:
    """Return the download name of a file that is part of a result that `member` may see; "" for other files."""
    results = OutputFile.objects.filter(is_one_of(Output.objects.visible_to(member), "output"), file=file)
    output_file = results.select_related("output__run").order_by("pk").first()
    return file_name(output_file, ending_of(file)) if output_file else ""
