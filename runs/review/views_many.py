"""Deciding on many results at once, after selecting them in History or on run pages."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from runs.audit.admin_access import record_openings
from runs.display import review_lists
from runs.history import selection
from runs.history.undo import end_selection
from runs.models import Output, ReviewRules
from runs.review import requests
from runs.review.deciders import Reviewer
from runs.review.errors import DecisionError, ReasonNeededError
from runs.review.forms_queue import ManyForm, WhatForm
from runs.review.skipped_words import skipped_words
from runs.review.verdicts import Bulk, decide_many
from runs.web.http import PortalRequest, makers_only, render_page
from runs.words.numbers import number_words, results_words


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@makers_only
def review_many(request: PortalRequest) -> HttpResponse:
    """GET shows the selected results (`selected`); POST decides on those that the page showed.

    Results that have changed in the meantime or can't be decided on are skipped, and the message says how many.
    """
    if not ReviewRules.current().may_decide(request.user):
        raise PermissionDenied(_("Your role doesn't let you decide on results. If you need to, ask an admin."))
    if request.method == "POST":
        return _decide(request)
    place = WhatForm.read(request.GET)["selected"]
    selected = selection.outputs_in(request.user, place) if place else Output.objects.none()
    return _show(request, list(selected.values_list("public_id", "decided_in")[: requests.MOST]), place)


def _decide(request: PortalRequest) -> HttpResponse:
    posted = ManyForm.read(request.POST)
    decided_in: dict[str, int] = posted["shown"]
    outputs = Output.objects.visible_to(request.user).filter(public_id__in=list(decided_in)[: requests.MOST])
    try:
        if not posted["verdict"]:
            raise DecisionError(_("Choose a decision."))
        pairs = [(output, decided_in[output.public_id]) for output in outputs.select_related("run")]
        bulk = decide_many(pairs, posted["verdict"], posted["note"], Reviewer(request.user))
    except DecisionError as error:
        return _show(request, list(decided_in.items()), posted["selected"], posted, error)
    missing = len(decided_in) - len(pairs)
    if posted["selected"] and bulk.done:
        end_selection(request, posted["selected"])
    _tell(request, bulk, posted["verdict"], missing)
    return HttpResponseRedirect(reverse("runs:review-decided"), status=303)


def _show(
    request: PortalRequest,
    pairs: list[tuple[str, int]],
    place: str,
    posted: Mapping[str, Any] | None = None,
    error: DecisionError | None = None,
) -> HttpResponse:
    outputs = Output.objects.visible_to(request.user).filter(public_id__in=[public_id for public_id, _number in pairs])
    counts = outputs.aggregate(all=Count("pk"), decided=Count("pk", filter=~Q(verdict="")))
    ordered = outputs.order_by("-run__created_at", "run", "position").select_related("run")
    first = list(ordered.prefetch_related("files__file")[: review_lists.PICTURES])
    record_openings(request, (output.run for output in first))
    context = {
        "section": "review",
        "thumbs": [review_lists.Thumb(output) for output in first],
        "more": f"+{more}" if (more := counts["all"] - review_lists.PICTURES) > 0 else "",
        "count": counts["all"],
        "count_words": results_words(counts["all"]),
        "decided_words": _decided_words(counts["decided"]),
        "place": place,
        "shown": " ".join(f"{public_id}.{number}" for public_id, number in pairs),
        "note": posted["note"] if posted else "",
        "error": error,
        "is_reason_missing": isinstance(error, ReasonNeededError),
        "needs_reason": ReviewRules.current().needs_reason,
    }
    return render_page(request, "review/many.html", context, status=422 if error else 200)


def _tell(request: PortalRequest, bulk: Bulk, verdict: str, missing: int) -> None:
    """Show a message saying how many results were decided on, and how many were skipped and why."""
    count = number_words(bulk.done)
    words = {
        "approved": ngettext("%(count)s result was approved.", "%(count)s results were approved.", bulk.done),
        "changes": ngettext(
            "%(count)s result was marked “Needs changes”.",
            "%(count)s results were marked “Needs changes”.",
            bulk.done,
        ),
        "rejected": ngettext("%(count)s result was rejected.", "%(count)s results were rejected.", bulk.done),
    }
    sentences = [words[verdict] % {"count": count}] if bulk.done else [_("Nothing was decided.")]
    sentences += [skipped_words(code, number) for code, number in bulk.reasons.items()]
    if missing:
        sentences.append(skipped_words("gone", missing))
    level = messages.warning if bulk.skipped or missing else messages.success
    level(request, " ".join(sentences))


def _decided_words(count: int) -> str:
    """Return a sentence saying how many of the results already have a verdict; "" if none of them do."""
    if not count:
        return ""
    words = ngettext("%(count)s result already has a decision.", "%(count)s results already have a decision.", count)
    return words % {"count": number_words(count)}
