"""Which results to make. Lamina takes labels, so results that share one cannot be picked apart: one box for them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms.boundfield import BoundField

from runs.schema_forms.fields import ManyValues
from runs.schema_forms.questions import as_words, is_seen, shortened
from runs.schema_forms.types import Outputs

NOUNS = {
    "image": ("image", "images"),
    "video": ("video", "videos"),
    "audio": ("sound", "sounds"),
    "text": ("text", "texts"),
}


@dataclass(frozen=True)
class Result:
    """Results that carry the same LABEL (in any case), with the INDEXES and KINDS Lamina gives them."""

    label: str
    indexes: tuple[int, ...]
    kinds: tuple[str, ...]

    @property
    def value(self) -> str:
        return str(self.indexes[0])

    @property
    def shown(self) -> str:
        """The label, or a stand-in when it leaves no mark on the page."""
        return shortened(self.label) if is_seen(self.label) else f"Output {self.indexes[0] + 1}"

    @property
    def icons(self) -> list[str]:
        """A drawing for each of the first four."""
        return [kind if kind in NOUNS else "other" for kind in self.kinds[:4]]

    @property
    def count_words(self) -> str:
        """ "2 images", "1 image and 1 video"."""
        return how_many(self.kinds)


def how_many(kinds: Iterable[str]) -> str:
    """KINDS counted in words: "2 images and 1 video"; kinds we do not know count as results."""
    counts = Counter(kind if kind in NOUNS else "" for kind in kinds)
    parts = [
        f"{count} {NOUNS.get(kind, ('result', 'results'))[count > 1]}"
        for kind, count in sorted(counts.items(), key=lambda item: list(NOUNS).index(item[0]) if item[0] else 9)
    ]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def results_of(outputs: Outputs) -> list[Result]:
    """OUTPUTS grouped by label, in the author's order."""
    listed = [output if isinstance(output, dict) else {} for output in outputs]
    given = [output.get("index") for output in listed]
    is_sound = all(isinstance(index, int) and index >= 0 for index in given) and len(set(given)) == len(given)
    groups: dict[str, list[tuple[str, int, str]]] = {}
    for n, output in enumerate(listed):
        label = as_words(output.get("label") or "")
        index = int(given[n] or 0) if is_sound else n
        groups.setdefault(label.casefold(), []).append((label, index, as_words(output.get("type") or "")))
    return [
        Result(group[0][0], tuple(index for _, index, _ in group), tuple(kind for _, _, kind in group))
        for group in groups.values()
    ]


class ResultsField(forms.Field):
    """Tick boxes; cleans to the indexes of all ticked results, namesakes included."""

    bound_field_class = BoundField  # not the form's, which is for answers

    def __init__(self, results: list[Result]) -> None:
        super().__init__(required=False, widget=ManyValues(), label="Results")
        self.results = results

    def values_for(self, wanted: Iterable[str | int] | None) -> list[str]:
        """Values to tick at first for WANTED (labels or indexes); all of them when it names nothing."""
        named = {as_words(item).casefold() if isinstance(item, str) else item for item in wanted or []}
        ticked = [r for r in self.results if r.label.casefold() in named or not named.isdisjoint(r.indexes)]
        return [result.value for result in ticked or self.results]

    def ticked(self, value: Iterable[str]) -> list[Result]:
        """The results whose value (or that of a namesake) was posted; where there is but one, that one."""
        if len(self.results) == 1:
            return self.results
        posted = set(value)
        return [result for result in self.results if not posted.isdisjoint(map(str, result.indexes))]

    def clean(self, value: Any) -> list[int]:
        ticked = self.ticked(value or [])
        if not ticked:
            raise forms.ValidationError("Tick at least one result.", code="nothing_ticked")
        return sorted(index for result in ticked for index in result.indexes)
