"""What is posted about presets, the library and running again, and with an app's form, whose questions are
`schema_forms`."""

from django import forms
from django.utils.translation import gettext_lazy as _lazy

from runs.launching import presets
from runs.web.posted import CutField, NameField, PostedForm, RepeatedField, SwitchField


class ControlsForm(PostedForm):
    """What an app's form sends besides its answers: the button, the token that starts one run, the version of the
    schema it was made from, what it was opened with (a run or a preset), and the draft it must not overwrite."""

    act = CutField()
    token = CutField()
    schema = CutField()
    run = CutField(16)
    preset = CutField(16)
    aside = CutField()
    private = SwitchField()

    def add_prefix(self, field_name: str) -> str:
        """The run is posted as `from`, which is no name in Python."""
        return "from" if field_name == "run" else field_name


class PresetForm(forms.Form):
    """The name of a preset, and whether it is the team's."""

    name = NameField(presets.NAME_LENGTH, required=True, error_messages={"required": _lazy("Give it a name.")})
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
    """The title of a run; an empty one goes back to the app's name."""

    title = CutField()
