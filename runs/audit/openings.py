"""Records that an admin looks at what somebody keeps private."""

from collections.abc import Iterable

from django.http import HttpRequest

from runs.audit.record import record_each
from runs.models import Member, Run, Verb


def record_openings(request: HttpRequest, runs: Iterable[Run]) -> None:
    """Record which of `runs` the signed-in member sees only as an admin, unless the page is only loaded ahead."""
    member = request.user
    if not isinstance(member, Member) or "Sec-Purpose" in request.headers:
        return
    if private := {run.pk: run for run in runs if run.is_seen_only_as_admin(member)}:
        record_each(Verb.RUN_OPENED, private.values())
