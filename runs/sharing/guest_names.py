"""The names that guests see for results and files. The names never contain a run's title, and they contain the name of
its app only if the link shows it.

The page, single downloads and the zip use the same names. No two results in a link have the same name.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import count

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from runs.models import GuestLink, Output, RunInput, StoredFile
from runs.words import file_names
from runs.words.file_names import ResultName, Stem, ending_of

LABELS_TOLD = 3


def labels_of(outputs: Sequence[Output]) -> list[str]:
    """Return a unique name for each result: its label, with a number if the label is missing or repeated."""
    names = [output.label or _("Result") for output in outputs]
    counts = Counter(names)
    is_alone = [bool(output.label) and counts[output.label] == 1 for output in outputs]
    used_names = {name for name, alone in zip(names, is_alone, strict=True) if alone}
    numbers = {name: count(1) for name in counts}
    labels = []
    for name, alone in zip(names, is_alone, strict=True):
        label = (
            name if alone else next(numbered for n in numbers[name] if (numbered := f"{name} {n}") not in used_names)
        )
        used_names.add(label)
        labels.append(label)
    return labels


def some_names(labels: Sequence[str], count: int | None = None) -> str:
    """Return a list such as "Front 1, Back 1, Side 1 and 9 more". `count` is the total number of results; it may be
    larger than the number of `labels`."""
    names = ", ".join(labels[:LABELS_TOLD])
    more = (len(labels) if count is None else count) - min(len(labels), LABELS_TOLD)
    if more <= 0:
        return names
    return ngettext("%(names)s and %(more)s more", "%(names)s and %(more)s more", more) % {"names": names, "more": more}


def stems_of(link: GuestLink, outputs: Sequence[Output]) -> list[list[Stem]]:
    """Return the file name stems for `outputs`. `outputs` must be all the results that `link` shows, loaded with their
    runs and files."""
    return file_names.stems_of(
        result_name(link, output.label, output.run.app_name, output.run.created_at, file_names.count_of(output))
        for output in outputs
    )


def result_name(link: GuestLink, label: str, app_name: str, made_at: datetime, files: int) -> ResultName:
    """Return the parts that make up a result's file names for guests of `link`."""
    return ResultName(app_name if link.shows_app else _("Shared"), label, made_at, files)


def text_name(stems: list[Stem]) -> str:
    """Return the file name for a result's text. Guests get structured results as text, too."""
    return stems[0].named("txt")


def archive_name_of(link: GuestLink) -> str:
    """Return the name of the zip: the link's audience as shown on its page, and the day the link was created."""
    return file_names.archive_name(file_names.slug(link.audience) or _("Shared"), link.created_at)


def input_name(run_input: RunInput, position: int, stored: StoredFile) -> str:
    """Return the name that guests see for the file at `position` of an input."""
    parts = ResultName(_("Shared"), run_input.name, run_input.run.created_at, position + 1)
    return file_names.stems_of([parts])[0][position].named(ending_of(stored))
