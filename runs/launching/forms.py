"""Forms for presets, the library and reruns. `posted_form.ControlsForm` reads the controls of an app's form, whose
questions are in `schema_forms`."""

from django import forms
from django.utils.translation import gettext_lazy as _lazy

from runs.launching import presets
from runs.web.posted import CutField, NameField, PostedForm, RepeatedField


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
