"""What Lamina found for a search, as shown on a page: suggestions, reasons, and problems."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _lazy

from runs.catalog import lamina_search
from runs.catalog.pasted_ids import ids_in
from runs.models import App, AppSearch, Member
from runs.words.credits import about_credits
from runs.words.time_spans import span_words

ROWS_SHOWN, ABOVE_SHOWN = 12, 4
PICTURES_EVERY = "every 1500ms"
LOOK_EVERY = "every 600ms"  # htmx trigger for polling while the worker is searching
TRIES = 3  # how many times a page retries on its own; limited, so that forgotten pages eventually stop
PROBLEMS: dict[str, Promise] = {
    "turn": _lazy("Too many searches in the last minute."),
    "limited": _lazy("Lamina asked us to wait."),
    "busy": _lazy("Lamina is busy with our other requests."),
    "slow": _lazy("Lamina took too long to respond."),
    "broken": _lazy("Lamina couldn't complete this search."),
    "away": _lazy("We can't reach Lamina right now."),
    "lost": _lazy("No answer yet."),
    "refused": _lazy("Lamina didn't accept this search. Try different words."),
    "key": _lazy("Lamina can't be searched until the connection is fixed."),
    "no-discover": _lazy("Lamina searched for these exact words because it can't search by meaning in this workspace."),
    "hidden": _lazy("This app isn't available to you. Ask an admin if you need it."),
    "unknown-id": _lazy("Lamina has no app at this address."),
    "closed": _lazy("Lamina has this app, but this workspace can't use it."),
}
# Messages for these problems while the page is waiting to try again on its own.
WAITING: dict[str, Promise] = {
    "turn": _lazy("Too many searches in the last minute. This search will start in %(wait)s."),
    "limited": _lazy("Lamina asked us to wait. We'll try again in %(wait)s."),
    "busy": _lazy("Lamina is busy with our other requests. This search will start in %(wait)s."),
}
MAY_ASK_AGAIN = frozenset({"slow", "broken", "away", "lost", *WAITING})


@dataclass(frozen=True)
class Suggestion:
    """One app that Lamina suggests for a search."""

    app: App
    why: str
    credits_words: str
    is_on_list: bool
    is_above: bool = False  # it's already in our own results
    is_added: bool = False  # it was found by its id, and is new to the portal


@dataclass(frozen=True)
class LaminaPart:
    """The section with Lamina's results, below our own results. `state` is "soon" (we haven't asked Lamina yet),
    "asking" or "answered"."""

    words: str
    state: str = "soon"
    is_id: bool = False
    suggestions: list[Suggestion] = field(default_factory=list)
    above: list[Suggestion] = field(default_factory=list)  # apps that are also in our own results, with Lamina's reason
    problem: str = ""  # a key of PROBLEMS
    sentence: str = ""
    has_above: bool = False  # some suggestions are also in our own results, with or without a reason
    is_drawn: bool = True  # no more thumbnails will arrive
    token: str = ""  # identifies what the page already shows, so that we don't send it again
    next_look: str = ""  # htmx trigger for the next poll, if any
    seconds: int = 0  # seconds until the page reloads if JavaScript is off; 0 means never
    may_ask_again: bool = False

    @property
    def is_held_back(self) -> bool:
        """Whether the page is waiting to retry on its own, which it only does a few times."""
        return self.state == "answered" and self.next_look.startswith("load")

    @property
    def is_needless(self) -> bool:
        """Whether this section isn't needed, because Lamina only suggested apps that are already in our own results."""
        return self.has_above and self.state == "answered" and not self.suggestions and not self.problem

    @property
    def opens(self) -> Suggestion | None:
        """The app whose id was searched for, if it was found."""
        return self.suggestions[0] if self.is_id and self.suggestions else None


@dataclass(frozen=True)
class PageState:
    """What the page shows to `member`: its filter `makes`, the ids of apps in our own results (`above`), and how many
    times it has tried again (`tries`)."""

    member: Member
    makes: str = ""
    above: frozenset[int] = frozenset()
    tries: int = 0


