"""The inbox: a member's notices grouped by run, the bell's list, and what they have muted."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from runs.display.bell import bell_of
from runs.display.inbox import inbox_page
from runs.models import Comment, Notice, Run
from runs.notices import mutes, read_state
from runs.notices.forms import MuteForm, ReadAllForm, SeenNoticesForm
from runs.web.http import PortalRequest, go_to, own_path, render_page

INBOX = "/inbox/"


@require_safe
def inbox(request: PortalRequest) -> HttpResponse:
    page = inbox_page(request.user, request.GET.get("before", ""))
    context = {"section": "inbox", "inbox": page, "bell": bell_of(request.user, has_pictures=False)}
    return render_page(request, "notices/inbox.html", context)


@require_POST
def inbox_read(request: PortalRequest) -> HttpResponse:
    """Mark everything that the page showed as read; newer notices stay unread."""
    form = ReadAllForm(request.POST)
    if form.is_valid():
        read_state.mark_all(request.user, form.cleaned_data["until"])
    return go_to(request, INBOX)


@require_POST
def inbox_seen(request: PortalRequest) -> HttpResponse:
    """Mark only the posted notices as read; return the bell without its list, because the member is reading that list
    right now."""
    read_state.mark_read(
        request.user, Notice.objects.filter(public_id__in=SeenNoticesForm.read(request.POST)["notices"].split())
    )
    if not request.htmx:
        came_from = request.headers.get("Referer", "")
        is_ours = url_has_allowed_host_and_scheme(came_from, {request.get_host()})
        return go_to(request, came_from if is_ours else "/")
    is_watching = Run.objects.owned_by(request.user).active().exists()
    context = {"bell": bell_of(request.user, is_watching=is_watching), "oob": True, "is_button_alone": True}
    return render(request, "live/_bell.html", context)


@require_safe
def inbox_muted(request: PortalRequest) -> HttpResponse:
    return render_page(request, "notices/muted.html", {"section": "inbox", "mutes": mutes.muted_by(request.user)})


@require_POST
def inbox_mute(request: PortalRequest) -> HttpResponse:
    """Mute a run or a conversation; the message on the next page has a button to undo this."""
    run, comment, back = _mute_target(request)
    mutes.mute(request.user, run, comment)
    words = _("You won't be notified about this conversation any more.")
    if comment is None:
        words = _("You won't be notified about this run any more.")
    what = f"comment-{comment.public_id}" if comment is not None else run.public_id
    messages.success(request, words, extra_tags=f"mute {what}")
    return go_to(request, back)


@require_POST
def inbox_unmute(request: PortalRequest) -> HttpResponse:
    run, comment, back = _mute_target(request)
    mutes.unmute(request.user, run, comment)
    messages.success(request, _("You'll be notified again from now on."))
    return go_to(request, back)


def _mute_target(request: PortalRequest) -> tuple[Run, Comment | None, str]:
    """Return what to mute or unmute (if the member can see it), and the page to return to."""
    data = MuteForm.read(request.POST)
    visible, (before, is_comment, comment_id) = Run.objects.visible_to(request.user), data["what"].partition("comment-")
    if not is_comment:
        return get_object_or_404(visible, public_id=before), None, own_path(data["back"], INBOX)
    there = Comment.objects.filter(run__in=visible).select_related("run", "parent")
    comment = get_object_or_404(there, public_id=comment_id)
    return comment.run, mutes.top_of(comment), own_path(data["back"], INBOX)
