"""Home: runs in progress, latest results, starred runs, and apps for starting something new.

Viewers can't start runs, so their latest results are the team's shared runs.
"""

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from runs import catalog
from runs.connection import balance
from runs.connection import status as health
from runs.display import home_runs
from runs.display.home_review import decided_on_mine, waiting_lines
from runs.display.new_runs import page_opened
from runs.display.no_apps import no_apps
from runs.display.review_count import count_words
from runs.engine import poller_wakeups
from runs.history import examples
from runs.history.filters import Filter
from runs.launching.open_drafts import not_started
from runs.models import App, Member, Run
from runs.models.run import ACTIVE
from runs.web.http import PortalRequest, render_page
from runs.words.numbers import number_words

SUGGESTIONS = 3
APPS_SHOWN = 8
LOOKED_THROUGH = 60  # how many apps are considered as suggestions on a first visit


@require_safe
def home(request: PortalRequest) -> HttpResponse:
    catalog.request_refresh_if_stale()
    balance.request_balance_if_stale()
    shelves = home_runs.shelves_of(request.user)
    is_first_visit = request.user.can_run and not shelves.active and not shelves.latest and not _has_runs(request.user)
    has_examples = health.is_sandbox() and examples.examples().exists()
    is_new_here = is_first_visit or (has_examples and request.user.can_run and not _has_own_runs(request.user))
    all_apps, app_count = home_runs.first_apps(request.user, LOOKED_THROUGH if is_new_here else APPS_SHOWN)
    apps = all_apps[:APPS_SHOWN]
    review_count = count_words(request.user)
    if shelves.active or shelves.team_active:
        poller_wakeups.ensure_poller()
    context = {
        "section": "home",
        "has_examples": has_examples,
        "review_count": review_count,
        "waiting": waiting_lines(request.user) if review_count else [],
        "decided_on_mine": decided_on_mine(request.user, timezone.now()) if shelves.has_decided else [],
        "undoes_examples": examples.offers_undo(request),
        "is_first_offer": examples.is_first_offer(request),
        "shelves": shelves,
        "apps": apps,
        "no_apps": None if apps else no_apps(request.user),
        "app_count": app_count,
        "app_count_words": number_words(app_count),
        "not_started": not_started(request.user, request.GET.get("dropped", "")),
        "app_shelves": (
            home_runs.app_shelves(request.user, lists_all=app_count <= len(apps))
            if request.user.can_run and not is_first_visit
            else None
        ),
        "q": "",
        "has_tools": True,
        "is_first_visit": is_first_visit,
        "new_runs": page_opened(Filter(tab="team")),
        "own_new_runs": page_opened(Filter(), reverse("runs:home")) if request.user.can_run else None,
        "suggestions": _suggestions(all_apps) if is_new_here else [],
    }
    return render_page(request, "home/home.html", context)


def _has_runs(member: Member) -> bool:
    """Return whether `member` has started a run, even if it failed, was cancelled or is in the bin. Examples count once
    they have ended, but not in the bin."""
    runs = Run.objects.filter(member=member).exclude(is_example=True, deleted_at__isnull=False)
    return runs.exclude(is_example=True, status__in=ACTIVE).exists()


def _has_own_runs(member: Member) -> bool:
    """Return whether `member` has started a run, not counting the sandbox's examples."""
    return Run.objects.filter(member=member).exclude(is_example=True).exists()


def _suggestions(apps: list[App]) -> list[App]:
    """Return the apps that get people to a first picture in the fewest steps.

    Apps that make pictures come first, starting with those that have the fewest required fields. An app whose form
    hasn't been fetched yet is treated as having the most required fields.
    """
    forms = App.objects.filter(pk__in=[app.pk for app in apps], schema__isnull=False).select_related("schema")
    counts = {app.pk: sum(question.is_needed for question in app.questions) for app in forms}
    return sorted(apps, key=lambda app: ("image" not in app.makes, counts.get(app.pk, LOOKED_THROUGH)))[:SUGGESTIONS]
