"""Compare: two to four results side by side, and the page for choosing them."""

from collections.abc import Sequence
from urllib.parse import urlencode

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from runs.audit.admin_access import record_openings
from runs.display import compare as comparing
from runs.display import compare_picks
from runs.models import Run, for_page
from runs.web.http import PortalRequest, render_page


@require_safe
def compare(request: PortalRequest) -> HttpResponse:
    """Show the results listed in `?f=<result>,<result>` side by side.

    If there are fewer than two, or if `pick` is given, show the page for choosing; `?r=<run>,<run>` offers the results
    of these runs.
    """
    ids = comparing.asked_ids(request.GET.getlist("f"))
    columns = comparing.found_outputs(request.user, ids)
    record_openings(request, (column.run for column in columns))
    if len(columns) < 2 or "pick" in request.GET:
        return _picker(request, columns, len(ids))
    comparison = comparing.compare(columns, len(ids), request.user)
    is_all = request.GET.get("all") == "1"
    result_ids = comparison.ids
    context = {
        "section": "history",
        "comparison": comparison,
        "next": request.get_full_path(),
        "columns": [(column, compare_url([i for i in result_ids if i != column.key])) for column in comparison.columns],
        "heading": _heading(comparison.kind, len(result_ids)),
        "rows": comparison.rows if is_all else comparison.differing,
        "is_all": is_all,
        "inputs_heading": _("Inputs") if is_all else _("Inputs that differ"),
        "switch_label": _("Show only differences") if is_all else _("Show all"),
        "switch_url": compare_url(result_ids, **({} if is_all else {"all": "1"})),
        "has_more": len(comparison.rows) > len(comparison.differing),
        "add_url": compare_url(result_ids, pick="1") if len(result_ids) < comparing.AT_MOST else "",
        "has_overlay": comparison.kind == "image" and len(result_ids) == 2,
    }
    return render_page(request, "compare/compare.html", context)


def _heading(kind: str, count: int) -> str:
    headings = {
        "image": ngettext("Compare %(count)s picture", "Compare %(count)s pictures", count),
        "video": ngettext("Compare %(count)s video", "Compare %(count)s videos", count),
        "audio": ngettext("Compare %(count)s audio file", "Compare %(count)s audio files", count),
        "text": ngettext("Compare %(count)s text", "Compare %(count)s texts", count),
    }
    of_any_kind = ngettext("Compare %(count)s result", "Compare %(count)s results", count)
    return headings.get(kind, of_any_kind) % {"count": count}


def compare_url(ids: Sequence[str], **more: str) -> str:
    return f"{reverse('runs:compare')}?{urlencode({'f': ','.join(ids), **more}, safe=',')}"


def _picker(request: PortalRequest, columns: list[comparing.Column], count: int) -> HttpResponse:
    """Show the page for choosing: a plain form with checkboxes, first for the runs of the selected results, then for
    the latest results."""
    words = request.GET.get("q", "").strip()[:200]
    run_ids = comparing.asked_ids(request.GET.getlist("r"))[: comparing.AT_MOST]
    asked_runs = list(for_page(Run.objects.visible_to(request.user).filter(public_id__in=run_ids).newest_first()))
    record_openings(request, asked_runs)
    ticked = [column.key for column in columns] or compare_picks.suggested_picks(asked_runs)
    runs = {run.pk: run for run in [*(column.run for column in columns), *asked_runs]}
    groups = [(run.display_title, compare_picks.picks_of(run, ticked)) for run in runs.values()]
    latest = compare_picks.latest_picks(request.user, words, ticked, runs.values())
    sentences = []
    if missing := count - len(columns):
        is_one_left = missing == 1 and count > 1
        sentences.append(
            comparing.gone_words(1) if is_one_left else _("The results you wanted to compare are no longer available.")
        )
    context = {
        "section": "history",
        "groups": [(title, picks) for title, picks in groups if picks],
        "latest": latest,
        "sentences": sentences,
        "q": words,
        "run_ids": [run.public_id for run in asked_runs],
        "at_most": comparing.AT_MOST,
    }
    return render_page(request, "compare/compare_pick.html", context)
