"""Names of results and files for guests. They are made from labels, since stored names reveal the app or the title.

The page, single downloads and the zip use the same names, and each result in a link has a different one.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import count

from django.utils.translation import gettext as _

from runs.models import Output, StoredFile
from runs.words import file_names


def labels_of(outputs: Sequence[Output]) -> list[str]:
    """Return a unique name for each result: its label, with a number if the label is missing or repeated."""
    names = [output.label or _("Result") for output in outputs]
    counts = Counter(names)
    is_alone = [bool(output.label) and counts[output.label] == 1 for output in outputs]
    taken = {name for name, alone in zip(names, is_alone, strict=True) if alone}
    numbers = {name: count(1) for name in counts}
    labels = []
    for name, alone in zip(names, is_alone, strict=True):
        label = name if alone else next(told for n in numbers[name] if (told := f"{name} {n}") not in taken)
        taken.add(label)
        labels.append(label)
    return labels


def file_name(label: str, position: int, stored: StoredFile) -> str:
    """Return the name of the result file at `position`: `front-view.png`, `front-view_2.png`."""
    extension = stored.name.rpartition(".")[2] if "." in stored.name else "bin"
    return f"{_word(label)}{f'_{position + 1}' if position else ''}.{extension}"


def still_name(label: str, position: int) -> str:
    """Return the name of the picture that stands in for a file."""
    return f"{_word(label)}{f'_{position + 1}' if position else ''}.webp"


def text_name(label: str) -> str:
    return f"{_word(label)}.txt"


def _word(label: str) -> str:
    return file_names.slug(label) or file_names.slug(_("Result"))
