"""The filter bar of History: its tabs, the chips for the current filter, and labels for what it offers."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.formats import get_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from runs.history.filter_choices import Directory
from runs.history.filters import KINDS, STATE_CHOICES, TABS, Filter
from runs.history.review_filters import ANYONE, DECISIONS, GUEST, ME, ONE_GUEST
from runs.models import Member
from runs.words.moments import day_words


@dataclass(frozen=True)
class Chip:
    """One active filter; `url` leads to the list without that filter."""

    label: str
    url: str


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
    return [Tab(names[key], found.on_tab(key).url(), key == found.tab and not is_any) for key in shown]


def chips(found: Filter, directory: Directory) -> list[Chip]:
    return [Chip(_label(name, found, directory), found.without(name).url()) for name in found.conditions]


def _label(name: str, found: Filter, directory: Directory) -> str:
    if name == "app":
        return directory.app_name(found.app)
    if name == "by":
        return _("Made or owned by %(person)s") % {"person": directory.person_name(found.by)}
    if name == "state":
        return str(STATE_CHOICES[found.state])
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
