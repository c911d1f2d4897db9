"""Forms for the inbox, the bell, the mute buttons, and the button for an email when a run is ready."""

from django import forms

from runs.web.posted import CutField, PostedForm, SwitchField


class SeenNoticesForm(PostedForm):
    """The ids of the notices that the bell has listed, separated by spaces, so that they can be marked as read."""

    notices = CutField(length=2_000)


class ReadAllForm(forms.Form):
    """The time when the page was shown; all notices up to then are marked as read."""

    until = forms.DateTimeField(input_formats=["%Y-%m-%dT%H:%M:%S.%f%z"], widget=forms.HiddenInput)


class MuteForm(PostedForm):
    """What to mute: the id of a run, or "comment-" followed by the id of a comment in a conversation. `back` is the
    page to return to."""

    what = CutField(length=40)
    back = CutField(length=2_000)


class MailWhenReadyForm(PostedForm):
    """Whether someone wants an email when a run is ready."""

    wanted = SwitchField()
