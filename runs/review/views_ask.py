"""Asking for decisions on a run, on results, or on the current selection."""

from collections.abc import Sequence
from dataclasses import dataclass
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

from runs.audit.admin_access import record_openings
from runs.display import review_lists
from runs.display.guest_links import refusal_of
from runs.history import selection
from runs.history.undo import end_selection
from runs.models import GuestLink, Member, Output, Run
from runs.review import requests
from runs.review.forms_queue import AskForm, WhatForm
from runs.review.skipped_words import left_out_words, not_for_guests_words, skipped_words
from runs.review.versions import newer_of_each
from runs.sharing import links
from runs.web.http import PortalRequest, go_to, own_path, refuse_viewers, render_page, wants_fragment
from runs.web.posted import posted_of
from runs.words.numbers import number_words, results_words


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def review_ask(request: PortalRequest) -> HttpResponse:
    """Ask for decisions on results (`f`), a run (`run`) or a selection (`selected`).

    An htmx request gets only the form, to show in a sheet over the page. Once people have been asked, the page under
    the sheet is reloaded.
    """
    what = WhatForm.read(request.POST if request.method == "POST" else request.GET)
    candidates = _candidates(request.user, what)
    refuse_viewers(request.user)
    no_link = refusal_of(request.user)
    form = AskForm(requests.deciders(), posted_of(request), may_make_links=not no_link)
    sentence = ""
    if candidates.changed and not candidates.outputs:  # show the results as they are now
        sentence, what = skipped_words("stale", candidates.changed), what | {"shown": {}, "shown_text": ""}
        candidates = _candidates(request.user, what)
    elif request.method == "POST" and form.is_valid():
        try:
            response = _ask(request, form.cleaned_data, candidates)
        except requests.AskError as error:
            sentence = error.sentence
        else:
            if what["selected"]:
                end_selection(request, what["selected"])
            return response
    outputs = candidates.outputs
    record_openings(request, (output.run for output in outputs))
    context = {
        "section": "review",
        "is_sheet": wants_fragment(request),
        "what": what,
        "shown": what["shown_text"] or " ".join(f"{output.public_id}.{output.decided_in}" for output in outputs),
        "form": form,
        "sentence": sentence,
        "no_link": no_link,
        "thumbs": [review_lists.Thumb(output) for output in outputs[: review_lists.PICTURES]],
        "more": max(0, len(outputs) - review_lists.PICTURES),
        "count_words": results_words(len(outputs)),
        "left_words": left_out_words(candidates.hopeless, candidates.superseded),
        "guest_words": "" if no_link else _guest_words(outputs, request.user),
        "is_private": any(output.run.shared_at is None for output in outputs),
        "is_empty": not outputs,
    }
    template = "review/_ask.html" if wants_fragment(request) else "review/ask.html"
    return render_page(request, template, context, status=422 if form.errors or sentence else 200)


@dataclass(frozen=True)
class Candidates:
    """The results to ask about, and how many were left out: because they failed or were cancelled, because there is a
    newer version, or because they had changed since the page was shown."""

    outputs: list[Output]
    hopeless: int = 0
    superseded: int = 0
    changed: int = 0


def _candidates(member: Member, what: dict[str, Any]) -> Candidates:
    """Return the results to ask about, leaving out any that the member can't see. Raises Http404 if there are none."""
    decided_in: dict[str, int] = what["shown"]
    if decided_in:
        outputs = _ready_to_ask(_visible_outputs(member, list(decided_in)))
        newer = newer_of_each(outputs)
        same = [o for o in outputs if o.decided_in == decided_in[o.public_id] and o.pk not in newer]
        return Candidates(same, changed=len(decided_in) - len(same))
    selected = _selected_outputs(member, what)
    outputs = _ready_to_ask(selected)
    newer = newer_of_each(outputs)
    newest = [output for output in outputs if output.pk not in newer]
    return Candidates(newest, hopeless=selected.count() - len(outputs), superseded=len(newer))


