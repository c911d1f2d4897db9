"""Forms for presets, the library and reruns, and for the controls of an app's form.

The questions of an app's form are in `schema_forms`.
"""

from django import forms
from django.utils.translation import gettext_lazy as _lazy

from runs.launching import presets
from runs.web.posted import CutField, NameField, PostedForm, RepeatedField, SwitchField


class ControlsForm(PostedForm):
    """What an app's form posts besides its answers.

    This includes the button, the token that starts one run, the schema version, what the form was opened with (a run, a
    preset, or the result to make the next version of), and which draft there was then (so that a newer one isn't
    overwritten). If the button is in a list of drafts, `page` names the page that the list is on. `plain` is sent if
    JavaScript is off, `preview` if this is an admin's preview, and `told` if the page says that there is a newer draft.
    """

    act = CutField()
    token = CutField()
    schema = CutField()
    run = CutField(16)
    next = CutField(16)
    preset = CutField(16)
    seen = CutField()
    aside = SwitchField()
    private = SwitchField()
    page = CutField()
    plain = SwitchField()
    preview = SwitchField()
    told = SwitchField()

    def add_prefix(self, field_name: str) -> str:
        """Read `run` from the field called `from`, which is a reserved word in Python."""
        return "from" if field_name == "run" else field_name


class PresetForm(forms.Form):
    """The name of a preset, and whether it is shared with the team."""

    name = NameField(presets.NAME_LENGTH, required=True, error_messages={"required": _lazy("Enter a name.")})
    is_team = forms.BooleanField(required=False)


class FieldForm(PostedForm):
    """A field of an app's form, and the library files picked for it."""

    app = CutField()
    field = CutField()
    pick = RepeatedField()


class RunAgainForm(PostedForm):
    """A token that starts a single run, no matter how often it is posted."""

    token = CutField()
