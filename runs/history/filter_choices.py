"""What a History page knows besides the runs: names, choices for the filters, and lookups. One query reads it all."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Self
from unicodedata import east_asian_width

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from runs.history.directory_rows import Named, read_rows
from runs.history.filter_lookups import Lookups
from runs.models import App, Member, Run
from runs.words.fold import fold
from runs.words.terms import Ways, matcher, stored_words


@dataclass(frozen=True)
class Directory:
    """The apps, people, guests and views to choose from, for one member; and what was looked up for one filter.

    Apps, people, guests and views are sorted by name.
    """

    apps: list[Named] = field(default_factory=list)  # with runs
    people: list[Named] = field(default_factory=list)  # everyone
    deciders: frozenset[int] = frozenset()  # keys of people who have ever decided
    judges: frozenset[int] = frozenset()  # keys of people who may decide
    guests: Mapping[str, str] = field(default_factory=dict)  # folded name of a guest who decided -> name as typed
    views: list[Named] = field(default_factory=list)  # the member's own
    selected: frozenset[str] = frozenset()  # places (`Selection.Place`) where the member has selected something
    has_own: bool = True  # False for viewers who own no runs
    # For a search in Mine, all apps with runs, because the same search may be tried in Team too
    called: list[Named] = field(default_factory=list)
    lookups: Lookups = field(default_factory=Lookups)

    @classmethod
    def load(cls, member: Member, q: str = "", *, is_mine: bool = False, decided: str = "", waits: str = "") -> Self:
        """Read the directory for `member`, and look up what the filters with these names and values need.

        With `is_mine`, `apps` are only those that this member has used.
        """
        rows = read_rows(member, q, is_mine=is_mine, decided=decided, waits=waits)
        return cls(
            apps=rows.apps(),
            people=rows.people(),
            deciders=rows.deciders(),
            judges=rows.judges(),
            guests=rows.guests(),
            views=rows.views(),
            selected=rows.places_selected(),
            has_own=member.can_run or rows.has_own(),
            called=rows.apps_of_everyone(),
            lookups=Lookups.of(rows, member, q, decided, waits),
        )

    def with_app(self, public_id: str, member: Member, *, is_mine: bool) -> Self:
        """Return this directory including the app, even if the member hasn't used it. If `member` may neither open the
        app nor see any of its runs, leave it out instead.

        Takes a query, unless `is_mine` is set and the directory already has the app.
        """
        if not public_id or (is_mine and any(app.id == public_id for app in self.apps)):
            return self
        rows = _app_for(member, public_id)
        new_apps = [Named(pk, public_id, name) for pk, name in rows]
        is_new = all(app.id != public_id for app in self.apps)
        apps = [app for app in self.apps if app.id != public_id or new_apps]
        return replace(self, apps=apps + new_apps if is_new else apps)

    def with_words(self, queries: Iterable[str], member: Member) -> Self:
        """Return this directory with the runs that match each of `queries` looked up (`Lookups.with_words`)."""
        return replace(self, lookups=self.lookups.with_words(queries, member))

    def app_key(self, public_id: str) -> int:
        """Return the primary key of the app. If it isn't in the directory, return 0, which matches nothing."""
        return next((app.pk for app in self.apps if app.id == public_id), 0)

    def app_name(self, public_id: str) -> str:
        return next((app.name for app in self.apps if app.id == public_id), _("Unknown app"))

    def person_key(self, public_id: str) -> int:
        """Return the primary key of the person. If the person is unknown, return 0, which matches nobody."""
        return next((person.pk for person in self.people if person.id == public_id), 0)

    def person_name(self, public_id: str) -> str:
        return next((person.name for person in self.people if person.id == public_id), _("Unknown person"))

    def people_called(self, word: str) -> list[int]:
        """Return primary keys of people whose name contains a word that starts with `word` (folded).

        "an" finds Ann and Mary-Ann, but not Hannah. Chinese, Japanese and Korean names are written without spaces, so
        `word` may be anywhere in them.
        """
        start = "" if east_asian_width(word[:1] or " ") in ("W", "F") else r"(?<![^\W_])"
        begins = re.compile(start + re.escape(word))
        return [person.pk for person in self.people if begins.search(_folded(person.name))]

    def apps_called(self, ways: Ways, *, is_mine: bool) -> list[int]:
        """Return primary keys of apps whose current name matches one of `ways`. With `is_mine`, apps that only other
        people use may be left out."""
        matches, apps = matcher(ways), self.apps if is_mine else self.called or self.apps
        return [app.pk for app in apps if matches(_stored_words(app.name))]


def _app_for(member: Member, public_id: str) -> QuerySet[App, tuple[int, str]]:
    """Return the key and name of the app with this public id, if the member may open it or see any of its runs."""
    is_seen = Exists(Run.objects.visible_to(member).filter(app=OuterRef("pk")))
    is_theirs = Exists(Run.objects.filter(app=OuterRef("pk"), member=member))  # perhaps in the bin
    is_open = Q(pk__in=App.objects.open_to(member).filter(public_id=public_id).values("pk"))
    apps = App.objects.filter(is_open | is_theirs | is_seen, public_id=public_id)
    return apps.order_by().values_list("pk", "name")


_stored_words = lru_cache(maxsize=4_096)(stored_words)
_folded = lru_cache(maxsize=4_096)(fold)
