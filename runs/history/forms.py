"""Forms for History, the bin, stars and the retention rules."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.forms import BoundField
from django.http import QueryDict
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _lazy

from runs.history import retention_rules
from runs.history.filters import Filter
from runs.history.saved_views import NAME_LENGTH
from runs.models import RetentionRules, Selection
from runs.web.http import own_path
from runs.web.posted import CutField, DaysField, NameField, PostedForm, RepeatedField, SeenForm, SwitchField

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

DAYS_WANTED = format_lazy(
    _lazy("Enter a number of days from {fewest} to {most}, or leave the field empty."),
    fewest=retention_rules.FEWEST_DAYS,
    most=retention_rules.MOST_DAYS,
)


class SelectionForm(PostedForm):
    """The ids selected in `place`: `r` (runs) or `f` (results). `on` has the ids of everything on the page, separated
    by spaces. With JavaScript, `on` only has the ids whose ticks aren't saved yet, and `shown` has them all.

    `do` is the pressed button, `query` the History filter, `back` the page to return to, and `to` the page to go to
    next. `at` is the time of the action to undo or, after a confirmation page, the `stamp` of the selection that the
    page showed.
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
        data = self.cleaned_data
        data["has_place"] = data["place"] in Selection.Place.values
        if not data["has_place"]:
            data["place"] = Filter.parse(data["query"]).place
        data["ticks"] = data["f" if data["place"] == Selection.Place.RESULTS else "r"]
        data["back"] = own_path(data["back"], Filter.parse(data["query"]).url())
        return data


class SaveViewForm(PostedForm):
    """A name under which to save the filter `query`."""

    query = CutField()
    name = NameField(NAME_LENGTH)


class ChangeViewForm(PostedForm):
    """A new name for a saved view, or `do=delete` to delete it."""

    do = CutField()
    name = NameField(NAME_LENGTH)


class ExamplesUndoForm(PostedForm):
    """`do` is the pressed button: empty for Undo, or "close"."""

    do = CutField()


class TickedForm(PostedForm):
    """The ids of the runs that are ticked in the bin."""

    r = RepeatedField()


class DeleteForm(PostedForm):
    """`sure` confirms that the run should be permanently deleted."""

    sure = CutField()


class HoldForm(PostedForm):
    """Whether to protect a run from deletion or stop protecting it; `back` is the page to return to."""

    on = SwitchField()
    back = CutField()


class StarForm(PostedForm):
    """Whether to set or remove the star, and the label of the button for screen readers."""

    on = SwitchField()
    label = CutField(300)


def _days(label: "StrOrPromise", help_text: "StrOrPromise") -> DaysField:
    return DaysField(
        retention_rules.FEWEST_DAYS,
        retention_rules.MOST_DAYS,
        DAYS_WANTED,
        label=label,
        help_text=help_text,
        required=False,
    )


class RetentionForm(SeenForm, forms.ModelForm):  # type: ignore[type-arg]  # ModelForm is generic only in django-stubs
    """How many days to keep each kind of thing; empty means forever.

    If `do` is "look", only show what the rules would remove. `agreed` is the `stamp` of the rules that the admin
    confirmed after seeing what they would remove.
    """

    ready_days = _days(
        _lazy("Runs with results"),
        _lazy(
            "Counted from the end of the run. When the time is up, the run goes to the bin, where it can be restored "
            "for 30 days."
        ),
    )
    failed_days = _days(
        _lazy("Failed or cancelled runs"), _lazy("These runs have inputs but no results. They also go to the bin.")
    )
    rejected_days = _days(
        _lazy("Rejected results"),
        _lazy(
            "Counted from the decision. When the time is up, the files are kept for another 30 days. The result shows "
            "when they will be removed, and anyone who can change the run can keep them."
        ),
    )
    uploads_days = _days(
        _lazy("Uploads"),
        _lazy(
            "Counted from the last run that used the file. When the time is up, the file is permanently deleted; runs "
            "still show its name."
        ),
    )
    record_days = _days(_lazy("Record of who did what"), _lazy("Two years, unless you choose something else."))
    do = CutField()
    agreed = CutField()

    class Meta:
        model = RetentionRules
        fields = retention_rules.RULES

    def __init__(self, data: QueryDict | None, instance: RetentionRules) -> None:
        super().__init__(data, instance=instance, initial={"seen": retention_rules.rules_version(instance)})

    def shown(self) -> list[tuple[BoundField, Any, str]]:
        """Return each rule's field, value and error."""
        rules = [self[name] for name in retention_rules.RULES]
        return [(field, field.value() or "", " ".join(map(str, field.errors))) for field in rules]

    @property
    def stamp(self) -> str:
        """The rules as posted, such as "90--30--730"."""
        return "-".join(str(self.cleaned_data[name] or "") for name in retention_rules.RULES)

    @property
    def is_agreed(self) -> bool:
        return bool(self.cleaned_data["agreed"] == self.stamp)


class TitleForm(PostedForm):
    """The title of a run; an empty one restores the app's name."""

    title = CutField()


class DescriptionForm(PostedForm):
    """The description of a result; an empty one removes it."""

    description = CutField()
