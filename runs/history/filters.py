"""What goes with the History filter: chips, tabs, and wider searches for when nothing matches."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from django.db.models import OuterRef, Subquery
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.formats import get_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from runs.history.filter_choices import Directory
from runs.history.order import NEWEST_ASKED, Page, newest_keys
from runs.history.review_filters import ANYONE, DECISIONS, GUEST, ME, ONE_GUEST
from runs.history.search import KINDS, TABS, Filter
from runs.models import App, Member
from runs.models.joined import CountUpTo
from runs.models.run import RunQuerySet
from runs.words.moments import day_words
from runs.words.numbers import number_words
from runs.words.run_states import STATES

COUNT_UP_TO = 1_000


@dataclass(frozen=True)
class Chip:
    """One active filter; `url` leads to the list without that filter."""

    label: str
    url: str


@dataclass(frozen=True)
class Hint:
    """A wider search that has matches."""

    label: str
    url: str
    count: str  # such as "12" or "1,000+"


@dataclass(frozen=True)
class Tab:
    """One of the three lists, or a span of days. `url` keeps those active filters that still make sense there."""

    name: str
    url: str
    is_current: bool


def tabs(found: Filter, *, has_own: bool = True) -> list[Tab]:
    """Return the tabs of History. "Mine" is left out unless `has_own`, because viewers may have no runs."""
    names = {
        "mine": pgettext("list of runs", "Mine"),
        "team": pgettext("list of runs", "Team"),
        "starred": pgettext("list of runs", "Starred"),
    }
    shown = [key for key in TABS if has_own or key != "mine"]
    is_any = found.is_selected_results
    return [Tab(names[key], _on_tab(found, key).url(), key == found.tab and not is_any) for key in shown]


def _on_tab(found: Filter, key: str) -> Filter:
    there = replace(found, tab=key, by="" if key == "mine" else found.by)
    return there.without("selected") if found.is_selected_results else there


def chips(found: Filter, directory: Directory) -> list[Chip]:
    return [Chip(_label(name, found, directory), found.without(name).url()) for name in found.narrowing]


def _label(name: str, found: Filter, directory: Directory) -> str:
    if name == "app":
        return directory.app_name(found.app)
    if name == "by":
        return _("Made or owned by %(person)s") % {"person": directory.person_name(found.by)}
    if name == "state":
        return str(STATES[found.state])
    if name == "kind":
        return _(KINDS[found.kind])
    if name == "decision":
        return str(DECISIONS[found.decision])
    if name == "decided":
        return decided_words(found.decided, directory)
    if name == "waits":
        return waits_words(found.waits, directory)
    if name == "from":
        return _("Since %(day)s") % {"day": _day_words(found.since)}
    if name == "selected":
        return _("Selected results") if found.is_selected_results else _("Selected")
    if name == "to":
        return _("Until %(day)s") % {"day": _day_words(found.until)}
    return _("“%(words)s”") % {"words": found.q}


def decided_words(who: str, directory: Directory) -> str:
    """Return the label for `who` in the filter "decided by"."""
    if who == GUEST:
        return _("Decided by a guest")
    if who.startswith(ONE_GUEST):
        key = who.removeprefix(ONE_GUEST)
        return _("Decided by %(name)s (guest)") % {"name": directory.guests.get(key, key)}
    return _("Decided by %(person)s") % {"person": directory.person_name(who)}


def deciders(found: Filter, directory: Directory) -> list[tuple[str, str, bool]]:
    """Return the choices for the filter "decided by": people and guests who have decided, sorted by name, and the
    current choice."""
    people = [one.id for one in directory.people if one.pk in directory.deciders or one.id == found.decided]
    guests = [f"{ONE_GUEST}{key}" for key in directory.guests]
    offered = [*people, GUEST, *guests]
    if found.decided and found.decided not in offered:
        offered.append(found.decided)
    return [(who, decided_words(who, directory), who == found.decided) for who in offered]


def awaited(found: Filter, member: Member, directory: Directory) -> list[tuple[str, str, bool]]:
    """Return the choices for the filter "waiting for": `member`, anyone, others who may decide, and the current
    choice."""
    people = [one.id for one in directory.people if one.pk in directory.judges or one.id == found.waits]
    offered = [ME, ANYONE, *(one for one in people if one != member.public_id)]
    return [(who, waits_words(who, directory), who == found.waits) for who in offered]


def waits_words(who: str, directory: Directory) -> str:
    """Return the label for `who` in the filter "waiting for"."""
    if who == ME:
        return _("Waiting for me")
    if who == ANYONE:
        return _("Waiting for anyone")
    return _("Waiting for %(person)s") % {"person": directory.person_name(who)}


def _day_words(day: str) -> str:
    found = parse_date(day)
    return day_words(found) if found else day


def broader(found: Filter) -> list[tuple[str, Filter]]:
    """Return searches wider than `found`, each with a label: the same search in another list, or with fewer filters.

    For a search with words, return at most three, to limit the cost.
    """
    narrowing = found.narrowing
    there = in_other_list(found)
    other = (_("In the team's runs") if there.tab == "team" else _("In your runs"), there)
    if narrowing.keys() == {"q"}:
        return [other]
    if found.q and len(narrowing) > 2:
        words_alone = found.without(*[name for name in narrowing if name != "q"])
        without_words = (_broader_label("q", found), found.without("q"))
        return [other, (_("Without the filters"), words_alone), without_words]
    fewer = [(_broader_label(name, found), found.without(name)) for name in narrowing]
    return fewer if found.tab == "starred" and not found.q else [other, *fewer]


def in_other_list(found: Filter) -> Filter:
    """Return the same search in the other list: in Team if `found` is in Mine, otherwise in Mine."""
    return _on_tab(found, "team" if found.tab == "mine" else "mine")


def mine_url(found: Filter, directory: Directory) -> str:
    """Return the URL of the same search in the member's own runs, which Team doesn't list; "" if such a link wouldn't
    help."""
    is_help = found.tab == "team" and bool(found.narrowing) and directory.has_own and not found.is_selected_results
    return in_other_list(found).url() if is_help else ""


def hints_of(searches: list[tuple[str, Filter]], counts: list[int]) -> list[Hint]:
    """Return a hint for each of `searches` that has matches, with the number of matches."""
    return [
        Hint(label, one.url(), counted(count)) for (label, one), count in zip(searches, counts, strict=True) if count
    ]


def _broader_label(name: str, found: Filter) -> str:
    """Return the label of a search without the filter `name`."""
    if name == "q":
        return _("Without “%(words)s”") % {"words": found.q}
    labels = {
        "app": _("Any app"),
        "by": _("Anyone"),
        "state": _("Any state"),
        "kind": _("Any kind"),
        "decision": _("Any decision"),
        "decided": _("Decided by anyone"),
        "waits": _("Waiting or not"),
        "from": _("No start date"),
        "to": _("No end date"),
        "selected": _("Selected or not"),
    }
    return labels[name]


def counted(count: int, most: int = COUNT_UP_TO) -> str:
    """Return a count as text, such as "12", or "1,000+" if it has reached the limit `most`."""
    return number_words(count) + ("+" if count == most else "")


def offers(found: Filter) -> list[Chip]:
    """Return filters to offer for the kinds of result that the search names. Someone who searches for "video" may mean
    the kind of result rather than the word, so we let them choose."""
    labels = {
        "image": _("Only pictures"),
        "video": _("Only videos"),
        "audio": _("Only audio"),
        "text": _("Only text"),
    }
    return [Chip(labels[kind], wanted.url()) for kind, wanted in found.by_kind_named()]


def findable_apps(found: Filter, page: Page, member: Member, directory: Directory) -> set[int]:
    """Return the apps to offer in the filter: those with runs that match all other filters, on any page.

    If `page` contains all matching runs, their apps are already known. For a search by words or decisions, only the
    newest matches are considered, because most runs contain common words, and many apps may have no matching decisions.
    If the filter is by kind or state, apps that aren't among the newest matches are looked up one by one.
    """
    others = found.without("app")
    if others.tab == "mine" and not others.narrowing:
        return {app.pk for app in directory.apps if app.detail}
    if page.is_whole and not found.app:
        return {run.app_id for run in page.runs}
    runs, found_apps = others.runs(member, directory), set[int]()
    if asks_newest(others):
        known = None if found.app else page.newest_apps
        newest = [app for _key, app in newest_keys(runs)] if known is None else known
        found_apps = set(newest[:NEWEST_ASKED])
        if _is_search(others) or len(newest) <= NEWEST_ASKED:
            return found_apps
    left = [app.pk for app in directory.apps if app.pk not in found_apps]
    if not left:
        return found_apps
    # A subquery lets the database stop at the first match.
    first = Subquery(runs.filter(app=OuterRef("pk")).newest_first().values("pk")[:1])
    used = App.objects.filter(pk__in=left).order_by().annotate(first=first).filter(first__isnull=False)
    return found_apps | set(used.values_list("pk", flat=True))


def asks_newest(found: Filter) -> bool:
    """Return whether `findable_apps` looks for apps among the newest runs that match `found`."""
    return _is_search(found) or bool(found.kind or found.state)


def _is_search(found: Filter) -> bool:
    """Return whether `found` filters by words or decisions, so that finding even a single run may take a long time."""
    return bool(found.q or found.decision or found.decided or found.waits)


def day_shortcuts(found: Filter, today: date) -> list[Tab]:
    """Return tabs that narrow `found` to common spans of days. The first day of the week depends on the reader's
    language."""
    week = today - timedelta(days=(today.isoweekday() - get_format("FIRST_DAY_OF_WEEK")) % 7)
    month = today.replace(day=1)
    day = timedelta(days=1)
    spans = {
        _("Today"): (today, None),
        _("Last 7 days"): (today - 6 * day, None),
        _("Last week"): (week - 7 * day, week - day),
        _("Last month"): ((month - day).replace(day=1), month - day),
    }
    return [_in_days(found, name, since, until) for name, (since, until) in spans.items()]


def _in_days(found: Filter, name: str, since: date, until: date | None) -> Tab:
    wanted = replace(found, since=since.isoformat(), until=until.isoformat() if until else "")
    return Tab(name, wanted.url(), wanted == found)


def shorter(found: Filter) -> list[Chip]:
    """Return links to the same search over fewer days, to offer when the search took too long."""
    days = {_("The last 7 days"): 7, _("The last 30 days"): 30, _("The last year"): 365}
    since = {label: (timezone.localdate() - timedelta(days=count)).isoformat() for label, count in days.items()}
    return [
        Chip(label, replace(found, since=day).url())
        for label, day in since.items()
        if day > found.since and (not found.until or day <= found.until)
    ]


def count_up_to(lists: list[tuple[RunQuerySet, int]], member: Member) -> list[int]:
    """Count the runs in each of `lists`, up to its limit, with one query for all of them."""
    if not lists:
        return []
    asked = {f"count{n}": CountUpTo(runs.order_by().values("pk")[:most]) for n, (runs, most) in enumerate(lists)}
    return list(Member.objects.filter(pk=member.pk).values_list(*asked.values()).get())