def part_of(q: str, page_state: PageState) -> LaminaPart | None:
    """Return the section for `q` without asking Lamina; None if `q` is too short for a search."""
    if not lamina_search.is_worth_asking(q):
        return None
    search, now = lamina_search.stored_search(q), timezone.now()
    if search is not None and (search.is_good(now) or search.answered_at is None):
        return _part_of_search(search, page_state, now)
    return LaminaPart(q, is_id=bool(ids_in(q)))


def asked_part(q: str, page_state: PageState, *, is_again: bool = False) -> LaminaPart | None:
    """Return the section for `q`, asking Lamina if there is no answer yet; None if `q` is too short for a search."""
    if not lamina_search.is_worth_asking(q):
        return None
    search = lamina_search.ask(q, is_again=is_again)
    if isinstance(search, AppSearch):
        return _part_of_search(search, page_state, timezone.now())
    return LaminaPart(q, "answered", bool(ids_in(q)), **_trouble("turn", search, page_state.tries))


def _part_of_search(search: AppSearch, page_state: PageState, now: datetime) -> LaminaPart:
    is_waiting = search.is_waiting(now)
    rows = list(_suggestions(search, page_state))
    problem = search.problem if search.answered_at else "" if is_waiting else "lost"
    if not problem and not rows and _is_closed(search, page_state.member):
        problem = "hidden"
    left = (search.retry_at - now).total_seconds() if search.retry_at else 0.0
    is_drawn = not search.awaits_pictures(now)
    if is_waiting:
        end: dict[str, Any] = {"next_look": LOOK_EVERY, "seconds": 2}
    elif not problem and not is_drawn:
        end = {"next_look": PICTURES_EVERY}
    else:
        end = _trouble(problem, left, page_state.tries)
    return LaminaPart(
        words=search.words,
        state="asking" if is_waiting else "answered",
        is_id=bool(ids_in(search.words)),
        suggestions=[row for row in rows if not row.is_above][:ROWS_SHOWN],
        above=[row for row in rows if row.is_above and row.why][:ABOVE_SHOWN],
        has_above=any(row.is_above for row in rows),
        is_drawn=is_drawn,
        token=f"{search.asked_at.timestamp():.3f}-{len(search.finds)}-{problem or bool(search.answered_at)}-{is_drawn}",
        **end,
    )


def _is_closed(search: AppSearch, member: Member) -> bool:
    """Return whether `search` is for the id of an app that the admin's rules hide from `member`."""
    app_pks = [find["app"] for find in search.finds] if ids_in(search.words) else []
    return bool(app_pks) and not App.objects.open_to(member).filter(pk__in=app_pks).exists()


def _trouble(problem: str, wait: float, tries: int) -> dict[str, Any]:
    """Return the fields of a `LaminaPart` that describe a problem and say when to try again."""
    if not problem:
        return {}
    seconds = max(1, round(wait + 0.5))
    comes_back = problem in WAITING and tries < TRIES and seconds <= 90
    wait_words = span_words(timedelta(seconds=seconds))
    return {
        "problem": problem,
        "sentence": str(WAITING[problem]) % {"wait": wait_words} if comes_back else str(PROBLEMS[problem]),
        "next_look": f"load delay:{seconds}s" if comes_back else "",
        "seconds": seconds if comes_back else 0,
        "may_ask_again": problem in MAY_ASK_AGAIN and not comes_back,
    }


def _suggestions(search: AppSearch, page_state: PageState) -> Iterator[Suggestion]:
    is_id = bool(ids_in(search.words))
    candidates = App.objects.open_to(page_state.member) if is_id else App.objects.offered_to(page_state.member)
    apps = candidates.for_cards().in_bulk([find["app"] for find in search.finds])
    for find in search.finds:
        app = apps.get(find["app"])
        if app is None or (page_state.makes and app.makes and page_state.makes not in app.makes):
            continue
        cost = app.cost if find["credits"] is None else Decimal(find["credits"])
        yield Suggestion(
            app,
            find["why"],
            about_credits(cost),
            is_on_list=app.is_on_list,
            is_above=app.pk in page_state.above and not is_id,
            is_added=is_id and find["is_new"],
        )
