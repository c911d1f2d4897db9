"""The rules for deciding, which admins set: who decides, whether the four-eyes rule applies, whether reasons are
needed, and which apps' results are always reviewed."""

import hashlib
from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet, Subquery

from runs.audit.overtaken import change_row, changes_of, locked_row, refuse_older, version_of
from runs.audit.record import record_each, values_of
from runs.catalog.save_app_settings import record_outside_change
from runs.models import App, Entry, ReviewRules, Run, Verb

APPS_SHOWN = 500
COLUMNS = {f"rules_{name}": name for name in ("deciders", "four_eyes", "needs_reason", "only_deciders_links")}


def rules_columns() -> dict[str, Subquery]:
    """Return annotations that make a query for some other row read the rules as well, which saves a second query. Use
    `rules_on` to get the rules from the row."""
    return {alias: Subquery(ReviewRules.objects.order_by("pk").values(name)[:1]) for alias, name in COLUMNS.items()}


def rules_on(row: Model) -> ReviewRules:
    """Return the rules that were read along with `row`; the default rules if none are stored."""
    read = {name: getattr(row, alias) for alias, name in COLUMNS.items()}
    return ReviewRules(**{name: value for name, value in read.items() if value is not None})


def reviewable_apps() -> QuerySet[App]:
    """Return all apps that have been run or whose results are always reviewed."""
    was_run = Exists(Run.objects.filter(app=OuterRef("pk"), deleted_at=None))
    return App.objects.filter(Q(asks_review=True) | was_run).order_by("name", "pk")


def rules_version(rules: ReviewRules) -> str:
    """Return a string that represents `rules` and the apps whose shared results are always reviewed, so that
    `change_rules` can tell whether they have changed."""
    return version_of(_rules_values(values_of(rules), asking_apps()))


def asking_apps() -> set[str]:
    """Return the public ids of the apps whose shared results are always reviewed."""
    return set(App.objects.filter(asks_review=True).values_list("public_id", flat=True))


def _rules_values(rules: dict[str, Any], asking: Collection[str]) -> dict[str, Any]:
    """Return the rules along with a hash in place of the apps, because there may be many of them."""
    return rules | {"apps": hashlib.sha256(" ".join(sorted(asking)).encode()).hexdigest()[:16]}


@transaction.atomic
def change_rules(rules: ReviewRules, app_ids: Collection[str], asking: Collection[str], version: str = "") -> None:
    """Save the rules. Of the apps in `app_ids` (public ids), turn on automatic reviews of shared results for those in
    `asking`, and turn them off for the others.

    `version` represents the rules that the page showed (see `rules_version`), if known. Raises `OvertakenError` if
    someone has saved other rules since then.
    """
    row, values = locked_row(ReviewRules), values_of(rules)
    old, apps = asking_apps(), App.objects.filter(public_id__in=app_ids)
    new = (old - set(app_ids)) | set(apps.filter(public_id__in=asking).values_list("public_id", flat=True))
    shaped = Entry.objects.filter(verb=Verb.APP_SHAPED, changes__has_key="asks_review")
    before, after = _rules_values(values_of(row), old), _rules_values(values, new)
    refuse_older(version, before, after, changes_of(row, values) | shaped)
    change_row(row, values, "", Verb.RULES_CHANGED, row)
    _let_ask(apps.filter(public_id__in=asking), is_asking=True)
    _let_ask(apps.exclude(public_id__in=asking), is_asking=False)


def _let_ask(apps: QuerySet[App], *, is_asking: bool) -> None:
    """Set whether shared results of `apps` are always reviewed."""
    other = apps.exclude(asks_review=is_asking).order_by("pk")
    rows = list(other.select_for_update(of=("self",), no_key=True))
    record_each(Verb.APP_SHAPED, rows, changes={"asks_review": (not is_asking, is_asking)})
    ids = [app.pk for app in rows]
    App.objects.filter(pk__in=ids).update(asks_review=is_asking)
    record_outside_change(ids)
