"""The admins' list of apps: their order, who sees each app, and what admins have changed about it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, Max, OuterRef, Q, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from runs.catalog.app_settings import rule_of
from runs.catalog.arrange import AppGroup, PlacedApp, in_order, managed_apps
from runs.models import App, AppChange, AppRule, FieldRule, Member
from runs.models.app import AppQuerySet
from runs.words.fold import fold
from runs.words.numbers import number_words

PAGE = 50
CHANGED_LATELY = timedelta(days=30)
KINDS_OF_APPS = ("", "changed", "paused", "hidden", "shaped")  # which apps to show; the first value means all of them


@dataclass(frozen=True)
class AppAudience:
    """Who sees an app, as a state with an icon and a few words."""

    key: str  # "all", "some", "hidden" or "paused"
    icon: str
    words: str


@dataclass(frozen=True)
class ManagedApp:
    """One row of the list. `place` is the app's place in its group, from 1 to `count`."""

    app: App
    url: str
    own_name: str  # Lamina's name, if the admin has renamed the app
    audience: AppAudience
    facts: list[str]
    changed_at: datetime | None  # when the app's form last changed on Lamina, if recently
    place: int
    count: int

    @property
    def up_id(self) -> str:
        return f"up-{self.app.public_id}"

    @property
    def down_id(self) -> str:
        return f"down-{self.app.public_id}"

    @property
    def is_first(self) -> bool:
        return self.place == 1

    @property
    def is_last(self) -> bool:
        return self.place == self.count


@dataclass(frozen=True)
class ManagedGroup:
    """A heading with its apps on this page. `number` is the group's position, counting from 1."""

    name: str
    apps: list[ManagedApp]
    count: int
    number: int
    is_first: bool
    is_last: bool
    has_others: bool  # some groups have names, so the apps without a group need a heading too

    @property
    def up_id(self) -> str:
        return f"group-up-{self.number}"

    @property
    def down_id(self) -> str:
        return f"group-down-{self.number}"


@dataclass(frozen=True)
class ManagedList:
    """One page of the list. `count` is the number of matching apps on all pages; `total` is the number of apps with no
    filter at all."""

    groups: list[ManagedGroup]
    count: int
    total: int
    counts: dict[str, int]
    next_start: int  # 0 if this is the last page
    group_names: list[str]  # names of all groups, in alphabetical order


def managed_list(q: str, kind: str, start: int) -> ManagedList:
    """Return apps of this `kind` whose name or group contains `q`, starting at `start`. Takes up to four
    queries."""
    apps, now = managed_apps(), timezone.now()
    ordered = in_order(apps)
    of_kind = set(_of_kind(apps, kind, now).values_list("pk", flat=True)) if kind else None
    matches = [(n, at, one) for n, group in enumerate(ordered) for at, one in enumerate(group.apps)]
    matches = [row for row in matches if (of_kind is None or row[2].pk in of_kind) and _has_words(row[2], q)]
    page = matches[start : start + PAGE]
    rows = _rows([one for _n, _at, one in page], now)
    groups = []
    for n, group in enumerate(ordered):
        group_apps = [(at, one) for number, at, one in page if number == n]
        if group_apps:
            groups.append(_group(ordered, n, group, [_app(rows[one.pk], at, group, now) for at, one in group_apps]))
    return ManagedList(
        groups=groups,
        count=len(matches),
        total=sum(len(group.apps) for group in ordered),
        counts=_counts(apps, now),
        next_start=start + PAGE if len(matches) > start + PAGE else 0,
        group_names=sorted((group.name for group in ordered if group.name), key=fold),
    )


def audience_of(rule: AppRule) -> AppAudience:
    """Return who sees an app with these rules. A paused app counts as paused, whatever its other rules say, because an
    admin needs to act."""
    if rule.is_paused:
        return AppAudience("paused", "warning", _("Paused"))
    if rule.is_hidden:
        return AppAudience("hidden", "away", _("Hidden"))
    if rule.roles:
        return AppAudience("some", "team", roles_words(rule.roles))
    return AppAudience("all", "eye", _("Everyone"))


