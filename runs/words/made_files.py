"""Finds runs by the names of the files that were made in them, as a download has them (`file_names`)."""

from datetime import datetime, time, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from runs.models import Member, Output, Run
from runs.words.file_names import FileName, ResultName, archive_name, parsed_name, slug, stems_of, title_of


def runs_with_file(member: Member, q: str) -> frozenset[int]:
    """Return the keys of the member's own and shared runs that have a file called `q`, or whose zip is called that; if
    there are none, those with a file that guests know under that name.

    Makes no query if `q` isn't such a name, and otherwise at most three: the name contains the day of the run.
    """
    name = parsed_name(q)
    if name is None:
        return frozenset()
    runs: dict[int, Run] = {}
    start, end = (_midnight(name, days) for days in (0, 1))
    for some in (Run.objects.owned_by(member), Run.objects.shared_by_others(member)):  # each has an index in this order
        of_that_day = some.filter(created_at__gte=start, created_at__lt=end).only("title", "app_name", "created_at")
        runs |= {run.pk: run for run in of_that_day if any(_begins(name, title) for title in _titles(run))}
    if name.is_zip:
        zipped = f"{name.words}_{name.day}.zip"
        return frozenset(pk for pk, run in runs.items() if archive_name(title_of(run), run.created_at) == zipped)
    labels = Output.objects.filter(run__in=runs).order_by().values_list("run", "label").distinct()
    matches: dict[bool, set[int]] = {True: set(), False: set()}  # by whether guests know the file under that name
    for pk, label in labels:
        for title in _titles(runs[pk]):
            result = ResultName(title, label, runs[pk].created_at)
            if stems_of([result])[0][0].words == name.words:
                matches[title != title_of(runs[pk])].add(pk)
    return frozenset(matches[False] or matches[True])


def _titles(run: Run) -> tuple[str, str, str]:
    """Return what file names of `run` begin with: its title or app; for guests, its app or neither."""
    return title_of(run), run.app_name, _("Shared")


def _begins(name: FileName, title: str) -> bool:
    """Return whether `name` may begin with `title`, of which long names have only the start."""
    return (slug(title) or "lamina").startswith(name.words.partition("_")[0])


def _midnight(name: FileName, days: int) -> datetime:
    """Return the start of the day in `name`, or of a later day, in the portal's time zone."""
    day = datetime.combine(name.day + timedelta(days=days), time.min)
    return timezone.make_aware(day, timezone.get_default_timezone())
