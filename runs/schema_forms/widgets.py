"""How posted values are read. Nothing is rendered here: the templates in schema_forms/ do that."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict

from runs.schema_forms.answers import Files


def all_of(data: Mapping[str, Any], name: str) -> list[str]:
    """Every value posted as NAME, in order."""
    if isinstance(data, MultiValueDict):
        return list(data.getlist(name))
    value = data.get(name, [])
    return list(value) if isinstance(value, list | tuple) else [value]


class OneValue(forms.Widget):
    """A single value, exactly as posted."""


class ManyValues(forms.Widget):
    """All values of one name, in the order of the page."""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[str]:
        return all_of(data, name)


class UploadValues(forms.Widget):
    """The parts of a `url` field: NAME_kept once for every upload in the order of the page, NAME_link."""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Files:
        kept = dict.fromkeys(upload for upload in all_of(data, f"{name}_kept") if upload)
        return Files(tuple(kept), str(data.get(f"{name}_link") or "").strip())
