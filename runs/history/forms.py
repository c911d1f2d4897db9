"""Forms for History, the bin, stars and the retention rules."""

from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _lazy

from runs.history import retention
from runs.models import RetentionRules
from runs.web.posted import CutField, DaysField, PostedForm, RepeatedField, SwitchField

DAYS_WANTED = format_lazy(
    _lazy("Enter {fewest} to {most} days, or leave it empty."),
    fewest=retention.FEWEST_DAYS,
    most=retention.MOST_DAYS,
)


class BulkActionForm(PostedForm):
    """The action `do` for the runs `r`; `query` is the filter to return to."""

    do = CutField()
    r = RepeatedField()
    query = CutField()

    def clean_r(self) -> list[str]:
        return list(dict.fromkeys(self.cleaned_data["r"]))


class SaveViewForm(PostedForm):
    """A name for the filter `query`."""

    query = CutField()
    name = CutField()


class ChangeViewForm(PostedForm):
    """A new name for a saved view, or `do=delete`."""

    do = CutField()
    name = CutField()


class DeleteForm(PostedForm):
    """`sure` confirms that the run should be permanently deleted."""

    sure = CutField()


class StarForm(PostedForm):
    """Whether to set or remove the star, and the button's label for screen readers."""

    on = SwitchField()
    label = CutField(300)


class RetentionForm(forms.ModelForm):  # type: ignore[type-arg]  # ModelForm is generic only in django-stubs
    """How long runs are kept, in days; forever if empty."""

    ready_days = DaysField(
        retention.FEWEST_DAYS,
        retention.MOST_DAYS,
        DAYS_WANTED,
        label=_lazy("Runs with results (days)"),
        help_text=_lazy("Starred runs and runs that guests can open are kept."),
        required=False,
    )
    failed_days = DaysField(
        retention.FEWEST_DAYS,
        retention.MOST_DAYS,
        DAYS_WANTED,
        label=_lazy("Failed or cancelled runs (days)"),
        help_text=_lazy("They have no results, only inputs."),
        required=False,
    )

    class Meta:
        model = RetentionRules
        fields = ("ready_days", "failed_days")

    def shown(self) -> list[tuple[BoundField, Any, str]]:
        """Return each field with its value and error."""
        return [(field, field.value() or "", " ".join(map(str, field.errors))) for field in self]
