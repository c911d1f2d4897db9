"""What a History page knows besides the runs: the apps and people to choose from, and lookups for its filter."""

import re
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from typing import Any
from unicodedata import east_asian_width

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from runs.history import review_filters
from runs.history.filter_lookups import Lookups
from runs.models import App, Decision, Member, ReviewRules, Run
from runs.models.distinct import distinct_values
from runs.words.fold import fold
from runs.words.terms import Ways, matcher, stored_words


class Directory:
    """The apps, people and guests to choose from, for one member, sorted by name; and lookups for one filter.

    Each of them is read when it is first asked for. With `is_mine`, `apps` are only those that the member has used.
    `app` is the public id of the chosen app: it is among `apps` even if the member hasn't used it, unless they may
    neither open it nor see any of its runs.
    """

    def __init__(self, member: Member, q: str = "", *, is_mine: bool = False, app: str = "") -> None:
        self.lookups = Lookups(member, q)
        self._member, self._is_mine, self._app = member, is_mine, app

    @cached_property
    def apps(self) -> list[App]:
        """The apps with runs."""
        apps = _by_name(_with_runs(self._member) if self._is_mine else self._apps_of_everyone)
        if not self._app or (self._is_mine and any(app.public_id == self._app for app in apps)):
            return apps
        others = [app for app in apps if app.public_id != self._app]
        return _by_name([*others, *_app_for(self._member, self._app)])

    @cached_property
    def people(self) -> list[Any]:
        """Everyone, each with `has_decided` (ever) and `may_decide` (now)."""
        members = Member.objects.only("public_id", "name", "email").annotate(
            has_decided=Q(pk__in=distinct_values(Decision, "member")),
            may_decide=Q(pk__in=ReviewRules.who_may_decide().values("pk")),
        )
        return sorted(members, key=lambda person: (fold(person.display_name), person.pk))

    @cached_property
    def guests(self) -> Mapping[str, str]:
        """The folded names of guests who decided lately, each with the name as typed."""
        names = review_filters.guests_lately(self._member).values_list("guest_key", "guest__name", "pk")
        return {key: name for key, name, _pk in sorted(names, key=lambda row: (fold(row[1]), row[2]))}

    @cached_property
    def has_own(self) -> bool:
        """Whether the member owns runs, or may start some."""
        return self._member.can_run or Run.objects.owned_by(self._member).exists()

    @cached_property
    def _apps_of_everyone(self) -> list[App]:
        return list(_with_runs(None))

    def app_key(self, public_id: str) -> int:
        """Return the primary key of the app. If it isn't in the directory, return 0, which matches nothing."""
        return next((app.pk for app in self.apps if app.public_id == public_id), 0)

    def app_name(self, public_id: str) -> str:
        return next((app.name for app in self.apps if app.public_id == public_id), _("Unknown app"))

    def person_key(self, public_id: str) -> int:
        """Return the primary key of the person. If the person is unknown, return 0, which matches nobody."""
        return next((person.pk for person in self.people if person.public_id == public_id), 0)

    def person_name(self, public_id: str) -> str:
        return next((one.display_name for one in self.people if one.public_id == public_id), _("Unknown person"))

    def people_called(self, word: str) -> list[int]:
        """Return primary keys of people whose name contains a word that starts with `word` (folded).

        "an" finds Ann and Mary-Ann, but not Hannah. Chinese, Japanese and Korean names are written without spaces, so
        `word` may be anywhere in them.
        """
        start = "" if east_asian_width(word[:1] or " ") in ("W", "F") else r"(?<![^\W_])"
        begins = re.compile(start + re.escape(word))
        return [person.pk for person in self.people if begins.search(_folded(person.display_name))]

    def apps_called(self, ways: Ways, *, is_mine: bool) -> list[int]:
        """Return primary keys of apps whose current name matches one of `ways`. With `is_mine`, apps that only other
        people use may be left out."""
        matches, apps = matcher(ways), self.apps if is_mine else self._apps_of_everyone
        return [app.pk for app in apps if matches(_stored_words(app.name))]


def _by_name(apps: Iterable[App]) -> list[App]:
    return sorted(apps, key=lambda app: (fold(app.name), app.pk))


def _with_runs(member: Member | None) -> QuerySet[App]:
    """Return the apps with runs, of only `member` or (None) of anyone, perhaps in the bin."""
    whose = {"member": member.pk} if member else {}
    return App.objects.filter(pk__in=distinct_values(Run, "app", **whose)).order_by().only("public_id", "name")


def _app_for(member: Member, public_id: str) -> QuerySet[App]:
    """Return the app with this public id, if the member may open it or see any of its runs."""
    is_seen = Exists(Run.objects.visible_to(member).filter(app=OuterRef("pk")))
    is_theirs = Exists(Run.objects.filter(app=OuterRef("pk"), member=member))  # perhaps in the bin
    is_open = Q(pk__in=App.objects.open_to(member).filter(public_id=public_id).values("pk"))
    apps = App.objects.filter(is_open | is_theirs | is_seen, public_id=public_id)
    return apps.order_by().only("public_id", "name")


_stored_words = lru_cache(maxsize=4_096)(stored_words)
_folded = lru_cache(maxsize=4_096)(fold)
