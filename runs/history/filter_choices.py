"""The names a search and its filters need: apps, people and saved views, read in one query."""

import re
from dataclasses import dataclass, field
from typing import Any, Self
from unicodedata import east_asian_width

from django.db.models import Exists, OuterRef, QuerySet, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from runs.models import App, Member, Run, SavedView
from runs.words.fold import fold


@dataclass(frozen=True)
class Named:
    """An app, a person or a saved view. `id` is the public id, `detail` a person's email or a view's query string."""

    pk: int
    id: str
    name: str
    detail: str = ""


@dataclass(frozen=True)
class Directory:
    """Apps with runs, all people, and one member's saved views, each sorted by name."""

    apps: list[Named] = field(default_factory=list)
    people: list[Named] = field(default_factory=list)
    views: list[Named] = field(default_factory=list)

    @classmethod
    def load(cls, member: Member, *, is_mine: bool = False) -> Self:
        """Read the names for `member`; with `is_mine`, only apps that this member has used."""
        used = Run.objects.filter(app=OuterRef("pk"), **({"member": member} if is_mine else {}))
        apps = _rows("app", App.objects.filter(Exists(used)), "public_id", "name", Value(""))
        people = _rows("person", Member.objects.all(), "public_id", "name", "email")
        views = _rows("view", SavedView.objects.owned_by(member), "public_id", "name", "query")
        found: dict[str, list[Named]] = {"app": [], "person": [], "view": []}
        for sort, *row in apps.union(people, views, all=True).order_by():
            named = Named(*row)
            if sort == "person":
                named = Named(named.pk, named.id, named.name or named.detail.split("@")[0], named.detail)
            found[sort].append(named)
        for names in found.values():
            names.sort(key=lambda one: (fold(one.name), one.pk))
        return cls(found["app"], found["person"], found["view"])

    def app_key(self, public_id: str) -> int:
        """Return the app's primary key, or 0, which matches nothing, if nobody has used the app."""
        return next((app.pk for app in self.apps if app.id == public_id), 0)

    def app_name(self, public_id: str) -> str:
        return next((app.name for app in self.apps if app.id == public_id), _("Unknown app"))

    def person_key(self, public_id: str) -> int:
        """Return the person's primary key, or 0, which matches nobody, if the person is unknown."""
        return next((person.pk for person in self.people if person.id == public_id), 0)

    def person_name(self, public_id: str) -> str:
        return next((person.name for person in self.people if person.id == public_id), _("Unknown person"))

    def people_called(self, word: str) -> list[int]:
        """Return primary keys of people who have a word in their name that starts with `word` (folded).

        "an" finds Ann and Mary-Ann, but not Hannah. Chinese, Japanese and Korean names are written without spaces, so
        `word` may be anywhere in them.
        """
        start = "" if east_asian_width(word[:1] or " ") in ("W", "F") else r"(?<![^\W_])"
        begins = re.compile(start + re.escape(word))
        return [person.pk for person in self.people if begins.search(fold(person.name))]

    def apps_called(self, word: str) -> list[int]:
        """Return primary keys of apps whose current name contains `word` (folded)."""
        return [app.pk for app in self.apps if word in fold(app.name)]


def _rows(sort: str, rows: QuerySet[Any], *columns: str | Combinable) -> QuerySet[Any]:
    """Return `rows` as (`sort`, key, *`columns`), with text columns, so that one query can read three tables."""
    told = {f"column{n}": Cast(column, TextField()) for n, column in enumerate(columns)}
    named: QuerySet[Any] = rows.order_by().annotate(sort=Value(sort, TextField()), **told)
    return named.values_list("sort", "pk", *told)
