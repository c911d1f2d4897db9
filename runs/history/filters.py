"""The words around a filter of History: its chips, its tabs, its saved views, and a way out when nothing matches."""

from dataclasses import dataclass, replace
from datetime import timedelta

from django.db.models import IntegerField, Subquery
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.formats import date_format

from runs.history.filter_choices import Directory
from runs.history.search import KINDS, TABS, Filter
from runs.models import Member, SavedView
from runs.models.run import RunQuerySet
from runs.words.sentences import STATES

COUNT_UP_TO = 1_000
VIEWS_PER_MEMBER = 50
NAME_LENGTH = 60


@dataclass(frozen=True)
class Chip:
    """One thing that narrows the list; URL is the list without it."""

    label: str
    url: str


@dataclass(frozen=True)
class Hint:
    """A wider look that would find something."""

    label: str
    url: str
    count: str  # "12", or "1,000+"


@dataclass(frozen=True)
class Tab:
    """One of the three lists; URL keeps what narrows the present one, as far as it makes sense there."""

    name: str
    url: str
    is_current: bool


def tabs(found: Filter, *, has_own: bool = True) -> list[Tab]:
    """The lists of History; for a viewer, who has no run, all but one's own."""
    shown = {key: name for key, name in TABS.items() if has_own or key != "mine"}
    return [Tab(name, _on_tab(found, key).url(), key == found.tab) for key, name in shown.items()]


def _on_tab(found: Filter, key: str) -> Filter:
    return replace(found, tab=key, by="" if key == "mine" else found.by)


def chips(found: Filter, directory: Directory) -> list[Chip]:
    return [Chip(_label(name, found, directory), found.without(name).url()) for name in found.narrowing]


def _label(name: str, found: Filter, directory: Directory) -> str:
    if name == "app":
        return directory.app_name(found.app)
    if name == "by":
        return f"By {directory.person_name(found.by)}"
    if name == "state":
        return STATES[found.state]
    if name == "kind":
        return KINDS[found.kind]
    if name in ("from", "to"):
        return f"{'Since' if name == 'from' else 'Until'} {_day_words(found.narrowing[name])}"
    return f"“{found.q}”"


def _day_words(day: str) -> str:
    found = parse_date(day)
    return date_format(found, "j F Y") if found else day


def hints(found: Filter, member: Member, directory: Directory) -> list[Hint]:
    """What a wider look would find, counted in one query and never beyond a limit. At most two of the looks go through
    the words of every run, however many filters there are."""
    wider = {f"Without {_label(name, found, directory)}": found.without(name) for name in found.narrowing}
    if found.q and len(wider) > 2:
        words_alone = found.without(*[name for name in found.narrowing if name != "q"])
        wider = {"Without the filters": words_alone, f"Without {_label('q', found, directory)}": found.without("q")}
    elif found.q and len(wider) == 1:
        elsewhere = "team" if found.tab == "mine" else "mine"
        wider = {f"In {TABS[elsewhere]}": _on_tab(found, elsewhere)}
    counted = _count([one.runs(member, directory) for one in wider.values()], member)
    return [
        Hint(label, one.url(), f"{count:,}{'+' if count == COUNT_UP_TO else ''}")
        for (label, one), count in zip(wider.items(), counted, strict=True)
        if count
    ]


def shorter(found: Filter) -> list[Chip]:
    """The same search over fewer days: what to try when it took too long."""
    days = {"The last 7 days": 7, "The last 30 days": 30, "The last year": 365}
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
    """How many runs are in each of LISTS, at most COUNT_UP_TO, all in one query."""
    if not lists:
        return []
    asked = {f"count{n}": _CountUpTo(runs.order_by().values("pk")[:COUNT_UP_TO]) for n, runs in enumerate(lists)}
    return list(Member.objects.filter(pk=member.pk).values_list(*asked.values()).get())


def save_view(member: Member, name: str, query: str) -> SavedView | None:
    """Keep a filter under NAME, in place of an older view of that name; None when there is no name or no more room."""
    name, kept = " ".join(name.split())[:NAME_LENGTH], Filter.parse(query).query
    views = SavedView.objects.owned_by(member)
    if not name or (views.count() >= VIEWS_PER_MEMBER and not views.filter(name=name).exists()):
        return None
    return views.update_or_create(member=member, name=name, defaults={"query": kept})[0]


def rename_view(view: SavedView, name: str) -> bool:
    """Give VIEW another name; False when the name is empty or another view has it."""
    name = " ".join(name.split())[:NAME_LENGTH]
    if not name or SavedView.objects.filter(member=view.member_id, name=name).exclude(pk=view.pk).exists():
        return False
    view.name = name
    view.save(update_fields=["name"])
    return True
