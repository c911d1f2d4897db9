"""The options of a question, shown as cards or as a list, with a small drawing next to ratios such as "16:9"."""

import re
from collections import Counter
from dataclasses import dataclass

from django.utils.translation import gettext as _

from runs.schema_forms.questions import Question, is_seen, shortened

RATIO = re.compile(r"\s*([1-9]\d?)\s*:\s*([1-9]\d?)\b")
RATIO_BOX = 18  # longer side of the drawn rectangle in pixels; the drawing is 22 by 22 pixels


@dataclass(frozen=True)
class Ratio:
    """The rectangle drawn next to an option like "16:9"."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Choice:
    """One option as it is shown. `value` is its position, or empty if the app should decide."""

    value: str
    label: str
    id: str
    is_chosen: bool

    @property
    def ratio(self) -> Ratio | None:
        """The ratio that the label begins with, or None."""
        if (match := RATIO.match(self.label)) is None:
            return None
        across, down = int(match[1]), int(match[2])
        width = max(3.0, round(RATIO_BOX * across / max(across, down), 1))
        height = max(3.0, round(RATIO_BOX * down / max(across, down), 1))
        return Ratio(round(11 - width / 2, 1), round(11 - height / 2, 1), width, height)


def choices_of(question: Question, name: str, selected: object) -> list[Choice]:
    """Return the options of `question` for the field `name`, with the one at position `selected` selected. Options with
    the same label become one choice, because Lamina couldn't tell them apart."""
    first = {label: n for n, label in reversed(list(enumerate(question.options)))}
    if question.allowed is not None:
        first = {label: n for label, n in first.items() if label in question.allowed}
    if isinstance(selected, str) and selected.isascii() and selected.isdigit():
        number = int(selected[:6])
        if number < len(question.options):
            selected = str(first.get(question.options[number], ""))
    options = [
        Choice(str(n), words, f"{name}-{n}", selected == str(n))
        for (label, n), words in zip(sorted(first.items(), key=lambda i: i[1]), _visible(question, first), strict=True)
    ]
    if not question.is_needed and question.default_option is None:
        own = shortened(question.default_words.strip()) or _("Let the app choose")
        options.insert(0, Choice("", own, f"{name}-own", not selected))
    return options


def _visible(question: Question, labels: dict[str, int]) -> list[str]:
    """Return the labels to show. If labels differ only in spaces, the spaces are shown as ␣. An invisible label is
    replaced with a numbered name."""
    ordered = sorted(labels, key=lambda label: labels[label])
    looks = [" ".join(label.split()) for label in ordered]
    count = Counter(looks)
    return [
        shortened(label.replace(" ", "␣") if count[look] > 1 else label)
        if is_seen(label)
        else _("Blank option %(number)s") % {"number": n}
        for n, (label, look) in enumerate(zip(ordered, looks, strict=True), 1)
    ]