def _selected_outputs(member: Member, what: dict[str, Any]) -> QuerySet[Output]:
    if what["run"]:
        return Output.objects.filter(run=get_object_or_404(Run.objects.visible_to(member), public_id=what["run"]))
    return selection.outputs_in(member, what["selected"]) if what["selected"] else _visible_outputs(member, what["f"])


def _visible_outputs(member: Member, ids: Sequence[str]) -> QuerySet[Output]:
    outputs = Output.objects.visible_to(member).filter(public_id__in=ids[: requests.MOST])
    if not outputs.exists():
        raise Http404
    return outputs


def _ready_to_ask(outputs: QuerySet[Output]) -> list[Output]:
    askable = requests.askable(outputs).select_related("run").prefetch_related("files__file")
    return list(askable.order_by("-run__created_at", "run", "position")[: requests.MOST + 1])


def _ask(request: PortalRequest, data: dict[str, Any], candidates: Candidates) -> HttpResponse:
    member, outputs = request.user, candidates.outputs
    details = {"message": data["message"], "due_on": data["due_on"]}
    skipped = skipped_words("stale", candidates.changed) if candidates.changed else ""
    if data["who"] == "guests":
        link, left_out = _ask_guests(member, outputs, data["audience"], **details)
        _tell(request, _("Done. Copy the address and send it to your client."), skipped, left_out)
        return go_to(request, f"{reverse('runs:link-detail', args=[link.public_id])}?made=1")
    requests.ask(member, outputs, members=data["members"] if data["who"] == "named" else (), **details)
    words = ngettext(
        "You asked for a decision on %(count)s result.", "You asked for decisions on %(count)s results.", len(outputs)
    )
    _tell(request, words % {"count": number_words(len(outputs))}, skipped)
    return go_to(request, _page_of_sheet(request) or reverse("runs:review-asked"))


def _tell(request: PortalRequest, sentence: str, *missing: str) -> None:
    """Show `sentence`, and what was left out and why (`missing`)."""
    sentences = [words for words in missing if words]
    level = messages.warning if sentences else messages.success
    level(request, " ".join([sentence, *sentences]))


def _page_of_sheet(request: PortalRequest) -> str:
    """Return the URL of the page under the sheet, which must be reloaded because its runs may now be shared; "" if
    there is no sheet."""
    url = urlsplit(request.htmx.current_url_abs_path or "")._replace(fragment="").geturl()
    return own_path(url, "") if wants_fragment(request) else ""


@transaction.atomic
def _ask_guests(member: Member, outputs: Sequence[Output], audience: str, **details: Any) -> tuple[GuestLink, str]:
    """Create a link to those of `outputs` that are ready and may be shown to guests, and ask its guests to decide.
    Return the link, and a sentence about what was left out.

    Raises `AskError` if none of them can be shown to guests.
    """
    shareable = links.outputs_for(member, [output.public_id for output in outputs])
    if not shareable:
        words = _("None of these can be shared with guests: they aren't ready, or they aren't yours to share.")
        raise requests.AskError(words)
    link = links.make_link(member, shareable)
    link.audience, link.message, link.lets_decide = audience, details["message"], True
    link.save(update_fields=["audience", "message", "lets_decide"])
    requests.ask(member, shareable, link=link, **details)
    return link, _guest_words(outputs, member)


def _guest_words(outputs: Sequence[Output], member: Member) -> str:
    """Return a sentence saying how many of `outputs` a link can't show, and why."""
    shareable = links.shareable(member, Output.objects.filter(pk__in=[output.pk for output in outputs]))
    offered_pks = set(shareable.order_by().values_list("pk", flat=True))
    left = [output for output in outputs if output.pk not in offered_pks]
    foreign = sum(not output.run.is_manageable_by(member) for output in left)
    return not_for_guests_words(len(left) - foreign, foreign)
