"""Forms for History, the bin, stars and the retention rules."""

from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _lazy

from runs.history import retention
from runs.history.search import Filter
from runs.models import RetentionRules, Selection
from runs.web.http import own_path
from runs.web.posted import CutField, DaysField, PostedForm, RepeatedField, SwitchField

DAYS_WANTED = format_lazy(
    _lazy("Enter {fewest} to {most} days, or leave it empty."),
    fewest=retention.FEWEST_DAYS,
    most=retention.MOST_DAYS,
)


class SelectionForm(PostedForm):
    """The ids ticked in `place`: `r` (runs) or `f` (results). `on` holds all ids on the page, separated by spaces; with
    scripts, only those whose ticks aren't saved yet, and `shown` holds all.

    `do` is the pressed button, `query` the History filter, `back` the page to return to, and `to` the page to go to
    next. `at` is the time of the action to undo, or of the selection that a page asked about.
    """

    do = CutField()
    place = CutField()
    on = RepeatedField()
    shown = RepeatedField()
    r = RepeatedField()
    f = RepeatedField()
    query = CutField()
    back = CutField()
    to = CutField()
    at = CutField()

    def clean_on(self) -> list[str]:
        return " ".join(self.cleaned_data["on"]).split()

    def clean_shown(self) -> list[str]:
        return " ".join(self.cleaned_data["shown"]).split()

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if given["place"] not in Selection.Place.values:
            given["place"] = Filter.parse(given["query"]).tab
        given["ticks"] = given["f" if given["place"] == Selection.Place.RESULTS else "r"]
        given["back"] = own_path(given["back"], Filter.parse(given["query"]).url())
        return given


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
    """Whether to set or remove the star, and the label of the button for screen readers."""

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
