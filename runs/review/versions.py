"""The versions of a result: version 2 was made to replace version 1, and so on."""

from collections.abc import Iterable

from runs import events
from runs.models import Member, Output, ReviewRules


def newer_of_each(outputs: Iterable[Output]) -> dict[int, Output]:
    """For each result that has a later completed version, return the newest one, keyed by the result's primary key.
    Takes at most one query."""
    outputs = [output for output in outputs if not output.is_only_version]
    if not outputs:
        return {}
    lines = {output.first_id for output in outputs}
    later = Output.objects.filter(line__in=lines, status=Output.Status.COMPLETED, run__deleted_at=None)
    return newer_among(outputs, later.select_related("run"))


def newer_among(outputs: Iterable[Output], versions: Iterable[Output]) -> dict[int, Output]:
    """Do the same as `newer_of_each` without a query, given the results' later `versions` with their runs loaded."""
    completed = [one for one in versions if one.status == Output.Status.COMPLETED and one.run.deleted_at is None]
    newest = {version.first_id: version for version in sorted(completed, key=_number)}
    pairs = ((output, newest.get(output.first_id)) for output in outputs)
    return {output.pk: newer for output, newer in pairs if newer is not None and newer.number > output.number}


def on_content_changed(output: Output) -> None:
    """When a later version becomes ready, announce that it replaces the last completed version before it."""
    if output.line_id is not None and output.status == Output.Status.COMPLETED:
        ready = Output.objects.in_line_of(output).filter(status=Output.Status.COMPLETED, number__lt=output.number)
        if (replaced := ready.last()) is not None:
            events.version_made.send(output, replaced)


def seen_among(versions: Iterable[Output], member: Member) -> list[Output]:
    """Return the versions of a result that `member` may see; an empty list if there is only one."""
    visible = [version for version in versions if version.run.is_visible_to(member)]
    return visible if len(visible) > 1 else []


def own_work(outputs: Iterable[Output], member: Member | None, rules: ReviewRules) -> set[int]:
    """Return the primary keys of results that the member can't approve because of the four-eyes rule. Takes at most one
    query."""
    if member is None or not rules.four_eyes:
        return set()
    own = Output.objects.filter(pk__in=[output.pk for output in outputs]).own_work_of(member)
    return set(own.values_list("pk", flat=True))


def _number(version: Output) -> int:
    return version.number
