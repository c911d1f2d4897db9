"""The order of apps. They are listed by group; in each group, the apps that an admin has placed come first, followed by
the others in Lamina's order.

Only places that an admin has set are stored, so new apps from Lamina come at the end of their group.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from math import inf
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Case, F, Min, Q, When

from runs.audit.record import record, record_each
from runs.catalog.app_settings import rule_of
from runs.models import App, AppRule, Member, Verb
from runs.models.app import AppQuerySet
from runs.models.app_rules import GROUP_LENGTH
from runs.words.fold import fold

# Almost the same order as `in_order`, for queries that list apps without headings. If several groups have no app with a
# stored place, their apps may be mixed up.
NEARLY_IN_ORDER = (
    Case(When(rule__group__gt="", then=0), default=1),
    F("rule__position").asc(nulls_last=True),
    "position",
    "name",
)


class PlacedApp(NamedTuple):
    """An app in the list. `position` is its stored place; apps without one follow in Lamina's order."""

    pk: int
    public_id: str
    name: str
    group: str
    position: int | None


@dataclass(frozen=True)
class AppGroup:
    """The apps under one heading, in order. Apps that don't belong to a group come last, in a group without a name."""

    name: str
    apps: list[PlacedApp]


@dataclass(frozen=True)
class NewPlace:
    """The result of moving an app: its new place (from 1) in its group, which has `count` apps."""

    name: str
    place: int
    count: int


def in_order(apps: AppQuerySet) -> list[AppGroup]:
    """Return `apps` by group, in order. Makes at most two queries."""
    rows = apps.values_list("pk", "public_id", "name", "rule__group", "rule__position", "position").order_by()
    pairs = [
        (PlacedApp(pk, public_id, name, group or "", place), own) for pk, public_id, name, group, place, own in rows
    ]
    heads = _heads({app.group for app, _own in pairs})

    def place(row: tuple[PlacedApp, int]) -> tuple[tuple[bool, float, str], float, int, str]:
        app, own = row
        return heads[app.group], inf if app.position is None else app.position, own, app.name

    ordered = [app for app, _own in sorted(pairs, key=place)]
    return [AppGroup(name, list(members)) for name, members in groupby(ordered, key=lambda one: one.group)]


def managed_apps() -> AppQuerySet:
    """Return the apps that admins can arrange: all listed apps (even hidden ones) and any others that have rules."""
    is_listed = Q(is_listed=True) | Q(starred_at__isnull=False)
    return App.objects.filter(is_listed | Q(rule__isnull=False), gone_at=None)


def _heads(names: set[str]) -> dict[str, tuple[bool, float, str]]:
    """Return the sort key of each group in `names`: the place of its first app (even if that app is hidden), then its
    name."""
    places: dict[str, int | None] = {}
    if any(names):
        group_names = AppRule.objects.exclude(group="").values_list("group")
        places = dict(group_names.annotate(first=Min("position")).values_list("group", "first"))
    return {name: (not name, inf if (at := places.get(name)) is None else at, fold(name)) for name in names}


@transaction.atomic
def move_apps(places: Sequence[tuple[str, int]]) -> None:
    """Move apps (public ids) to places in their groups, counted from 1. The other apps keep their order."""
    groups = _groups()
    places_by_id = dict(places)
    last = 0
    for group in groups:
        moving = [one for one in group.apps if one.public_id in places_by_id]
        staying = [one for one in group.apps if one.public_id not in places_by_id]
        touched = [group.apps.index(one) for one in moving]
        for one in sorted(moving, key=lambda one: places_by_id[one.public_id]):
            at = min(max(places_by_id[one.public_id], 1), len(group.apps)) - 1
            staying.insert(at, one)
            touched.append(min(at, len(staying) - 1))
        if touched:
            last = max(last, _count_before(groups, group) + max(touched) + 1)
            _record_moves(group.apps, staying, moving)
        group.apps[:] = staying
    _store(groups, last)


@transaction.atomic
def step(public_id: str, by: int) -> NewPlace | None:
    """Move an app up (-1) or down (1) in its group; return where it is now, or None if it is no longer listed."""
    group = next((group for group in _groups() if any(one.public_id == public_id for one in group.apps)), None)
    if group is None:
        return None
    at = next(n for n, one in enumerate(group.apps) if one.public_id == public_id)
    to = min(max(at + by, 0), len(group.apps) - 1)
    if to != at:
        move_apps([(public_id, to + 1)])
    return NewPlace(group.apps[at].name, to + 1, len(group.apps))


