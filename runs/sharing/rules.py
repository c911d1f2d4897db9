"""The sharing rules that admins set: whether guest links are allowed, who can create them, how long they last, and
which company name and logo guests see.

Lowering the maximum number of days also shortens existing links.
"""

from django.core.cache import cache
from django.db import transaction

from runs.audit.overtaken import change_row, locked_row, version_of
from runs.audit.record import record, values_of
from runs.models import GuestLink, SharingRules, StoredFile, Verb
from runs.sharing.links import end_of, latest_day
from runs.sharing.visibility import TEAM_BY_DEFAULT
from runs.storage import orphans

RULES = ("guests_allowed", "longest_days", "needs_passphrase", "link_makers", "company", "team_by_default")


def rules_version(rules: SharingRules) -> str:
    """Return `rules` as a single string that lets `change_rules` tell whether they have changed."""
    return version_of(values_of(rules, *RULES))


@transaction.atomic
def change_rules(rules: SharingRules, version: str = "") -> int:
    """Save `rules` in place of the existing ones, but keep the logo; return how many links now expire earlier.

    `version` is what `rules_version` returned when the page was opened, if known. Raises `OvertakenError` if someone
    has changed the rules since then.
    """
    row = locked_row(SharingRules)
    change_row(row, values_of(rules, *RULES), version, Verb.RULES_CHANGED, row)
    cache.delete(TEAM_BY_DEFAULT)
    latest = end_of(latest_day(rules))
    return GuestLink.objects.alive().filter(expires_at__gt=latest).update(expires_at=latest)


@transaction.atomic
def change_logo(logo: StoredFile | None) -> None:
    """Show guests `logo` from now on, or no logo if it is None. Deletes the previous one."""
    rules = locked_row(SharingRules)
    before = rules.logo
    if before is None and logo is None:
        return
    SharingRules.objects.filter(pk=rules.pk).update(logo=logo)
    names = (before.name if before else None, logo.name if logo else None)
    record(Verb.RULES_CHANGED, rules, changes={"logo": names})
    if before is not None:
        old = StoredFile.objects.filter(pk=before.pk)
        transaction.on_commit(lambda: orphans.remove_files(old))
