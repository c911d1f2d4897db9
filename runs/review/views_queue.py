"""The review pages: the queue (one result at a time), the member's requests, and recent decisions."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from runs.audit.admin_access import record_openings
from runs.display import review_lists, review_queue
from runs.display.comments import player_start
from runs.display.review_queue import VerdictSummary, queue_url
from runs.models import Output, ReviewRequest
from runs.review import requests, review_queries
from runs.review.deciders import Reviewer
from runs.review.errors import DecisionError, NotAllowedError, ReasonNeededError
from runs.review.forms_queue import QueueDecideForm, RequestForm, UndoBatchForm
from runs.review.verdicts import decide, undo
from runs.web.http import PortalRequest, changeable_or_refuse, makers_only, own_path, refuse_viewers, render_page
from runs.words.numbers import capped_words, number_in, number_words


def _number(text: str | None) -> int:
    return number_in(text or "", 1, 9_999, 1)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def review(request: PortalRequest) -> HttpResponse:
    """Show what is waiting for the member, one result at a time (`?at=`); POST decides, then goes on to the next.

    With `?request=`, begin with the first result that the given request asks about. `?done=` is the batch of the
    decision that led to this page, which is announced once to screen readers. If a decision couldn't be recorded, its
    result stays on screen. With `?kept=1`, a result that has just been commented on also stays on screen, even if it is
    no longer waiting.
    """
    if request.method == "POST":
        return _decide(request)
    return _show(request, request.GET.get("at", ""))


def _decide(request: PortalRequest) -> HttpResponse:
    posted = QueueDecideForm.read(request.POST)
    output = changeable_or_refuse(
        request, Output.objects.visible_to(request.user).select_related("run"), public_id=posted["result"]
    )
    try:
        if not posted["verdict"]:
            raise DecisionError(_("Choose a decision."))
        decision = decide(output, posted["verdict"], posted["note"], Reviewer(request.user), posted["seen"])
    except NotAllowedError as error:
        raise PermissionDenied(error.sentence) from None
    except DecisionError as error:
        return _show(request, output.public_id, posted=posted, error=error)
    return _see_other(queue_url(at=posted["after"], done=decision.batch))


@require_POST
@makers_only
def review_undo(request: PortalRequest) -> HttpResponse:
    """Undo a batch of the member's decisions, and show the result again."""
    posted = UndoBatchForm.read(request.POST)
    count = undo(posted["batch"], Reviewer(request.user))
    if not count:
        messages.warning(request, _("It's too late to undo that. Decide again instead."))
    if posted["back"]:
        if count:
            messages.success(request, undone_words(count))
        return _see_other(own_path(posted["back"], reverse("runs:review-decided")))
    return _see_other(queue_url(at=posted["result"], undone="1" if count else ""))


def undone_words(count: int) -> str:
    words = ngettext("%(count)s decision was undone.", "%(count)s decisions were undone.", count)
    return words % {"count": number_words(count)}


def _show(
    request: PortalRequest, at: str, posted: dict[str, Any] | None = None, error: DecisionError | None = None
) -> HttpResponse:
    member, now = request.user, timezone.now()
    waiting = review_queue.waiting_ids(member)
    at = at or review_queue.first_of(request.GET.get("request", ""), waiting)
    is_kept = bool(error) or "kept" in request.GET
    page = review_queue.queue_page(member, waiting, at=at, number=_number(request.GET.get("n")), is_kept=is_kept)
    last = review_queue.last_shown(member, now)
    context: dict[str, Any] = {
        "section": "review",
        "tab": "waiting",
        "review_count": capped_words(len(waiting), review_queries.COUNTED) if waiting else "",
        "page": page,
        "last": last,
        "note": posted["note"] if posted else "",
        "pending": posted["verdict"] if posted else "",
        "error": error,
        "newer": review_queue.newer_shown(error, member, waiting),
        "is_reason_missing": isinstance(error, ReasonNeededError),
        "announcement": "" if error else _status_words(request, last, len(waiting)),
    }
    if last is not None:
        record_openings(request, [last.decision.output.run])
    if page is not None:
        record_openings(request, [page.run])
        shows_all = "comments" in request.GET
        context["comments"] = review_queue.queue_comments(page, member, shows_all=shows_all)
        context["draft"] = review_queue.queue_draft(page, shows_all=shows_all)
        context["start"] = player_start(request.GET.get("t", ""))
    else:
        context["lines"] = _decided_lines(request, review_lists.LATELY)
    return render_page(request, "review/queue.html", context, status=422 if error else 200)


def _status_words(request: PortalRequest, last: VerdictSummary | None, count: int) -> str:
    """Return what just happened, for screen readers, such as "Approved: Front. 41 left."; "" if the page was just
    opened."""
    if request.GET.get("undone"):
        return _("Undone. The result is waiting for a decision again.")
    if last is None or last.decision.batch != request.GET.get("done"):
        return ""
    return f"{last.words}. {review_queue.left_words(count)}."


def _see_other(url: str) -> HttpResponse:
    """Redirect after a POST. htmx follows the redirect and swaps in the new page."""
    return HttpResponseRedirect(url, status=303)


@require_safe
@never_cache
def review_asked(request: PortalRequest) -> HttpResponse:
    """List the member's requests, newest first."""
    number = _number(request.GET.get("page"))
    page = review_lists.requests_page(request.user, number, timezone.now())
    return render_page(request, "review/own_requests.html", {"section": "review", "tab": "asked", "page": page})


@require_safe
@never_cache
def review_decided(request: PortalRequest) -> HttpResponse:
    """List recent decisions on results that the member may see."""
    lines = _decided_lines(request, review_lists.DECIDED)
    last = review_queue.last_shown(request.user, timezone.now())
    context = {"section": "review", "tab": "decided", "lines": lines, "last": last}
    return render_page(request, "review/recent_decisions.html", context)


def _decided_lines(request: PortalRequest, most: int) -> list[review_lists.DecidedLine]:
    """Return the latest decisions on results that the member may see."""
    decisions = review_queries.decided_lately(request.user)[:most]
    lines = review_lists.decided_lines(decisions, request.user)
    record_openings(request, (line.summary.decision.output.run for line in lines))
    return lines


@require_POST
def review_request_close(request: PortalRequest, request_id: str) -> HttpResponse:
    """Close a request, so that nobody is asked any more."""
    review_request = _request(request, request_id)
    refuse_viewers(request.user)
    requests.close(review_request, request.user)
    messages.success(request, _("The request is closed. Nobody needs to decide any more."))
    return _to_asked(request)


@require_POST
def review_request_remind(request: PortalRequest, request_id: str) -> HttpResponse:
    """Remind people who still owe a decision."""
    review_request = _request(request, request_id)
    refuse_viewers(request.user)
    if requests.remind(review_request, request.user):
        messages.success(request, _("Reminder sent."))
    else:
        messages.warning(
            request, _("Nobody was reminded. You can send a reminder once an hour while a decision is pending.")
        )
    return _to_asked(request)


def _request(request: PortalRequest, request_id: str) -> ReviewRequest:
    """Return the request if the member may manage it; otherwise, raise Http404."""
    return get_object_or_404(ReviewRequest.objects.manageable_by(request.user), public_id=request_id)


def _to_asked(request: PortalRequest) -> HttpResponse:
    page = number_in(RequestForm.read(request.POST)["page"], 1, 999_999, None)
    return _see_other(reverse("runs:review-asked", query={"page": page} if page else None))
