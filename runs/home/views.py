"""Home: runs in progress, latest results, starred runs, and apps to start something new.

Viewers can't start runs, so their latest results are the team's shared runs.
"""

from dataclasses import dataclass

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from runs import catalog
from runs.display.cards import AppCard, RunCard, app_card, run_cards
from runs.engine import poller_wakeups
from runs.models import App, Member, Run
from runs.models.run import RunQuerySet
from runs.web.http import PortalRequest, render_page
from runs.words.numbers import number_words

LATEST = 8
STARRED = 8
ACTIVE_SHOWN = 24
SUGGESTIONS = 3
APPS_SHOWN = 8
USED_LATELY = 4
LOOKED_BACK = 100  # runs searched for recently used apps


@dataclass(frozen=True)
class Shelves:
    """The runs on Home. `team_active` holds runs shared by teammates."""

    active: list[RunCard]
    team_active: list[RunCard]
    latest: list[RunCard]
    starred: list[RunCard]


@require_safe
def home(request: PortalRequest) -> HttpResponse:
    catalog.request_refresh_if_stale()
    catalog.request_balance_if_stale()
    shelves = _shelves(request.user)
    apps = [app_card(app) for app in App.objects.listed().select_related("thumbnail")]
    if shelves.active or shelves.team_active:
        poller_wakeups.ensure_poller()
    is_first_visit = request.user.can_run and not shelves.active and not shelves.latest
    context = {
        "section": "home",
        "shelves": shelves,
        "apps": apps[:APPS_SHOWN],
        "app_count": len(apps),
        "app_count_words": number_words(len(apps)),
        "used_lately": [] if is_first_visit else _used_lately(request.user, apps),
        "q": "",
        "has_tools": True,
        "is_first_visit": is_first_visit,
        "suggestions": apps[:SUGGESTIONS],
    }
    return render_page(request, "home/home.html", context)


def _shelves(member: Member) -> Shelves:
    """Collect the runs on Home. Each run and its pictures are read once, even if it is on several shelves."""
    of_active = [_active(Run.objects.owned_by(member)), _active(Run.objects.shared_by_others(member))]
    active = [pk for of_one in of_active for pk in of_one]
    listed = Run.objects.owned_by(member) if member.can_run else Run.objects.shared_by_others(member)
    ended = listed.exclude(pk__in=active).newest_first()
    latest = list(ended.values_list("pk", flat=True)[:LATEST])
    kept = Run.objects.visible_to(member).filter(has_star=True).newest_first()
    starred = list(kept.values_list("pk", flat=True)[:STARRED])
    runs = Run.objects.filter(pk__in={*active, *latest, *starred}).newest_first().for_cards()
    cards = {card.run.pk: card for card in run_cards(runs, member)}
    mine, teams = ([cards[pk] for pk in of_one if pk in cards] for of_one in of_active)
    return Shelves(
        active=mine,
        team_active=teams,
        latest=[cards[pk] for pk in latest if pk in cards],
        starred=[cards[pk] for pk in starred if pk in cards and pk not in active and pk not in latest],
    )


def _active(runs: RunQuerySet) -> list[int]:
    return list(runs.active().newest_first().values_list("pk", flat=True)[:ACTIVE_SHOWN])


def _used_lately(member: Member, apps: list[AppCard]) -> list[AppCard]:
    """Return the apps that the member used most recently and that are still available, latest first."""
    used = Run.objects.owned_by(member).newest_first().values_list("app_id", flat=True)[:LOOKED_BACK]
    cards = {card.app.pk: card for card in apps}
    return [cards[pk] for pk in dict.fromkeys(used) if pk in cards][:USED_LATELY]
