"""Choosing which results to make. Lamina identifies results by label, so those with the same label share a checkbox."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.formats import number_format
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from runs.schema_forms.fields import ManyValues
from runs.schema_forms.questions import as_words, is_seen, shortened
from runs.schema_forms.types import Outputs

KINDS = ("image", "video", "audio", "text")


@dataclass(frozen=True)
class Result:
    """All results with the same `label` (ignoring case), with their `indexes` and `kinds` on Lamina."""

    label: str
    indexes: tuple[int, ...]
    kinds: tuple[str, ...]

    @property
    def value(self) -> str:
        return str(self.indexes[0])

    @property
    def shown(self) -> str:
        """The label to show, or a placeholder if the label is invisible."""
        return shortened(
            self.label if is_seen(self.label) else _("Result %(number)s") % {"number": self.indexes[0] + 1}
        )

    @property
    def icons(self) -> list[str]:
        """An icon for each of the first four results."""
        return [kind if kind in KINDS else "other" for kind in self.kinds[:4]]

    @property
    def count_words(self) -> str:
        """How many results there are of each kind, in words, such as "1 image and 1 video"."""
        return how_many(self.kinds)


def how_many(kinds: Iterable[str]) -> str:
    """Count `kinds` in words, such as "2 images and 1 video". Anything of an unknown kind is counted as a "result"."""
    counts = Counter(kind if kind in KINDS else "" for kind in kinds)
    parts = [_kind_words(kind, counts[kind]) for kind in (*KINDS, "") if counts[kind]]
    return get_text_list(parts, pgettext("between the last two of a list", "and"))


def makes_words(makes: dict[str, int]) -> str:
    """Return what an app makes, such as "makes 2 images and 1 video"; empty if the app doesn't say."""
    kinds = [kind for kind, count in makes.items() for _each in range(count)]
    return _("makes %(results)s") % {"results": how_many(kinds)} if kinds else ""


def _kind_words(kind: str, count: int) -> str:
    words = {
        "image": ngettext("%(count)s image", "%(count)s images", count),
        "video": ngettext("%(count)s video", "%(count)s videos", count),
        "audio": ngettext("%(count)s audio file", "%(count)s audio files", count),
        "text": ngettext("%(count)s text", "%(count)s texts", count),
    }
    text = words.get(kind) or ngettext("%(count)s result", "%(count)s results", count)
    return text % {"count": number_format(count, use_l10n=True, force_grouping=True)}


def results_of(outputs: Outputs) -> list[Result]:
    """Group `outputs` by label, in the author's order."""
    items = [output if isinstance(output, dict) else {} for output in outputs]
    indexes = [output.get("index") for output in items]
    is_sound = all(isinstance(index, int) and index >= 0 for index in indexes) and len(set(indexes)) == len(indexes)
    groups: dict[str, list[tuple[str, int, str]]] = {}
    for n, output in enumerate(items):
        label = as_words(output.get("label") or "")
        index = int(indexes[n] or 0) if is_sound else n
        groups.setdefault(label.casefold(), []).append((label, index, as_words(output.get("type") or "")))
    return [
        Result(group[0][0], tuple(index for _label, index, _kind in group), tuple(kind for *_rest, kind in group))
        for group in groups.values()
    ]


class ResultsField(forms.Field):
    """Checkboxes for results. Cleaning returns the indexes of all ticked results, including those that share a
    label."""

    bound_field_class = BoundField  # the form's default bound field class is only for answers

    def __init__(self, results: list[Result]) -> None:
        super().__init__(required=False, widget=ManyValues(), label=_("Results"))
        self.results = results

    def values_for(self, choices: Iterable[str | int] | None) -> list[str]:
        """Return the values to tick initially: those in `choices` (labels or indexes), or all if none of them match."""
        named = {as_words(item).casefold() if isinstance(item, str) else item for item in choices or []}
        ticked = [r for r in self.results if r.label.casefold() in named or not named.isdisjoint(r.indexes)]
        return [result.value for result in ticked or self.results]

    def ticked(self, value: Iterable[str]) -> list[Result]:
        """Return the results whose index was posted; if there is only one result, it is always returned."""
        if len(self.results) == 1:
            return self.results
        posted = set(value)
        return [result for result in self.results if not posted.isdisjoint(map(str, result.indexes))]

    def clean(self, value: Any) -> list[int]:
        ticked = self.ticked(value or [])
        if not ticked:
            raise forms.ValidationError(_("Tick at least one result."), code="nothing_ticked")
        return sorted(index for result in ticked for index in result.indexes)
