"""Who can see a run besides its maker and admins: nobody, the team, or guests with a link.

*Only me*, *Team* and *Guest link* take one click each. A run can be shared with the team and also have guest links
(`sharing.links`); *Only me* ends both.
"""

from datetime import datetime

from django.core.cache import cache
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from runs import events
from runs.audit.record import record, record_each
from runs.models import Member, Run, SharingRules, Verb
from runs.models.run import RunQuerySet
from runs.sharing.links import links_to, mark_changed, revoke

TEAM_BY_DEFAULT = "team_by_default"  # cache key of the rule, for the words on pages
SHOWN_SECONDS = 10


def begins_with_team(parent: Run | None) -> bool:
    """Return whether a new run is shared with the team from the start. A run that was started from a private `parent`
    never is, because both runs have the same inputs."""
    is_private = parent is not None and parent.shared_at is None
    return not is_private and SharingRules.current().team_by_default


def audience_words(parent: Run | None, *, is_private: bool = False) -> str:
    """Return the text next to the Run button that says who will see the run; "" unless new runs are shared with the
    team by default."""
    if not cache.get_or_set(TEAM_BY_DEFAULT, lambda: SharingRules.current().team_by_default, SHOWN_SECONDS):
        return ""
    is_private = is_private or (parent is not None and parent.shared_at is None)
    return _("only you and admins will see the new run") if is_private else _("the team will see the new run")


def share_with_team(run: Run) -> bool:
    """Share `run` with every member; return False if it was already shared."""
    return bool(share_all_with_team(Run.objects.filter(pk=run.pk)))


@transaction.atomic
def share_all_with_team(runs: RunQuerySet, now: datetime | None = None) -> int:
    """Share `runs` with every member; return how many weren't shared before."""
    private = list(runs.filter(shared_at=None).select_for_update(of=("self",)).select_related("app", "member"))
    now = now or timezone.now()
    record_each(Verb.RUN_SHARED, private)
    Run.objects.filter(pk__in=[run.pk for run in private]).update(shared_at=now, version=F("version") + 1)
    for run in private:
        run.shared_at = now
        events.run_shared.send(run)
    return len(private)


def stop_sharing_with_team(run: Run) -> bool:
    """Make `run` private to its maker again; return False if it was already private."""
    return bool(stop_sharing_all_with_team(Run.objects.filter(pk=run.pk)))


@transaction.atomic
def stop_sharing_all_with_team(runs: RunQuerySet) -> int:
    """Make `runs` private to their makers again; return how many were shared."""
    shared = runs.filter(shared_at__isnull=False).locked()
    record_each(Verb.RUN_UNSHARED, shared)
    return Run.objects.filter(pk__in=[run.pk for run in shared]).update(shared_at=None, version=F("version") + 1)


@transaction.atomic
def only_me(run: Run, member: Member) -> int:
    """Hide `run` from everyone but its maker and admins; return how many guest links were revoked.

    A link that also shows other runs stays open but no longer shows `run`. It drops `run` even if it has been revoked
    or has expired, because it may be reopened.
    """
    ended = 0
    # Lock links before runs, as all code that changes links does, to avoid deadlocks.
    for link in list(links_to(run).select_for_update().order_by("pk")):
        if link.chosen.exclude(output__run=run).exists():
            count = link.chosen.count()
            gone, _rows = link.chosen.filter(output__run=run).delete()
            record(Verb.LINK_CHANGED, link, changes={"results": (count, count - gone)})
        elif link.is_alive():
            ended += revoke(link, member)
    mark_changed([run.pk])
    stop_sharing_with_team(run)
    return ended