def roles_words(roles: Iterable[str]) -> str:
    """Return roles in words: "Makers and approvers"."""
    names = {
        Member.Role.VIEWER: _("viewers"),
        Member.Role.MAKER: _("makers"),
        Member.Role.APPROVER: _("approvers"),
        Member.Role.ADMIN: _("admins"),
    }
    words = [words for role, words in names.items() if role in set(roles)]
    text = get_text_list(words, pgettext("between the last two of a list", "and"))
    return text[:1].upper() + text[1:]


def _of_kind(apps: AppQuerySet, kind: str, now: datetime) -> AppQuerySet:
    return apps.annotate(**_marks(now)).filter(_kinds()[kind])


def _kinds() -> dict[str, Q]:
    return {
        "changed": Q(is_changed=True),
        "paused": Q(rule__paused_at__isnull=False),
        "hidden": Q(rule__is_hidden=True),
        "shaped": Q(is_shaped=True) | Q(rule__version__gt=0),
    }


def _marks(now: datetime) -> dict[str, Exists]:
    changes = AppChange.objects.filter(app=OuterRef("pk"), at__gte=now - CHANGED_LATELY)
    return {"is_changed": Exists(changes), "is_shaped": Exists(FieldRule.objects.filter(app=OuterRef("pk")))}


def _counts(apps: AppQuerySet, now: datetime) -> dict[str, int]:
    kinds = {name: Count("pk", filter=which) for name, which in _kinds().items()}
    return apps.annotate(**_marks(now)).aggregate(**kinds)


def _has_words(app: PlacedApp, q: str) -> bool:
    text = fold(f"{app.name} {app.group}") if q else ""
    return all(word in text for word in fold(q).split())


def _rows(on_page: Sequence[PlacedApp], now: datetime) -> dict[int, App]:
    """Return the apps on the page with everything their rows show, in one query."""
    of_app = AppChange.objects.filter(app=OuterRef("pk"), at__gte=now - CHANGED_LATELY)
    latest = of_app.order_by().values("app").annotate(latest=Max("at")).values("latest")
    count = FieldRule.objects.filter(app=OuterRef("pk")).order_by().values("app").annotate(n=Count("pk")).values("n")
    apps = App.objects.select_related("thumbnail", "rule").defer("search_text", "samples", "unknown_fields")
    return apps.annotate(changed_lately=Subquery(latest), rule_count=Subquery(count)).in_bulk(
        [one.pk for one in on_page]
    )


def _group(ordered: Sequence[AppGroup], n: int, group: AppGroup, apps: list[ManagedApp]) -> ManagedGroup:
    total = sum(1 for one in ordered if one.name)
    return ManagedGroup(
        group.name, apps, len(group.apps), n + 1, is_first=n == 0, is_last=n == total - 1, has_others=total > 0
    )


def _app(app: App, at: int, group: AppGroup, now: datetime) -> ManagedApp:
    rule = rule_of(app)
    return ManagedApp(
        app=app,
        url=reverse("runs:manage-app", args=[app.slug, app.public_id]),
        own_name=app.remote_name if rule.name else "",
        audience=audience_of(rule),
        facts=_facts(app),
        changed_at=getattr(app, "changed_lately", None),
        place=at + 1,
        count=len(group.apps),
    )


def _facts(app: App) -> list[str]:
    """Return what the admin has changed, in a few words for each change."""
    count = getattr(app, "rule_count", None) or 0
    rule = rule_of(app)
    fields = ngettext("%(count)s field changed", "%(count)s fields changed", count) % {"count": number_words(count)}
    return [
        words
        for words, is_so in (
            (fields, count > 0),
            (_("house rules"), bool(rule.house_rules)),
            (_("asks for decisions"), app.asks_review),
        )
        if is_so
    ]
