"""Which apps to offer in the filter bar."""

from django.db.models import OuterRef, Subquery

from runs.history.filter_choices import Directory
from runs.history.filters import Filter
from runs.history.order import NEWEST_ASKED, RunListPage, newest_keys
from runs.models import App, Member


def findable_apps(filters: Filter, page: RunListPage, member: Member, directory: Directory) -> set[int]:
    """Return the apps to offer in the filter: those with runs that match all other filters, on any page.

    If `page` contains all matching runs, their apps are already known. For a search by words or decisions, only the
    newest matches are considered, because most runs contain common words, and many apps may have no matching decisions.
    If the filter is by kind or state, apps that aren't among the newest matches are looked up one by one.
    """
    others = filters.without("app")
    if page.is_whole and not filters.app:
        return {run.app_id for run in page.runs}
    runs, found_apps = others.runs(member, directory), set[int]()
    if asks_newest(others):
        newest = page.newest_apps
        if newest is None:
            newest = [app for _key, app in newest_keys(runs)]
        found_apps = set(newest[:NEWEST_ASKED])
        if others.is_search or len(newest) <= NEWEST_ASKED:
            return found_apps
    left = [app.pk for app in directory.apps if app.pk not in found_apps]
    if not left:
        return found_apps
    # A subquery lets the database stop at the first match.
    first = Subquery(runs.filter(app=OuterRef("pk")).newest_first().values("pk")[:1])
    used = App.objects.filter(pk__in=left).order_by().annotate(first=first).filter(first__isnull=False)
    return found_apps | set(used.values_list("pk", flat=True))


def asks_newest(filters: Filter) -> bool:
    """Return whether `findable_apps` looks for apps among the newest runs that match `filters`."""
    return filters.is_search or bool(filters.kind or filters.state)
