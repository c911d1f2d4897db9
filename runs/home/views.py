"""Home: runs in progress, latest results, starred runs, and apps to start something new.

Viewers can't start runs, so their latest results are the team's shared runs.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, Exists, When, Window
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from runs import catalog
from runs.catalog import arrange
from runs.connection import status as health
from runs.display.cards import AppCard, RunCard, app_card, run_cards
from runs.display.home_review import decided_on_mine, waiting_lines
from runs.display.new_runs import page_opened
from runs.display.review_count import count_words
from runs.engine import poller_wakeups
from runs.history import examples
from runs.history.search import Filter
from runs.launching.open_drafts import not_started
from runs.models import App, Member, Run
from runs.models.run import ACTIVE, RunQuerySet
from runs.review import requests
from runs.schema_forms.questions import questions_of
from runs.web.http import PortalRequest, render_page
from runs.words.numbers import number_words

LATEST = 8
STARRED = 8
ACTIVE_SHOWN = 24
SUGGESTIONS = 3
APPS_SHOWN = 8
USED_LATELY = 4
LOOKED_THROUGH = 60  # apps considered as suggestions on a first visit
LOOKED_BACK = 100  # runs searched for recently used apps


@dataclass(frozen=True)
class Shelves:
    """The runs on Home. `team_active` holds runs shared by teammates; `has_more_active` is about the member's own."""

    active: list[RunCard]
    has_more_active: bool
    team_active: list[RunCard]
    latest: list[RunCard]
    starred: list[RunCard]
    has_decided: bool  # others recently decided on the member's results


@require_safe
def home(request: PortalRequest) -> HttpResponse:
    catalog.request_refresh_if_stale()
    catalog.request_balance_if_stale()
    shelves = _shelves(request.user)
    is_first_visit = request.user.can_run and not shelves.active and not shelves.latest and not _has_runs(request.user)
    wanted = LOOKED_THROUGH if is_first_visit else APPS_SHOWN
    listed = App.objects.listed().offered_to(request.user).order_by(*arrange.NEARLY_IN_ORDER)
    first: list[Any] = list(listed.select_related("thumbnail").annotate(of=Window(Count("pk")))[:wanted])
    apps, app_count = [app_card(app) for app in first], first[0].of if first else 0
    review_count = count_words(request.user)
    if shelves.active or shelves.team_active:
        poller_wakeups.ensure_poller()
    context = {
        "section": "home",
        "has_examples": health.is_sandbox() and examples.examples().exists(),
        "review_count": review_count,
        "waiting": waiting_lines(request.user) if review_count else [],
        "decided_on_mine": decided_on_mine(request.user, timezone.now()) if shelves.has_decided else [],
        "undoes_examples": examples.offers_undo(request),
        "shelves": shelves,
        "apps": apps,
        "app_count": app_count,
        "app_count_words": number_words(app_count),
        "not_started": not_started(request.user, request.GET.get("dropped", "")),
        "used_lately": _used_lately(request.user) if not is_first_visit else [],
        "q": "",
        "has_tools": True,
        "is_first_visit": is_first_visit,
        "new_runs": page_opened(Filter(tab="team")),
        "own_new_runs": page_opened(Filter(), reverse("runs:home")) if request.user.can_run else None,
        "suggestions": _suggestions(apps) if is_first_visit else [],
    }
    return render_page(request, "home/home.html", context)


def _has_runs(member: Member) -> bool:
    """Return whether `member` has started a run, even if it came to nothing. Examples count once they are ready."""
    return Run.objects.owned_by(member).exclude(is_example=True, status__in=ACTIVE).exists()


def _shelves(member: Member) -> Shelves:
    """Collect the runs on Home. Each run is read only once, with its pictures, even if it is on several shelves."""
    of_active = [_active(Run.objects.owned_by(member)), _active(Run.objects.shared_by_others(member))]
    has_more_active = len(of_active[0]) > ACTIVE_SHOWN
    of_active = [of_one[:ACTIVE_SHOWN] for of_one in of_active]
    active = [pk for of_one in of_active for pk in of_one]
    listed = Run.objects.owned_by(member) if member.can_run else Run.objects.shared_by_others(member)
    with_results = listed.exclude(status__in=ACTIVE).filter(outputs_ready__gt=0).newest_first()
    is_decided = Exists(requests.decided_on_mine(member, timezone.now()))
    rows = list(with_results.annotate(is_decided=is_decided).values_list("pk", "is_decided")[:LATEST])
    latest = [pk for pk, _is_decided in rows]
    kept = Run.objects.visible_to(member).filter(has_star=True).newest_first()
    starred = list(kept.values_list("pk", flat=True)[:STARRED])
    runs = Run.objects.filter(pk__in={*active, *latest, *starred}).newest_first().for_cards()
    cards = {card.run.pk: card for card in run_cards(runs, member)}
    mine, teams = ([cards[pk] for pk in of_one if pk in cards] for of_one in of_active)
    return Shelves(
        active=mine,
        has_more_active=has_more_active,
        team_active=teams,
        latest=[cards[pk] for pk in latest if pk in cards],
        has_decided=any(is_decided for _pk, is_decided in rows),
        starred=[cards[pk] for pk in starred if pk in cards and pk not in active and pk not in latest],
    )


def _active(runs: RunQuerySet) -> list[int]:
    """Return the runs in progress, one more than Home shows: first those that need a person to decide, then the newest.
    The sandbox's examples appear only once they are ready."""
    asks_first = Case(When(status="checking", due_at=None, then=0), default=1)
    found = runs.active().filter(is_example=False).order_by(asks_first, "-created_at", "-pk")
    return list(found.values_list("pk", flat=True)[: ACTIVE_SHOWN + 1])


def _suggestions(apps: list[AppCard]) -> list[AppCard]:
    """Return the apps with the fewest steps to a first picture.

    Apps that make pictures come first, then those with the fewest required fields. An app whose form hasn't been
    fetched yet counts as having the most.
    """
    forms = App.objects.filter(pk__in=[card.app.pk for card in apps], schema__isnull=False)
    needed = {
        pk: sum(question.is_needed for question in questions_of(parameters))
        for pk, parameters in forms.values_list("pk", "schema__parameters")
    }
    return sorted(apps, key=lambda card: ("image" not in card.app.makes, needed.get(card.app.pk, LOOKED_THROUGH)))[
        :SUGGESTIONS
    ]


def _used_lately(member: Member) -> list[AppCard]:
    """Return the apps that the member used most recently and that are still available, latest first."""
    used = list(
        dict.fromkeys(Run.objects.owned_by(member).newest_first().values_list("app_id", flat=True)[:LOOKED_BACK])
    )
    apps = App.objects.listed().offered_to(member).select_related("thumbnail").in_bulk(used)
    return [app_card(apps[pk]) for pk in used if pk in apps][:USED_LATELY]
