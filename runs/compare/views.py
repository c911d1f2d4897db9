"""Compare: two to four results beside each other, and the way to choose them."""

from collections.abc import Sequence
from urllib.parse import urlencode

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from runs.display import compare as comparing
from runs.models import Run, for_page
from runs.web.http import PortalRequest, render_page

NOUNS = {"image": "pictures", "video": "videos", "audio": "sounds", "text": "texts"}


@require_safe
def compare(request: PortalRequest) -> HttpResponse:
    """`?f=<result>,<result>` shows them, `?r=<run>` offers that run's; fewer than two, or `pick`, is a choice."""
    ids = comparing.asked_ids(request.GET.getlist("f"))
    found = comparing.found_outputs(request.user, ids)
    if len(found) < 2 or "pick" in request.GET:
        return _picker(request, found, len(ids))
    comparison = comparing.compare(found, len(ids))
    is_all = request.GET.get("all") == "1"
    shown = comparison.ids
    context = {
        "section": "history",
        "comparison": comparison,
        "columns": [
            (column, compare_url([i for i in shown if i != column.output.public_id])) for column in comparison.columns
        ],
        "noun": NOUNS.get(comparison.kind, "results"),
        "rows": comparison.rows if is_all else comparison.differing,
        "is_all": is_all,
        "switch_url": compare_url(shown, **({} if is_all else {"all": "1"})),
        "has_more": len(comparison.rows) > len(comparison.differing),
        "add_url": compare_url(shown, pick="1") if len(shown) < comparing.AT_MOST else "",
        "has_overlay": comparison.kind == "image" and len(shown) == 2,
    }
    return render_page(request, "compare/compare.html", context)


def compare_url(ids: Sequence[str], **more: str) -> str:
    return f"{reverse('runs:compare')}?{urlencode({'f': ','.join(ids), **more}, safe=',')}"


def _picker(request: PortalRequest, found: list[comparing.Column], asked: int) -> HttpResponse:
    """Tick boxes in a plain form: the chosen ones' runs first, then what came last."""
    words = request.GET.get("q", "").strip()[:200]
    ticked = [column.output.public_id for column in found]
    runs = {column.run.pk: column.run for column in found}
    asked_run = Run.objects.visible_to(request.user).filter(public_id=request.GET.get("r", "")[:16])
    if run := for_page(asked_run).first():
        runs.setdefault(run.pk, run)
        if not ticked:
            ticked = [pick.output.public_id for pick in comparing.picks_of(run, [])[: comparing.AT_MOST]]
    groups = [(run.display_title, comparing.picks_of(run, ticked)) for run in runs.values()]
    latest = comparing.latest_picks(request.user, words, ticked, runs.values())
    sentences = []
    if missing := asked - len(found):
        sentences.append(
            comparing.GONE if missing == 1 and asked > 1 else "What you wanted to compare is not there any more."
        )
    context = {
        "section": "history",
        "groups": [(title, picks) for title, picks in groups if picks],
        "latest": latest,
        "sentences": sentences,
        "q": words,
        "run": run,
        "at_most": comparing.AT_MOST,
    }
    return render_page(request, "compare/compare_pick.html", context)
