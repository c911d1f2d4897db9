"""Everything around History's filter: chips, tabs, saved views, and wider searches when nothing matches."""

from dataclasses import dataclass, replace
from datetime import timedelta

from django.db.models import IntegerField, Subquery
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from runs.history.filter_choices import Directory
from runs.history.search import KINDS, TABS, Filter
from runs.models import Member, SavedView
from runs.models.run import RunQuerySet
from runs.words.moments import day_words
from runs.words.numbers import number_words
from runs.words.sentences import STATES

COUNT_UP_TO = 1_000
VIEWS_PER_MEMBER = 50
NAME_LENGTH = 60


@dataclass(frozen=True)
class Chip:
    """One active filter; `url` shows the list without it."""

    label: str
    url: str


@dataclass(frozen=True)
class Hint:
    """A wider search that has matches."""

    label: str
    url: str
    count: str  # "12", or "1,000+"


@dataclass(frozen=True)
class Tab:
    """One of the three lists; `url` keeps the active filters that make sense there."""

    name: str
    url: str
    is_current: bool


def tabs(found: Filter, *, has_own: bool = True) -> list[Tab]:
    """Return History's tabs; without `has_own`, leave out "Mine", since viewers have no runs."""
    names = {
        "mine": pgettext("list of runs", "Mine"),
        "team": pgettext("list of runs", "Team"),
        "starred": pgettext("list of runs", "Starred"),
    }
    shown = [key for key in TABS if has_own or key != "mine"]
    return [Tab(names[key], _on_tab(found, key).url(), key == found.tab) for key in shown]


def _on_tab(found: Filter, key: str) -> Filter:
    return replace(found, tab=key, by="" if key == "mine" else found.by)


def chips(found: Filter, directory: Directory) -> list[Chip]:
    return [Chip(_label(name, found, directory), found.without(name).url()) for name in found.narrowing]


def _label(name: str, found: Filter, directory: Directory) -> str:
    if name == "app":
        return directory.app_name(found.app)
    if name == "by":
        return _("By %(person)s") % {"person": directory.person_name(found.by)}
    if name == "state":
        return str(STATES[found.state])
    if name == "kind":
        return _(KINDS[found.kind])
    if name == "from":
        return _("Since %(day)s") % {"day": _day_words(found.since)}
    if name == "to":
        return _("Until %(day)s") % {"day": _day_words(found.until)}
    return _("“%(words)s”") % {"words": found.q}


def _day_words(day: str) -> str:
    found = parse_date(day)
    return day_words(found) if found else day


def hints(found: Filter, member: Member, directory: Directory) -> list[Hint]:
    """Return wider searches that have matches, counted in one query and only up to a limit.

    At most two of them search the text of every run, however many filters are active.
    """
    narrowing = found.narrowing
    if narrowing.keys() == {"q"}:
        elsewhere = "team" if found.tab == "mine" else "mine"
        label = _("In the team's runs") if elsewhere == "team" else _("In your runs")
        wider = [(label, _on_tab(found, elsewhere))]
    elif found.q and len(narrowing) > 2:
        words_alone = found.without(*[name for name in narrowing if name != "q"])
        wider = [(_("Without the filters"), words_alone), (_wider_label("q", found), found.without("q"))]
    else:
        wider = [(_wider_label(name, found), found.without(name)) for name in narrowing]
    counted = _count([one.runs(member, directory) for _label, one in wider], member)
    return [
        Hint(label, one.url(), _counted(count)) for (label, one), count in zip(wider, counted, strict=True) if count
    ]


def _wider_label(name: str, found: Filter) -> str:
    """Return the label for the search without the filter `name`."""
    if name == "q":
        return _("Without “%(words)s”") % {"words": found.q}
    labels = {
        "app": _("Any app"),
        "by": _("Anyone"),
        "state": _("Any state"),
        "kind": _("Any kind"),
        "from": _("No start date"),
        "to": _("No end date"),
    }
    return labels[name]


def _counted(count: int) -> str:
    return number_words(count) + ("+" if count == COUNT_UP_TO else "")


def shorter(found: Filter) -> list[Chip]:
    """Return the same search over fewer days, for when it took too long."""
    days = {_("The last 7 days"): 7, _("The last 30 days"): 30, _("The last year"): 365}
    since = {label: (timezone.localdate() - timedelta(days=count)).isoformat() for label, count in days.items()}
    return [
        Chip(label, replace(found, since=day).url())
        for label, day in since.items()
        if day > found.since and (not found.until or day <= found.until)
    ]


class _CountUpTo(Subquery):
    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


def _count(lists: list[RunQuerySet], member: Member) -> list[int]:
    """Count the runs in each of `lists`, up to COUNT_UP_TO, in one query."""
    if not lists:
        return []
    asked = {f"count{n}": _CountUpTo(runs.order_by().values("pk")[:COUNT_UP_TO]) for n, runs in enumerate(lists)}
    return list(Member.objects.filter(pk=member.pk).values_list(*asked.values()).get())


def save_view(member: Member, name: str, query: str) -> SavedView | None:
    """Save a filter as `name`, replacing any view of that name. Return None without a name or if over the limit."""
    name, kept = " ".join(name.split())[:NAME_LENGTH], Filter.parse(query).query
    views = SavedView.objects.owned_by(member)
    if not name or (views.count() >= VIEWS_PER_MEMBER and not views.filter(name=name).exists()):
        return None
    return views.update_or_create(member=member, name=name, defaults={"query": kept})[0]


def rename_view(view: SavedView, name: str) -> bool:
    """Rename `view`; return False if the name is empty or another view already has it."""
    name = " ".join(name.split())[:NAME_LENGTH]
    if not name or SavedView.objects.filter(member=view.member_id, name=name).exclude(pk=view.pk).exists():
        return False
    view.name = name
    view.save(update_fields=["name"])
    return True
