"""Forms for buttons about emails."""

from runs.web.posted import CutField, PostedForm, SwitchField


class WishForm(PostedForm):
    """Whether someone wants an email when a run is ready."""

    wanted = SwitchField()


class BackForm(PostedForm):
    """The page to return to: the one with the button."""

    back = CutField()
