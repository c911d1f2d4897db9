"""Asking for decisions on a run, on results, or on what is selected."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from runs.display import review_lists
from runs.display.guest_links import refusal_of
from runs.history import selection
from runs.models import GuestLink, Member, Output, Run
from runs.review import requests
from runs.review.forms_queue import AskForm, WhatForm
from runs.sharing import links
from runs.web.http import PortalRequest, go_to, own_path, refuse_viewers, render_page, wants_fragment
from runs.web.posted import posted_of
from runs.words.numbers import number_words, results_words


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def review_ask(request: PortalRequest) -> HttpResponse:
    """Ask for decisions on results (`f`), a run (`run`) or a selection (`selected`).

    htmx gets only the form, for a sheet over the page; after asking, that page is reloaded.
    """
    what = WhatForm.read(request.POST if request.method == "POST" else request.GET)
    chosen, asked = _chosen(request.user, what)
    refuse_viewers(request.user)
    outputs = _ready_to_ask(chosen)
    no_link = refusal_of(request.user)
    form = AskForm(list(requests.deciders()), posted_of(request), may_make_links=not no_link)
    sentence = ""
    if request.method == "POST" and form.is_valid():
        try:
            return _ask(request, form.cleaned_data, outputs)
        except requests.AskError as error:
            sentence = error.sentence
    context = {
        "section": "review",
        "is_sheet": wants_fragment(request),
        "what": what,
        "form": form,
        "sentence": sentence,
        "no_link": no_link,
        "thumbs": [review_lists.Thumb(output) for output in outputs[: review_lists.PICTURES]],
        "more": max(0, len(outputs) - review_lists.PICTURES),
        "count_words": results_words(len(outputs)),
        "left_words": _left_words(asked - len(outputs)),
        "is_private": any(output.run.shared_at is None for output in outputs),
        "is_empty": not outputs,
    }
    template = "review/_ask.html" if wants_fragment(request) else "review/ask.html"
    return render_page(request, template, context, status=422 if form.errors or sentence else 200)


def _chosen(member: Member, what: dict[str, Any]) -> tuple[QuerySet[Output], int]:
    """Return the chosen results that the member may see, and how many were chosen in all. Raises Http404 if there are
    none."""
    if what["run"]:
        run = get_object_or_404(Run.objects.visible_to(member), public_id=what["run"])
        found = Output.objects.filter(run=run)
        return found, found.count()
    if what["selected"]:
        selected = selection.outputs_in(member, what["selected"])
        return selected, selected.count()
    found = Output.objects.visible_to(member).filter(public_id__in=what["f"][: requests.MOST])
    count = found.count()
    if not count:
        raise Http404
    return found, count


def _ready_to_ask(chosen: QuerySet[Output]) -> list[Output]:
    askable = requests.askable(chosen).select_related("run").prefetch_related("files__file")
    return list(askable.order_by("-run__created_at", "run", "position")[: requests.MOST + 1])


def _ask(request: PortalRequest, given: dict[str, Any], outputs: Sequence[Output]) -> HttpResponse:
    member = request.user
    told = {"message": given["message"], "due_on": given["due_on"]}
    if given["who"] == "guests":
        link = _ask_guests(member, outputs, given["audience"], **told)
        messages.success(request, _("Done. Copy the address and send it to your client."))
        return go_to(request, f"{reverse('runs:link-detail', args=[link.public_id])}?made=1")
    requests.ask(member, outputs, members=given["members"] if given["who"] == "named" else (), **told)
    words = ngettext(
        "Asked for a decision on %(count)s result.", "Asked for decisions on %(count)s results.", len(outputs)
    )
    messages.success(request, words % {"count": number_words(len(outputs))})
    return go_to(request, _page_of_sheet(request) or reverse("runs:review-asked"))


def _page_of_sheet(request: PortalRequest) -> str:
    """Return the page under the sheet, which must be reloaded because its runs may now be shared; "" if there is no
    sheet."""
    url = urlsplit(request.htmx.current_url_abs_path or "")._replace(fragment="").geturl()
    return own_path(url, "") if wants_fragment(request) else ""


@transaction.atomic
def _ask_guests(member: Member, outputs: Sequence[Output], audience: str, **told: Any) -> GuestLink:
    """Create a link with those of `outputs` that are ready and may be shown to guests, and ask its guests to decide.

    Raises `AskError` if there are none.
    """
    offered = links.outputs_for(member, [output.public_id for output in outputs])
    if not offered:
        words = _("None of these can be shared with guests: they aren't ready, or they aren't yours to share.")
        raise requests.AskError(words)
    link = links.make_link(member, offered)
    link.audience, link.message, link.lets_decide = audience, told["message"], True
    link.save(update_fields=["audience", "message", "lets_decide"])
    requests.ask(member, offered, link=link, **told)
    return link


def _left_words(count: int) -> str:
    """Return a sentence saying how many of the chosen results can't be asked about; "" if there are none."""
    if count <= 0:
        return ""
    words = ngettext(
        "%(count)s result failed or was cancelled, so it's left out.",
        "%(count)s results failed or were cancelled, so they're left out.",
        count,
    )
    return words % {"count": number_words(count)}
