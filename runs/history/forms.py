"""What History, the bin and the stars post, and the rules of how long runs are kept."""

from typing import Any

from django import forms
from django.forms import BoundField

from runs.history import retention
from runs.models import RetentionRules
from runs.web.posted import CutField, DaysField, PostedForm, RepeatedField, SwitchField

DAYS_WANTED = f"Give a number of days from {retention.FEWEST_DAYS} to {retention.MOST_DAYS}, or nothing."


class BulkActionForm(PostedForm):
    """`do` to every run named by `r`; `query` is the filter to go back to."""

    do = CutField()
    r = RepeatedField()
    query = CutField()

    def clean_r(self) -> list[str]:
        return list(dict.fromkeys(self.cleaned_data["r"]))


class SaveViewForm(PostedForm):
    """The filter `query` under a name."""

    query = CutField()
    name = CutField()


class ChangeViewForm(PostedForm):
    """Another name for a saved view, or `do=delete`."""

    do = CutField()
    name = CutField()


class DeleteForm(PostedForm):
    """`sure` says that it shall go for good."""

    sure = CutField()


class StarForm(PostedForm):
    """The state the star shall have, and what the button is called for readers."""

    on = SwitchField()
    label = CutField(300)


def _days(label: str, help_text: str) -> DaysField:
    return DaysField(
        retention.FEWEST_DAYS, retention.MOST_DAYS, DAYS_WANTED, label=label, help_text=help_text, required=False
    )


class RetentionForm(forms.ModelForm):  # type: ignore[type-arg]  # django-stubs' ModelForm takes one only for mypy
    """How long runs are kept, in days; empty: for ever."""

    ready_days = _days("Runs with results", "What has a star, and what guests can open, stays.")
    failed_days = _days("Failed or cancelled runs", "They hold no results, only what went in.")

    class Meta:
        model = RetentionRules
        fields = ("ready_days", "failed_days")

    def shown(self) -> list[tuple[BoundField, Any, str]]:
        """Each field, what stands in it, and what is wrong with it."""
        return [(field, field.value() or "", " ".join(map(str, field.errors))) for field in self]
