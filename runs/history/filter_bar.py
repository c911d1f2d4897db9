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


def tabs(filters: Filter, *, has_own: bool = True) -> list[Tab]:
    """Return the tabs of History. "Mine" is left out unless `has_own`, because viewers may have no runs."""
    names = {
        "mine": pgettext("list of runs", "Mine"),
        "team": pgettext("list of runs", "Team"),
        "starred": pgettext("list of runs", "Starred"),
    }
    keys = [key for key in TABS if has_own or key != "mine"]
    is_any = filters.is_selected_results
    return [Tab(names[key], filters.on_tab(key).url(), key == filters.tab and not is_any) for key in keys]


def chips(filters: Filter, directory: Directory) -> list[Chip]:
    return [Chip(_label(name, filters, directory), filters.without(name).url()) for name in filters.conditions]


def _label(name: str, filters: Filter, directory: Directory) -> str:
    """Return the chip's words for the filter called `name` in the URL."""
    match name:
        case "q":
            return _("“%(words)s”") % {"words": filters.q}
        case "app":
            return directory.app_name(filters.app)
        case "by":
            return _("Made or owned by %(person)s") % {"person": directory.person_name(filters.by)}
        case "state":
            return str(STATE_CHOICES[filters.state])
        case "kind":
            return _(KINDS[filters.kind])
        case "decision":
            return str(DECISIONS[filters.decision])
        case "decided":
            return decided_words(filters.decided, directory)
        case "waits":
            return waits_words(filters.waits, directory)
        case "from":
            return _("Since %(day)s") % {"day": _day_words(filters.since)}
        case "to":
            return _("Until %(day)s") % {"day": _day_words(filters.until)}
        case "selected":
            return _("Selected results") if filters.is_selected_results else _("Selected")
    raise KeyError(name)


def without_label(name: str, filters: Filter) -> str:
    """Return the words for the same search without the filter called `name` in the URL."""
    labels = {
        "q": _("Without “%(words)s”") % {"words": filters.q},
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


def decided_words(who: str, directory: Directory) -> str:
    """Return the label for `who` in the filter "decided by"."""
    if who == GUEST:
        return _("Decided by a guest")
    if who.startswith(ONE_GUEST):
        key = who.removeprefix(ONE_GUEST)
        return _("Decided by %(name)s (guest)") % {"name": directory.guests.get(key, key)}
    return _("Decided by %(person)s") % {"person": directory.person_name(who)}


def deciders(filters: Filter, directory: Directory) -> list[tuple[str, str, bool]]:
    """Return the choices for the filter "decided by": people and guests who have decided, sorted by name, and the
    current choice."""
    people = [one.public_id for one in directory.people if one.has_decided or one.public_id == filters.decided]
    guests = [f"{ONE_GUEST}{key}" for key in directory.guests]
    choices = [*people, GUEST, *guests]
    if filters.decided and filters.decided not in choices:
        choices.append(filters.decided)
    return [(who, decided_words(who, directory), who == filters.decided) for who in choices]


def awaited(filters: Filter, member: Member, directory: Directory) -> list[tuple[str, str, bool]]:
    """Return the choices for the filter "waiting for": `member`, anyone, others who may decide, and the current
    choice."""
    people = [one.public_id for one in directory.people if one.may_decide or one.public_id == filters.waits]
    choices = [ME, ANYONE, *(one for one in people if one != member.public_id)]
    return [(who, waits_words(who, directory), who == filters.waits) for who in choices]


def waits_words(who: str, directory: Directory) -> str:
    """Return the label for `who` in the filter "waiting for"."""
    if who == ME:
        return _("Waiting for me")
    if who == ANYONE:
        return _("Waiting for anyone")
    return _("Waiting for %(person)s") % {"person": directory.person_name(who)}


def _day_words(day: str) -> str:
    date_of = parse_date(day)
    return day_words(date_of) if date_of else day


def offers(filters: Filter) -> list[Chip]:
    """Return filters to offer for the kinds of result that the search names. Someone who searches for "video" may mean
    the kind of result rather than the word, so we let them choose."""
    labels = {
        "image": _("Only pictures"),
        "video": _("Only videos"),
        "audio": _("Only audio"),
        "text": _("Only text"),
    }
    return [Chip(labels[kind], narrower.url()) for kind, narrower in filters.by_kind_named()]


def day_shortcuts(filters: Filter, today: date) -> list[Tab]:
    """Return tabs that narrow `filters` to common spans of days. The first day of the week depends on the reader's
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
    return [_in_days(filters, name, since, until) for name, (since, until) in spans.items()]


def _in_days(filters: Filter, name: str, since: date, until: date | None) -> Tab:
    narrower = replace(filters, since=since.isoformat(), until=until.isoformat() if until else "")
    return Tab(name, narrower.url(), narrower == filters)


def shorter(filters: Filter) -> list[Chip]:
    """Return links to the same search over fewer days, to offer when the search took too long."""
    days = {_("The last 7 days"): 7, _("The last 30 days"): 30, _("The last year"): 365}
    since = {label: (timezone.localdate() - timedelta(days=count)).isoformat() for label, count in days.items()}
    return [
        Chip(label, replace(filters, since=day).url())
        for label, day in since.items()
        if day > filters.since and (not filters.until or day <= filters.until)
    ]
