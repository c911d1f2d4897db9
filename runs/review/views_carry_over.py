"""Carry comments over to a later version of a result, and move them back."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from runs.models import Comment, Output
from runs.review.carry_over import carry_over, move_back
from runs.review.comment_text import CommentRefusedError
from runs.review.forms_comments import CarryForm
from runs.web.http import PortalRequest, own_path
from runs.web.posted import BackForm


@require_POST
def result_carry_over(request: PortalRequest, result_id: str) -> HttpResponse:
    """Carry open comments on earlier versions and files over to a result: the chosen ones, or all of them."""
    visible = Output.objects.visible_to(request.user).select_related("run")
    output = get_object_or_404(visible, public_id=result_id)
    data = CarryForm.read(request.POST)
    ids = [one for one in data["comment"] if len(one) <= 16]
    try:
        carry_over(output, request.user, ids)
    except CommentRefusedError as refused:
        messages.warning(request, refused.sentence)
    place = f"comment-{ids[0]}" if ids else "comments"
    return _return(own_path(data["back"], output.get_absolute_url()), place)


@require_POST
def comment_move_back(request: PortalRequest, comment_id: str) -> HttpResponse:
    """Move a comment back to the result it was written on."""
    visible = Comment.objects.visible_to(request.user).filter(parent=None, output__isnull=False)
    related = visible.select_related("run", "output__run", "carried_from__run")
    comment = get_object_or_404(related, public_id=comment_id)
    page = comment.output.get_absolute_url() if comment.output is not None else comment.run.get_absolute_url()
    try:
        move_back(comment, request.user)
    except CommentRefusedError as refused:
        messages.warning(request, refused.sentence)
    return _return(own_path(BackForm.read(request.POST)["back"], page), f"comment-{comment.public_id}")


def _return(back: str, place: str) -> HttpResponse:
    """Redirect to a place on the page `back`. htmx follows the redirect and picks the parts it needs from that page."""
    return HttpResponseRedirect(f"{back.partition('#')[0]}#{place}")
