"""What is posted about presets, the library and a run once more; an app's own form is `schema_forms`."""

from django import forms

from runs.launching import presets
from runs.web.posted import CutField, NameField, PostedForm, RepeatedField

NEEDS_NAME = "Give it a name."


class PresetForm(forms.Form):
    """What a preset is called, and whether it is the team's."""

    name = NameField(presets.NAME_LENGTH, required=True, error_messages={"required": NEEDS_NAME})
    is_team = forms.BooleanField(required=False)


class FieldForm(PostedForm):
    """A field of an app's form, and the files from the library that were picked for it."""

    app = CutField()
    field = CutField()
    pick = RepeatedField()


class RunAgainForm(PostedForm):
    """The press: a token that starts one run, however often it is sent."""

    token = CutField()


class TitleForm(PostedForm):
    """What a run shall be called; nothing gives the app's name back."""

    title = CutField()
