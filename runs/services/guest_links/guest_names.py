"""What guests read results and files called: made anew from the labels, since the kept names tell the app or the title.

The page, a single download and the zip all say the same, and no two results of a link are called alike.
"""

from collections import Counter
from collections.abc import Sequence

from runs.models import Output, StoredFile
from runs.services.files import naming


def labels_of(outputs: Sequence[Output]) -> list[str]:
    """What the results are called; equal ones are told apart by number."""
    counts = Counter(output.label for output in outputs)
    seen: Counter[str] = Counter()
    labels = []
    for number, output in enumerate(outputs, 1):
        seen[output.label] += 1
        is_alone = counts[output.label] == 1 and output.label
        labels.append(output.label if is_alone else f"{output.label or 'Result'} {seen[output.label] or number}")
    return labels


def file_name(label: str, position: int, stored: StoredFile) -> str:
    """`front-view.png`, `front-view_2.png` for the file at POSITION of what is called LABEL."""
    extension = stored.name.rpartition(".")[2] if "." in stored.name else "bin"
    return f"{_word(label)}{f'_{position + 1}' if position else ''}.{extension}"


def text_name(label: str) -> str:
    return f"{_word(label)}.txt"


def _word(label: str) -> str:
    return naming.slug(label) or "result"