@transaction.atomic
def set_hidden(public_ids: Iterable[str], admin: Member, now: datetime, *, is_hidden: bool) -> int:
    """Hide apps, or show them again to the people who may see them; return how many changed."""
    apps = App.objects.filter(public_id__in=list(public_ids))
    changing = list(apps.exclude(rule__is_hidden=True) if is_hidden else apps.filter(rule__is_hidden=True))
    record_each(Verb.APP_SHAPED, changing, changes={"is_hidden": (not is_hidden, is_hidden)})
    _change_rules(changing, admin, now, is_hidden=is_hidden)
    return len(changing)


@transaction.atomic
def move_group(name: str, by: int) -> bool:
    """Move the group `name` up (-1) or down (1) among the groups; return whether anything changed."""
    groups = _groups()
    named = [group for group in groups if group.name]
    at = next((n for n, group in enumerate(named) if group.name == name), None)
    if at is None or not 0 <= at + by < len(named):
        return False
    named.insert(at + by, named.pop(at))
    record(Verb.APP_MOVED, None, label=name, changes={"place": (at + 1, at + by + 1)})
    _store([*named, *(group for group in groups if not group.name)], sum(len(group.apps) for group in named))
    return True


@transaction.atomic
def put_in_group(public_ids: Iterable[str], name: str, admin: Member, now: datetime) -> int:
    """Move apps to the end of the group `name`, or out of their groups if `name` is empty; return how many moved."""
    group = " ".join(name.split())[:GROUP_LENGTH]
    apps = App.objects.filter(public_id__in=list(public_ids)).select_related("rule")
    changing = [app for app in apps if rule_of(app).group != group]
    for app in changing:
        record(Verb.APP_SHAPED, app, changes={"group": (rule_of(app).group, group)})
    _change_rules(changing, admin, now, group=group, position=None)
    return len(changing)


def group_names() -> list[str]:
    """Return the names of all groups, in alphabetical order."""
    names = AppRule.objects.exclude(group="").order_by().values_list("group", flat=True).distinct()
    return sorted(names, key=fold)


def _change_rules(apps: Sequence[App], admin: Member, now: datetime, **fields: Any) -> None:
    _make_rows(app.pk for app in apps)
    rules = AppRule.objects.filter(app__in=apps)
    rules.update(**fields, version=F("version") + 1, changed_by=admin, changed_at=now)


def _record_moves(before: Sequence[PlacedApp], after: Sequence[PlacedApp], moved: Sequence[PlacedApp]) -> None:
    apps = App.objects.in_bulk([one.pk for one in moved])
    for one in moved:
        old, new = before.index(one) + 1, after.index(one) + 1
        if old != new:
            record(Verb.APP_MOVED, apps[one.pk], changes={"place": (old, new)})


def _make_rows(ids: Iterable[int]) -> None:
    """Make sure that each app with one of these primary keys has an `AppRule` row. By itself, the row has no effect."""
    AppRule.objects.bulk_create([AppRule(app_id=pk) for pk in ids], ignore_conflicts=True)


def _groups() -> list[AppGroup]:
    # Lock the rules, so that two admins who move apps at the same time don't mix up the order.
    list(AppRule.objects.select_for_update().values_list("pk"))
    return in_order(managed_apps())


def _count_before(groups: Sequence[AppGroup], target: AppGroup) -> int:
    return sum(len(group.apps) for group in groups[: groups.index(target)])


def _store(groups: Sequence[AppGroup], count: int) -> None:
    """Save the places of the first `count` apps, and of any others up to the last one that already had a place."""
    order = [app for group in groups for app in group.apps]
    had_place = [n + 1 for n, app in enumerate(order) if app.position is not None]
    order = order[: max([count, *had_place])]
    _make_rows(app.pk for app in order)
    places = {app.pk: n for n, app in enumerate(order) if app.position != n}
    rules = list(AppRule.objects.filter(app__in=places).only("pk", "app_id"))
    for rule in rules:
        rule.position = places[rule.app_id]
    AppRule.objects.bulk_update(rules, ["position"], batch_size=200)
